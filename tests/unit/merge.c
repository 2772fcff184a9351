/* SPDX-License-Identifier: MIT
 *
 * The merge by generations against the order things really happened in: a
 * simulated program knows both. Cycles of one address beyond the 4096 generations are
 * made on purpose.
 */
#include "test.h"

#include "base/arena.h"
#include "reader/cell.h"
#include "reader/freed.h"
#include "reader/pairs.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* Ends the recording and compares both orders. */
static struct ms_pairs_check world_check(struct world *world) {
  world_close(world);
  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  struct ms_pairs_check check;
  struct ms_stream *stream = ms_stream_open_memory(arena, world->book.bytes, world->book.size, &error);
  assert_non_null(stream);
  assert_int_equal(stream->problem_count, 0);
  assert_true(ms_pairs_compare(stream, &check));
  ms_stream_close(stream);
  ms_arena_free(arena);
  book_free(&world->book);
  return check;
}

static void right(struct ms_pairs_check check) {
  assert_int_equal(check.mismatches, 0);
  assert_int_equal(check.forced, 0);
  assert_int_equal(check.events, check.oracle_events);
}

static void test_storms(void **state) {
  (void)state;
  static const uint32_t threads[] = {2, 4, 16}, slots[] = {1, 4, 64}, caches[] = {0, 7},
                        quanta[] = {1, 20, 5000}, looks[] = {1, 16, 64};
  static const uint64_t steps[] = {1000, 1000000, 8000000};
  static struct world world;
  uint64_t seed = 1;
  for (int t = 0; t < 3; t++)
    for (int s = 0; s < 3; s++)
      for (int c = 0; c < 2; c++)
        for (int q = 0; q < 3; q++)
          for (int l = 0; l < 3; l++)
            for (int n = 0; n < 3; n++) {
              world_init(&world, threads[t], looks[l], steps[n], 20, seed++);
              world_storm(&world, slots[s], caches[c], quanta[q], 20000);
              struct ms_pairs_check check = world_check(&world);
              if (check.mismatches || check.forced)
                print_error(
                    "threads %u slots %u cache %u quantum %u look %u step %llu: %llu wrong, %llu forced\n",
                    threads[t], slots[s], caches[c], quanta[q], looks[l], (unsigned long long)steps[n],
                    (unsigned long long)check.mismatches, (unsigned long long)check.forced);
              right(check);
            }
}

/* One thread cycles an address thousands of times within a clock step and now
 * and then lets another one free the block: the state that one waits for comes
 * by again every 4096 generations. */
static void test_wrap_by_one(void **state) {
  (void)state;
  static struct world world;
  for (uint32_t round = 0; round < 40; round++) {
    uint32_t look = round % 3 == 0 ? 1 : round % 3 == 1 ? 16 : 64;
    world_init(&world, 2, look, 4000000, 15, round);
    uint32_t giver = round & 1, taker = !giver; /* either may be read first */
    for (uint32_t hand = 0; hand < 30; hand++) {
      uint32_t cycles = round < 20 ? 4096 * (1 + world_dice(&world, 3)) - world_dice(&world, 3) : world_dice(&world, 20000);
      for (uint32_t i = 0; i < cycles; i++) world_born(&world, giver, 0), world_dies(&world, giver, 0);
      world_born(&world, giver, 0);
      world_dies(&world, taker, 0);
      if (round & 2) world_born(&world, taker, 0), world_dies(&world, taker, 0);
    }
    right(world_check(&world));
  }
}

/* The same, with other events of both between. */
static void test_wrap_with_company(void **state) {
  (void)state;
  static struct world world;
  for (uint32_t round = 0; round < 40; round++) {
    world_init(&world, 3, 16, 8000000, 15, round + 1000);
    uint32_t giver = round % 3, taker = (giver + 1) % 3;
    for (uint32_t hand = 0; hand < 20; hand++) {
      uint32_t cycles = 4096 + world_dice(&world, 9000), busy = world_dice(&world, 60);
      for (uint32_t i = 0; i < cycles; i++) {
        world_born(&world, giver, 0);
        world_dies(&world, giver, 0);
        if (busy && i % (busy * 8) == 0) world_born(&world, giver, 1), world_dies(&world, taker, 1);
      }
      world_born(&world, giver, 0);
      world_born(&world, taker, 2);
      world_dies(&world, taker, 0);
      world_dies(&world, giver, 2);
    }
    right(world_check(&world));
  }
}

