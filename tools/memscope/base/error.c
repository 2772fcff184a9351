/* SPDX-License-Identifier: MIT
 *
 * Keeps a command's first error.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int ms_error_set(struct ms_error *error, enum ms_error_code code, const char *format, ...) {
  if (error->code != MS_ERROR_NONE) return error->code;
  error->code = code;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return code;
}
