/* SPDX-License-Identifier: MIT
 *
 * Threads, lifetimes and places of frees.
 */
#include "fixture.h"

static void test_lives(void **state) {
  struct fixture *f = *state;
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "x", 0, "a.c", 9, "done", MS_SITE_FREE, 0);
  struct sheet *one = &f->rows[0], *two = &f->rows[1];
  put_clock(one, 100 * MS);
  put_malloc(one, 0x1000, 1, 10, site_name(1)); /* 100 ms until thread 2 frees it */
  put_clock(one, 101 * MS);
  put_malloc(one, 0x1020, 1, 20, site_name(1)); /* temporary: 1 ms */
  put_clock(one, 102 * MS);
  put_drop(one, 0x1020, 1);
  put_place(one, (struct ms_row_place){.name = site_name(2)});
  put_malloc(one, 0x1040, 1, 30, site_name(1)); /* resized, lives on */
  put_clock(one, 110 * MS);
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1040);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1040 >> 3, .size_low = 300});
  put_clock(one, 122 * MS);
  put_drop(one, 0x1040, 2); /* 20 ms from its birth; temporary, too: no allocation since it was resized */
  put_clock(two, 200 * MS);
  put_drop(two, 0x1000, 1);
  const struct ms_model *model = model_of(f);
  const struct ms_model_site *site = site_of(model, "a");
  assert_int_equal(model->site_count, 1);
  assert_int_equal(site->allocations, 3);
  assert_int_equal(site->frees, 3);
  assert_int_equal(site->reallocations, 1);
  assert_int_equal(site->allocated_bytes, 10 + 20 + 30 + 300);
  assert_int_equal(site->temporary, 2);
  assert_int_equal(site->smallest_bytes, 10);
  assert_int_equal(site->largest_bytes, 300);
  assert_int_equal(site->lifetime.count, 3);
  assert_int_equal(site->lifetime.min_ns, 1 * MS);
  assert_int_equal(site->lifetime.max_ns, 100 * MS);
  assert_in_range(site->lifetime.median_ns, 16777216, 33554432); /* 20 ms is in 2^24..2^25 */
  assert_int_equal(site->alloc_threads.count, 1);
  assert_int_equal(site->alloc_threads.rows[0].count, 3);
  assert_int_equal(site->free_threads.count, 2);
  assert_int_equal(site->free_threads.rows[0].count, 2);
  assert_int_equal(site->free_places.count, 2);
  assert_string_equal(model->places[site->free_places.rows[0].id - 1].text, "a.c:9 done");
  assert_int_equal(site->free_places.rows[1].id, 0); /* thread 2 said no place */
  assert_string_equal(ms_model_function(site->functions.rows[0].id), "malloc");
  assert_int_equal(model->threads[1].foreign_frees, 1);
  assert_int_equal(model->threads[0].foreign_frees, 0);
  assert_int_equal(model->totals.live_blocks, 0);
  assert_int_equal(model->totals.peak_bytes, 310);
  assert_int_equal(model->totals.peak_time_ns, 110 * MS);
}

/* Who pauses and who goes on need not be one thread, and the coarse clock cannot tell which was first. */
static void test_pauses(void **state) {
  struct fixture *f = *state;
  struct sheet *one = &f->rows[0], *two = &f->rows[1];
  put_clock(one, 10 * MS);
  put_recording(one, (struct ms_row_recording){.on = 1, .ns = 12 * MS});
  put_recording(one, (struct ms_row_recording){.on = 0, .ns = 13 * MS});
  put_clock(two, 10 * MS);
  put_recording(two, (struct ms_row_recording){.on = 0, .ns = 11 * MS});
  put_clock(two, 20 * MS);
  put_recording(two, (struct ms_row_recording){.on = 1, .ns = 21 * MS});
  put_clock(two, 30 * MS); /* and the other way round */
  put_recording(two, (struct ms_row_recording){.on = 1, .ns = 32 * MS});
  put_recording(two, (struct ms_row_recording){.on = 0, .ns = 33 * MS});
  put_clock(one, 30 * MS);
  put_recording(one, (struct ms_row_recording){.on = 0, .ns = 31 * MS});
  put_clock(one, 40 * MS);
  put_recording(one, (struct ms_row_recording){.on = 1, .ns = 41 * MS});
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->pause_count, 4);
  assert_int_equal(model->pauses[2].to_ns, 32 * MS);
  assert_int_equal(model->pauses[3].from_ns, 33 * MS);
  assert_int_equal(model->pauses[3].to_ns, 41 * MS);
  assert_int_equal(model->pauses[0].from_ns, 11 * MS);
  assert_int_equal(model->pauses[0].to_ns, 12 * MS);
  assert_int_equal(model->pauses[1].from_ns, 13 * MS);
  assert_int_equal(model->pauses[1].to_ns, 21 * MS);
}

/* ---- lifetimes ---- */

static void test_histogram(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct build build = {.arena = arena};
  struct site site = {0};
  struct ms_model_lifetime none = ms_lifetime_take(&build, &site);
  assert_int_equal(none.count, 0);
  assert_int_equal(none.buckets[0], 0);
  ms_lifetime_count(&build, &site, 0, 1);
  ms_lifetime_count(&build, &site, 1, 1);
  ms_lifetime_count(&build, &site, UINT64_MAX, 1);
  struct ms_model_lifetime ends = ms_lifetime_take(&build, &site);
  assert_int_equal(ends.buckets[0], 1);
  assert_int_equal(ends.buckets[1], 1);
  assert_int_equal(ends.buckets[63], 1);
  assert_int_equal(ends.min_ns, 0);
  assert_true(ends.max_ns == UINT64_MAX);
  struct site even = {0};
  for (uint64_t i = 1; i <= 100000; i++) ms_lifetime_count(&build, &even, i * 1000, 1);
  struct ms_model_lifetime lifetime = ms_lifetime_take(&build, &even);
  assert_int_equal(lifetime.count, 100000);
  assert_in_range(lifetime.median_ns, 50000000 - 50000000 / 32, 50000000 + 50000000 / 32);
  assert_in_range(lifetime.p99_ns, 99000000 - 99000000 / 32, 99000000 + 99000000 / 32);
  ms_arena_free(arena);
}

/* The worst for a histogram: all at one age but a few far away at both ends. */
static void test_ranks(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct build build = {.arena = arena};
  for (uint64_t age = 1; age < UINT64_C(4000000000); age += 1 + age / 7) {
    struct site site = {0};
    ms_lifetime_count(&build, &site, 0, 1);
    for (int i = 0; i < 200; i++) ms_lifetime_count(&build, &site, age, 1);
    ms_lifetime_count(&build, &site, UINT64_C(1) << 40, 1);
    struct ms_model_lifetime lifetime = ms_lifetime_take(&build, &site);
    assert_in_range(lifetime.median_ns, age - age / 32, age + age / 32);
    assert_in_range(lifetime.p99_ns, age - age / 32, age + age / 32);
  }
  ms_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_lives, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_pauses, fixture_setup, fixture_teardown),
      cmocka_unit_test(test_histogram),
      cmocka_unit_test(test_ranks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