/* Two threads pass one address to and fro, a third has had it long ago. */
static void test_wrap_by_two(void **state) {
  (void)state;
  static struct world world;
  for (uint32_t round = 0; round < 24; round++) {
    world_init(&world, 3, 64, 4000000, 15, round + 77);
    uint32_t a = round % 3, b = (a + 1) % 3, c = (a + 2) % 3;
    for (uint32_t hand = 0; hand < 6; hand++) {
      uint32_t cycles = 4095 + world_dice(&world, 3) + 4096 * (round & 1);
      for (uint32_t i = 0; i < cycles; i++) world_born(&world, i & 1 ? a : b, 0), world_dies(&world, i & 1 ? b : a, 0);
      world_born(&world, a, 0);
      world_dies(&world, c, 0);
    }
    right(world_check(&world));
  }
}

/* A thread that looks at the clock once a second. */
static void test_stale_clock(void **state) {
  (void)state;
  static struct world world;
  for (uint32_t round = 0; round < 10; round++) {
    world_init(&world, 2, 1, 4000000, 20, round + 5);
    for (uint32_t hand = 0; hand < 200; hand++) {
      uint32_t cycles = world_dice(&world, 3000);
      for (uint32_t i = 0; i < cycles; i++) world_born(&world, 0, 0), world_dies(&world, 0, 0);
      world_born(&world, 0, 0);
      world.since[1] = 1; /* no look */
      world.look = 1u << 30;
      world_dies(&world, 1, 0);
      world.look = 1;
    }
    right(world_check(&world));
  }
}

/* ---- rows that are missing ---- */

static struct ms_merge_counts counts_of(struct book *book, struct ms_event *events, uint32_t *count) {
  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  book_close(book);
  struct ms_stream *stream = ms_stream_open_memory(arena, book->bytes, book->size, &error);
  assert_non_null(stream);
  struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_GENERATIONS);
  *count = ms_merge_next(merge, events, 64);
  struct ms_merge_counts counts = *ms_merge_counts(merge);
  assert_int_equal(ms_merge_next(merge, events + 32, 32), 0);
  ms_merge_close(merge);
  ms_stream_close(stream);
  ms_arena_free(arena);
  book_free(book);
  return counts;
}

/* A generation that never comes is passed over once, and the rest is right. */
static void test_lost_allocation(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  book_open(&book);
  put_malloc(&one, 0x1000, 1, 10, 0);
  put_drop(&one, 0x1000, 1);
  put_clock(&one, 100000000); /* generation 2 is lost */
  put_malloc(&one, 0x1000, 3, 30, 0);
  put_drop(&two, 0x1000, 2);
  put_clock(&two, 100000000);
  put_malloc(&two, 0x2000, 1, 20, 0);
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 0, &two);
  struct ms_event events[64];
  uint32_t count;
  struct ms_merge_counts counts = counts_of(&book, events, &count);
  assert_int_equal(count, 5);
  assert_int_equal(counts.forced, 1);
  static const uint8_t kinds[] = {MS_EVENT_ALLOC, MS_EVENT_FREE, MS_EVENT_UNBORN_FREE};
  for (int i = 0; i < 3; i++) assert_int_equal(events[i].kind, kinds[i]);
  assert_int_equal(events[3].kind, MS_EVENT_ALLOC);
  assert_int_equal(events[4].kind, MS_EVENT_ALLOC);
  sheet_free(&one);
  sheet_free(&two);
}

static void test_lost_free(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  book_open(&book);
  put_malloc(&one, 0x1000, 1, 10, 0);
  put_clock(&one, 100000000);
  put_malloc(&two, 0x1000, 2, 20, 0);
  put_drop(&two, 0x1000, 2);
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 0, &two);
  struct ms_event events[64];
  uint32_t count;
  struct ms_merge_counts counts = counts_of(&book, events, &count);
  assert_int_equal(counts.forced, 1);
  assert_int_equal(count, 4);
  assert_int_equal(events[0].kind, MS_EVENT_ALLOC);
  assert_int_equal(events[1].kind, MS_EVENT_VANISHED);
  assert_int_equal(events[1].block, events[0].block);
  assert_int_equal(events[2].kind, MS_EVENT_ALLOC);
  assert_int_equal(events[3].kind, MS_EVENT_FREE);
  assert_int_equal(events[3].block, events[2].block);
  sheet_free(&one);
  sheet_free(&two);
}

