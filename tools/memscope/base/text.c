/* SPDX-License-Identifier: MIT
 *
 * Text from a stream is hostile too: it may be no UTF-8, and it may try to
 * steer a terminal.
 */
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Length of the valid UTF-8 sequence there, 0 = not valid. */
static size_t sequence_length(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
  for (size_t i = 1; i < length; i++)
    if ((s[i] & 0xc0) != 0x80) return 0; /* a NUL ends the loop here */
  if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
  if (s[0] == 0xed && s[1] > 0x9f) return 0;
  if (s[0] == 0xf0 && s[1] < 0x90) return 0;
  if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
  return length;
}

const char *ms_text_clean(struct ms_arena *arena, const char *text) {
  const unsigned char *s = (const unsigned char *)text;
  size_t bad = 0, bytes = 0;
  while (s[bytes]) {
    size_t length = sequence_length(s + bytes);
    bad += !length;
    bytes += length ? length : 1;
  }
  if (!bad) return text;
  char *clean = ms_arena_get(arena, bytes + 2 * bad + 1), *to = clean;
  while (*s) {
    size_t length = sequence_length(s);
    memcpy(to, length ? (const char *)s : "\xef\xbf\xbd", length ? length : 3);
    to += length ? length : 3;
    s += length ? length : 1;
  }
  return clean;
}

size_t ms_text_columns(const char *text) {
  size_t columns = 0;
  for (; *text; text++) columns += ((unsigned char)*text & 0xc0) != 0x80;
  return columns;
}

static const char *columns_skip(const char *text, size_t columns) {
  while (*text && columns) {
    do text++;
    while (((unsigned char)*text & 0xc0) == 0x80);
    columns--;
  }
  return text;
}

/* U+0080..U+009F steer a terminal too. */
static int is_control(const unsigned char *c) {
  return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

static void safe_print(FILE *out, const char *text, const char *end) {
  for (const unsigned char *c = (const unsigned char *)text; c < (const unsigned char *)end;) {
    size_t length = sequence_length(c);
    if (!length)
      fputs("\xef\xbf\xbd", out);
    else if (is_control(c))
      fputc('?', out);
    else
      fwrite(c, 1, length, out);
    c += length ? length : 1;
  }
}

size_t ms_text_print(FILE *out, const char *text, size_t columns, int keep_end) {
  size_t all = ms_text_columns(text);
  if (all <= columns) {
    safe_print(out, text, text + strlen(text));
    return all;
  }
  if (!columns) return 0;
  if (keep_end) {
    fputs("…", out);
    const char *from = columns_skip(text, all - columns + 1);
    safe_print(out, from, from + strlen(from));
  } else {
    safe_print(out, text, columns_skip(text, columns - 1));
    fputs("…", out);
  }
  return columns;
}

static char *scaled(char *into, double value, const char *unit) {
  snprintf(into, 32, value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s", value, unit);
  return into;
}

char *ms_format_bytes(char *into, uint64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    snprintf(into, 32, "%" PRIu64 " B", bytes);
    return into;
  }
  size_t unit = 0;
  double value = (double)bytes / 1024;
  while (value >= 1023.5 && unit < 5) value /= 1024, unit++;
  return scaled(into, value, units[unit]);
}

char *ms_format_ns(char *into, uint64_t ns) {
  if (ns < 1000) {
    snprintf(into, 32, "%" PRIu64 " ns", ns);
    return into;
  }
  double value = (double)ns;
  if (ns < 1000000) return scaled(into, value / 1e3, "us");
  if (ns < UINT64_C(1000000000)) return scaled(into, value / 1e6, "ms");
  if (ns < UINT64_C(120000000000)) return scaled(into, value / 1e9, "s");
  return scaled(into, value / 6e10, "min");
}

char *ms_format_count(char *into, uint64_t count) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRIu64, count), to = 0;
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) into[to++] = ',';
    into[to++] = digits[i];
  }
  into[to] = 0;
  return into;
}
