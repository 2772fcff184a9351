/* SPDX-License-Identifier: MIT
 *
 * memscope run: records a program, passes its exit code on, says what it did.
 * What it says stands on stderr; stdout belongs to the program.
 */
#include "cmd/run.h"
#include "cmd/cmd.h"
#include "cmd/near.h"
#include "cmd/summary.h"
#include "model/model.h"
#include "place/place.h"
#include "memscope/mode.h"
#include "memscope/span.h"
#include "memscope/stream.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- arguments ---- */

enum { OPTION_MODE = 256, OPTION_QUIET, OPTION_FORK, OPTION_EXEC, OPTION_PACK, OPTION_PAUSED, OPTION_ROTATE, OPTION_STACK };

static const struct option options[] = {
    {"output", required_argument, NULL, 'o'},        {"mode", required_argument, NULL, OPTION_MODE},
    {"quiet", no_argument, NULL, OPTION_QUIET},      {"follow-fork", required_argument, NULL, OPTION_FORK},
    {"follow-exec", no_argument, NULL, OPTION_EXEC}, {"pack", no_argument, NULL, OPTION_PACK},
    {"paused", no_argument, NULL, OPTION_PAUSED},    {"rotate", required_argument, NULL, OPTION_ROTATE},
    {"stack", required_argument, NULL, OPTION_STACK}, {0}};

static const char *option_values(const char *name) {
#define MS_OPTION(id, NAME, kind, default_, values, help)                                                    \
  if (strcmp(name, NAME) == 0) return values;
#include "memscope/option.def"
  return "";
}

/* WORD options hold their values as "a|b". */
static bool is_one_of(const char *values, const char *word) {
  size_t length = strlen(word);
  for (const char *at = values; at; at = strchr(at, '|')) {
    at += *at == '|';
    if (length && strncmp(at, word, length) == 0 && (at[length] == '|' || !at[length])) return true;
  }
  return false;
}

/* "fp", "fp=DEPTH", "dwarf" likewise, "none". */
static int stack_apply(struct ms_cmd_context *context, struct ms_run *run, char *how) {
  char *depth = strchr(how, '='), *end;
  if (depth) *depth++ = 0;
  if (!is_one_of(option_values("MEMSCOPE_STACK"), how))
    return ms_cmd_usage(context, "--stack is one of %s, not '%s'", option_values("MEMSCOPE_STACK"), how);
  run->stack = how;
  if (!depth) return 0;
  long frames = strtol(depth, &end, 10);
  if (*depth < '0' || *depth > '9' || *end || frames < 1 || frames > MS_STACK_FRAMES || strcmp(how, "none") == 0)
    return ms_cmd_usage(context, "--stack fp=DEPTH or dwarf=DEPTH is from 1 to %d frames, not '%s=%s'", MS_STACK_FRAMES, how, depth);
  run->stack_depth = depth;
  return 0;
}

/* As the runtime will understand it; `from` says where it stands. */
static int mode_check(struct ms_cmd_context *context, const char *mode, const char *from) {
  if (ms_mode_parse(mode).mode) return 0;
  if (strncmp(mode, "sample=", 7) == 0)
    return ms_cmd_usage(context, "%s%s: give a share of the allocations (0.05 or 5%%, at most all), or a distance in bytes (512K, at most 1024G)", mode, from);
  return ms_cmd_usage(context, "no mode '%s'%s, there are %s", mode, from, option_values("MEMSCOPE_MODE"));
}

static int option_apply(struct ms_cmd_context *context, struct ms_run *run, int option) {
  struct ms_span span;
  switch (option) {
  case 'o':
    run->output = optarg;
    return 0;
  case OPTION_QUIET:
    run->quiet = true;
    return 0;
  case OPTION_EXEC:
    run->follow_exec = true;
    return 0;
  case OPTION_PACK:
    run->pack = true;
    return 0;
  case OPTION_PAUSED:
    run->paused = true;
    return 0;
  case OPTION_ROTATE:
    run->rotate = optarg;
    if (ms_span_parse(&span, optarg)) return 0;
    return ms_cmd_usage(context, "--rotate needs bytes from 64K on (64K, 1G) or a time (30s, 10min, 6h, 1d), not '%s'", optarg);
  case OPTION_STACK:
    return stack_apply(context, run, optarg);
  case OPTION_MODE:
    run->mode = optarg;
    return mode_check(context, optarg, "");
  case OPTION_FORK:
    run->follow_fork = strcmp(optarg, "yes") == 0 ? "on" : strcmp(optarg, "no") == 0 ? "off" : NULL;
    if (run->follow_fork) return 0;
    return ms_cmd_usage(context, "--follow-fork is yes or no, not '%s'", optarg);
  default:
    return 0;
  }
}

