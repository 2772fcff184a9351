/* SPDX-License-Identifier: MIT
 *
 * Formatting for the few lines we say. Never buffered, never locked.
 */
#include "say.h"

#include "os.h"

#include <string.h>

static char *put(char *to, const char *end, const char *from, size_t bytes) {
  size_t room = (size_t)(end - to);
  if (bytes > room) bytes = room;
  memcpy(to, from, bytes);
  return to + bytes;
}

static char *put_number(char *to, const char *end, uint32_t number) {
  char digits[10];
  int at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  return put(to, end, digits + at, sizeof digits - (size_t)at);
}

static char *print(char *to, const char *end, const char *format, va_list list) {
  for (; *format; format++) {
    if (format[0] != '%') {
      to = put(to, end, format, 1);
      continue;
    }
    format++;
    if (*format == 's') {
      const char *text = va_arg(list, const char *);
      to = put(to, end, text, strlen(text));
    } else if (*format == 'u') {
      to = put_number(to, end, va_arg(list, uint32_t));
    }
  }
  return to;
}

void ms_say(const char *format, ...) {
  char line[4600];
  const char *end = line + sizeof line - 1;
  va_list list;
  va_start(list, format);
  char *to = print(put(line, end, "memscope: ", 10), end, format, list);
  va_end(list);
  *to++ = '\n';
  ms_os_say(line, (size_t)(to - line));
}

size_t ms_print(char *to, size_t room, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *end = print(to, to + room - 1, format, list);
  va_end(list);
  *end = 0;
  return (size_t)(end - to);
}
