/* SPDX-License-Identifier: MIT
 *
 * memscope dump F: every event as a line of text, in merged order; --raw: every
 * row, thread by thread; --check-merge: the merge against its oracle.
 */
#include "cmd/dump.h"

#include "cmd/cmd.h"

#include <string.h>

static const struct dump_mode {
  const char *option;
  int (*run)(struct ms_stream *, const struct ms_dump_options *, FILE *, struct ms_error *);
} modes[] = {
    {"--stable", ms_dump_stable},
    {"--raw", ms_dump_raw},
    {"--check-merge", ms_dump_check_merge},
};

static const struct dump_mode *mode_find(const char *option) {
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (strcmp(modes[i].option, option) == 0) return &modes[i];
  return NULL;
}

/* Rows are shown as they stand, nothing is scaled. */
static void sampling_print(const struct ms_file_header *header) {
  double period = (double)header->sampling_period;
  if (header->mode == MS_MODE_COUNTERS) printf("counters: rows are of all but the events, which stand behind them as sums\n");
  if (header->mode != MS_MODE_SAMPLE) return;
  if (header->sampling == MS_SAMPLING_BYTES) printf("sampled: one in about %.0f bytes; what was not drawn is not here\n", period);
  else printf("sampled: one in about %.9g allocations%s; what was not drawn is not here\n", period / (double)MS_SAMPLING_ONE, header->sampling == MS_SAMPLING_LARGE ? ", large ones more often" : "");
}

int ms_cmd_dump(struct ms_cmd_context *context, int argc, char **argv) {
  const char *path = NULL;
  const struct dump_mode *mode = NULL;
  struct ms_dump_options options = {0};
  for (int i = 1; i < argc; i++) {
    const struct dump_mode *found = mode_find(argv[i]);
    int taken = ms_cmd_symbols(context, argc, argv, &i, &options.where);
    if (taken < 0) return (int)context->error.code;
    if (taken) continue;
    if (found && mode && found != mode)
      return ms_cmd_usage(context, "%s and %s cannot go together", mode->option, found->option);
    if (found)
      mode = found;
    else if (strcmp(argv[i], "--symbols") == 0)
      options.symbols = true;
    else if (argv[i][0] == '-' && argv[i][1])
      return ms_cmd_unknown(context, argv[i]);
    else if (path)
      return ms_cmd_usage(context, "one stream at a time, not also '%s'", argv[i]);
    else
      path = argv[i];
  }
  if (!path) return ms_cmd_usage(context, "which stream?");
  if (!options.symbols && (options.where.debug_dir || options.where.sysroot))
    return ms_cmd_usage(context, "--debug-dir and --sysroot say where --symbols finds binaries; add --symbols");

  struct ms_arena *arena = ms_arena_new();
  struct ms_stream *stream = ms_stream_open(arena, path, &context->error);
  if (stream) sampling_print(&stream->header);
  int code = stream ? (mode ? mode->run : ms_dump_events)(stream, &options, stdout, &context->error) : 0;
  if (stream) ms_stream_report(stream, &context->error);
  ms_stream_close(stream);
  ms_arena_free(arena);
  return context->error.code ? (int)context->error.code : code;
}
