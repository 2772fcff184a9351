/* SPDX-License-Identifier: MIT
 *
 * Counters to figures: sums over threads, what one thread has counted for another,
 * and newest blocks, which are not counted yet.
 */
#include "fixture.h"

/* Names of its sites. */
enum { A = MS_NAMES_HEADER, B };

static int setup(void **state) {
  fixture_setup(state);
  struct fixture *f = *state;
  book_header(&f->book)->mode = MS_MODE_COUNTERS;
  book_header(&f->book)->version = MS_STREAM_VERSION_COUNTERS;
  unit_site(&f->unit, "a", unit_type(&f->unit, "struct node", MS_TYPE_STRUCT, 16), "/a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "/a.c", 2, "f", MS_SITE_INIT, 0);
  for (int i = 0; i < 2; i++) put_thread_start(&f->rows[i], (struct ms_row_thread_start){.tid = 1});
  return 0;
}

static void site_is(const struct ms_model *model, const char *holder, const uint64_t wanted[6]) {
  const struct ms_model_site *site = site_of(model, holder);
  const uint64_t got[6] = {site->allocations, site->reallocations, site->allocated_bytes, site->frees, site->live_blocks, site->live_bytes};
  for (int i = 0; i < 6; i++) assert_int_equal(got[i], wanted[i]);
}

#define SITE_IS(model, holder, ...) site_is(model, holder, (const uint64_t[6]){__VA_ARGS__})

static void test_threads(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 5, .allocated_bytes = 80, .frees = 1, .gone_bytes = 16}};
  const struct ms_counter two[] = {{.name = A, .allocations = 1, .allocated_bytes = 16, .frees = 2, .gone_bytes = 32},
                                   {.name = B, .reallocations = 1, .allocated_bytes = 7},
                                   {.name = A, .resized = 1, .gone_bytes = 16}}; /* twice the same name */
  book_counters(&f->book, 1, NULL, one, 1);
  book_counters(&f->book, 2, NULL, two, 3);
  const struct ms_model *model = model_of(f);
  assert_true(model->counted);
  SITE_IS(model, "a", 6, 0, 96, 3, 2, 32);
  SITE_IS(model, "b", 0, 1, 7, 0, 1, 7);
  assert_int_equal(site_of(model, "a")->alloc_threads.count, 2);
  assert_int_equal(site_of(model, "a")->free_threads.rows[0].count, 2);
  assert_int_equal(model->totals.allocations, 6);
  assert_int_equal(model->totals.frees, 3);
  assert_int_equal(model->totals.reallocations, 1);
  assert_int_equal(model->totals.events, 10);
  assert_int_equal(model->totals.live_bytes, 39);
  assert_int_equal(model->totals.threads, 2);
  assert_int_equal(model->threads[1].frees, 2);
  assert_int_equal(model->types[0].live_bytes, 32);
}

/* What is not known is nothing, not something. */
static void test_unknown(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 5, .allocated_bytes = 80, .frees = 5, .gone_bytes = 80}};
  book_counters(&f->book, 1, NULL, one, 1);
  const struct ms_model *model = model_of(f);
  const struct ms_model_site *site = site_of(model, "a");
  assert_int_equal(model->totals.peak_bytes + model->totals.peak_blocks + site->peak_bytes + site->bytes_at_peak, 0);
  assert_int_equal(site->lifetime.count + site->temporary + site->smallest_bytes + site->largest_bytes, 0);
  assert_int_equal(site->points.count + site->free_places.count + model->live_count + model->timeline.sample_count, 0);
}

