/* SPDX-License-Identifier: MIT
 *
 * Sampling, the seldom half: draws, and the few blocks that are drawn. Any thread,
 * any time; a signal handler that allocates between costs a draw its exactness at
 * worst.
 */
#include "sample.h"
#include "gap.h"

#include <sys/auxv.h>

struct ms_sample ms_sample;
uint8_t *ms_sample_pages; /* not of our data: the host may lock that in memory */

int ms_sample_init(void) {
  const struct ms_mode_choice *choice = &ms_options.mode;
  int bytes = choice->sampling == MS_SAMPLING_BYTES;
  double rate = bytes ? 0 : (double)MS_SAMPLING_ONE / (double)choice->period;
  ms_sample.large = bytes || rate >= 1 ? 0 : ~(size_t)(ms_sampling_large(choice->period) - 1);
  ms_sample.mask = bytes ? SIZE_MAX : ms_sample.large;
  ms_sample.most = ms_sample.large ? (int64_t)~ms_sample.large : INT64_MAX;
  ms_sample.rate = rate;
  ms_sample.scale = bytes ? (double)choice->period : ms_gap_scale_rate(rate);
  ms_sample_pages = ms_reserve(MS_SAMPLE_PAGES, MS_KEPT);
  return ms_sample_pages != NULL;
}

/* Of a process's draws. A forked child's are others than its parent's. */
uint64_t ms_sample_seed(uint32_t pid) {
  if (ms_options.seed) return ms_random_mix(ms_options.seed + ((uint64_t)ms_epoch << 32));
  const void *random = (const void *)getauxval(AT_RANDOM);
  uint64_t word = 0;
  if (random) memcpy(&word, random, sizeof word); /* the kernel does not align it */
  return ms_random_mix(word ^ ms_os_now() ^ (uint64_t)pid << 40);
}

/* ---- draws ---- */

/* What is left never reaches the size of a large block, so that none passes unseen. */
static void gap_draw(void) {
  int64_t gap = ms_gap(&ms_tls.random, ms_sample.scale);
  ms_tls.left = gap < ms_sample.most ? gap : ms_sample.most;
  ms_tls.left_over = gap - ms_tls.left;
}

/* One of those beyond `left` has come. */
static void gap_go_on(void) {
  int64_t over = ms_tls.left_over, more = over < ms_sample.most ? over : ms_sample.most;
  ms_tls.left = more > 0 ? more - 1 : 0; /* a handler has drawn between */
  ms_tls.left_over = over - more;
}

static int large_is_drawn(size_t size) {
  double chance = (double)size / (double)MS_SAMPLING_SURE;
  return (double)(ms_random_next(&ms_tls.random) >> 11) * 0x1p-53 < (chance > ms_sample.rate ? chance : ms_sample.rate);
}

/* At a thread's first draw; again in a forked child, whose count goes on where it stood. */
static void seed(void) {
  uint32_t drawer = __atomic_fetch_add(&ms_process->drawers, 1, __ATOMIC_RELAXED);
  int first = !ms_tls.seeded;
  ms_tls.seeded = ms_epoch;
  ms_tls.random = ms_random_mix(ms_process->seed + drawer);
  if (first) gap_draw();
}

/* This allocation did not pass: is it drawn? */
__attribute__((noinline)) int ms_sample_due(size_t size) {
  size_t large = size & ms_sample.large;
  if (MS_UNLIKELY(ms_tls.seeded != ms_epoch || !ms_epoch)) {
    if (!ms_process_ready()) return ms_tls.left = 0;
    if (ms_tls.seeded != ms_epoch) seed();
    if (!large && ms_sample_passes(size)) return 0;
  }
  if (large) return large_is_drawn(size);
  if (ms_tls.left_over) return gap_go_on(), 0;
  gap_draw();
  return 1;
}

__attribute__((noinline)) void ms_sample_outer(size_t size) { ms_sample_before(size); }

/* Takes the verdict that is out, for this block. */
static int verdict_spend(void *block) {
  int drawn = ms_tls.verdict == MS_VERDICT_DRAWN;
  ms_tls.verdict = MS_VERDICT_NONE;
  ms_tls.left = ms_tls.left_held;
  ms_tls.drawn = (uintptr_t)block;
  return drawn;
}

