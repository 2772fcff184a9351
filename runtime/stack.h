/* SPDX-License-Identifier: MIT
 *
 * What stack.c, which gives call stacks their rows, and the two ways to find them share.
 */
#ifndef MS_STACK_H
#define MS_STACK_H

#include "emit.h"

/* The last one of a thread. */
struct ms_stack {
  uint32_t count; /* of frames */
  int own;        /* walked, on the thread's own stack */
  int ours;       /* unwound: the runtime's frames that came first; 0: not known */
  uint32_t unwinding, enlisted; /* now; in the process' list of those that have ever */
  struct ms_stack *next;        /* in that list */
  uint64_t sum;   /* of the return addresses */
  uintptr_t at[MS_STACK_FRAMES];     /* walked: the frame pointer that was read with each, where the next one lies */
  uint64_t row[1 + MS_STACK_FRAMES]; /* STACK: behind its first word the return addresses, the allocation's own first */
};

#define MS_STACK_SUM(sum, ra) ((sum) * UINT64_C(0x9e3779b97f4a7c15) + (ra))

MS_HOT_FN uint64_t ms_stack_sum(const uint64_t *ra, uint32_t count) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum = MS_STACK_SUM(sum, ra[i]);
  return sum;
}

MS_HOT_FN int ms_on_own_stack(uintptr_t pointer) { return pointer - ms_tls.stack_low < ms_tls.stack_top - ms_tls.stack_low; }

/* stack_walk.c. False: it is the last one again. */
int ms_stack_walk(struct ms_stack *stack, uintptr_t frame, uint64_t ra);

/* stack_unwind.c */
void ms_stack_unwind(struct ms_stack *stack, uint64_t ra);

#endif
