/* SPDX-License-Identifier: MIT
 *
 * Sizes and spans as a user writes them, read alike by the runtime (from its
 * environment) and the tool (from its command line). Header only, no libc calls
 * but for memory and strings.
 */
#ifndef MEMSCOPE_SPAN_H
#define MEMSCOPE_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many bytes, or so long: one of the two, or neither (off). */
struct ms_span {
  uint64_t bytes;
  uint64_t ns;
};

enum { MS_SPAN_BYTES_LEAST = 64 << 10 };

/* Digits; *end is where they end. SIZE_MAX / 16 or more: 0, as without any. */
static inline size_t ms_digits_parse(const char *value, const char **end) {
  size_t number = 0;
  for (; *value >= '0' && *value <= '9'; value++) {
    if (number > SIZE_MAX / 160) number = 0;
    number = number * 10 + (size_t)(*value - '0');
  }
  *end = value;
  return number;
}

/* Bytes with K, M or G behind; 0 = not a size. */
static inline size_t ms_size_parse(const char *value) {
  size_t size = ms_digits_parse(value, &value);
  int shift = *value == 'K' || *value == 'k' ? 10 : *value == 'M' || *value == 'm' ? 20 : *value == 'G' || *value == 'g' ? 30 : 0;
  value += shift != 0;
  return *value || size > SIZE_MAX >> shift ? 0 : size << shift;
}

/* A time with s, min, h or d behind, in ns; 0 = not a time. */
static inline uint64_t ms_time_parse(const char *value) {
  static const struct {
    char unit[4];
    uint32_t seconds;
  } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  uint64_t number = ms_digits_parse(value, &value);
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(value, units[i].unit) == 0)
      return number > UINT64_MAX / 1000000000 / units[i].seconds ? 0 : number * units[i].seconds * 1000000000;
  return 0;
}

/* "off", a size of 64 KiB at least, or a time. 0 = none of them, *span is as it was. */
static inline int ms_span_parse(struct ms_span *span, const char *value) {
  struct ms_span found = {ms_size_parse(value), ms_time_parse(value)};
  if (found.bytes && found.bytes < MS_SPAN_BYTES_LEAST) return 0;
  if (!found.bytes && !found.ns && strcmp(value, "off") != 0) return 0;
  *span = found;
  return 1;
}

#endif