/* A child's blocks from before its fork are no loss. */
static void test_inherited(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  book_open(&book);
  strcpy(book_header(&book)->parent, "parent.memscope");
  put_drop(&one, 0x1000, 77);
  put_malloc(&one, 0x1000, 78, 8, 0);
  put_malloc(&two, 0x2000, 500, 8, 0);
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 0, &two);
  struct ms_event events[64];
  uint32_t count;
  struct ms_merge_counts counts = counts_of(&book, events, &count);
  assert_int_equal(counts.forced, 0);
  assert_int_equal(counts.inherited, 2);
  assert_int_equal(count, 3);
  sheet_free(&one);
  sheet_free(&two);
}

/* Late rows of a thread in a shared chunk are another lane of the same thread. */
static void test_shared_chunk(void **state) {
  (void)state;
  struct book book;
  struct sheet own = {0}, shared = {0};
  book_open(&book);
  put_malloc(&own, 0x1000, 1, 10, 0);
  put_of_thread(&shared, (struct ms_row_of_thread){.thread = 2});
  put_clock(&shared, 8000000);
  put_malloc(&shared, 0x2000, 1, 20, 0);
  put_of_thread(&shared, (struct ms_row_of_thread){.thread = 1});
  put_drop(&shared, 0x1000, 1);
  put_of_thread(&shared, (struct ms_row_of_thread){.thread = 2});
  put_drop(&shared, 0x2000, 1);
  book_chunk(&book, 1, 0, 0, &own);
  book_chunk(&book, 0, 0, 4000000, &shared);
  struct ms_event events[64];
  uint32_t count;
  struct ms_merge_counts counts = counts_of(&book, events, &count);
  assert_int_equal(counts.forced, 0);
  assert_int_equal(count, 4);
  for (uint32_t i = 0; i < count; i++) {
    assert_int_equal(events[i].thread, events[i].address == 0x1000 ? 1 : 2);
    if (events[i].kind == MS_EVENT_FREE) assert_int_equal(events[i].ns, 8000000);
  }
  sheet_free(&own);
  sheet_free(&shared);
}

/* ---- times in the order of serials ---- */

enum { MS = 1000000 };

struct dated {
  uint32_t thread;
  int tag; /* of a row without a stamp, 0: an allocation or a free */
  uint64_t ns;
};

/* The events by serials, `most` at a time, are those. */
static void dated_are(struct book *book, uint32_t most, const struct dated *expected, uint32_t expected_count) {
  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  struct ms_event events[8];
  uint32_t at = 0;
  struct ms_stream *stream = ms_stream_open_memory(arena, book->bytes, book->size, &error);
  assert_non_null(stream);
  struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_AUTO);
  for (uint32_t count; (count = ms_merge_next(merge, events, most));)
    for (uint32_t i = 0; i < count; i++, at++) {
      assert_true(at < expected_count);
      int tag = events[i].kind == MS_EVENT_ROW ? (uint8_t)events[i].words[0] : 0;
      if (events[i].thread != expected[at].thread || tag != expected[at].tag || events[i].ns != expected[at].ns)
        fail_msg("event %u: thread %u tag %#x at %.3f ms, not thread %u tag %#x at %.3f ms", at, events[i].thread, (unsigned)tag,
                 (double)events[i].ns / MS, expected[at].thread, (unsigned)expected[at].tag, (double)expected[at].ns / MS);
    }
  assert_int_equal(at, expected_count);
  ms_merge_close(merge);
  ms_stream_close(stream);
  ms_arena_free(arena);
}

static void exact_open(struct book *book) {
  book_open(book);
  book_header(book)->mode = MS_MODE_EXACT;
  book_header(book)->clock_step_ns = 4 * MS;
}