/* Mode and output as the environment has them: options say more. */
static int environment_read(struct ms_cmd_context *context, struct ms_run *run) {
  const char *output = getenv("MEMSCOPE_OUTPUT"), *mode = getenv("MEMSCOPE_MODE");
  if (output && *output) run->output = output;
  if (!mode || !*mode) return 0;
  run->mode = mode;
  return mode_check(context, mode, " (MEMSCOPE_MODE)");
}

/* One that is none of ours would be ignored in silence. */
static void variables_check(void) {
  for (char **at = environ; *at; at++) {
    size_t length = strcspn(*at, "=");
    if (strncmp(*at, "MEMSCOPE", 8) != 0 || ms_is_variable(*at, length)) continue;
    struct ms_near near = ms_near_variable(*at, length);
    fprintf(stderr, "memscope: the environment's %.*s is no option and changes nothing%s%.*s; see: memscope help env\n", (int)length, *at,
            near.length ? ", did you mean " : "", near.length, near.name);
  }
}

static int arguments_read(struct ms_cmd_context *context, struct ms_run *run, int argc, char **argv) {
  *run = (struct ms_run){.output = "%e.%p.memscope", .mode = "full"};
  if (environment_read(context, run)) return (int)context->error.code;
  optind = 1;
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "+:o:", options, NULL)) != -1;) {
    if (option == ':' || option == '?') return ms_cmd_getopt(context, option, argv);
    if (option_apply(context, run, option)) return (int)context->error.code;
  }
  if (optind >= argc) return ms_cmd_usage(context, "no program given");
  if (run->stack && strcmp(run->stack, "none") != 0 && ms_mode_parse(run->mode).mode == MS_MODE_COUNTERS)
    return ms_cmd_usage(context, "counters have no events, and so no call stacks: --stack goes with any other --mode");
  if (!*run->output) return ms_cmd_usage(context, "-o needs a file's name");
  run->program = argv + optind;
  return 0;
}

/* ---- the program ---- */

static int program_missing(const char *name, struct ms_error *error) {
  struct stat st;
  if (strchr(name, '/') || stat(name, &st))
    return ms_error_set(error, MS_ERROR_NOT_FOUND, "no such program: %s", name);
  return ms_error_set(error, MS_ERROR_NOT_FOUND, "no program %s on PATH; the file here is ./%s", name, name);
}

static int program_find(struct ms_run *run, struct ms_error *error) {
  const char *name = run->program[0];
  struct stat st;
  if (ms_place_program(name, run->path)) return 0;
  if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
    return ms_error_set(error, MS_ERROR_NOT_EXECUTABLE, "%s is a folder; name a program in it", name);
  if (!strchr(name, '/') || access(name, F_OK)) return program_missing(name, error);
  return ms_error_set(error, MS_ERROR_NOT_EXECUTABLE, "%s is not executable; chmod +x %s", name, name);
}

static int runtime_find(struct ms_run *run, struct ms_error *error) {
  ms_program_read(&run->file, run->path);
  const char *others = getenv("LD_PRELOAD"); /* they come before what is linked */
  bool inside = run->file.holds_runtime || (run->file.links_runtime && !(others && *others));
  bool foreign =
      run->file.kind == MS_PROGRAM_FOREIGN || (run->file.kind == MS_PROGRAM_ELF && !run->file.dynamic);
  run->preload = !inside && !foreign;
  if (!run->preload || ms_place_file("libmemscope.so", run->runtime)) return 0;
  return ms_error_set(error, MS_ERROR_USAGE, "no libmemscope.so beside this program; build it with ./setup");
}

/* ---- afterwards ---- */

static const char *no_stream_reason(const struct ms_run *run) {
  static char text[256];
  const struct ms_program *file = &run->file;
  if (file->sanitizer) {
    snprintf(text, sizeof text, "%s in it has a malloc of its own and tells nobody of its blocks; build it without -fsanitize to record it",
             file->sanitizer);
    return text;
  }
  struct ms_hindrance hindrance = ms_program_hindrance(file);
  if (hindrance.is) {
    snprintf(text, sizeof text, "%s; %s", hindrance.is, hindrance.mend);
    return text;
  }
  return "a line above says why; if there is none, it never came to start the runtime, and "
         "MEMSCOPE_VERBOSE=on says more";
}

