/* SPDX-License-Identifier: MIT
 *
 * What a sampled stream's figures mean, reckoned by hand.
 */
#include "test.h"

#include "base/arena.h"
#include "model/model.h"
#include "reader/reader.h"
#include "scribe.h"

#include <math.h>
#include <stdlib.h>

struct fixture {
  struct book book;
  struct unit unit;
  struct names names;
  struct sheet rows;
  struct ms_arena *arena;
  struct ms_stream *stream;
};

static struct fixture *fixture_new(uint32_t kind, uint64_t period) {
  struct fixture *f = calloc(1, sizeof *f);
  book_open(&f->book);
  struct ms_file_header *header = book_header(&f->book);
  header->version = MS_STREAM_VERSION_SAMPLED;
  header->mode = MS_MODE_SAMPLE;
  header->sampling = kind;
  header->sampling_period = period;
  header->end_how = MS_END_EXIT;
  unit_init(&f->unit);
  names_init(&f->names, 2);
  uint32_t type = unit_type(&f->unit, "struct node", MS_TYPE_STRUCT, 16);
  unit_site(&f->unit, "a", type, "/a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "/a.c", 2, "f", MS_SITE_INIT, 0);
  return f;
}

static const struct ms_model *model_of(struct fixture *f, struct ms_error *error) {
  book_names(&f->book, &f->names);
  book_module(&f->book, 1, "/bin/p", 0x400000, 0x500000, 1, &f->unit);
  book_chunk(&f->book, 1, 0, 0, &f->rows);
  book_close(&f->book);
  f->arena = ms_arena_new();
  f->stream = ms_stream_open_memory(f->arena, f->book.bytes, f->book.size, error);
  return f->stream ? ms_model_build(f->arena, f->stream, error) : NULL;
}

static void fixture_free(struct fixture *f) {
  ms_stream_close(f->stream);
  ms_arena_free(f->arena);
  sheet_free(&f->rows);
  book_free(&f->book);
  free(f);
}

static void range_is(struct ms_range range, double low, double high) {
  if (fabs((double)range.low - low) > 1 + 1e-6 * high || fabs((double)range.high - high) > 1 + 1e-6 * high)
    fail_msg("%g to %g, wanted %g to %g", (double)range.low, (double)range.high, low, high);
}

/* Wilson's interval of n of unknown many, each seen with probability p. */
static double wilson(double n, double p, double side) {
  double z = 1.959964, q = 1 - p;
  return (n + z * z * q / 2 + side * z * sqrt(q * n + z * z * q * q / 4)) / p;
}

/* The same of a group that one of them is the reason for: low without that one, high with all. */
static void range_of_met(struct ms_range range, double n, double p) {
  double z = 1.959964, w = 1 / p, v = w * (w - 1) * n - (w - 1) * (w - 1), half = z * z * (w - 1) / 2;
  double low = n * w - (w - 1) + half - sqrt(half * half + z * z * v);
  range_is(range, low > n ? low : n, wilson(n, p, 1));
}

static void test_rate(void **state) {
  (void)state;
  struct fixture *f = fixture_new(MS_SAMPLING_RATE, 10 * MS_SAMPLING_ONE);
  struct ms_error error = {0};
  put_malloc(&f->rows, 0x1000, 1, 16, site_name(1));
  put_malloc(&f->rows, 0x2000, 1, 48, site_name(1));
  put_malloc(&f->rows, 0x3000, 1, 100, site_name(2));
  put_drop(&f->rows, 0x1000, 1);
  const struct ms_model *model = model_of(f, &error);
  assert_non_null(model);
  const struct ms_model_totals *t = &model->totals;
  assert_int_equal(model->sampling.sampled_allocations, 3);
  assert_string_equal(model->process.mode, "sample");
  assert_int_equal(t->allocations, 30);
  assert_int_equal(t->frees, 10);
  assert_int_equal(t->allocated_bytes, 1640);
  assert_int_equal(t->peak_bytes, 1640);
  assert_int_equal(t->live_blocks, 20);
  assert_int_equal(t->live_bytes, 1480);
  assert_int_equal(t->temporary, 0);
  assert_int_equal(t->events, 40);
  range_is(t->error->allocations, wilson(3, 0.1, -1), wilson(3, 0.1, 1));
  range_is(t->error->frees, wilson(1, 0.1, -1), wilson(1, 0.1, 1));
  range_is(t->error->live_blocks, wilson(2, 0.1, -1), wilson(2, 0.1, 1));
  /* Bytes: variance 90 * (16^2 + 48^2 + 100^2), what is undrawn weighs 9 * (16^2 + 48^2 + 100^2) / 164. */
  double z = 1.959964, squares = 256 + 2304 + 10000, half = z * z * 9 * squares / 164 / 2, reach = sqrt(half * half + z * z * 90 * squares);
  range_is(t->error->allocated_bytes, 1640 + half - reach, 1640 + half + reach);
  const struct ms_model_site *a = &model->sites[1], *b = &model->sites[0]; /* by bytes at the peak */
  assert_string_equal(a->holder, "a");
  assert_int_equal(a->allocations, 20);
  assert_int_equal(a->live_bytes, 480);
  assert_int_equal(a->bytes_at_peak, 640);
  assert_int_equal(a->lifetime.count, 10);
  assert_int_equal(a->lifetime.buckets[0], 10);
  assert_int_equal(a->smallest_bytes, 16);
  assert_int_equal(a->alloc_threads.rows[0].count, 20);
  assert_int_equal(b->bytes_at_peak, 1000);
  range_is(b->error->frees, 0, wilson(0, 0.1, 1)); /* none seen: as its allocations */
  assert_int_equal(model->types[0].allocations, 20);
  assert_int_equal(model->types[0].elements, 40);
  range_of_met(model->types[0].error->allocations, 2, 0.1);
  range_of_met(b->error->allocations, 1, 0.1);
  range_is(model->threads[0].error->allocations, wilson(3, 0.1, -1), wilson(3, 0.1, 1));
  assert_int_equal(model->modules[0].allocations, 30);
  uint32_t last = model->timeline.sample_count - 1;
  assert_int_equal(model->timeline.live_bytes[last], 1480);
  assert_int_equal(model->timeline.end_event[0], 10);
  assert_int_equal(model->timeline.end_event[last], t->events); /* as many along the curve as in all */
  assert_int_equal(model->coverage.named_allocations, 30);
  fixture_free(f);
}

static void test_bytes(void **state) {
  (void)state;
  struct fixture *f = fixture_new(MS_SAMPLING_BYTES, 1 << 20);
  struct ms_error error = {0};
  double small = 1 / (1 - exp(-1024. / (1 << 20))), large = 1 / (1 - exp(-4.));
  put_malloc(&f->rows, 0x1000, 1, 1024, site_name(1));
  put_malloc(&f->rows, 0x2000, 1, 4 << 20, site_name(2));
  put_malloc(&f->rows, 0x800000, 1, 0, site_name(2)); /* counts as one byte when drawn */
  const struct ms_model *model = model_of(f, &error);
  assert_non_null(model);
  double none = 1 / (1 - exp(-1. / (1 << 20)));
  assert_true(fabs((double)model->totals.allocations - (small + large + none)) < 2);
  assert_true(fabs((double)model->totals.allocated_bytes - (small * 1024 + large * (4 << 20))) < 100);
  assert_int_equal(model->sites[1].smallest_bytes, 1024);
  fixture_free(f);
}

/* By rate large blocks are drawn more often, from 64 KiB on always, and count for as much less. */
static void test_large(void **state) {
  (void)state;
  struct fixture *f = fixture_new(MS_SAMPLING_LARGE, 100 * MS_SAMPLING_ONE);
  struct ms_error error = {0};
  put_malloc(&f->rows, 0x1000, 1, 1000, site_name(1));
  put_malloc(&f->rows, 0x2000, 1, 8192, site_name(1));
  put_malloc(&f->rows, 0x800000, 1, 65536, site_name(2));
  put_malloc(&f->rows, 0x900000, 1, 1 << 20, site_name(2));
  const struct ms_model *model = model_of(f, &error);
  assert_non_null(model);
  assert_int_equal(model->sampling.large_bytes, 1024);
  assert_int_equal(model->totals.allocations, 100 + 8 + 2);
  assert_int_equal(model->totals.allocated_bytes, 100000 + 65536 + 65536 + (1 << 20));
  const struct ms_model_site *sure = &model->sites[0], *other = &model->sites[1];
  assert_string_equal(sure->holder, "b");
  range_is(sure->error->allocations, 2, 2);
  range_is(sure->error->live_bytes, 65536 + (1 << 20), 65536 + (1 << 20));
  range_is(sure->error->frees, 0, 0);
  /* Beside the large one there may be small ones, 99 undrawn for each that is drawn. */
  double z = 1.959964, half = z * z * 99 / 2, v = 100 * 99 + 8 * 7;
  assert_int_equal(other->error->allocations.low, 2);
  assert_true(fabs((double)other->error->allocations.high - (108 + half + sqrt(half * half + z * z * v))) < 2);
  assert_true(model->totals.error->allocated_bytes.low >= 1000 + 8192 + 65536 + (1 << 20));
  fixture_free(f);
}

/* A block drawn, grown into one that is not, and one that comes of one that was not. */
static void test_reallocs(void **state) {
  (void)state;
  struct fixture *f = fixture_new(MS_SAMPLING_RATE, 4 * MS_SAMPLING_ONE);
  struct ms_error error = {0};
  put_malloc(&f->rows, 0x1000, 1, 16, site_name(1));
  *sheet_room(&f->rows, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1000);
  put_realloc_unsampled(&f->rows, (struct ms_row_realloc_unsampled){0});
  *sheet_room(&f->rows, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 0, 0);
  put_realloc_end(&f->rows, (struct ms_row_realloc_end){.fn = 1, .gen = 1, .addr8 = 0x5000 >> 3, .size_low = 100, .name = site_name(2)});
  *sheet_room(&f->rows, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x5000);
  put_realloc_end(&f->rows, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x5000 >> 3, .size_low = 200, .name = site_name(2)});
  const struct ms_model *model = model_of(f, &error);
  assert_non_null(model);
  const struct ms_model_totals *t = &model->totals;
  assert_int_equal(t->allocations, 4);
  assert_int_equal(t->frees, 0);
  assert_int_equal(t->reallocations, 8);
  assert_int_equal(t->live_blocks, 4);
  assert_int_equal(t->live_bytes, 800);
  assert_int_equal(t->unborn, 0);
  assert_int_equal(t->ended, 0);
  assert_int_equal(t->allocated_bytes, 4 * 316);
  assert_int_equal(model->note_count, 0);
  fixture_free(f);
}

/* A header that does not say how: refused, since nothing would be right. */
static void test_damaged(void **state) {
  (void)state;
  static const struct {
    uint32_t kind;
    uint64_t period;
  } bad[] = {{MS_SAMPLING_NONE, 1}, {4, 1}, {MS_SAMPLING_LARGE, 1}, {MS_SAMPLING_BYTES, 0}, {MS_SAMPLING_RATE, MS_SAMPLING_ONE - 1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct fixture *f = fixture_new(bad[i].kind, bad[i].period);
    struct ms_error error = {0};
    assert_null(model_of(f, &error));
    assert_int_equal(error.code, MS_ERROR_DATA);
    fixture_free(f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rate), cmocka_unit_test(test_bytes), cmocka_unit_test(test_large), cmocka_unit_test(test_reallocs),
                                     cmocka_unit_test(test_damaged)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
