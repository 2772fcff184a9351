/* SPDX-License-Identifier: MIT
 *
 * Bad frees: which block it was, where it was freed first, and what is not known.
 */
#include "fixture.h"

#include <string.h>
#include <sys/mman.h>

/* Names of its sites. */
enum { A = MS_NAMES_HEADER, B, FREED, AGAIN };

/* Sites 1 and 2 hold blocks, 3 and 4 free them. */
static int setup(void **state) {
  fixture_setup(state);
  struct unit *u = &((struct fixture *)*state)->unit;
  unit_site(u, "a", 0, "/a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(u, "b", 0, "/a.c", 2, "f", MS_SITE_INIT, 0);
  unit_site(u, "a", 0, "/a.c", 30, "drop", MS_SITE_FREE, 0);
  unit_site(u, "a", 0, "/a.c", 40, "again", MS_SITE_FREE, 0);
  return 0;
}

static void put_freed(struct sheet *rows, uint64_t address, uint32_t gen, uint32_t site) {
  put_drop(rows, address, gen);
  put_place(rows, (struct ms_row_place){.slot = 0, .name = site});
}

static void put_bad(struct sheet *rows, uint64_t address, unsigned fn, uint32_t name) {
  put_bad_free(rows, (struct ms_row_bad_free){.fn = fn, .address = address, .name = name});
}

static uint32_t line_of(const struct ms_model *model, uint32_t place) { return place ? model->places[place - 1].line : 0; }

/* Of the block that was there last, not of an older one. */
static void test_double(void **state) {
  struct fixture *f = *state;
  put_malloc(&f->rows[0], 0x1000, 1, 16, A);
  put_freed(&f->rows[0], 0x1000, 1, AGAIN);
  put_malloc(&f->rows[0], 0x1000, 2, 40, B);
  put_clock(&f->rows[0], 5000000);
  put_freed(&f->rows[0], 0x1000, 2, FREED);
  put_malloc(&f->rows[0], 0x2000, 1, 8, A); /* block numbers are given out again */
  put_bad(&f->rows[0], 0x1000, 1, AGAIN);
  put_bad(&f->rows[0], 0x1000, 1, AGAIN);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.bad_frees, 2);
  assert_int_equal(model->bad_free_count, 1);
  const struct ms_model_bad_free *bad = model->bad_frees;
  assert_int_equal(bad->kind, MS_BAD_FREE_DOUBLE);
  assert_int_equal(bad->count, 2);
  assert_false(bad->resized);
  assert_int_equal(bad->size_bytes, 40);
  assert_int_equal(bad->freed_ns, 5000000);
  assert_int_equal(bad->born_ns, 0);
  assert_string_equal(model->sites[bad->site_id - 1].holder, "b");
  assert_int_equal(line_of(model, bad->place_id), 40);
  assert_int_equal(line_of(model, bad->freed_place_id), 30);
}

/* A block that a reallocation moved: who frees the old address frees it twice. */
static void test_moved(void **state) {
  struct fixture *f = *state;
  put_malloc(&f->rows[0], 0x1000, 1, 16, A);
  *sheet_room(&f->rows[0], 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1000);
  put_realloc_end(&f->rows[0], (struct ms_row_realloc_end){.fn = 1, .gen = 1, .addr8 = 0x3000 >> 3, .size_low = 90, .name = B});
  put_bad(&f->rows[0], 0x1000, 1, 0);
  put_freed(&f->rows[0], 0x3000, 1, FREED);
  put_bad(&f->rows[0], 0x3000, MS_FN_REALLOC_NULL + 1, AGAIN);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->bad_free_count, 2);
  const struct ms_model_bad_free *first = model->bad_frees, *second = first + 1;
  assert_int_equal(first->address, 0x1000);
  assert_int_equal(first->kind, MS_BAD_FREE_DOUBLE);
  assert_int_equal(first->place_id, 0);
  assert_int_equal(first->size_bytes, 16);
  assert_int_equal(line_of(model, first->freed_place_id), 2);
  assert_int_equal(second->kind, MS_BAD_FREE_DOUBLE);
  assert_true(second->resized);
  assert_int_equal(second->size_bytes, 90);
  assert_int_equal(line_of(model, second->freed_place_id), 30);
}

