/* SPDX-License-Identifier: MIT
 *
 * What a chunk's checksum denies is in no figure; frees in it that name a block the
 * rest of the stream knows are believed, and what else may hide one is counted.
 */
#include "fixture.h"

#include "base/error.h"

#include <string.h>

enum { THREAD = 1, KEPT = 0x10000, FREED = 0x20000, INNER = 0x30000, MOVED = 0x40000, FREED_LATER = 0x50000, SPACING = 64, STAMPS = 12 };
static const uint64_t LATER_NS = 50 * MS, LAST_STAMP_NS = STAMPS * MS;

/* Rows of a chunk; in exact mode each event has a stamp. */
struct chunk {
  struct sheet rows;
  uint64_t *serial; /* NULL: no stamps */
};

static void stamp(struct chunk *chunk) {
  if (!chunk->serial) return;
  ++*chunk->serial;
  put_serial(&chunk->rows, *chunk->serial, *chunk->serial * MS);
}

static void give(struct chunk *chunk, uint64_t address, uint32_t gen, uint64_t size) {
  stamp(chunk);
  put_malloc(&chunk->rows, address, gen, size, site_name(1));
}

static void take(struct chunk *chunk, uint64_t address) {
  stamp(chunk);
  put_drop(&chunk->rows, address, 1);
}

static void move(struct chunk *chunk, uint64_t from, uint64_t to, uint32_t size) {
  stamp(chunk);
  *sheet_room(&chunk->rows, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, from);
  stamp(chunk);
  put_realloc_end(&chunk->rows, (struct ms_row_realloc_end){.fn = 1, .gen = 1, .addr8 = to >> 3, .size_low = size});
}

/* In the second one block of the first is freed and one resized, one is born and freed,
 * and one born that the third frees. */
static void rows_write(struct chunk chunks[3]) {
  put_clock(&chunks[0].rows, MS);
  give(&chunks[0], KEPT, 1, 1000);
  give(&chunks[0], FREED, 1, 200);
  give(&chunks[0], MOVED, 1, 30);
  put_clock(&chunks[1].rows, 2 * MS);
  take(&chunks[1], FREED);
  give(&chunks[1], INNER, 1, 4);
  take(&chunks[1], INNER);
  move(&chunks[1], MOVED, MOVED + SPACING, 60);
  give(&chunks[1], FREED_LATER, 1, 8);
  put_text(&chunks[1].rows, MS_TAG_THREAD_NAME, "a name");
  put_clock(&chunks[2].rows, LATER_NS);
  take(&chunks[2], FREED_LATER);
  take(&chunks[2], MOVED + SPACING);
  give(&chunks[2], FREED, 2, 7);
}

/* The second one's record. */
static uint64_t chunks_write(struct fixture *f, bool stamped) {
  uint64_t serial = 0, records[3];
  struct chunk chunks[3] = {0};
  for (int i = 0; i < 3 && stamped; i++) chunks[i].serial = &serial;
  rows_write(chunks);
  if (stamped) book_header(&f->book)->mode = MS_MODE_EXACT;
  unit_site(&f->unit, "p", 0, "/p.c", 1, "f", MS_SITE_INIT, 0);
  for (uint32_t i = 0; i < 3; i++) {
    records[i] = book_chunk(&f->book, THREAD, i, ms_get_time(chunks[i].rows.words).ns, &chunks[i].rows);
    sheet_free(&chunks[i].rows);
  }
  return records[1];
}

/* The first row of that tag in a chunk. */
static uint64_t *row_in(struct fixture *f, uint64_t record, uint8_t tag) {
  uint64_t *row = (uint64_t *)(f->book.bytes + record + sizeof(struct ms_record));
  while (ms_row_tag(*row) != tag) row += ms_row_words(*row);
  return row;
}

static const struct ms_model *model_damaged(struct fixture *f) {
  struct ms_error error = {0};
  const struct ms_model *model = model_with_problems(f, &error);
  assert_int_equal(error.code, MS_ERROR_DATA);
  assert_non_null(strstr(error.text, "chunk 1 of thread 1 is damaged"));
  assert_non_null(model->process.loss);
  assert_non_null(strstr(model->process.loss, "5 events left out"));
  assert_string_equal(model->process.end_when, "in what was recorded");
  assert_false(model->process.complete);
  return model;
}

static void rest_holds(const struct ms_model *model, uint64_t end_ns) {
  assert_int_equal(model->damage.denied_events, 5);
  assert_int_equal(model->totals.allocations, 4);
  assert_int_equal(model->totals.allocated_bytes, 1237);
  assert_int_equal(model->totals.frees, 2);
  assert_int_equal(model->totals.unborn, 2);
  assert_int_equal(model->totals.peak_bytes, 1230);
  assert_int_equal(model->totals.live_blocks, 2);
  assert_int_equal(model->process.duration_ns, end_ns);
  assert_string_equal(model->threads[0].name, "");
}

/* Sizes, names and times are vouched for by nothing. */
static void size_flipped(struct fixture *f, bool stamped) {
  uint64_t record = chunks_write(f, stamped);
  row_in(f, record, MS_TAG_ALLOC)[1] ^= UINT64_C(1) << 31;
  const struct ms_model *model = model_damaged(f);
  rest_holds(model, stamped ? LAST_STAMP_NS : LATER_NS);
  assert_int_equal(model->totals.live_bytes, 1007);
  assert_int_equal(model->totals.vanished, 0);
  assert_int_equal(model->totals.forced, 0);
  assert_null(strstr(model->process.loss, "may have been freed"));
}

