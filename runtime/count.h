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
 * loads and stores a cell and adds to two words. The newest block is freed by its own
 * thread without a name in its cell, and so without the RMW. 4 bytes of plane for 16 of
 * heap are touched, twice what generations take. Of what full mode adds to a program's CPU
 * it is 0.6 (Lua) to 0.9 (random blocks in eight threads): bench/record --variants counters.
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
  uint32_t name; /* MS_COUNTER_UNSEEN: a block from before the fork; MS_NAMES_MOST + a thread: its newest one */
  uint64_t bytes;
  uint64_t large; /* bytes of such a newest one when it is large, not to be counted */
};

int ms_count_reserve(void);
int ms_count_attach(struct ms_thread *t, struct ms_counter **table); /* table: one to use again, or NULL */
void ms_count_end(struct ms_thread *t);
void ms_count_detach(struct ms_thread *t);
void *ms_count_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra, const struct ms_count_from *from);
void *ms_count_outer(void *block, size_t size, unsigned fn, uintptr_t ra); /* as ms_emit_outer */
void ms_count_dead_slow(uintptr_t p, unsigned fn, uintptr_t ra);
void ms_count_newest(struct ms_thread *t);
void ms_count_ended(uintptr_t p); /* freed or resized while recording is paused */
struct ms_count_from ms_count_realloc_begin(uintptr_t p, unsigned fn, uintptr_t ra);
void *ms_count_regrown(const struct ms_count_from *from, void *p, void *q, size_t size, unsigned fn, uintptr_t ra);

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

/* Of one that is not large. */
MS_HOT_FN uint32_t ms_count_unnamed_small(const struct ms_thread *t) { return t->id << MS_CELL_SIZE_BITS | MS_CELL_NEWEST; }

/* ---- the newest block ---- */

MS_HOT_FN int ms_count_is_newest(const struct ms_thread *t, uintptr_t p) { return t->head->newest[0] >> 20 == p >> 3; }

/* The name it has come to. */
MS_HOT_FN uint32_t ms_count_newest_name(const struct ms_thread *t) {
  return MS_LIKELY(ms_name_is_final()) ? *ms_row_name(t->head->newest) : ms_tls.last.name;
}

/* False: another thread has taken it. */
MS_HOT_FN int ms_count_newest_put(const struct ms_thread *t, uint32_t name, uint64_t bytes) {
  uint32_t *cell = ms_count_cell(t->head->newest[0] >> 20 << 3), newest = ms_count_unnamed(t, bytes), named = ms_count_named(name, bytes);
  if (!__atomic_load_n(&ms_count_threads, __ATOMIC_RELAXED)) return ms_count_put(cell, named), 1;
  return __atomic_compare_exchange_n(cell, &newest, named, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

MS_HOT_FN void ms_count_newest_ends(struct ms_thread *t, uint32_t name) {
  t->head->newest[0] = 0;
  *ms_row_name(t->head->newest) = name;
}

/* Counts it by that name, and then there is none. False: nothing was done, for it has no
 * name yet, or was another block, or is gone, or the first of its name here. Calls nothing. */
MS_HOT_FN int ms_count_newest_as(struct ms_thread *t, uint32_t name) {
  if (MS_UNLIKELY(name == MS_NAME_NONE || (t->head->newest[0] & 0x20))) return 0;
  struct ms_counter *counter = t->counters[name]; /* written by this thread alone */
  uint64_t bytes = t->head->bytes;
  if (MS_UNLIKELY(!counter || !ms_count_newest_put(t, name, bytes))) return 0;
  counter->allocations++;
  counter->allocated_bytes += bytes;
  ms_count_newest_ends(t, name);
  return 1;
}

/* ---- a block is given ---- */

MS_HOT_FN void ms_count_newest_is(struct ms_thread *t, enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
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
  if (MS_UNLIKELY(t->head->newest[0] && !ms_count_newest_as(t, ms_count_newest_name(t)))) ms_count_newest(t);
  ms_count_put(cell, ms_count_unnamed_small(t));
  ms_count_newest_is(t, MS_OP_ALLOC, p, size, fn, ra);
  ms_leave(t);
  return block;
slow:
  return ms_count_born_slow(MS_OP_ALLOC, block, size, fn, ra, NULL);
}

/* ---- a block is taken ---- */

/* As ms_is_passing. */
MS_HOT_FN int ms_count_is_passing(uintptr_t p) { return MS_UNLIKELY(ms_tls.passing == p) && !ms_count_get(ms_count_cell(p)); }

/* Before the real free. False: nothing was done yet, ms_count_dead_slow does it: among others
 * for the newest block, and for one at its address while that has no final name. */
MS_HOT_FN int ms_count_dead_hot(void *block) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(p & 15 || ms_tls.passing == p || ms_tls.last.last_block == p || ms_is_due(t, t->limit))) return 0;
  uint32_t *at = ms_count_cell_even(p), cell = ms_count_get(at), bytes = cell & MS_CELL_SIZE_MASK;
  if (MS_UNLIKELY(!cell || bytes > MS_CELL_SIZE_MOST)) return 0;
  struct ms_counter *counter = t->counters[cell >> MS_CELL_SIZE_BITS];
  if (MS_UNLIKELY(!counter)) return 0;
  ms_enter();
  ms_count_put(at, 0);
  counter->frees++;
  counter->gone_bytes += bytes;
  ms_leave(t);
  return 1;
}

MS_HOT_FN void ms_count_dead(void *block, unsigned fn, uintptr_t ra) {
  if (!ms_count_dead_hot(block)) ms_count_dead_slow((uintptr_t)block, fn, ra);
}

#endif
