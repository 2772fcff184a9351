/* SPDX-License-Identifier: MIT
 *
 * The hot path: what runs behind every malloc and before every free. No lock,
 * no system call, no clock: one cell of the plane, one row, one store that
 * publishes it. Called by every thread, also in signal handlers: self is
 * &ms_busy while a row is written, so a handler that allocates meanwhile goes
 * the slow way and leaves the row alone.
 *
 * The only branches to the slow path are: nothing left before `limit` (window
 * full, first event, forked, busy, exact mode; when only the clock is due, the
 * event goes on here), a size of 4 GiB, and a cell in another state than it
 * should be.
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

MS_HOT_FN uint64_t ms_chain_step(uint64_t hash, uint32_t site) {
  return ((hash << 27 | hash >> 37) ^ site) * UINT64_C(0x9e3779b97f4a7c15);
}

MS_HOT_FN struct ms_intern *ms_chain_slot(struct ms_thread *t, uint64_t hash) { return &t->chains[hash >> 40 & (MS_CHAINS - 1)]; }

MS_HOT_FN uint64_t ms_chain_hash(uint64_t hash, const struct ms_gather *gather) {
  for (uint32_t i = 0; i < gather->count; i++) hash = ms_chain_step(hash, gather->site[i]);
  return hash;
}

/* Is that the newest free's place? It is known by its sites, or by the return
 * address when there are none. Compared, not hashed: nothing waits for the result. */
MS_HOT_FN int ms_freed_at(const struct ms_thread *t, const struct ms_place *place) {
  const struct ms_gather *gather = &ms_tls.last.freed;
  uint32_t i = gather->count;
  if (place->sites.count != i) return 0;
  if (!i) return place->ra == t->freed_ra;
  while (gather->site[i - 1] == place->sites.site[i - 1])
    if (!--i) return 1;
  return 0;
}

/* ---- the newest block, as its row has it ---- */

/* Word 0 of the row in which its name is. */
MS_HOT_FN uint64_t *ms_name_row(ms_half *name) { return (uint64_t *)(name - 3); }

MS_HOT_FN uintptr_t ms_newest(const struct ms_thread *t) { return t->name ? *ms_name_row(t->name) >> 20 << 3 : t->left_p; }

MS_HOT_FN uint32_t ms_newest_size(const struct ms_thread *t) { return t->name ? t->name[-1] : t->left_size; }

/* Its name so far. A caller's address is none: it gives way to whatever site still comes. */
MS_HOT_FN uint32_t ms_name_now(const struct ms_thread *t) {
  uint32_t name = t->name ? *t->name : t->left_name;
  return name & MS_NAME_CALLER ? 0 : name;
}

MS_HOT_FN uint32_t ms_cell_get(const uint16_t *cell) { return __atomic_load_n(cell, __ATOMIC_RELAXED); }
MS_HOT_FN void ms_cell_put(uint16_t *cell, uint32_t value) { __atomic_store_n(cell, (uint16_t)value, __ATOMIC_RELAXED); }

/* Is the event before this one without a name, or a free elsewhere than its row says? */
MS_HOT_FN void ms_settle_hot(struct ms_thread *t) {
  if (MS_UNLIKELY(t->pending | ms_tls.last.block.count)) ms_settle_block(t);
  if (!t->freed) return;
  if (MS_LIKELY(ms_freed_at(t, t->place))) t->freed = NULL;
  else ms_settle_freed(t);
}

/* Busy, all before this event named; NULL: the slow way. Calls stand here, where
 * few registers are in use, and nowhere behind. */
MS_HOT_FN struct ms_thread *ms_begin_hot(void) {
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(t->pos >= t->limit) && !ms_own_tick(t)) return NULL;
  ms_enter();
  ms_settle_hot(t);
  return t;
}

MS_HOT_FN void ms_born(struct ms_thread *t, uint64_t *row, uintptr_t p, uintptr_t ra) {
  t->name = (ms_half *)(row + 1) + 1;
  t->pending = ra;
  ms_tls.last.block.count = 0;
  ms_tls.last.last_block = p;
}

MS_HOT_FN void ms_dead(struct ms_thread *t, uint64_t *row, uintptr_t p, uintptr_t ra) {
  t->freed = row;
  t->freed_ra = ra;
  ms_tls.last.freed.count = 0;
  if (ms_tls.last.last_block == p) ms_tls.last.last_block = MS_NO_BLOCK;
  ms_tls.last.last_freed = p;
}

