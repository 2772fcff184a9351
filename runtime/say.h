/* SPDX-License-Identifier: MIT
 *
 * One line to the user on stderr: "memscope: …". %s strings and %u uint32_t
 * only; no libc, no allocation, any thread.
 */
#ifndef MS_SAY_H
#define MS_SAY_H

#include <stdarg.h>
#include <stddef.h>

void ms_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same into a buffer, always NUL-terminated; bytes written without it. */
size_t ms_print(char *to, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
