/* SPDX-License-Identifier: MIT
 *
 * Sampling: which allocations are recorded. Those that are not leave no trace: no
 * row, no cell of the plane, no look at the clock. So a block is in the stream
 * exactly when its cell is live, which is looked at only where its page has one that is.
 *
 * A thread counts down the bytes (or allocations) to its next sample; an allocation for
 * which too little is left is drawn. Cost of one that is not: a subtraction, a branch, and
 * another that looks whether compiled code still takes an older block for it; 14
 * instructions of malloc and 10 of free, which then jump to the next function.
 *
 * By rate a block of 1 KiB or more may have a draw of its own, by its size: it counts
 * for as much as that, more than is ever left. So small ones pay nothing for large ones.
 *
 * Where one allocator function may come down to another of ours (operator new to
 * malloc, calloc to malloc in some allocators), the outer one draws for both, by its
 * own size, before it goes on: its verdict holds for the first inner one. Not so where
 * realloc and calloc are libc's, which come down to none: there they pass as malloc does.
 */
#ifndef MS_SAMPLE_H
#define MS_SAMPLE_H

#include "emit.h"

enum ms_verdict { MS_VERDICT_NONE, MS_VERDICT_PASSED, MS_VERDICT_DRAWN };
enum { MS_SAMPLE_SIZE_BITS = 46 }; /* what asks for more gets nothing */

#pragma GCC visibility push(hidden)
extern struct ms_sample {
  size_t mask;  /* of a size: how much of it counts; what is then 0 counts as 1 */
  size_t large; /* by rate: the same mask, of blocks that are drawn by their size; else 0 */
  int64_t most; /* to count down at once */
  double scale; /* of gaps */
  double rate;  /* by rate: the least probability */
} ms_sample;

int ms_sample_init(void); /* false: no address space */
uint64_t ms_sample_seed(uint32_t pid);
int ms_sample_due(size_t size);
void ms_sample_outer(size_t size); /* ms_sample_before, apart */
void *ms_sample_born(void *block, size_t size, unsigned fn, uintptr_t ra); /* behind a malloc that was not sure to pass */
void *ms_sample_behind(void *block, size_t size, unsigned fn, uintptr_t ra);
void *ms_sample_regrown(enum ms_realloc how, void *p, void *q, size_t size, unsigned fn, uintptr_t ra);
void ms_sample_dead(void *p, unsigned fn, uintptr_t ra);
void ms_sample_gone(uintptr_t p); /* a drawn one, while paused */
#pragma GCC visibility pop

/* Never below 0, so that whatever comes between, or never comes back, leaves a count that goes on. */
MS_HOT_FN int ms_sample_passes(size_t size) {
  size_t counts = size & ms_sample.mask, left = (size_t)ms_tls.left;
  counts += !counts;
  if (MS_UNLIKELY(counts > left)) return 0;
  ms_tls.left = (int64_t)(left - counts);
  return 1;
}

/* Before malloc: is it sure to pass, with nothing else to do behind it? Then it is counted. */
MS_HOT_FN int ms_sample_passes_by(size_t size) { return MS_LIKELY(ms_name_is_final()) && ms_sample_passes(size); }

/* Around a function that may come down to another of ours: the verdict for both. */
MS_HOT_FN void ms_sample_hold(enum ms_verdict verdict) {
  ms_tls.verdict = verdict;
  ms_tls.left_held = ms_tls.left;
  ms_tls.left = 0; /* less than anything counts */
}

/* Of one that was passed over. False: an inner function has taken that, for its own block. */
MS_HOT_FN int ms_sample_release(void) {
  if (MS_UNLIKELY(!ms_tls.verdict)) return 0;
  ms_tls.verdict = MS_VERDICT_NONE;
  ms_tls.left = ms_tls.left_held;
  return 1;
}

/* Before any other function that gives a block; behind it comes ms_sample_behind
 * or ms_sample_regrown. One that never comes back, but throws, leaves its verdict to
 * the thread's next allocation. */
MS_HOT_FN void ms_sample_before(size_t size) {
  if (ms_tls.verdict) return; /* of a function further out */
  if (size >> MS_SAMPLE_SIZE_BITS) size = (size_t)1 << MS_SAMPLE_SIZE_BITS;
  ms_sample_hold(ms_sample_passes(size) || !ms_sample_due(size) ? MS_VERDICT_PASSED : MS_VERDICT_DRAWN);
}

/* Pages of address space, modulo their number: how many drawn blocks begin there, from
 * before the cell is live until behind its end; MANY: that many or more, or once so. The
 * cells are those of all the heap's blocks, and drive the program's own data out of the
 * cache; of these lines there is one for 256 KiB of heap. */
enum { MS_SAMPLE_PAGES = 1 << 20, MS_SAMPLE_MANY = UINT8_MAX };
extern uint8_t *ms_sample_pages __attribute__((visibility("hidden")));

MS_HOT_FN uint8_t *ms_sample_page(uintptr_t p) { return &ms_sample_pages[p / MS_OS_PAGE % MS_SAMPLE_PAGES]; }

MS_HOT_FN int ms_sample_has(uintptr_t p) { return MS_RELAXED(*ms_sample_page(p)) && ms_cell_get(ms_cell(p)) & MS_CELL_LIVE; }

/* Before a free of p: is it of no block in the stream, and does nobody any more have a say
 * in the place of one before? One compare of its sign. */
MS_HOT_FN int ms_sample_is_nothing(uintptr_t p) { return !MS_RELAXED(*ms_sample_page(p)) && (intptr_t)ms_tls.last.last_freed < 0; }

/* Before a free of p, not NULL. What comes by way of a delete is its own affair; any
 * other free that is not in the stream must not name the place of an older one. */
MS_HOT_FN void ms_sample_dying(void *p, unsigned fn, uintptr_t ra) {
  if (MS_UNLIKELY(ms_sample_has((uintptr_t)p))) ms_sample_dead(p, fn, ra);
  else if (MS_LIKELY(ms_tls.passing != (uintptr_t)p)) ms_tls.last.last_freed = MS_NO_BLOCK;
}

#endif
