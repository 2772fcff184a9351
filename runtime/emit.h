/* SPDX-License-Identifier: MIT
 *
 * The hot path: what runs behind every malloc and before every free. No lock,
 * no system call, no clock: a load that tells whether it has ticked (tick.c), one
 * cell of the plane, one row, one store that publishes it. Called by every thread,
 * also in signal handlers: self is &ms_busy while a row is written, so a handler
 * that allocates meanwhile goes the slow way and leaves the row alone.
 *
 * It calls nothing of ours. The branches to the slow path, which may, are: nothing
 * left before `limit` (window full, first event, forked, busy, exact mode; with call
 * stacks for each block given), a tick
 * of the clock, a name or a place still to be settled, an address that is no multiple of
 * 16, a size of 4 GiB, and a cell in another state than it should be.
 *
 * Cost all told, names bound and chunks written: bench/results.md.
 */
#ifndef MS_EMIT_H
#define MS_EMIT_H

#include "runtime.h"

MS_HOT_FN void ms_fence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

MS_HOT_FN void ms_enter(void) {
#if defined(__x86_64__)
  __asm__ volatile("mov %%rsp, %0" : "=m"(ms_tls.frame));
#else
  ms_tls.frame = (uintptr_t)__builtin_frame_address(0);
#endif
  ms_fence();
  ms_tls.self = &ms_busy;
  ms_fence();
}

MS_HOT_FN void ms_leave(struct ms_thread *t) {
  ms_fence();
  ms_tls.self = t;
  ms_fence();
}

/* Rows up to here are complete: one store, low half of fill. */
MS_HOT_FN void ms_publish(struct ms_thread *t, uint64_t *pos) {
  uint32_t fill = (uint32_t)((char *)pos - (char *)(t->record + 1));
  t->pos = pos;
  __atomic_store_n((uint32_t *)&t->record->fill, fill, __ATOMIC_RELEASE); /* little-endian */
}

/* ---- names ---- */

/* Does it say a place in the source? A caller's address gives way to whatever site still comes. */
MS_HOT_FN int ms_name_is_given(uint32_t name) { return name >= MS_NAMES_HEADER && !(ms_names[name] & MS_NAME_CALLER); }

/* Has nobody any more a say in the newest block's name? One compare of its sign. */
MS_HOT_FN int ms_name_is_final(void) { return (intptr_t)ms_tls.last.last_block < 0; }

/* ---- the newest block, as its row has it ---- */

MS_HOT_FN ms_half *ms_row_name(uint64_t *row) { return (ms_half *)row + 3; }
MS_HOT_FN ms_half *ms_row_size(uint64_t *row) { return (ms_half *)row + 2; }

/* NULL: it has left the window. */
MS_HOT_FN uint64_t *ms_newest_row(const struct ms_thread *t) { return t->newest.name ? (uint64_t *)(void *)(t->newest.name - 3) : NULL; }

MS_HOT_FN uintptr_t ms_newest(const struct ms_thread *t) {
  const uint64_t *row = ms_newest_row(t);
  return row ? *row >> 20 << 3 : t->left_p;
}

MS_HOT_FN uint32_t ms_newest_size(const struct ms_thread *t) {
  uint64_t *row = ms_newest_row(t);
  return row ? *ms_row_size(row) : t->left_size;
}

/* Its name, as the stream has it; of a row just written none that any block has. */
MS_HOT_FN uint32_t ms_newest_told(const struct ms_thread *t) {
  const ms_half *name = (const ms_half *)t->newest.name;
  return MS_LIKELY(name != NULL) ? *name : t->left_name;
}

/* ---- the place of the newest free ---- */

MS_HOT_FN uint64_t ms_freed_place(const struct ms_thread *t) {
  uint32_t name = ms_tls.last.freed_name;
  return MS_LIKELY(name != MS_NAME_NONE) ? name : t->freed_ra | MS_RELAXED(ms_place_callers);
}

#define MS_NO_SLOT UINT32_MAX
/* The slot that means it; MS_NO_SLOT: none. Without branches, which nobody could foretell. */
MS_HOT_FN uint32_t ms_place_slot(const struct ms_thread *t, uint64_t place) {
  uint32_t behind = 0;
#pragma GCC unroll 4
  for (unsigned i = 0; i < MS_PLACE_SLOTS; i++) behind += (uint32_t)(t->places[i] == place) * (i + 1);
  return behind - 1; /* no two slots mean the same */
}

/* Is its row there, with no block given since? A site that came later has no say. */
MS_HOT_FN int ms_freed_is_open(const struct ms_thread *t) { return (uintptr_t)t->freed > (uintptr_t)t->newest.name; }

/* Its row means that slot, for good, and the next free is taken to. */
MS_HOT_FN void ms_freed_tell(struct ms_thread *t, uint32_t slot, uint64_t place) {
  uint8_t *tag = (uint8_t *)t->freed;
  t->slot = slot << 4;
  *tag = (uint8_t)((*tag & ~(3 << 4)) | t->slot);
  t->freed = NULL;
  t->place_name = ms_tls.last.freed_name = place & MS_PLACE_CALLER ? 0 : (uint32_t)place;
}

