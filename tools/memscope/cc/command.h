/* SPDX-License-Identifier: MIT
 *
 * What a compile line asks for, as far as memscope-cc has to know it.
 */
#ifndef MS_CC_COMMAND_H
#define MS_CC_COMMAND_H

#include "base/error.h"

#include <stdbool.h>

/* One bit for each sanitizer with an allocator of its own. */
enum {
  MS_CC_ADDRESS = 1,
  MS_CC_HWADDRESS = 2,
  MS_CC_LEAK = 4,
  MS_CC_MEMORY = 8,
  MS_CC_THREAD = 16,
};

struct ms_command {
  bool inputs;          /* there is something to compile or link */
  bool compiles;        /* and not object files and libraries alone */
  bool linkable;        /* nor headers alone */
  const char *language; /* of -x; NULL = by the file's name */
  bool links;           /* and no argument stops before linking */
  bool wants_runtime;
  bool is_static;
  bool cxx; /* names the C++ library */
  unsigned sanitizers;
  bool help, print, plugin, frame_pointers; /* memscope-cc's own arguments */
  char **passed;            /* all other arguments, NULL-terminated */
  int passed_count;
};

/* Reads argv[1..], response files too. False after an error. */
bool ms_command_read(struct ms_command *command, int argc, char **argv, struct ms_error *error);

#endif
