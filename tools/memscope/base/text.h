/* SPDX-License-Identifier: MIT
 *
 * Text that comes from a stream, and figures for people.
 */
#ifndef MS_BASE_TEXT_H
#define MS_BASE_TEXT_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The text with every byte that is not valid UTF-8 as U+FFFD; itself when all is well. */
const char *ms_text_clean(struct ms_arena *arena, const char *text);

/* Columns it takes on a terminal, one per character (wide ones are not known). */
size_t ms_text_columns(const char *text);

/* Prints at most `columns` of it (SIZE_MAX: all), control characters as '?', what is not UTF-8
 * as U+FFFD, the rest cut with an ellipsis; in front (keep_end) or behind. Returns columns printed. */
size_t ms_text_print(FILE *out, const char *text, size_t columns, int keep_end);

/* "1.5 MiB", "812 B"; "3.2 ms", "0 ns"; "1,234,567". `into` is at least 32 bytes; returned. */
char *ms_format_bytes(char *into, uint64_t bytes);
char *ms_format_ns(char *into, uint64_t ns);
char *ms_format_count(char *into, uint64_t count);

#endif