/* The first thread has done its part at 2 ms and sleeps while the second works. */
static void test_rows_without_stamps(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  exact_open(&book);
  put_thread_start(&one, (struct ms_row_thread_start){.tid = 1});
  put_serial(&one, 1, 1 * MS), put_malloc(&one, 0x1000, 1, 8, 0);
  put_serial(&one, 2, 2 * MS), put_malloc(&one, 0x2000, 1, 8, 0);
  put_clock(&one, 20 * MS);
  put_text(&one, MS_TAG_MARK, "half"); /* the thread's next stamp is far away */
  put_clock(&one, 40 * MS);
  put_serial(&one, 7, 43 * MS), put_drop(&one, 0x1000, 1);
  put_text(&one, MS_TAG_MARK, "freed");
  put_serial(&one, 9, 44 * MS), put_drop(&one, 0x2000, 1);
  put_clock(&one, 60 * MS);
  put_end(&one, (struct ms_row_end){.how = MS_END_EXIT});
  put_thread_start(&two, (struct ms_row_thread_start){.tid = 2});
  put_serial(&two, 3, 11 * MS), put_malloc(&two, 0x3000, 1, 8, 0);
  put_serial(&two, 4, 26 * MS), put_drop(&two, 0x3000, 1);
  put_serial(&two, 5, 27 * MS), put_malloc(&two, 0x3000, 2, 8, 0);
  put_serial(&two, 6, 42 * MS), put_drop(&two, 0x3000, 2);
  put_serial(&two, 8, 43 * MS), put_malloc(&two, 0x3000, 3, 8, 0);
  put_clock(&two, 52 * MS);
  put_serial(&two, 10, 54 * MS), put_drop(&two, 0x3000, 3);
  put_thread_exit(&two, (struct ms_row_thread_exit){0});
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 8 * MS, &two);
  book_close(&book);
  static const struct dated expected[] = {
      {1, MS_TAG_THREAD_START, 0}, {1, 0, 1 * MS},  {1, 0, 2 * MS},
      {2, MS_TAG_THREAD_START, 8 * MS},             {2, 0, 11 * MS},
      {1, MS_TAG_MARK, 20 * MS},   {2, 0, 26 * MS}, {2, 0, 27 * MS}, {2, 0, 42 * MS},
      {1, 0, 43 * MS},             {2, 0, 43 * MS},
      {1, MS_TAG_MARK, 43 * MS},   {1, 0, 44 * MS},
      {2, 0, 54 * MS},             {2, MS_TAG_THREAD_EXIT, 54 * MS},
      {1, MS_TAG_END, 60 * MS},
  };
  for (uint32_t most = 2; most <= 8; most++) dated_are(&book, most, expected, sizeof expected / sizeof *expected);
  book_free(&book);
  sheet_free(&one);
  sheet_free(&two);
}

/* Interrupted between its serial and its look at the clock, a thread says a time
 * after that of the next serial; and the process ends behind what others did in its step. */
static void test_late_stamp(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  exact_open(&book);
  put_serial(&one, 1, 9 * MS), put_malloc(&one, 0x1000, 1, 8, 0);
  put_serial(&one, 4, 10 * MS), put_drop(&one, 0x1000, 1);
  put_end(&one, (struct ms_row_end){.how = MS_END_EXIT});
  put_serial(&two, 2, 5 * MS), put_malloc(&two, 0x2000, 1, 8, 0);
  put_serial(&two, 3, 6 * MS), put_drop(&two, 0x2000, 1);
  put_serial(&two, 5, 11 * MS), put_malloc(&two, 0x2000, 2, 8, 0);
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 0, &two);
  book_close(&book);
  static const struct dated expected[] = {{1, 0, 5 * MS}, {2, 0, 5 * MS}, {2, 0, 6 * MS}, {1, 0, 10 * MS}, {2, 0, 11 * MS}, {1, MS_TAG_END, 11 * MS}};
  dated_are(&book, 8, expected, sizeof expected / sizeof *expected);
  book_free(&book);
  sheet_free(&one);
  sheet_free(&two);
}

/* With a stamp of its own the process's end lies between what others did in its step. */
static void test_stamped_end(void **state) {
  (void)state;
  struct book book;
  struct sheet one = {0}, two = {0};
  exact_open(&book);
  put_serial(&one, 1, 9 * MS), put_malloc(&one, 0x1000, 1, 8, 0);
  put_text(&one, MS_TAG_MARK, "last");
  put_serial(&one, 3, 11 * MS), put_end(&one, (struct ms_row_end){.how = MS_END_EXIT});
  put_text(&one, MS_TAG_MARK, "behind");
  put_serial(&one, 5, 13 * MS), put_drop(&one, 0x1000, 1);
  put_serial(&two, 2, 10 * MS), put_malloc(&two, 0x2000, 1, 8, 0);
  put_serial(&two, 4, 12 * MS), put_drop(&two, 0x2000, 1);
  book_chunk(&book, 1, 0, 0, &one);
  book_chunk(&book, 2, 0, 0, &two);
  book_close(&book);
  static const struct dated expected[] = {{1, 0, 9 * MS},  {2, 0, 10 * MS}, {1, MS_TAG_MARK, 10 * MS}, {1, MS_TAG_END, 11 * MS},
                                          {2, 0, 12 * MS}, {1, MS_TAG_MARK, 12 * MS}, {1, 0, 13 * MS}};
  for (uint32_t most = 2; most <= 8; most++) dated_are(&book, most, expected, sizeof expected / sizeof *expected);
  book_free(&book);
  sheet_free(&one);
  sheet_free(&two);
}

