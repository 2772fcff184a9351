/* SPDX-License-Identifier: MIT
 *
 * Random distances between samples, without libm and without state of their own.
 *
 * Memoryless distances make each allocation's draw independent of all others,
 * and of how far the last one went: E = -ln U is exponential with mean 1, E * T
 * the bytes to the next point of a Poisson process of one point in T bytes, and
 * floor(E / -ln(1 - p)) the geometric number of allocations passed over when each
 * is drawn with probability p.
 */
#ifndef MS_GAP_H
#define MS_GAP_H

#include <stdint.h>

static inline uint64_t ms_random_mix(uint64_t x) {
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

/* splitmix64: every state is as good as any other. */
static inline uint64_t ms_random_next(uint64_t *state) { return ms_random_mix(*state += UINT64_C(0x9e3779b97f4a7c15)); }

/* -ln(u / 2^64), u not 0; off by less than 1e-9, for all u (tests/unit/gap.c). With
 * u / 2^64 = m / 2^e and m within sqrt(2) of 1, ln m = 2 artanh((m - 1) / (m + 1)),
 * of whose series the terms behind the ninth power are below 7e-10. */
static inline double ms_minus_log(uint64_t u) {
  int e = __builtin_clzll(u) + 1;
  double m = (double)(int64_t)(u << (e - 1) >> 11) * 0x1p-52;
  if (m > 1.4142135623730951) m *= 0.5, e--;
  double s = (m - 1) / (m + 1), q = s * s;
  return e * 0.69314718055994531 - 2 * s * (1 + q * (1 / 3. + q * (1 / 5. + q * (1 / 7. + q / 9))));
}

/* Distances in units of what is passed over: their mean times that of E. */
static inline double ms_gap_scale_rate(double p) {
  if (p >= 1) return 0;
  if (p > 0x1p-20) return 1 / ms_minus_log((uint64_t)((1 - p) * 0x1p63) << 1);
  return 1 / (p + p * p / 2);
}

static inline int64_t ms_gap(uint64_t *state, double scale) { return (int64_t)(ms_minus_log(ms_random_next(state) | 1) * scale); }

#endif