/* False: that takes more than one of the slots there are. */
MS_HOT_FN int ms_freed_settle(struct ms_thread *t) {
  uint64_t place = ms_freed_place(t);
  uint32_t slot = ms_place_slot(t, place);
  if (slot == MS_NO_SLOT || !ms_freed_is_open(t)) return 0;
  ms_freed_tell(t, slot, place);
  return 1;
}

/* ---- cells ---- */

MS_HOT_FN uint32_t ms_cell_get(const uint16_t *cell) { return __atomic_load_n(cell, __ATOMIC_RELAXED); }
MS_HOT_FN void ms_cell_put(uint16_t *cell, uint32_t value) { __atomic_store_n(cell, (uint16_t)value, __ATOMIC_RELAXED); }

MS_HOT_FN uint32_t ms_cell_gen(uint32_t cell) { return (uint16_t)cell / MS_CELL_GEN; }
/* Of one that is not live; of another what comes is not live. */
MS_HOT_FN uint32_t ms_cell_born(uint32_t cell) { return (uint16_t)(cell + MS_CELL_GEN + MS_CELL_LIVE); }

/* As ms_hot_word, of a block at a multiple of 8 whose cell is that. */
MS_HOT_FN uint64_t ms_cell_word(enum ms_op op, unsigned fn, uint32_t cell, uintptr_t p) {
  return (uint64_t)p << 17 | (uint64_t)(cell & ~(MS_CELL_GEN - 1u)) << 4 | ms_hot_tag(op, fn);
}

/* ---- what an event begins with ---- */

/* Has the newest block the name it shall have, and the newest free its place? The place
 * is as a rule the one before it; where frees take turns, another slot is as good. */
MS_HOT_FN int ms_settled(struct ms_thread *t) {
  return MS_LIKELY(ms_name_is_final()) && (MS_LIKELY(ms_tls.last.freed_name == t->place_name) || ms_freed_settle(t));
}

/* Is the window full, or has time gone on, or is the hot path not to be taken at all? */
MS_HOT_FN int ms_is_due(const struct ms_thread *t, const uint64_t *limit) { return t->pos >= limit || *ms_tick != t->tick; }

/* Busy, with all before this event settled and nothing else to be done first; NULL: no. */
MS_HOT_FN struct ms_thread *ms_begin_hot(int gives) {
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(ms_is_due(t, gives ? t->birth_limit : t->limit))) return NULL;
  ms_enter();
  if (MS_LIKELY(ms_settled(t))) return t;
  ms_leave(t);
  return NULL;
}

/* The same for whoever can afford to settle. NULL: the slow way. */
MS_HOT_FN struct ms_thread *ms_begin(void) {
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(ms_is_due(t, t->limit)) && !ms_own_tick(t)) return NULL;
  ms_enter();
  ms_settle(t);
  return t;
}

/* ---- a block is given ---- */

MS_HOT_FN void ms_born(struct ms_thread *t, uint64_t *row, uintptr_t p, uintptr_t ra) {
  t->newest.name = (uint32_t *)(void *)ms_row_name(row);
  t->given_ra = ra;
  ms_tls.last.name = MS_NAME_NONE;
  ms_tls.last.last_block = p;
}

/* Where the window goes on some 25 events later: a program that fills its blocks has long
 * driven those lines out of the cache. Saves 2 % of the CPU of torture.c, by pairs. */
enum { MS_FETCH_WORDS = 40 };

/* False: its cell is not as it should be. The thread is busy before, and not behind. */
MS_HOT_FN int ms_born_put(struct ms_thread *t, uint16_t *at, enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  uint32_t cell = ms_cell_born(ms_cell_get(at));
  int fits = cell & MS_CELL_LIVE;
  if (MS_LIKELY(fits)) {
    ms_cell_put(at, cell);
    uint64_t *row = t->pos;
    __builtin_prefetch(row + MS_FETCH_WORDS, 1);
    row[0] = ms_cell_word(op, fn, cell, p);
    row[1] = size;
    ms_born(t, row, p, ra);
    ms_publish(t, row + 2);
  }
  ms_leave(t);
  return fits;
}

/* Is it a block like nearly all, at a multiple of `align`? */
MS_HOT_FN int ms_is_plain(uintptr_t p, size_t size, uintptr_t align) { return !(p & (align - 1) || size >> 32); }

/* Behind the real function; gives the block back. One whose row is to be renamed is the
 * last block still, so that ms_begin_hot lets it pass. */
MS_HOT_FN void *ms_emit_born(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_is_plain(p, size, 16) ? ms_begin_hot(1) : NULL;
  if (MS_LIKELY(t) && MS_LIKELY(ms_born_put(t, ms_cell_even(p), op, p, size, fn, ra))) return block;
  return ms_born_slow(op, block, size, fn, ra);
}

