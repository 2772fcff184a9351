/* SPDX-License-Identifier: MIT
 *
 * Peak, curve and sums against the slow plain way; how a stream ended.
 */
#include "fixture.h"

#include <string.h>

/* ---- peak, curve and sums against the plain way ---- */

enum { SITES = 7, BLOCKS = 300, EVENTS = 60000 };

static const char *const names[SITES] = {"a", "b", "c", "d", "e", "f", "g"};

/* What really happened, beside the rows that tell of it. */
struct truth {
  struct {
    uint32_t gen, size, site;
  } blocks[BLOCKS];
  uint64_t live[SITES], peaks[SITES], at_peak[SITES], all, peak;
  uint64_t curve[EVENTS][SITES + 1]; /* live bytes behind each event: of the sites, of all */
};

static uint64_t block_address(uint32_t index) { return 0x10000 + index * 32; }

static void truth_free(struct truth *truth, struct sheet *rows, uint32_t index) {
  put_drop(rows, block_address(index), truth->blocks[index].gen);
  truth->live[truth->blocks[index].site] -= truth->blocks[index].size;
  truth->all -= truth->blocks[index].size;
  truth->blocks[index].size = 0;
}

static void truth_allocate(struct truth *truth, struct sheet *rows, uint32_t index, uint32_t site, uint32_t size) {
  uint32_t gen = truth->blocks[index].gen = (truth->blocks[index].gen + 1) & MS_GEN_MASK;
  truth->blocks[index].size = size;
  truth->blocks[index].site = site;
  put_malloc(rows, block_address(index), gen, size, site_name(site + 1));
  truth->live[site] += size;
  truth->all += size;
  if (truth->live[site] > truth->peaks[site]) truth->peaks[site] = truth->live[site];
  if (truth->all > truth->peak) truth->peak = truth->all, memcpy(truth->at_peak, truth->live, sizeof truth->live);
}

static void truth_make(struct truth *truth, struct sheet *rows) {
  uint64_t random = 42, ns = 0;
  memset(truth, 0, sizeof *truth);
  for (int event = 0; event < EVENTS; event++) {
    random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint32_t index = (uint32_t)(random >> 33) % BLOCKS;
    if (event % 100 == 0) put_clock(rows, ns += event < 1000 ? 400 * MS : MS); /* slow, then busy */
    if (truth->blocks[index].size) truth_free(truth, rows, index);
    else truth_allocate(truth, rows, index, (uint32_t)(random >> 50) % SITES, 1 + (uint32_t)(random >> 40) % 5000);
    memcpy(truth->curve[event], truth->live, sizeof truth->live);
    truth->curve[event][SITES] = truth->all;
  }
}

static void totals_are(const struct ms_model_totals *totals, const struct truth *truth) {
  assert_int_equal(totals->peak_bytes, truth->peak);
  assert_int_equal(totals->live_bytes, truth->all);
  assert_int_equal(totals->events, EVENTS);
}

static void timeline_is(const struct ms_model *model, const struct truth *truth) {
  const struct ms_model_timeline *t = &model->timeline;
  assert_in_range(t->sample_count, MS_TIMELINE_MAX / 6, MS_TIMELINE_MAX);
  assert_int_equal(t->end_event[t->sample_count - 1], EVENTS);
  assert_int_equal(t->most_bytes[t->peak_sample], truth->peak);
  uint64_t allocations = 0, frees = 0;
  for (uint32_t i = 0; i < t->sample_count; i++) {
    if (i) assert_true(t->end_event[i] > t->end_event[i - 1] && t->end_ns[i] >= t->end_ns[i - 1]);
    assert_int_equal(t->live_bytes[i], truth->curve[t->end_event[i] - 1][SITES]);
    assert_true(t->most_bytes[i] >= t->live_bytes[i]);
    allocations += t->allocations[i];
    frees += t->frees[i];
  }
  assert_int_equal(allocations, model->totals.allocations);
  assert_int_equal(frees, model->totals.frees);
}