static int is_drawn(void *block, size_t size) {
  if (ms_tls.verdict) return verdict_spend(block);
  return !ms_sample_passes(size) && ms_sample_due(size);
}

/* ---- blocks ---- */

static void page_count(uintptr_t p, int more) {
  uint8_t *page = ms_sample_page(p), before = MS_RELAXED(*page);
  while (before != MS_SAMPLE_MANY && !__atomic_compare_exchange_n(page, &before, (uint8_t)(before + more), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

static void *drawn_born(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra) {
  page_count((uintptr_t)block, 1);
  return ms_born_slow(op, block, size, fn, ra);
}

/* The newest block that was drawn has the name it has. */
static MS_COLD void newest_forget(void) {
  struct ms_thread *t = ms_tls.self;
  if (t->record) {
    ms_enter();
    ms_newest_settle(t);
    ms_leave(t);
  }
  ms_tls.last.last_block = MS_NO_BLOCK;
}

/* Not drawn: compiled code shall take no older block for this one. */
static void *passed(void *block) {
  if (MS_UNLIKELY(!ms_name_is_final())) newest_forget();
  return block;
}

void *ms_sample_born(void *block, size_t size, unsigned fn, uintptr_t ra) {
  if (!block) return NULL;
  return is_drawn(block, size) ? drawn_born(MS_OP_ALLOC, block, size, fn, ra) : passed(block);
}

/* An inner function has used the verdict for this very block: its row, if there is
 * one, becomes the outer function's. */
static void outer(void *block, size_t size, unsigned fn, uintptr_t ra) {
  if (ms_sample_has((uintptr_t)block)) ms_emit_outer(block, size, fn, ra);
}

__attribute__((noinline)) void *ms_sample_behind(void *block, size_t size, unsigned fn, uintptr_t ra) {
  if (MS_UNLIKELY(!block)) {
    if (ms_tls.verdict) verdict_spend(NULL);
  } else if (!ms_tls.verdict && ms_tls.drawn == (uintptr_t)block) {
    outer(block, size, fn, ra);
  } else if (is_drawn(block, size)) {
    drawn_born(MS_OP_ALLOC, block, size, fn, ra);
  } else {
    passed(block);
  }
  return block;
}

/* How a realloc of p ended. `how` is OPEN when p was drawn. The block it gave is
 * drawn anew, by its whole new size; so it is in the stream as likely as any other
 * block of that size, whatever it was before. */
__attribute__((noinline)) void *ms_sample_regrown(enum ms_realloc how, void *p, void *q, size_t size, unsigned fn, uintptr_t ra) {
  int open = how == MS_REALLOC_OPEN;
  if (MS_UNLIKELY(!q || how == MS_REALLOC_LOST)) {
    if (ms_tls.verdict) verdict_spend(q);
    if (how == MS_REALLOC_LOST) ms_realloc_lost(q, size, fn);
    else if (open && size) ms_realloc_fail((uintptr_t)p);
    else if (open) ms_realloc_freed((uintptr_t)p, fn, ra);
  } else if (!ms_tls.verdict && ms_tls.drawn == (uintptr_t)q) { /* it came down to our malloc */
    outer(q, size, MS_FN_REALLOC_NULL + fn, ra);
    if (open) ms_realloc_to_unsampled();
  } else if (is_drawn(q, size)) {
    if (!open) ms_realloc_from_unsampled(fn);
    drawn_born(MS_OP_REALLOC_END, q, size, fn, ra);
  } else {
    if (open) ms_realloc_to_unsampled();
    passed(q);
  }
  if (open && (q || !size)) page_count((uintptr_t)p, -1);
  return q;
}

/* What passes by on its way into another function's block has not ended. */
MS_COLD void ms_sample_dead(void *p, unsigned fn, uintptr_t ra) {
  ms_free_slow((uintptr_t)p, fn, ra);
  if (!ms_sample_has((uintptr_t)p)) page_count((uintptr_t)p, -1);
}

MS_COLD void ms_sample_gone(uintptr_t p) { page_count(p, -1); }
