/* SPDX-License-Identifier: MIT
 *
 * What a mode's word means: one parser for the runtime, `memscope run` and
 * whoever else is given one. Header only; loops over bytes, since the runtime
 * reads its options before libc is set up.
 */
#ifndef MEMSCOPE_MODE_H
#define MEMSCOPE_MODE_H

#include <stdint.h>
#include <string.h>

#include "memscope/stream.h"

struct ms_mode_choice {
  uint32_t mode;     /* enum ms_mode; 0: the word is none */
  uint32_t sampling; /* enum ms_sampling */
  uint64_t period;   /* as header.sampling_period */
  uint32_t stacks;   /* 1: with call stacks */
};

enum { MS_RATE_ONE = 1000000000 }; /* a probability of 1, in the parser's parts */
#define MS_PERIOD_BYTES_MAX (UINT64_C(1) << 40)

/* Digits, at most nine decimals kept; *parts is the value in billionths. Where it ends, NULL: no number, or too large. */
static inline const char *ms_mode_number(const char *at, uint64_t *parts, int *decimals) {
  uint64_t whole = 0, part = 0, unit = MS_RATE_ONE;
  const char *begin = at;
  for (; *at >= '0' && *at <= '9'; at++)
    if ((whole = whole * 10 + (uint64_t)(*at - '0')) > UINT64_C(1) << 33) return NULL;
  if (at == begin) return NULL;
  *decimals = *at == '.';
  if (*at == '.')
    for (at++; *at >= '0' && *at <= '9'; at++) part += (unit /= 10) * (uint64_t)(*at - '0');
  *parts = whole * MS_RATE_ONE + part;
  return at;
}

/* "0.05", "5%", "512K": false when it is neither a probability nor a distance. */
static inline int ms_mode_sampling(const char *text, struct ms_mode_choice *choice) {
  uint64_t parts;
  int decimals;
  const char *at = ms_mode_number(text, &parts, &decimals);
  if (!at || !parts) return 0;
  if (*at == '%' || decimals) {
    uint64_t most = *at == '%' ? UINT64_C(100) * MS_RATE_ONE : MS_RATE_ONE;
    if (parts > most || parts < most / MS_RATE_ONE || (*at == '%' && at[1]) || (*at && *at != '%')) return 0;
    choice->sampling = MS_SAMPLING_LARGE;
    choice->period = (uint64_t)((unsigned __int128)most * MS_SAMPLING_ONE / parts);
    return 1;
  }
  int shift = *at == 'K' || *at == 'k' ? 10 : *at == 'M' || *at == 'm' ? 20 : *at == 'G' || *at == 'g' ? 30 : 0;
  uint64_t bytes = parts / MS_RATE_ONE;
  if (at[shift != 0] || bytes > MS_PERIOD_BYTES_MAX >> shift) return 0;
  choice->sampling = MS_SAMPLING_BYTES;
  choice->period = bytes << shift;
  return 1;
}

/* The choice a word stands for; its mode is 0 when the word is none. */
static inline struct ms_mode_choice ms_mode_parse(const char *text) {
  static const struct {
    const char *word, *sampling;
    uint32_t mode, stacks;
  } words[] = {
#define MS_MODE_WORD(word, mode, sampling, stacks, help) {word, sampling, mode, stacks},
#include "memscope/mode.def"
  };
  for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
    struct ms_mode_choice choice = {.mode = words[i].mode, .stacks = words[i].stacks};
    size_t n = strlen(words[i].word);
    int open = words[i].word[n - 1] == '=';
    if (strncmp(text, words[i].word, n) != 0 || (!open && text[n])) continue;
    if (choice.mode == MS_MODE_SAMPLE && !ms_mode_sampling(open ? text + n : words[i].sampling, &choice)) break;
    return choice;
  }
  return (struct ms_mode_choice){0};
}

#endif
