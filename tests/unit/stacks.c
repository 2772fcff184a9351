/* SPDX-License-Identifier: MIT
 *
 * Call stacks: which are one, and what their blocks amount to.
 */
#include "fixture.h"

#include <string.h>

static const struct ms_model_stack *stack_of(const struct ms_model *model, const char *second) {
  for (uint32_t i = 0; i < model->stack_count; i++)
    if (strcmp(model->places[model->stacks[i].places[1] - 1].text, second) == 0) return &model->stacks[i];
  fail_msg("no stack with %s", second);
  return NULL;
}

static void sites_check(const struct ms_model_stack *stack, const struct ms_model_stack_site *wanted, uint32_t count) {
  assert_int_equal(stack->site_count, count);
  for (uint32_t i = 0; i < count; i++) assert_memory_equal(&stack->sites[i], &wanted[i], sizeof wanted[i]);
}

/* The same frames in two threads are one stack; a new chunk says none; a resize and a
 * later name move a block, in the peak too. */
static void test_stacks(void **state) {
  struct fixture *f = *state;
  static const uint64_t frames[] = {0x701234, 0x704444, 0x705555};
  struct sheet *one = &f->rows[0], *two = &f->rows[1], later = {0};
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  put_frames(one, 1, frames, 2);
  put_stack_of(one, (struct ms_row_stack_of){.id = 1});
  put_malloc(one, 0x1000, 1, 100, site_name(1));
  put_malloc(one, 0x1020, 1, 50, site_name(2));
  put_frames(one, 2, (const uint64_t[]){frames[0], frames[2]}, 2);
  put_stack_of(one, (struct ms_row_stack_of){.id = 2});
  put_malloc(one, 0x1040, 1, 10, site_name(1));
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1040);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1040 >> 3, .size_low = 30, .name = site_name(1)});
  put_drop(one, 0x1000, 1);
  put_malloc(one, 0x1060, 1, 7, 0);
  put_clock(two, 100 * MS);
  put_stack_of(two, (struct ms_row_stack_of){.id = 7});
  put_malloc(two, 0x2000, 1, 1000, site_name(1)); /* the peak */
  put_frames(two, 7, frames, 2);
  put_clock(two, 200 * MS);
  put_drop(two, 0x1020, 1);
  put_clock(&later, 150 * MS);
  put_malloc(&later, 0x1080, 1, 5, site_name(1)); /* no stack */
  put_drop(&later, 0x1080, 1);
  put_clock(&later, 300 * MS);
  put_bind(&later, (struct ms_row_bind){.gen = 1, .addr8 = 0x1060 >> 3, .name = site_name(2)});
  book_chunk(&f->book, 1, 1, 120 * MS, &later);
  const struct ms_model *model = model_of(f);
  uint32_t a = site_of(model, "a")->id, b = site_of(model, "b")->id;
  assert_int_equal(model->totals.peak_bytes, 1000 + 50 + 30 + 7 + 5);
  assert_int_equal(model->stack_count, 2);
  const struct ms_model_stack *first = stack_of(model, "libc.so+0x4444"), *second = stack_of(model, "libc.so+0x5555");
  assert_ptr_equal(first, &model->stacks[0]);
  assert_int_equal(first->id, 1);
  assert_string_equal(model->places[first->places[0] - 1].text, "libc.so+0x1234");
  sites_check(first,
              (const struct ms_model_stack_site[]){
                  {.site_id = a, .allocations = 2, .allocated_bytes = 1100, .live_bytes = 1000, .live_blocks = 1, .bytes_at_peak = 1000, .blocks_at_peak = 1},
                  {.site_id = b, .allocations = 1, .allocated_bytes = 50, .bytes_at_peak = 50, .blocks_at_peak = 1}},
              2);
  sites_check(second,
              (const struct ms_model_stack_site[]){
                  {.site_id = a, .allocations = 1, .allocated_bytes = 40, .live_bytes = 30, .live_blocks = 1, .bytes_at_peak = 30, .blocks_at_peak = 1},
                  {.site_id = b, .allocations = 1, .allocated_bytes = 7, .live_bytes = 7, .live_blocks = 1, .bytes_at_peak = 7, .blocks_at_peak = 1}},
              2);
  assert_int_equal(second->bytes_at_peak, 37);
  assert_int_equal(second->allocations, 2);
  sheet_free(&later);
}

/* Many events against plain arithmetic; memory is bounded by stacks and sums. */
static void test_stacks_random(void **state) {
  enum { STACKS = 40, PLACES = 2, STEPS = 20000, BLOCKS = 500 };
  struct fixture *f = *state;
  static struct {
    uint64_t allocations, allocated, live, at_peak;
  } wanted[STACKS][PLACES];
  static struct {
    uint32_t gen, stack, site;
    uint64_t size;
  } blocks[BLOCKS];
  memset(wanted, 0, sizeof wanted);
  memset(blocks, 0, sizeof blocks);
  struct sheet *rows = &f->rows[0];
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  for (uint32_t i = 0; i < STACKS; i++) put_frames(rows, i + 1, (const uint64_t[]){0x700100, 0x701000 + i}, 2);
  uint64_t seed = 7, all = 0, peak = 0;
  for (uint32_t step = 0; step < STEPS; step++) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint32_t at = (uint32_t)(seed >> 33) % BLOCKS, stack = (uint32_t)(seed >> 43) % STACKS, site = seed >> 50 & 1;
    uint64_t address = 0x10000 + 16 * at, size = 1 + (seed >> 52);
    if (blocks[at].size) {
      put_drop(rows, address, blocks[at].gen);
      wanted[blocks[at].stack][blocks[at].site].live -= blocks[at].size;
      all -= blocks[at].size;
      blocks[at].size = 0;
      continue;
    }
    put_stack_of(rows, (struct ms_row_stack_of){.id = stack + 1});
    put_malloc(rows, address, blocks[at].gen = (blocks[at].gen + 1) & MS_GEN_MASK, size, site_name(site + 1));
    blocks[at].stack = stack, blocks[at].site = site, blocks[at].size = size;
    wanted[stack][site].allocations++;
    wanted[stack][site].allocated += size;
    wanted[stack][site].live += size;
    all += size;
    if (all <= peak) continue;
    peak = all;
    for (int i = 0; i < STACKS * PLACES; i++) wanted[i / PLACES][i % PLACES].at_peak = wanted[i / PLACES][i % PLACES].live;
  }
  const struct ms_model *model = model_of(f);
  uint32_t a = site_of(model, "a")->id;
  uint64_t at_peak = 0;
  assert_int_equal(model->stack_count, STACKS);
  assert_int_equal(model->totals.peak_bytes, peak);
  for (uint32_t i = 0; i < STACKS; i++) {
    const struct ms_model_stack *stack = &model->stacks[i];
    uint64_t number = model->places[stack->places[1] - 1].address - 0x1000;
    if (i) assert_true(stack->bytes_at_peak <= stack[-1].bytes_at_peak);
    at_peak += stack->bytes_at_peak;
    for (uint32_t n = 0; n < stack->site_count; n++) {
      const struct ms_model_stack_site *got = &stack->sites[n];
      int site = got->site_id != a;
      assert_int_equal(got->allocations, wanted[number][site].allocations);
      assert_int_equal(got->allocated_bytes, wanted[number][site].allocated);
      assert_int_equal(got->live_bytes, wanted[number][site].live);
      assert_int_equal(got->bytes_at_peak, wanted[number][site].at_peak);
    }
  }
  assert_int_equal(at_peak, peak);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_stacks, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_stacks_random, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
