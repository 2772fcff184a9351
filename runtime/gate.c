/* SPDX-License-Identifier: MIT
 *
 * What becomes of a block where the gate is not simply on: it is sampled, counted, or
 * from before, while recording is paused. For all who did not jump there by interpose.c's
 * table: the seldom functions, a sanitizer's hooks, the process's very first event. Any
 * thread, any time.
 */
#include "count.h"
#include "sample.h"

/* Behind the function that gave p, which may be NULL; of an inner one's block, in place of that.
 * A pause is the moment to hear commands. */
MS_COLD void *ms_born_not_on(void *p, size_t size, unsigned fn, uintptr_t ra) {
  switch (ms_on) {
  case MS_SAMPLING: return ms_sample_behind(p, size, fn, ra);
  case MS_COUNTING: return p ? ms_count_born_slow(MS_OP_ALLOC, p, size, fn, ra, NULL) : NULL;
  case MS_PAUSED: ms_paused_look(); break;
  default: break;
  }
  return p;
}

/* Before a free of p, not NULL. Recording may have gone on since the caller's look: the
 * free beneath is passed over, so the end is told here or never. */
__attribute__((noinline)) void ms_dying_not_on(void *p, unsigned fn, uintptr_t ra) {
  unsigned gate = ms_on;
  if (MS_LIKELY(gate == MS_SAMPLING)) ms_sample_dying(p, fn, ra);
  else if (gate == MS_COUNTING) ms_count_dead(p, fn, ra);
  else if (gate == MS_PAUSED) ms_paused_end((uintptr_t)p);
  else if (gate == MS_ON) ms_free_slow((uintptr_t)p, fn, ra);
}
