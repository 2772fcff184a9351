/* SPDX-License-Identifier: MIT
 *
 * Distances between samples: the logarithm's error, and that what is drawn is
 * exponential and geometric. Also what a mode's word means.
 */
#include "test.h"

#include "gap.h"
#include "memscope/mode.h"

#include <math.h>

static double off_at(uint64_t u) { return fabs(ms_minus_log(u) + (double)logl((long double)u / 0x1p64L)); }

static void test_logarithm(void **state) {
  (void)state;
  uint64_t random = 1;
  double most = 0;
  for (int i = 0; i < 1000000; i++) {
    double off = off_at(ms_random_next(&random) >> (i % 63) | 1);
    if (off > most) most = off;
  }
  for (int bit = 0; bit < 64; bit++)
    for (int near = -2; near <= 2; near++) {
      uint64_t u = (UINT64_C(1) << bit) + (uint64_t)near;
      if (u && off_at(u) > most) most = off_at(u);
    }
  assert_true(off_at(UINT64_MAX) < 1e-9);
  assert_true(off_at((uint64_t)(M_SQRT1_2 * 0x1p64)) < 1e-9);
  assert_true(most < 1e-9);
}

/* Kolmogorov and Smirnov: 2.7 / sqrt(n) is exceeded once in a million, by a right build too; the seeds are given. */
static void test_exponential(void **state) {
  (void)state;
  enum { DRAWS = 1000000, CELLS = 1000 };
  for (uint64_t seed = 1; seed <= 3; seed++) {
    static uint32_t cells[CELLS];
    memset(cells, 0, sizeof cells);
    uint64_t random = ms_random_mix(seed);
    double sum = 0, before = 0, product = 0;
    for (int i = 0; i < DRAWS; i++) {
      double gap = (double)ms_gap(&random, 1 << 20) / (1 << 20);
      int cell = (int)(-expm1(-gap) * CELLS);
      cells[cell < CELLS ? cell : CELLS - 1]++;
      sum += gap;
      product += (gap - 1) * (before - 1);
      before = gap;
    }
    double below = 0, most = 0;
    for (int i = 0; i < CELLS; i++) {
      below += cells[i];
      double off = fabs(below / DRAWS - (i + 1.0) / CELLS);
      if (off > most) most = off;
    }
    assert_true(most < 2.7 / sqrt(DRAWS));
    assert_true(fabs(sum / DRAWS - 1) < 5 / sqrt(DRAWS));     /* its standard deviation is 1 */
    assert_true(fabs(product / DRAWS) < 5 / sqrt(DRAWS));     /* neighbours know nothing of one another */
  }
}

static void test_geometric(void **state) {
  (void)state;
  static const double rates[] = {1, 0.9, 0.5, 0.1, 0.01, 0.001, 1e-5};
  for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
    double p = rates[r], scale = ms_gap_scale_rate(p), sum = 0, none = 0;
    uint64_t random = ms_random_mix(r);
    enum { DRAWS = 1000000 };
    for (int i = 0; i < DRAWS; i++) {
      int64_t gap = ms_gap(&random, scale);
      sum += (double)gap;
      none += gap == 0;
    }
    double mean = (1 - p) / p, deviation = sqrt(1 - p) / p / sqrt(DRAWS);
    assert_true(fabs(sum / DRAWS - mean) <= 5 * deviation);
    assert_true(fabs(none / DRAWS - p) <= 5 * sqrt(p * (1 - p) / DRAWS));
  }
  assert_true(fabs(ms_gap_scale_rate(1e-9) * 1e-9 - 1) < 1e-6);
}

static void mode_is(const char *word, uint32_t mode, uint32_t sampling, double period) {
  struct ms_mode_choice choice = ms_mode_parse(word);
  double unit = sampling == MS_SAMPLING_LARGE ? (double)MS_SAMPLING_ONE : 1;
  if (choice.mode != mode || choice.sampling != sampling || fabs((double)choice.period / unit - period) > 1e-6 * period)
    fail_msg("%s: mode %u, sampling %u, period %g", word, choice.mode, choice.sampling, (double)choice.period / unit);
}

/* The first power of two that is drawn more often than the rate says. */
static void test_large(void **state) {
  (void)state;
  assert_int_equal(ms_sampling_large(MS_SAMPLING_ONE), 65536);
  assert_int_equal(ms_sampling_large(2 * MS_SAMPLING_ONE), 32768);
  assert_int_equal(ms_sampling_large(10 * MS_SAMPLING_ONE), 8192);
  assert_int_equal(ms_sampling_large(100 * MS_SAMPLING_ONE), 1024);
  assert_int_equal(ms_sampling_large(MS_RATE_ONE * MS_SAMPLING_ONE), 1024);
}

static void test_modes(void **state) {
  (void)state;
  mode_is("full", MS_MODE_FULL, 0, 0);
  mode_is("sample=full", MS_MODE_FULL, 0, 0);
  assert_int_equal(ms_mode_parse("sample=full").stacks, 1);
  assert_int_equal(ms_mode_parse("full").stacks, 0);
  assert_int_equal(ms_mode_parse("sample=100%").stacks, 0);
  mode_is("exact", MS_MODE_EXACT, 0, 0);
  mode_is("demo", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 10);
  mode_is("high_performance", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 100);
  mode_is("sample=0.05", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 20);
  mode_is("sample=5%", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 20);
  mode_is("sample=0.7%", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 100 / 0.7);
  mode_is("sample=100%", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 1);
  mode_is("sample=1.0", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 1);
  mode_is("sample=0.000000001", MS_MODE_SAMPLE, MS_SAMPLING_LARGE, 1e9);
  mode_is("sample=1", MS_MODE_SAMPLE, MS_SAMPLING_BYTES, 1);
  mode_is("sample=512K", MS_MODE_SAMPLE, MS_SAMPLING_BYTES, 524288);
  mode_is("sample=3m", MS_MODE_SAMPLE, MS_SAMPLING_BYTES, 3 << 20);
  mode_is("sample=1024G", MS_MODE_SAMPLE, MS_SAMPLING_BYTES, 0x1p40);
  static const char *const none[] = {"", "ful", "fullx", "demo=1", "sample", "sample=", "sample=0", "sample=0.0", "sample=0%", "sample=abc",
                                     "sample=200%", "sample=1.5", "sample=101%", "sample=5%%", "sample=5%x", "sample=0.5K", "sample=1025G",
                                     "sample=99999999999999999999", "sample=-5%", "sample= 5%", "sample=0.0000000001", "sample=0.00000001%", "sample=5KB"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) mode_is(none[i], 0, 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_logarithm), cmocka_unit_test(test_exponential), cmocka_unit_test(test_geometric),
                                     cmocka_unit_test(test_large), cmocka_unit_test(test_modes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