static void test_size(void **state) { size_flipped(*state, false); }
static void test_size_stamped(void **state) { size_flipped(*state, true); }

static void test_time(void **state) {
  struct fixture *f = *state;
  uint64_t record = chunks_write(f, false);
  *row_in(f, record, MS_TAG_TIME) ^= UINT64_C(1) << 60;
  const struct ms_model *model = model_damaged(f);
  rest_holds(model, LATER_NS);
}

static void test_serial(void **state) {
  struct fixture *f = *state;
  uint64_t record = chunks_write(f, true);
  uint64_t *row = row_in(f, record, MS_TAG_STAMP);
  row[0] ^= UINT64_C(1) << 50;
  row[1] ^= UINT64_C(1) << 50;
  const struct ms_model *model = model_damaged(f);
  rest_holds(model, LAST_STAMP_NS);
}

/* The block whose free is the one that is damaged: it counts as live until its address is
 * given out again; and that is said. */
static void test_damaged_free(void **state) {
  struct fixture *f = *state;
  uint64_t record = chunks_write(f, false);
  *row_in(f, record, MS_TAG_FREE) ^= UINT64_C(1) << 40;
  const struct ms_model *model = model_damaged(f);
  rest_holds(model, LATER_NS);
  assert_int_equal(model->totals.vanished, 1);
  assert_non_null(strstr(model->process.loss, "up to 1 of the blocks shown as live may have been freed there"));
}

/* ---- chunks that threads share ---- */

enum { SLOTS = 6, SHARED_THREADS = 2 };

/* Late rows of two threads by turns: each frees a block of its own at SLOT + 2 ms. */
static uint64_t shared_write(struct fixture *f) {
  struct sheet shared = {0}, late = {0};
  for (uint32_t i = 0; i < SLOTS; i++) {
    uint32_t thread = 1 + i % SHARED_THREADS;
    put_malloc(&f->rows[thread - 1], KEPT + i * SPACING, 1, 100, site_name(1));
    put_of_thread(&shared, (struct ms_row_of_thread){.thread = thread});
    put_clock(&shared, (2 + i) * MS);
    put_drop(&shared, KEPT + i * SPACING, 1);
  }
  put_of_thread(&late, (struct ms_row_of_thread){.thread = 1});
  put_clock(&late, LATER_NS);
  put_malloc(&late, FREED, 1, 7, site_name(1));
  unit_site(&f->unit, "p", 0, "/p.c", 1, "f", MS_SITE_INIT, 0);
  book_header(&f->book)->threads = SHARED_THREADS;
  uint64_t record = book_chunk(&f->book, 0, 0, MS, &shared);
  book_chunk(&f->book, 0, 1, LATER_NS, &late);
  sheet_free(&shared);
  sheet_free(&late);
  return record;
}

/* The row of that tag in that slot, 0 being the first. */
static uint64_t *slot_row(struct fixture *f, uint64_t record, uint32_t slot, uint8_t tag) {
  uint64_t *row = row_in(f, record, tag);
  for (; slot; slot -= ms_row_tag(*row) == tag) row += ms_row_words(*row);
  return row;
}

static void shared_holds(struct fixture *f) {
  struct ms_error error = {0};
  const struct ms_model *model = model_with_problems(f, &error);
  assert_int_equal(error.code, MS_ERROR_DATA);
  assert_int_equal(model->damage.denied_events, SLOTS);
  assert_int_equal(model->totals.threads, SHARED_THREADS);
  assert_int_equal(model->thread_count, SHARED_THREADS);
  assert_int_equal(model->process.duration_ns, LATER_NS);
  assert_int_equal(model->totals.live_blocks, 1);
  assert_null(strstr(model->process.loss, "placed by time alone"));
}

static void test_shared_time(void **state) {
  struct fixture *f = *state;
  uint64_t record = shared_write(f);
  *slot_row(f, record, 1, MS_TAG_TIME) ^= UINT64_C(1) << 60;
  shared_holds(f);
}

static void test_shared_thread(void **state) {
  struct fixture *f = *state;
  uint64_t record = shared_write(f);
  *slot_row(f, record, 1, MS_TAG_OF_THREAD) ^= UINT64_C(1) << 40;
  shared_holds(f);
}

/* A window of the same number holds the same rows, and no checksum denies them. */
static void test_window_stands_in(void **state) {
  struct fixture *f = *state;
  struct sheet rows = {0};
  struct ms_error error = {0};
  put_malloc(&rows, KEPT, 1, 1000, site_name(1));
  unit_site(&f->unit, "p", 0, "/p.c", 1, "f", MS_SITE_INIT, 0);
  uint64_t record = book_chunk(&f->book, THREAD, 0, 0, &rows);
  book_window(&f->book, THREAD, 0, 0, &rows);
  sheet_free(&rows);
  row_in(f, record, MS_TAG_ALLOC)[1] ^= 4;
  const struct ms_model *model = model_with_problems(f, &error);
  assert_int_equal(error.code, 0);
  assert_int_equal(model->totals.live_bytes, 1000);
  assert_int_equal(model->damage.denied_events, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_size, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_size_stamped, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_time, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_serial, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_damaged_free, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_shared_time, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_shared_thread, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_window_stands_in, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
