/* SPDX-License-Identifier: MIT
 *
 * Call stacks of allocations: their rows, and the stacks a thread has told of. The
 * runtime is compiled so that it never writes the frame pointer (-ffixed-rbp), and the
 * functions beneath keep it: wherever a row is written, it is still that of the
 * program's function that called malloc.
 *
 * Runs only for busy threads, also in signal handlers. By frame pointers there is no lock,
 * and no system call but when the table grows. Cost of 16 frames, all told: 8 ns when they
 * are those of the thread's last block, 31 when they are others that have a row, one of
 * 4,600 after the other (bench/parser.c).
 */
#include "stack.h"

enum {
  TABLE_FIRST = 1 << 8,
  TABLE_MOST = 1 << 17,        /* slots, of which 3 in 4 are used; then the thread begins anew */
  FIRST_STACK_MOST = 64 << 20, /* the kernel keeps 128 MiB below the first thread's stack free of mappings */
  TCB_BYTES = 8192,            /* libc's own at the top of a thread's stack, generously */
  OPERATOR_NEAR = 1024,        /* between an operator new's frame and that of the malloc within */
};

/* A stack that has a row. It is known by its sum alone, a hash of 64 bits: of a million stacks
 * two are taken for one with a chance of 1 in 37 million, and the frames themselves would take
 * ten times the room and three more cache lines at each allocation. */
struct known {
  uint64_t sum;
  uint32_t id;   /* 0: a free slot */
  uint32_t told; /* the thread's `telling` when its row was last written */
};

struct ms_stacks {
  uint32_t id;    /* in effect; 0: none */
  uint32_t given; /* ids */
  uint32_t known, slots;
  struct known *table;
  struct ms_stack stack; /* the last one */
};

/* ---- where a thread's own stack lies ---- */

void ms_stack_first_thread(uintptr_t top) {
  ms_tls.stack_top = top;
  ms_tls.stack_low = top - FIRST_STACK_MOST;
}

/* The thread's control block lies above its stack, in the same mapping. */
void ms_stack_thread(uintptr_t top, size_t bytes) {
  uintptr_t control;
#if defined(__x86_64__)
  __asm__("mov %%fs:0, %0" : "=r"(control));
#else
  control = top;
#endif
  ms_tls.stack_top = top;
  ms_tls.stack_low = control + TCB_BYTES - bytes;
  if (bytes < 2 * TCB_BYTES || ms_tls.stack_low >= top) ms_tls.stack_low = top;
}

/* ---- where a stack begins ---- */

#ifdef MS_KEEPS_FRAMES
MS_HOT_FN uintptr_t frame_pointer(void) {
  uintptr_t frame;
  __asm__ volatile("mov %%rbp, %0" : "=r"(frame));
  return frame;
}
#else
MS_HOT_FN uintptr_t frame_pointer(void) { return 0; }
#endif

/* Is that operator new still under way? One that threw has left what it put down. */
MS_HOT_FN int outer_holds(uintptr_t outer) {
  return outer && (uintptr_t)ms_tls.outer_at - ms_stack_pointer() < OPERATOR_NEAR && *ms_tls.outer_at == outer;
}

/* One operator calls another: the outermost counts. */
void ms_stack_outer(uintptr_t *ra_at) {
  if (outer_holds(ms_tls.outer)) return;
  ms_tls.outer = *ra_at;
  ms_tls.outer_at = ra_at;
  ms_tls.outer_frame = frame_pointer();
}

/* The malloc within an operator new is called by no code of the program's: the stack
 * begins where the program asked. */
MS_HOT_FN uintptr_t outer_take(void) {
  uintptr_t outer = ms_tls.outer;
  if (MS_LIKELY(!outer)) return 0;
  ms_tls.outer = 0;
  return outer_holds(outer) ? outer : 0;
}

/* ---- stacks that have a row ---- */

/* Where it is, or belongs. */
MS_HOT_FN struct known *known_find(const struct ms_stacks *stacks, uint64_t sum) {
  uint32_t mask = stacks->slots - 1, at = (uint32_t)(sum * UINT64_C(0xff51afd7ed558ccd) >> 32);
  struct known *known = &stacks->table[at & mask];
  while (known->id && known->sum != sum) known = &stacks->table[++at & mask];
  return known;
}

