/* SPDX-License-Identifier: MIT
 *
 * The parts of `memscope run`: its options, the child process, the streams it wrote.
 */
#ifndef MS_CMD_RUN_H
#define MS_CMD_RUN_H

#include "place/program.h"
#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ms_run {
  const char *output; /* pattern as the user gave it, or the option's default */
  const char *mode;
  const char *rotate; /* NULL: as the environment has it */
  const char *stack, *stack_depth; /* NULL: as the environment has it */
  const char *follow_fork;         /* the same */
  bool quiet, follow_exec, pack, paused;
  char **program;         /* PROG ARGS, NULL-terminated */
  char path[PATH_MAX];    /* of PROG */
  char pattern[PATH_MAX]; /* output, absolute */
  char folder[PATH_MAX];  /* where the streams will lie */
  struct ms_program file; /* PROG's ELF */
  char runtime[PATH_MAX]; /* libmemscope.so */
  bool preload;
  bool no_space; /* where the output shall go: the runtime will say so, and the program runs on */
};

/* ---- run_child.c ---- */

struct ms_run_end {
  pid_t pid;
  int exit_code; /* as a shell gives it: 128 + signal */
  int signal;    /* 0 = it ended by itself */
  bool core;
};

/* Runs the program to its end; signals sent to us go to it. */
int ms_run_child(const struct ms_run *run, struct ms_run_end *end, struct ms_error *error);

/* ---- run_stream.c ---- */

struct ms_run_stream {
  char path[PATH_MAX];
  uint64_t start_unix_ns;
  uint32_t pid, parent_pid;
  uint32_t lost_reason;
  uint64_t lost_events;
  bool ended;
  bool paused; /* still, since it began */
};

/* Makes run->pattern and run->folder, and sees that a file can be made there;
 * want of space is no error but run->no_space. */
int ms_run_output_check(struct ms_run *run, struct ms_error *error);

/* The streams that process pid and its children wrote since start_unix_ns: pid's own
 * first, then by time. Returns how many; *streams is to be freed. */
size_t ms_run_streams(const struct ms_run *run, pid_t pid, uint64_t start_unix_ns,
                      struct ms_run_stream **streams);

/* The stream's process has ended. When it could not say so itself, for it was killed or
 * left by a system call, its header shall, with the time that is now; and when its exit
 * code became another behind its own exit, as sanitizers make it, that one. A file that
 * cannot be written stays as it is. */
void ms_run_stream_end(struct ms_run_stream *stream, const struct ms_run_end *end, uint64_t now_unix_ns);

/* Puts the packed form in the stream's place, with a name of its own. One that
 * cannot be packed, or may still be written to, stays as it is; why is said. */
void ms_run_stream_pack(struct ms_run_stream *stream, bool quiet);

#endif