static void losses_print(const struct ms_run_stream *stream) {
  static const char *const reasons[] = {
      [MS_LOST_SPACE] =
          "the disk is full or the file-size limit is reached; free space, or name another place with -o",
      [MS_LOST_IO] = "the file system failed; name another place with -o",
      [MS_LOST_FILE_GONE] = "the program closed or replaced the stream's file descriptor",
      [MS_LOST_MEMORY] = "no memory was left for recording",
      [MS_LOST_LATE] = "they came while the process was being torn down",
      [MS_LOST_NESTED] = "a signal handler came in between",
      [MS_LOST_SECCOMP] = "the program had given up system calls (seccomp), and the room mapped before was full",
  };
  if (!stream->lost_events) return;
  uint32_t reason = stream->lost_reason;
  bool known = reason < sizeof reasons / sizeof *reasons && reasons[reason];
  fprintf(stderr, "memscope: %llu events of process %u are not recorded: %s\n",
          (unsigned long long)stream->lost_events, stream->pid,
          known ? reasons[reason] : "the reason is unknown");
}

/* A program that began to record may have paused itself once, so the header alone does not tell. */
static void never_resumed_print(const struct ms_run *run, const struct ms_run_stream *stream) {
  const char *variable = getenv("MEMSCOPE_PAUSED");
  if (!stream->paused || !(run->paused || (variable && strcmp(variable, "on") == 0))) return;
  fprintf(stderr, "memscope: process %u recorded nothing: " MS_NEVER_RESUMED "\n", stream->pid, stream->pid);
}

/* As short as the user can type it. */
static const char *path_short(const char *path) {
  char here[PATH_MAX];
  size_t length = getcwd(here, sizeof here) ? strlen(here) : 0;
  return length > 1 && strncmp(path, here, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static void others_print(const struct ms_run_stream *streams, size_t count) {
  enum { SHOWN = 5 };
  size_t shown = count > SHOWN + 2 ? SHOWN + 1 : count; /* "1 more" takes a line too */
  for (size_t i = 1; i < shown; i++)
    fprintf(stderr, "memscope: process %u wrote %s%s\n", streams[i].pid, path_short(streams[i].path),
            streams[i].ended ? "" : " (it may still run)");
  if (count > shown) fprintf(stderr, "memscope: and %zu more\n", count - shown);
}

static uint64_t now_unix_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now); /* never later than the runtime's own clock */
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void results_print(const struct ms_run *run, const struct ms_run_end *end, uint64_t start_unix_ns) {
  struct ms_run_stream *streams;
  struct ms_error error = {0};
  size_t count = ms_run_streams(run, end->pid, start_unix_ns, &streams);
  if (end->signal && !run->quiet)
    fprintf(stderr, "memscope: %s was ended by signal %d (%s)%s\n", run->program[0], end->signal,
            strsignal(end->signal), end->core ? ", core dumped" : "");
  if (count && streams[0].pid == (uint32_t)end->pid) ms_run_stream_end(&streams[0], end, now_unix_ns());
  if (!count && !run->no_space)
    fprintf(stderr, "memscope: %s wrote no stream: %s\n", run->program[0], no_stream_reason(run));
  if (run->quiet) /* else the summary tells of them */
    for (size_t i = 0; i < count; i++) losses_print(&streams[i]), never_resumed_print(run, &streams[i]);
  if (run->pack)
    for (size_t i = 0; i < count; i++) ms_run_stream_pack(&streams[i], run->quiet);
  if (count && !run->quiet) {
    others_print(streams, count);
    if (ms_summary_print(stderr, path_short(streams[0].path), 0, &error))
      fprintf(stderr, "memscope: %s\n", error.text);
  }
  free(streams);
}

int ms_cmd_run(struct ms_cmd_context *context, int argc, char **argv) {
  struct ms_run run;
  struct ms_run_end end = {0};
  struct ms_error *error = &context->error;
  if (arguments_read(context, &run, argc, argv) || program_find(&run, error) || runtime_find(&run, error) ||
      ms_run_output_check(&run, error))
    return (int)error->code;
  variables_check();
  uint64_t start_unix_ns = now_unix_ns();
  if (ms_run_child(&run, &end, error)) return (int)error->code;
  results_print(&run, &end, start_unix_ns);
  return end.exit_code;
}