/* An address nobody was given, and the inside of a block; another thread's. */
static void test_unknown(void **state) {
  struct fixture *f = *state;
  put_malloc(&f->rows[0], 0x1000, 1, 64, A);
  put_bad(&f->rows[0], 0x1008, 1, FREED);
  put_bad(&f->rows[1], 0x7fff0000, 1, FREED);
  put_bad(&f->rows[1], 0x7fff1000, 1, AGAIN);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.bad_frees, 3);
  assert_int_equal(model->bad_free_count, 2); /* two at one place */
  assert_int_equal(model->bad_frees[0].count, 2);
  for (uint32_t i = 0; i < 2; i++) {
    assert_int_equal(model->bad_frees[i].kind, MS_BAD_FREE_UNKNOWN);
    assert_int_equal(model->bad_frees[i].site_id, 0);
  }
  assert_int_equal(line_of(model, model->bad_frees[1].place_id), 40);
}

/* The second reading tells no problem twice, and changes no figure. */
static void test_figures_stay(void **state) {
  struct fixture *f = *state;
  put_malloc(&f->rows[0], 0x1000, 1, 16, A);
  put_freed(&f->rows[0], 0x1000, 1, FREED);
  put_bad(&f->rows[0], 0x1000, 1, AGAIN);
  put_malloc(&f->rows[0], 0x1000, 2, 16, A);
  *sheet_room(&f->rows[0], 1) = 0x74 | 100 << 8; /* runs over the chunk's end */
  struct ms_error error = {0};
  const struct ms_model *model = model_with_problems(f, &error);
  assert_int_equal(f->stream->problem_count, 1);
  assert_int_equal(model->totals.allocations, 2);
  assert_int_equal(model->totals.frees, 1);
  assert_int_equal(model->totals.events, 3);
  assert_int_equal(model->bad_free_count, 1);
}

/* ---- what is not known is said ---- */

/* The first table of addresses has so many bytes, the next one twice as many. */
enum { TABLE_BYTES = 1 << 16 };
static size_t refused_bytes;
static int refused_after;

void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (bytes == refused_bytes && fd == -1 && !refused_after--) return MAP_FAILED;
  return __real_mmap(at, bytes, protection, flags, fd, offset);
}

static bool says(const struct ms_model *model, const char *words) {
  for (uint32_t i = 0; i < model->note_count; i++)
    if (strstr(model->notes[i].text, words)) return true;
  return false;
}

/* There is memory for the first reading, not for the second one, or not for all of it. */
static void no_memory(struct fixture *f, size_t bytes) {
  for (uint32_t i = 1; i <= 4000; i++) put_malloc(&f->rows[0], i << 12, 1, 16, A);
  put_bad(&f->rows[0], 0x1008, 1, FREED);
  refused_bytes = bytes;
  refused_after = 1;
  const struct ms_model *model = model_of(f);
  refused_bytes = 0;
  assert_int_equal(model->totals.bad_frees, 1);
  assert_int_equal(model->totals.allocations, 4000);
  assert_int_equal(model->bad_free_count, 0);
  assert_true(says(model, "which blocks the bad frees are of is not known"));
}

static void test_no_memory(void **state) { no_memory(*state, TABLE_BYTES); }
static void test_no_memory_later(void **state) { no_memory(*state, 2 * TABLE_BYTES); }

static void test_too_many_addresses(void **state) {
  struct fixture *f = *state;
  enum { LISTED = 1 << 16, MORE = 3 };
  for (uint32_t i = 1; i <= LISTED + MORE; i++) put_bad(&f->rows[0], (uint64_t)i << 4, 1, FREED);
  put_bad(&f->rows[0], 16, 1, FREED); /* one of the first */
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.bad_frees, LISTED + MORE + 1);
  assert_int_equal(model->bad_frees[0].count, LISTED + 1);
  assert_true(says(model, "3 bad frees are not listed"));
}

static void test_nothing_more_to_say(void **state) {
  struct fixture *f = *state;
  put_bad(&f->rows[0], 16, 1, FREED);
  const struct ms_model *model = model_of(f);
  assert_false(says(model, "not listed") || says(model, "not known"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_double, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_moved, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_unknown, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_figures_stay, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_no_memory, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_no_memory_later, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_too_many_addresses, setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_nothing_more_to_say, setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