static int table_renew(struct ms_stacks *stacks, uint32_t slots) {
  struct known *old = stacks->table, *table = ms_os_pages_wiped_on_fork(slots * sizeof *table);
  uint32_t count = stacks->slots;
  if (!table) return 0;
  stacks->table = table;
  stacks->slots = slots;
  for (uint32_t i = 0; i < count; i++)
    if (old[i].id) *known_find(stacks, old[i].sum) = old[i];
  if (old) ms_os_unmap(old, count * sizeof *old);
  return 1;
}

static void stacks_forget(struct ms_stacks *stacks) {
  memset(stacks->table, 0, stacks->slots * sizeof *stacks->table);
  stacks->known = 0;
}

static void known_add(struct ms_stacks *stacks, struct known known) {
  if (stacks->known >= stacks->slots / 4 * 3 && (stacks->slots == TABLE_MOST || !table_renew(stacks, stacks->slots * 2)))
    stacks_forget(stacks);
  *known_find(stacks, known.sum) = known;
  stacks->known++;
}

/* Rows may leave the window meanwhile. 0: there is no room. */
static uint32_t stack_define(struct ms_thread *t, uint32_t count, uint64_t sum, struct known *known) {
  struct ms_stacks *stacks = t->stacks;
  uint32_t id = known->id ? known->id : ++stacks->given & MS_STACK_ID;
  if (!ms_own_room(t, 1 + count)) return 0;
  ms_put_stack(stacks->stack.row, (struct ms_row_stack){.words = count, .id = id});
  ms_own_put(t, stacks->stack.row, 1 + count);
  if (known->id) known->told = t->telling;
  else known_add(stacks, (struct known){.sum = sum, .id = id, .told = t->telling});
  return id;
}

/* What is no code ends a stack of code without frame pointers: it is not kept. Code
 * in no image may still be some, if frames in images lie behind it. */
static uint32_t frames_cut(struct ms_thread *t, const struct ms_stack *stack) {
  uint32_t count = stack->count;
  ms_modules_look(t, stack->row[1]);
  while (count > 1 && !ms_modules_know(stack->row[count])) count--;
  return count;
}

static MS_COLD uint32_t stack_make(struct ms_thread *t) {
  const struct ms_stack *stack = &t->stacks->stack;
  uint32_t count = frames_cut(t, stack);
  uint64_t sum = ms_stack_sum(stack->row + 1, count);
  struct known *known = known_find(t->stacks, sum);
  return known->id && known->told == t->telling ? known->id : stack_define(t, count, sum, known);
}

/* From here on the rows of blocks given mean the last stack. */
MS_HOT_FN void stack_use(struct ms_thread *t) {
  struct ms_stacks *stacks = t->stacks;
  const struct known *known = known_find(stacks, stacks->stack.sum);
  uint32_t id = MS_LIKELY(known->id && known->told == t->telling) ? known->id : stack_make(t);
  if (id == stacks->id) return;
  ms_put_stack_of(t->pos, (struct ms_row_stack_of){.id = id});
  ms_publish(t, t->pos + 1);
  stacks->id = id;
}

void ms_stack_put(struct ms_thread *t, uintptr_t ra) {
  struct ms_stacks *stacks = t->stacks;
  uintptr_t outer = outer_take(), frame = frame_pointer();
  if (MS_UNLIKELY(outer)) ra = outer, frame = ms_tls.outer_frame;
  if (MS_UNLIKELY(ms_options.stack == MS_STACK_DWARF)) ms_stack_unwind(&stacks->stack, ra);
  else if (!ms_stack_walk(&stacks->stack, frame, ra) && MS_LIKELY(stacks->id)) return;
  stack_use(t);
}

/* ---- a thread's ---- */

/* NULL: no memory, the thread records no stacks. */
struct ms_stacks *ms_stacks_new(struct ms_stacks *stacks) {
  if (stacks) stacks_forget(stacks);
  else stacks = ms_process_alloc(sizeof *stacks);
  if (!stacks || (!stacks->table && !table_renew(stacks, TABLE_FIRST))) return NULL;
  stacks->id = stacks->given = stacks->stack.count = 0;
  return stacks;
}

void ms_stacks_go_on(struct ms_stacks *stacks, const struct ms_stacks *old) { stacks->given = old->given + 1; }

void ms_stacks_leave(struct ms_stacks *stacks) { stacks->id = 0; }
