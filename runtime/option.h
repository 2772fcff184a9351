/* SPDX-License-Identifier: MIT
 *
 * The runtime's options, one member for each row of option.def: BOOL and WORD
 * (index into its values) as int, SIZE in bytes, MODE as what its word means, SPAN
 * as bytes or time, TEXT as a string that lasts.
 */
#ifndef MS_OPTION_H
#define MS_OPTION_H

#include "memscope/mode.h"
#include "memscope/span.h"

#include <stddef.h>

#define MS_OPTION_MEMBER_BOOL(id) int id;
#define MS_OPTION_MEMBER_WORD(id) int id;
#define MS_OPTION_MEMBER_MODE(id) struct ms_mode_choice id;
#define MS_OPTION_MEMBER_SIZE(id) size_t id;
#define MS_OPTION_MEMBER_TEXT(id) const char *id;
#define MS_OPTION_MEMBER_SPAN(id) struct ms_span id;

struct ms_options {
#define MS_OPTION(id, NAME, kind, fallback, values, help) MS_OPTION_MEMBER_##kind(id)
#include "memscope/option.def"
};

extern struct ms_options ms_options;

/* Reads them from the process's environment; `environment` is a list as main
 * gets it, or NULL: /proc/self/environ. Once, by one thread. */
void ms_options_read(char **environment);

/* Takes the options and our own entry of LD_PRELOAD out of the list, so that a
 * program started by exec runs as if we had never been there. */
void ms_options_hide(char **environment);

#endif