/* ---- the table of addresses ---- */

/* Live cells stay what they are while dead ones go, wherever they collide. */
static void cells_try(bool remembers, uint32_t live, uint32_t rounds, uint64_t spread) {
  static uint64_t at[1 << 16];
  struct ms_cells cells;
  struct ms_arena *arena = ms_arena_new();
  uint64_t random = 1, room = 0;
  assert_true(ms_cells_init(&cells, remembers ? ms_freed_new(arena) : NULL));
  memset(at, 0, sizeof at);
  for (uint32_t i = 0; i < rounds; i++) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint32_t block = (uint32_t)(random >> 33) % live;
    if (at[block]) {
      struct ms_cell *cell = ms_cell_find(&cells, at[block]);
      assert_non_null(cell);
      assert_int_equal(cell->key, at[block] << 20 | MS_CELL_SEEN | MS_CELL_LIVE);
      assert_int_equal(cell->block, block);
      cell->key &= ~(uint64_t)MS_CELL_LIVE;
    }
    struct ms_cell *cell;
    do at[block] = 2 + (random = random * 5 + 3) % spread * 2;
    while ((cell = ms_cell_find(&cells, at[block])) && cell->key & MS_CELL_LIVE);
    assert_true(ms_cells_room(&cells));
    cell = ms_cell_at(&cells, at[block]);
    cell->key |= MS_CELL_SEEN | MS_CELL_LIVE;
    cell->block = block;
    if (cells.mask > room) room = cells.mask;
  }
  for (uint32_t i = 0; i < live; i++)
    if (at[i]) assert_int_equal(ms_cell_find(&cells, at[i])->block, i);
  assert_true(room < 16 * live + 4096); /* by the live ones, however many addresses there were */
  assert_true(ms_arena_bytes(arena) < 6 * spread + (1 << 20)); /* by these */
  ms_cells_fini(&cells);
  ms_arena_free(arena);
}

static void test_cells(void **state) {
  (void)state;
  for (int remembers = 0; remembers < 2; remembers++) {
    cells_try(remembers, 1, 20000, 1 << 20);
    cells_try(remembers, 3000, 300000, 1 << 22);
    cells_try(remembers, 50000, 1000000, 1 << 17); /* neighbours beside neighbours */
  }
}

/* What is known of free addresses stays where a lane's number is too large to be kept elsewhere. */
static void test_cells_of_many_lanes(void **state) {
  (void)state;
  enum { ADDRESSES = 20000, LANE = 1 << 20 };
  struct ms_cells cells;
  struct ms_arena *arena = ms_arena_new();
  assert_true(ms_cells_init(&cells, ms_freed_new(arena)));
  for (uint64_t i = 1; i <= ADDRESSES; i++) {
    assert_true(ms_cells_room(&cells));
    struct ms_cell *cell = ms_cell_at(&cells, 2 * i);
    cell->key |= (i & 0xfff) << 8 | MS_CELL_SEEN;
    cell->lane = LANE + (uint32_t)i;
  }
  for (uint64_t i = 1; i <= ADDRESSES; i++) {
    const struct ms_cell *cell = ms_cell_find(&cells, 2 * i);
    assert_non_null(cell);
    assert_int_equal(cell->key, 2 * i << 20 | (i & 0xfff) << 8 | MS_CELL_SEEN);
    assert_int_equal(cell->lane, LANE + i);
  }
  ms_cells_fini(&cells);
  ms_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_storms),
      cmocka_unit_test(test_wrap_by_one),
      cmocka_unit_test(test_wrap_with_company),
      cmocka_unit_test(test_wrap_by_two),
      cmocka_unit_test(test_stale_clock),
      cmocka_unit_test(test_lost_allocation),
      cmocka_unit_test(test_lost_free),
      cmocka_unit_test(test_inherited),
      cmocka_unit_test(test_shared_chunk),
      cmocka_unit_test(test_rows_without_stamps),
      cmocka_unit_test(test_late_stamp),
      cmocka_unit_test(test_stamped_end),
      cmocka_unit_test(test_cells),
      cmocka_unit_test(test_cells_of_many_lanes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
