/* SPDX-License-Identifier: MIT
 *
 * One command's error: the first one is kept, later ones change nothing.
 * Nobody but main.c prints it. Text is one line that says what to do.
 */
#ifndef MS_BASE_ERROR_H
#define MS_BASE_ERROR_H

#include <stdint.h>

/* The tool's exit codes. */
enum ms_error_code {
  MS_ERROR_NONE = 0,
  MS_ERROR_FINDINGS = 1,         /* doctor: something does not work */
  MS_ERROR_USAGE = 2,            /* wrong arguments, a place that cannot be read or written */
  MS_ERROR_DATA = 3,             /* the stream is damaged, foreign or newer */
  MS_ERROR_NOT_EXECUTABLE = 126, /* run, as a shell says it */
  MS_ERROR_NOT_FOUND = 127,
};

struct ms_error {
  enum ms_error_code code;
  uint64_t offset; /* in the stream, of MS_ERROR_DATA */
  char text[1024];
};

/* Keeps the first error; returns its code, so that `return ms_error_set(...)` reads well. */
int ms_error_set(struct ms_error *error, enum ms_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
