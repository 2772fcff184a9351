/* SPDX-License-Identifier: MIT
 *
 * Counters: what each thread did to the blocks of each name, and no row for any event.
 *
 * A block's name is known when its thread gives the next one. Until then the block is
 * the thread's newest, in a row that lies in the stream as any other (ms_counters_head),
 * where compiled code names it; then it is counted, and its name and size go to its cell
 * of a plane of their own, where whoever frees it finds both in one load:
 *
 *        31                  12 11          0
 *        +---------------------+------------+
 *        | name (20)           | size (12)  |   0: no block is there
 *        +---------------------+------------+
 *
 *   size   0 .. 4091           that many bytes
 *          MS_CELL_LARGE       see the three cells behind it, which lie in the block
 *          MS_CELL_PART        20 bits of such a block's size; no block
 *          MS_CELL_NEWEST      `name` is the thread whose newest it is, not counted yet
 *          MS_CELL_NEWEST_LARGE the same, a large one
 *
 * Two threads may come to one cell at once: its own counts the newest block just as
 * another frees it. So in programs with threads the name is put there by a compare and
 * exchange, the one RMW of an allocation, on a line of the block's own thread; what was
 * freed meanwhile is found by its failure, and counted by its own thread.
 *
 * Cost: an allocation adds to two words of one counter and stores its cell twice; a free
 * loads and stores a cell and adds to two words. 4 bytes of plane for 16 of heap are
 * touched, twice what generations take. Of what full mode adds to a program's CPU it is
 * 0.6 (Lua) to 0.9 (random blocks in eight threads): bench/record --variants counters.
 */
#ifndef MS_COUNT_H
#define MS_COUNT_H

#include "emit.h"

enum {
  MS_CELL_SIZE_BITS = 12,
  MS_CELL_SIZE_MASK = (1 << MS_CELL_SIZE_BITS) - 1,
  MS_CELL_SIZE_MOST = 4091,
  MS_CELL_NEWEST_LARGE,
  MS_CELL_PART,
  MS_CELL_NEWEST,
  MS_CELL_LARGE,
};
MS_STATIC_ASSERT((int)MS_CELL_LARGE == (int)MS_CELL_SIZE_MASK && MS_NAMES_MOST <= 1 << (32 - MS_CELL_SIZE_BITS), "what a cell holds");

/* 32 TiB of cells for the addresses that are multiples of 16, as much for the odd multiples of 8. */
#define MS_COUNT_BYTES ((size_t)1 << 46)

#pragma GCC visibility push(hidden)

extern uint32_t *ms_count_cells;
extern uint8_t ms_count_threads; /* the program has had a second thread */
MS_HOT_FN void ms_count_many(void) { __atomic_store_n(&ms_count_threads, 1, __ATOMIC_RELAXED); }

/* What a realloc began with. */
struct ms_count_from {
  enum ms_realloc how;
  uint32_t name; /* MS_COUNTER_UNSEEN: a block from before the fork */
  uint64_t bytes;
};

int ms_count_reserve(void);
int ms_count_attach(struct ms_thread *t, struct ms_counter **table); /* table: one to use again, or NULL */
void ms_count_end(struct ms_thread *t);
void ms_count_detach(struct ms_thread *t);
struct ms_counter *ms_counter_new(struct ms_thread *t, uint32_t name);
void *ms_count_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra, const struct ms_count_from *from);
void *ms_count_outer(void *block, size_t size, unsigned fn, uintptr_t ra); /* as ms_emit_outer */
void ms_count_dead_slow(uintptr_t p, unsigned fn, uintptr_t ra);
void ms_count_ended(uintptr_t p); /* freed or resized while recording is paused */
struct ms_count_from ms_count_realloc_begin(uintptr_t p, unsigned fn, uintptr_t ra);
void *ms_count_regrown(const struct ms_count_from *from, void *p, void *q, size_t size, unsigned fn, uintptr_t ra);
void ms_count_newest_odd(struct ms_thread *t, uint32_t name);
void ms_count_newest_gone(struct ms_thread *t, struct ms_counter *counter);

#pragma GCC visibility pop

/* ---- cells ---- */

/* Whatever p is, the cell is within the plane. */
MS_HOT_FN uint32_t *ms_count_cell(uintptr_t p) {
  uintptr_t at = p << 17 >> 19;
  return (uint32_t *)((char *)ms_count_cells + (at & ~(uintptr_t)3) + (at & 2 ? MS_COUNT_BYTES / 2 : 0));
}

MS_HOT_FN uint32_t *ms_count_cell_even(uintptr_t p) { return (uint32_t *)((char *)ms_count_cells + (p << 17 >> 19)); }

