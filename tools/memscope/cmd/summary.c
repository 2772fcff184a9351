/* SPDX-License-Identifier: MIT
 *
 * memscope summary F: a stream's figures, for people or as JSON.
 */
#include "cmd/summary.h"

#include "base/arena.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "export/export.h"
#include "reader/reader.h"
#include "symbol/symbol.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TOP_STACKS = 10 };

struct arguments {
  const char *path, *colour;
  unsigned top;
  bool json;
  bool stacks;
  struct ms_symbol_options symbols; /* where binaries are */
  bool follow;
  double seconds; /* between two looks */
};

/* Without --top text shows ten of a table, JSON all. */
static const struct ms_symbols *symbols_of(struct ms_arena *arena, const struct arguments *arguments, const struct ms_model *model) {
  uint32_t shown = arguments->top ? arguments->top : arguments->json ? UINT32_MAX : TOP_STACKS;
  return model && arguments->stacks ? ms_symbols_of(arena, model, shown, &arguments->symbols) : NULL;
}

static void model_write(FILE *out, struct ms_arena *arena, const struct arguments *arguments, const struct ms_model *model,
                        struct ms_error *error) {
  const struct ms_symbols *symbols = symbols_of(arena, arguments, model);
  if (model && arguments->json) {
    if (!ms_export_json(model, MS_VERSION, arguments->top, symbols, out))
      ms_error_set(error, MS_ERROR_USAGE, "no memory for JSON; free some");
  } else if (model) {
    struct ms_text_options options = {.path = arguments->path,
                                      .top = arguments->top,
                                      .colour = ms_colour_wanted(out, arguments->colour),
                                      .columns = ms_terminal_columns(out),
                                      .symbols = symbols};
    ms_export_text(model, &options, out);
  }
}

/* What was read is shown even when the stream is damaged; the error says so. */
static int summary_write(FILE *out, const struct arguments *arguments, struct ms_error *error) {
  struct ms_arena *arena = ms_arena_new();
  struct ms_progress_line line;
  const struct ms_progress *shown = ms_progress_begin(&line, "reading");
  struct ms_stream *stream = ms_stream_open(arena, arguments->path, error);
  if (stream) stream->progress = shown;
  const struct ms_model *model = stream ? ms_model_build(arena, stream, error) : NULL;
  if (shown) ms_progress_end(&line);
  model_write(out, arena, arguments, model, error);
  ms_stream_close(stream);
  ms_arena_free(arena);
  return (int)error->code;
}

/* ---- following ---- */

/* A terminal shows the latest look alone; elsewhere each has its time above it. */
static void look_begin(const struct arguments *arguments) {
  char text[32];
  time_t now = time(NULL);
  struct tm broken;
  if (arguments->json) return;
  if (isatty(STDOUT_FILENO)) {
    fputs("\033[H\033[J", stdout);
    return;
  }
  strftime(text, sizeof text, "%F %T", localtime_r(&now, &broken));
  printf("==== %s ====\n\n", text);
}

/* One look; whether there is more to come. */
static bool look(const struct arguments *arguments, struct ms_error *error) {
  struct ms_arena *arena = ms_arena_new();
  struct ms_stream *stream = ms_stream_open_live(arena, arguments->path, error);
  bool more = stream && stream->live && ms_stream_has_writer(stream);
  const struct ms_model *model = more ? ms_model_build(arena, stream, error) : NULL;
  if (model) look_begin(arguments);
  if (model) model_write(stdout, arena, arguments, model, error);
  fflush(stdout);
  ms_stream_close(stream);
  ms_arena_free(arena);
  return more && !ferror(stdout);
}

/* Until the program ends; the last look is that of any finished stream. */
static int summary_follow(const struct arguments *arguments, struct ms_error *error) {
  const struct timespec pause = {(time_t)arguments->seconds, (long)((arguments->seconds - (double)(time_t)arguments->seconds) * 1e9)};
  while (look(arguments, error)) {
    *error = (struct ms_error){0}; /* a record half written mends itself */
    nanosleep(&pause, NULL);
  }
  if (error->code) return (int)error->code;
  look_begin(arguments);
  return summary_write(stdout, arguments, error);
}

int ms_summary_print(FILE *out, const char *path, unsigned top, struct ms_error *error) {
  return summary_write(out, &(struct arguments){.path = path, .top = top}, error);
}

static bool top_parse(const char *text, unsigned *top) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || !value || value > 1000000) return false;
  *top = (unsigned)value;
  return true;
}

static bool seconds_parse(const char *text, double *seconds) {
  char *end;
  *seconds = strtod(text, &end);
  return *text && !*end && *seconds >= 0.01 && *seconds <= 86400;
}

static bool colour_known(const char *how) {
  return strcmp(how, "auto") == 0 || strcmp(how, "always") == 0 || strcmp(how, "never") == 0;
}

static int arguments_parse(struct ms_cmd_context *context, int argc, char **argv,
                           struct arguments *arguments) {
  for (int i = 1; i < argc; i++) {
    const char *top = NULL;
    int taken = ms_cmd_symbols(context, argc, argv, &i, &arguments->symbols);
    if (taken < 0) return (int)context->error.code;
    if (taken) continue;
    if (strcmp(argv[i], "--json") == 0)
      arguments->json = true;
    else if (strcmp(argv[i], "--stacks") == 0)
      arguments->stacks = true;
    else if (strncmp(argv[i], "--top=", 6) == 0)
      top = argv[i] + 6;
    else if (strcmp(argv[i], "--top") == 0)
      top = i + 1 < argc ? argv[++i] : "";
    else if (strcmp(argv[i], "--follow") == 0 || strncmp(argv[i], "--follow=", 9) == 0) {
      arguments->follow = true;
      if (argv[i][8] && !seconds_parse(argv[i] + 9, &arguments->seconds))
        return ms_cmd_usage(context, "--follow needs seconds, from 0.01 to 86400");
    } else if (strncmp(argv[i], "--color=", 8) == 0) {
      arguments->colour = argv[i] + 8;
      if (!colour_known(arguments->colour)) return ms_cmd_usage(context, "--color is auto, always or never, not '%s'", arguments->colour);
    } else if (strcmp(argv[i], "--color") == 0)
      return ms_cmd_usage(context, "--color needs =auto, =always or =never");
    else if (argv[i][0] == '-' && argv[i][1])
      return ms_cmd_unknown(context, argv[i]);
    else if (arguments->path)
      return ms_cmd_usage(context, "one stream at a time, not also '%s'", argv[i]);
    else
      arguments->path = argv[i];
    if (top && !top_parse(top, &arguments->top))
      return ms_cmd_usage(context, "--top needs a number from 1 on");
  }
  if (!arguments->stacks && (arguments->symbols.debug_dir || arguments->symbols.sysroot))
    return ms_cmd_usage(context, "--debug-dir and --sysroot say where --stacks finds binaries; add --stacks");
  return arguments->path ? 0 : ms_cmd_usage(context, "which stream?");
}

int ms_cmd_summary(struct ms_cmd_context *context, int argc, char **argv) {
  struct arguments arguments = {.seconds = 1};
  int code = arguments_parse(context, argc, argv, &arguments);
  if (code) return code;
  return arguments.follow ? summary_follow(&arguments, &context->error) : summary_write(stdout, &arguments, &context->error);
}