/* Blocks that thread 2 took before thread 1 had a name for them, and thread 1 has since. */
static void test_taken_early(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 4, .allocated_bytes = 64, .frees = 3, .gone_bytes = 48},
                                   {.name = MS_NAMES_MOST + 1, .frees = (uint64_t)-3}};
  const struct ms_counter two[] = {{.name = MS_NAMES_MOST + 1, .frees = 3}};
  book_counters(&f->book, 1, NULL, one, 2);
  book_counters(&f->book, 2, NULL, two, 1);
  const struct ms_model *model = model_of(f);
  SITE_IS(model, "a", 4, 0, 64, 3, 1, 16);
  assert_int_equal(model->totals.frees, 3);
  assert_int_equal(model->threads[0].frees, 0);
  assert_int_equal(model->threads[1].frees, 3);
}

static struct ms_counters_head newest_of(enum ms_op op, uint32_t name, uint64_t bytes, uint32_t from, uint64_t from_bytes) {
  return (struct ms_counters_head){.newest = {ms_hot_word(op, 1, 0, 0x1000), (uint64_t)name << 32 | (uint32_t)bytes},
                                   .bytes = bytes, .from = from, .from_bytes = from_bytes, .seen_ns = 9 * MS};
}

static void test_newest(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 1, .allocated_bytes = 16}};
  struct ms_counters_head head = newest_of(MS_OP_ALLOC, A, UINT64_C(5) << 32, 0, 0);
  book_counters(&f->book, 1, &head, one, 1);
  const struct ms_model *model = model_of(f);
  SITE_IS(model, "a", 2, 0, (UINT64_C(5) << 32) + 16, 0, 2, (UINT64_C(5) << 32) + 16);
  assert_int_equal(model->process.duration_ns, 9 * MS);
}

/* The newest block is gone, which its thread did not come to count. */
static void test_newest_gone(void **state) {
  struct fixture *f = *state;
  const struct ms_counter none[] = {{0}}, two[] = {{.name = MS_NAMES_MOST + 1, .frees = 1}};
  struct ms_counters_head head = newest_of(MS_OP_ALLOC, A, 16, 0, 0);
  book_counters(&f->book, 1, &head, none, 1);
  book_counters(&f->book, 2, NULL, two, 1);
  const struct ms_model *model = model_of(f);
  SITE_IS(model, "a", 1, 0, 16, 1, 0, 0);
  assert_int_equal(model->totals.live_blocks, 0);
}

/* Resized: the block keeps its name unless it has got another place. */
static void test_newest_resized(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 2, .allocated_bytes = 32}};
  struct ms_counters_head kept = newest_of(MS_OP_REALLOC_END, 0, 50, A, 16), named = newest_of(MS_OP_REALLOC_END, B, 60, A, 16);
  book_counters(&f->book, 1, &kept, one, 1);
  book_counters(&f->book, 2, &named, one, 0);
  const struct ms_model *model = model_of(f);
  SITE_IS(model, "a", 2, 1, 82, 0, 1, 50);
  SITE_IS(model, "b", 0, 1, 60, 0, 1, 60);
}

static void test_unseen(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = MS_COUNTER_UNSEEN, .frees = 2, .resized = 1}, {.name = A, .reallocations = 1, .allocated_bytes = 8}};
  book_counters(&f->book, 1, NULL, one, 2);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.unborn, 3);
  assert_int_equal(model->totals.frees, 2);
  SITE_IS(model, "a", 0, 1, 8, 0, 1, 8);
}

/* Counts that were lost, or a file cut inside them, make no blocks out of nothing. */
static void test_lost(void **state) {
  struct fixture *f = *state;
  const struct ms_counter one[] = {{.name = A, .allocations = 1, .allocated_bytes = 16, .frees = 3, .gone_bytes = 48},
                                   {.name = UINT32_MAX, .frees = 1}, {.name = 100000, .allocations = 1}};
  book_counters(&f->book, 7, NULL, one, 3); /* of a thread without a row */
  const struct ms_model *model = model_of(f);
  SITE_IS(model, "a", 1, 0, 16, 3, 0, 0);
  assert_int_equal(model->totals.allocations, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_threads, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_unknown, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_taken_early, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_newest, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_newest_gone, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_newest_resized, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_unseen, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_lost, setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
