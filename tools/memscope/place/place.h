/* SPDX-License-Identifier: MIT
 *
 * Where the parts of this installation are: found from the running program's
 * own place, so that a build tree, /usr/local and a package work alike.
 */
#ifndef MS_PLACE_PLACE_H
#define MS_PLACE_PLACE_H

#include <limits.h>

#include "base/error.h"

/* A Clang and the plugin built for it. */
struct ms_compiler {
  unsigned major;        /* Clang's major version; a plugin fits no other */
  char clang[PATH_MAX];  /* "" = not installed */
  char plugin[PATH_MAX]; /* "" = none built for this major */
};

enum { MS_PLACE_MAJORS = 16 };

/* The folder of this installation's libraries; "" when the program lies alone. */
const char *ms_place_lib(void);

/* Writes lib/NAME to path when that file exists, else "". Returns path's first character. */
int ms_place_file(const char *name, char path[PATH_MAX]);

/* Every major with a plugin, newest first; returns how many. Their Clang may be missing. */
unsigned ms_place_compilers(struct ms_compiler compilers[MS_PLACE_MAJORS]);

/* The Clang to compile with: $MEMSCOPE_CLANG, else the newest installed one that has a plugin. */
int ms_place_compiler(struct ms_compiler *compiler, struct ms_error *error);

/* NAME as the shell finds it, in path; returns 0 when there is no such program. */
int ms_place_program(const char *name, char path[PATH_MAX]);

#endif