MS_HOT_FN void *ms_emit_alloc(void *block, size_t size, unsigned fn, uintptr_t ra) {
  return ms_emit_born(MS_OP_ALLOC, block, size, fn, ra);
}

MS_HOT_FN void *ms_emit_realloc_end(void *block, size_t size, unsigned fn, uintptr_t ra) {
  return ms_emit_born(MS_OP_REALLOC_END, block, size, fn, ra);
}

/* To what the outer function was asked for, which is not more. (The upper half may be: of
 * 4 GiB less 1 byte at a multiple of 64 an inner function gives 4 GiB.) */
MS_HOT_FN void ms_row_shrink(uint64_t *row, size_t size) {
  if ((uint32_t)size <= *ms_row_size(row)) *ms_row_size(row) = (uint32_t)size;
}

/* The row just written is of a block that an outer function hands out: one
 * event, with that function's name, size and caller. */
MS_HOT_FN void ms_rename(struct ms_thread *t, enum ms_op op, size_t size, unsigned fn, uintptr_t ra) {
  uint64_t *row = ms_newest_row(t);
  if (!row) return; /* it has left the window */
  ms_enter();
  ms_row_shrink(row, size);
  *(uint8_t *)row = ms_hot_tag(op, fn);
  t->given_ra = ra; /* nobody can have named it yet */
  ms_leave(t);
}

/* Behind a real function that as a rule allocates through one of ours. */
MS_HOT_FN void *ms_emit_outer(void *block, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t p = (uintptr_t)block;
  if (MS_UNLIKELY(ms_newest(t) != p || !ms_cells || !(ms_cell_get(ms_cell(p)) & MS_CELL_LIVE)))
    return ms_emit_alloc(block, size, fn, ra);
  ms_rename(t, MS_OP_ALLOC, size, fn, ra);
  return block;
}

/* ---- a block is taken ---- */

/* Nobody names it any more. On the hot path it cannot be the last block. */
MS_HOT_FN void ms_last_ends(uintptr_t p) {
  if (ms_tls.last.last_block == p) ms_tls.last.last_block = MS_NO_BLOCK;
}

MS_HOT_FN void ms_dead(struct ms_thread *t, uint64_t *row, uintptr_t p, uintptr_t ra) {
  t->freed = row;
  t->freed_ra = ra;
  ms_tls.last.freed_name = MS_NAME_NONE;
  ms_tls.last.last_freed = p;
}

/* Its row, not published yet; NULL: its cell is not as it should be. The thread is busy. */
MS_HOT_FN uint64_t *ms_dead_row(struct ms_thread *t, uint16_t *at, enum ms_op op, uintptr_t p, unsigned fn) {
  uint32_t cell = ms_cell_get(at);
  if (MS_UNLIKELY(!(cell & MS_CELL_LIVE))) return NULL;
  ms_cell_put(at, cell - MS_CELL_LIVE);
  *t->pos = ms_cell_word(op, fn, cell, p) | (op == MS_OP_FREE ? t->slot : 0);
  return t->pos;
}

MS_HOT_FN int ms_free_put(struct ms_thread *t, uint16_t *at, uintptr_t p, unsigned fn, uintptr_t ra) {
  uint64_t *row = ms_dead_row(t, at, MS_OP_FREE, p, fn);
  if (MS_LIKELY(row)) {
    ms_dead(t, row, p, ra);
    ms_publish(t, row + 1);
  }
  ms_leave(t);
  return row != NULL;
}

MS_HOT_FN int ms_realloc_begin_put(struct ms_thread *t, uintptr_t p, unsigned fn) {
  uint64_t *row = ms_dead_row(t, ms_cell_even(p), MS_OP_REALLOC_BEGIN, p, fn);
  if (MS_LIKELY(row)) ms_publish(t, row + 1);
  ms_leave(t);
  return row != NULL;
}

/* Before the real free. False: nothing was done yet, ms_free_slow does it. */
MS_HOT_FN int ms_emit_free_hot(void *block, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  if (MS_UNLIKELY(p & 15 || ms_tls.passing == p)) return 0;
  struct ms_thread *t = ms_begin_hot(0);
  return MS_LIKELY(t) && MS_LIKELY(ms_free_put(t, ms_cell_even(p), p, fn, ra));
}

MS_HOT_FN void ms_emit_free(void *block, unsigned fn, uintptr_t ra) {
  if (!ms_emit_free_hot(block, fn, ra)) ms_free_slow((uintptr_t)block, fn, ra);
}

/* Before the real realloc. */
MS_HOT_FN enum ms_realloc ms_emit_realloc_begin(void *block, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = MS_UNLIKELY(p & 15 || ms_tls.passing == p) ? NULL : ms_begin_hot(0);
  if (MS_LIKELY(t) && MS_LIKELY(ms_realloc_begin_put(t, p, fn))) return MS_REALLOC_OPEN;
  return ms_realloc_begin_slow(p, fn, ra);
}

#endif