static void site_is(const struct ms_model *model, uint32_t index, const struct truth *truth) {
  const struct ms_model_timeline *t = &model->timeline;
  const struct ms_model_site *site = site_of(model, names[index]);
  assert_int_equal(site->peak_bytes, truth->peaks[index]);
  assert_int_equal(site->bytes_at_peak, truth->at_peak[index]);
  assert_int_equal(site->live_bytes, truth->live[index]);
  uint32_t point = 0;
  uint64_t value = 0;
  for (uint32_t s = 0; s < t->sample_count; s++) {
    if (point < site->points.count && site->points.rows[point].sample == s) value = site->points.rows[point++].live_bytes;
    assert_int_equal(value, truth->curve[t->end_event[s] - 1][index]);
  }
}

static void holders_add_up(const struct ms_model_timeline *t) {
  assert_int_equal(t->holder_count, SITES + 1); /* and all others */
  for (uint32_t s = 0; s < t->sample_count; s += 17) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < t->holder_count; i++) sum += t->holders[i].live_bytes[s];
    assert_int_equal(sum, t->live_bytes[s]);
  }
}

static void test_random(void **state) {
  struct fixture *f = *state;
  static struct truth truth;
  for (uint32_t i = 0; i < SITES; i++) unit_site(&f->unit, names[i], 0, "a.c", i, "f", MS_SITE_INIT, 0);
  truth_make(&truth, &f->rows[0]);
  const struct ms_model *model = model_of(f);
  totals_are(&model->totals, &truth);
  timeline_is(model, &truth);
  for (uint32_t i = 0; i < SITES; i++) site_is(model, i, &truth);
  holders_add_up(&model->timeline);
}

/* ---- the end ---- */

/* The stream as it stands, `size` bytes of it. */
static const struct ms_model_process *process_of(struct fixture *f, enum ms_end_how how, uint64_t size) {
  struct ms_error error = {0};
  book_header(&f->book)->end_how = how;
  if (f->arena) ms_stream_close(f->stream), ms_arena_free(f->arena);
  f->arena = ms_arena_new();
  f->stream = ms_stream_open_memory(f->arena, f->book.bytes, size, &error);
  assert_non_null(f->stream);
  return &ms_model_build(f->arena, f->stream, &error)->process;
}

static void test_end(void **state) {
  struct fixture *f = *state;
  static const struct { enum ms_end_how how; const char *when; } cases[] = {
      {MS_END_NONE, "where the stream ends"},   {MS_END_EXIT, "at exit"},
      {MS_END_QUICK, "at exit"},                {MS_END_EXEC, "when it became another program"},
      {MS_END_SIGNAL, "when it was killed"},    {MS_END_STOPPED, "when recording stopped"},
  };
  put_malloc(&f->rows[0], 0x1000, 1, 10, 0);
  book_chunk(&f->book, 1, 0, 0, &f->rows[0]);
  book_chunk(&f->book, 2, 0, 0, &f->rows[0]);
  book_close(&f->book);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ms_model_process *process = process_of(f, cases[i].how, f->book.size);
    assert_string_equal(process->end_when, cases[i].when);
    assert_false(process->cut);
    assert_null(process->loss);
  }
  book_header(&f->book)->lost_events = 12;
  book_header(&f->book)->lost_reason = MS_LOST_MEMORY;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ms_model_process *process = process_of(f, cases[i].how, f->book.size);
    assert_string_equal(process->end_when, "in what was recorded");
    assert_string_equal(process->loss, "12 events not recorded: no memory for a window");
    assert_false(process->complete);
  }
  for (uint64_t less = MS_RECORD_ALIGN - 80; less <= MS_RECORD_ALIGN; less += 80) { /* inside the last record, and before it */
    const struct ms_model_process *process = process_of(f, MS_END_EXIT, f->book.size - less);
    assert_string_equal(process->end_when, "where the stream is cut");
    assert_true(process->cut && !process->complete);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_random, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_end, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
