/* SPDX-License-Identifier: MIT
 *
 * What the loader will do with a program, read from its file: whether a
 * runtime can be preloaded, and whether one is inside already.
 */
#ifndef MS_PLACE_PROGRAM_H
#define MS_PLACE_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

enum ms_program_kind {
  MS_PROGRAM_UNKNOWN, /* neither of the below: the kernel will refuse it, or has a handler we do not know */
  MS_PROGRAM_SCRIPT,  /* #!: its interpreter is the program */
  MS_PROGRAM_ELF,     /* x86-64 */
  MS_PROGRAM_FOREIGN, /* ELF of another width or machine: our library does not fit it */
};

struct ms_program {
  enum ms_program_kind kind;
  bool dynamic;        /* a loader runs first, so LD_PRELOAD is heard */
  bool library;        /* shared, and no program */
  bool links_runtime;  /* needs libmemscope.so */
  bool holds_runtime;  /* has the runtime inside */
  bool privileged;     /* setuid, setgid or file capabilities: the loader ignores LD_PRELOAD */
  const char *sanitizer; /* one that brings its own malloc, by name; NULL = none */
  char sanitizer_library[NAME_MAX + 1]; /* which it needs for that, and which must be loaded before ours; "" = none */
};

/* Why no runtime will record it, as "it is static", and what to do; NULL: nothing is known
 * that hinders. */
struct ms_hindrance {
  const char *is, *mend;
};
struct ms_hindrance ms_program_hindrance(const struct ms_program *program);

/* Is that file, or name, a sanitizer's shared library? */
bool ms_program_is_sanitizer(const char *library);

/* Reads path; a file that cannot be read is MS_PROGRAM_UNKNOWN, not an error: it may still run. */
void ms_program_read(struct ms_program *program, const char *path);

#endif