MS_HOT_FN uint32_t ms_count_get(const uint32_t *cell) { return __atomic_load_n(cell, __ATOMIC_RELAXED); }
MS_HOT_FN void ms_count_put(uint32_t *cell, uint32_t value) { __atomic_store_n(cell, value, __ATOMIC_RELAXED); }

MS_HOT_FN uint32_t ms_count_named(uint32_t name, uint64_t bytes) {
  return name << MS_CELL_SIZE_BITS | (uint32_t)(bytes <= MS_CELL_SIZE_MOST ? bytes : MS_CELL_LARGE);
}

/* Of the thread's newest block. */
MS_HOT_FN uint32_t ms_count_unnamed(const struct ms_thread *t, uint64_t bytes) {
  return t->id << MS_CELL_SIZE_BITS | (bytes <= MS_CELL_SIZE_MOST ? MS_CELL_NEWEST : MS_CELL_NEWEST_LARGE);
}

/* ---- counters: all written by their own thread alone ---- */

MS_HOT_FN struct ms_counter *ms_counter_of(struct ms_thread *t, uint32_t name) {
  struct ms_counter *counter = t->counters[name];
  return MS_LIKELY(counter != NULL) ? counter : ms_counter_new(t, name);
}

/* ---- the newest block ---- */

MS_HOT_FN int ms_count_is_newest(const struct ms_thread *t, uintptr_t p) { return t->head->newest[0] >> 20 == p >> 3; }

/* Counts it, under the name it has come to; then there is none. */
MS_HOT_FN void ms_count_newest(struct ms_thread *t) {
  struct ms_counters_head *head = t->head;
  uint32_t name = MS_LIKELY(ms_name_is_final()) ? *ms_row_name(head->newest) : ms_tls.last.name;
  if (MS_UNLIKELY(name == MS_NAME_NONE || (head->newest[0] & 0x20))) return ms_count_newest_odd(t, name);
  uint64_t bytes = head->bytes;
  uint32_t *cell = ms_count_cell(head->newest[0] >> 20 << 3), newest = ms_count_unnamed(t, bytes);
  struct ms_counter *counter = ms_counter_of(t, name);
  counter->allocations++;
  counter->allocated_bytes += bytes;
  if (!__atomic_load_n(&ms_count_threads, __ATOMIC_RELAXED)) ms_count_put(cell, ms_count_named(name, bytes));
  else if (MS_UNLIKELY(!__atomic_compare_exchange_n(cell, &newest, ms_count_named(name, bytes), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)))
    ms_count_newest_gone(t, counter);
  head->newest[0] = 0;
  *ms_row_name(head->newest) = name;
}

/* ---- a block is given ---- */

MS_HOT_FN void ms_count_newest_put(struct ms_thread *t, enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_counters_head *head = t->head;
  head->bytes = size;
  head->newest[1] = (uint32_t)size;
  head->newest[0] = ms_hot_word(op, fn, 0, p);
  t->given_ra = ra;
  ms_tls.last.name = MS_NAME_NONE;
  ms_tls.last.last_block = p;
}

/* Behind the real function; gives the block back. */
MS_HOT_FN void *ms_count_born(void *block, size_t size, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(p & 15 || size > MS_CELL_SIZE_MOST || ms_is_due(t, t->limit))) goto slow;
  if (MS_UNLIKELY(ms_count_is_newest(t, p))) goto slow;
  uint32_t *cell = ms_count_cell_even(p);
  if (MS_UNLIKELY(ms_count_get(cell))) goto slow;
  ms_enter();
  if (MS_LIKELY(t->head->newest[0])) ms_count_newest(t);
  ms_count_put(cell, t->id << MS_CELL_SIZE_BITS | MS_CELL_NEWEST);
  ms_count_newest_put(t, MS_OP_ALLOC, p, size, fn, ra);
  ms_leave(t);
  return block;
slow:
  return ms_count_born_slow(MS_OP_ALLOC, block, size, fn, ra, NULL);
}

/* ---- a block is taken ---- */

/* Before the real free. */
MS_HOT_FN void ms_count_dead(void *block, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(p & 15 || ms_tls.passing == p || ms_is_due(t, t->limit))) return ms_count_dead_slow(p, fn, ra);
  ms_enter();
  if (ms_count_is_newest(t, p)) ms_count_newest(t);
  uint32_t *at = ms_count_cell_even(p), cell = ms_count_get(at), bytes = cell & MS_CELL_SIZE_MASK;
  if (MS_UNLIKELY(!cell || bytes > MS_CELL_SIZE_MOST)) {
    ms_leave(t);
    return ms_count_dead_slow(p, fn, ra);
  }
  ms_count_put(at, 0);
  struct ms_counter *counter = ms_counter_of(t, cell >> MS_CELL_SIZE_BITS);
  counter->frees++;
  counter->gone_bytes += bytes;
  ms_last_ends(p);
  ms_leave(t);
}

#endif