MS_HOT_FN void ms_emit_born(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  if (MS_UNLIKELY(size >> 32 || ms_tls.last.last_block == p)) goto slow; /* its row is to be renamed, not settled */
  struct ms_thread *t = ms_begin_hot();
  if (MS_UNLIKELY(!t)) goto slow;
  uint16_t *cell = ms_cell(p);
  uint32_t gen = ms_cell_get(cell);
  if (MS_UNLIKELY(gen & MS_CELL_LIVE)) goto odd;
  gen = (gen + 1) & MS_GEN_MASK;
  ms_cell_put(cell, gen | MS_CELL_LIVE);
  uint64_t *w = t->pos;
  w[0] = ms_hot_word(op, fn, gen, p);
  w[1] = size;
  ms_born(t, w, p, ra);
  ms_publish(t, w + 2);
  ms_leave(t);
  return;
odd:
  ms_leave(t);
slow:
  if (op == MS_OP_ALLOC) ms_alloc_slow(p, size, fn, ra);
  else ms_realloc_end_slow(p, size, fn, ra);
}

/* Behind the real allocation. */
MS_HOT_FN void ms_emit_alloc(void *block, size_t size, unsigned fn, uintptr_t ra) {
  ms_emit_born(MS_OP_ALLOC, (uintptr_t)block, size, fn, ra);
}

/* The row just written is of a block that an outer function hands out: one
 * event, with that function's name, size and caller. */
MS_HOT_FN void ms_rename(struct ms_thread *t, enum ms_op op, size_t size, unsigned fn, uintptr_t ra) {
  if (!t->name) return; /* the row has left the window */
  ms_enter();
  t->name[-1] = (uint32_t)size;
  *(uint8_t *)ms_name_row(t->name) = ms_hot_tag(op, fn);
  if (t->pending) t->pending = ra; /* nobody can have named it yet */
  ms_leave(t);
}

/* Behind a real function that as a rule allocates through one of ours. */
MS_HOT_FN void ms_emit_outer(void *block, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t p = (uintptr_t)block;
  if (MS_LIKELY(ms_newest(t) == p && ms_cells && ms_cell_get(ms_cell(p)) & MS_CELL_LIVE))
    ms_rename(t, MS_OP_ALLOC, size, fn, ra);
  else ms_emit_alloc(block, size, fn, ra);
}

/* The row of a block that ends. The thread, still busy, its row not published;
 * NULL: the slow way. */
MS_HOT_FN struct ms_thread *ms_row_of_end(enum ms_op op, uintptr_t p, unsigned fn) {
  if (MS_UNLIKELY(ms_tls.passing == p)) return NULL; /* no event of its own: settles nothing */
  struct ms_thread *t = ms_begin_hot();
  if (MS_UNLIKELY(!t)) return NULL;
  uint16_t *cell = ms_cell(p);
  uint32_t gen = ms_cell_get(cell);
  if (MS_UNLIKELY(!(gen & MS_CELL_LIVE))) return ms_leave(t), NULL;
  gen &= MS_GEN_MASK;
  ms_cell_put(cell, gen);
  *t->pos = ms_hot_word(op, fn, gen, p) | (op == MS_OP_FREE ? t->slot : 0);
  return t;
}

/* Before the real free. */
MS_HOT_FN void ms_emit_free(void *block, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_row_of_end(MS_OP_FREE, p, fn);
  if (MS_UNLIKELY(!t)) {
    ms_free_slow(p, fn, ra);
    return;
  }
  ms_dead(t, t->pos, p, ra);
  ms_publish(t, t->pos + 1);
  ms_leave(t);
}

/* Before the real realloc. */
MS_HOT_FN enum ms_realloc ms_emit_realloc_begin(void *block, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_row_of_end(MS_OP_REALLOC_BEGIN, p, fn);
  if (MS_UNLIKELY(!t)) return ms_realloc_begin_slow(p, fn, ra);
  if (ms_tls.last.last_block == p) ms_tls.last.last_block = MS_NO_BLOCK;
  ms_publish(t, t->pos + 1);
  ms_leave(t);
  return MS_REALLOC_OPEN;
}

/* Behind it, when it gave a block. */
MS_HOT_FN void ms_emit_realloc_end(void *block, size_t size, unsigned fn, uintptr_t ra) {
  ms_emit_born(MS_OP_REALLOC_END, (uintptr_t)block, size, fn, ra);
}

#endif
