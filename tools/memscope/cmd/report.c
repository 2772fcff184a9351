/* SPDX-License-Identifier: MIT
 *
 * memscope report: a stream as one HTML file that opens from disk.
 */
#include "cmd/cmd.h"
#include "cmd/progress.h"

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"
#include "reader/reader.h"
#include "view/view.h"

#include <getopt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

struct report {
  const char *stream, *output;
  bool open;
};

enum { OPTION_OPEN = 256 };
static const struct option options[] = {
    {"output", required_argument, NULL, 'o'}, {"open", no_argument, NULL, OPTION_OPEN}, {0}};

static int arguments_read(struct ms_cmd_context *context, struct report *report, int argc, char **argv) {
  optind = 1;
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
    if (option == ':' || option == '?') return ms_cmd_getopt(context, option, argv);
    if (option == 'o') report->output = optarg;
    if (option == OPTION_OPEN) report->open = true;
  }
  if (optind >= argc) return ms_cmd_usage(context, "no stream given");
  if (optind + 1 < argc) return ms_cmd_usage(context, "one stream at a time, not also %s", argv[optind + 1]);
  report->stream = argv[optind];
  if (report->output && strcmp(report->output, "-") == 0) report->output = "/dev/stdout";
  if (report->output && !*report->output) return ms_cmd_usage(context, "-o needs a file's name");
  return 0;
}

/* F.memscope -> F.html; anything else gets .html behind. */
static const char *output_name(struct ms_arena *arena, const char *stream) {
  static const char ending[] = ".memscope";
  size_t length = strlen(stream), cut = sizeof ending - 1;
  bool ends = length > cut && strcmp(stream + length - cut, ending) == 0;
  return ms_arena_print(arena, "%.*s.html", (int)(ends ? length - cut : length), stream);
}

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The stream's damage, if any, stays in context->error: the report is written
 * all the same, and the exit code says what it rests on. */
static int report_write(struct ms_cmd_context *context, struct ms_arena *arena, struct report *report,
                        uint64_t *size) {
  struct ms_error failed = {0};
  struct ms_progress_line line;
  const struct ms_progress *shown = ms_progress_begin(&line, "reading");
  struct ms_stream *stream = ms_stream_open(arena, report->stream, &context->error);
  if (!stream) return (int)context->error.code;
  if (!report->output) report->output = output_name(arena, report->stream);
  if (same_file(report->stream, report->output))
    return ms_error_set(&context->error, MS_ERROR_USAGE,
                        "%s is the stream itself; choose another place with -o", report->output);
  stream->progress = shown;
  const struct ms_model *model = ms_model_build(arena, stream, &context->error);
  if (shown) ms_progress_end(&line);
  if (!model) return (int)context->error.code;
  if (ms_view_report(arena, model, report->output, size, &failed)) context->error = failed;
  ms_stream_close(stream);
  return (int)failed.code;
}

/* Whatever the desktop opens HTML files with; it outlives us. */
static int browser_open(struct ms_cmd_context *context, const char *path) {
  char *const arguments[] = {"xdg-open", (char *)(uintptr_t)path, NULL};
  pid_t child;
  int status = 0;
  if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) == 0 &&
      waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  return ms_error_set(&context->error, MS_ERROR_USAGE, "xdg-open could not show %s; open it in a browser",
                      path);
}

int ms_cmd_report(struct ms_cmd_context *context, int argc, char **argv) {
  struct report report = {0};
  uint64_t size = 0;
  char text[32];
  if (arguments_read(context, &report, argc, argv)) return (int)context->error.code;
  struct ms_arena *arena = ms_arena_new();
  int code = report_write(context, arena, &report, &size);
  if (!code && strcmp(report.output, "/dev/stdout") != 0)
    printf("%s  %s\n", report.output, ms_format_bytes(text, size));
  if (!code && report.open) code = browser_open(context, report.output);
  ms_arena_free(arena);
  return code ? code : (int)context->error.code;
}
