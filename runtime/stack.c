/* SPDX-License-Identifier: MIT
 *
 * Call stacks of allocations, by frame pointers. The runtime is compiled so that
 * it never writes the frame pointer (-ffixed-rbp), and the functions beneath keep
 * it: wherever a row is written, it is still that of the program's function that
 * called malloc. A frame is
 *
 *        +-----------------+----------------+
 *   rbp  | caller's rbp    | return address |  rbp + 8
 *        +-----------------+----------------+
 *
 * Code without frame pointers leaves anything in that register, so it is followed
 * only upwards, within the thread's own stack, all of which is mapped above the
 * stack pointer. On another stack (a coroutine's, a signal's) nothing is read.
 *
 * Runs only for busy threads, also in signal handlers. No lock, no system call.
 * Cost of 16 frames, on two cores with other work: 25 to 36 ns when they are those of
 * the thread's last block, 76 to 110 when they are others that have a row.
 */
#include "emit.h"

enum {
  HEADS = 4096,
  KNOWN_MOST = 1 << 13,     /* of a thread; then it begins anew */
  SLAB_BYTES = 64 << 10,
  FIRST_STACK_MOST = 64 << 20, /* the kernel keeps 128 MiB below the first thread's stack free of mappings */
  TCB_BYTES = 8192,         /* libc's own at the top of a thread's stack, generously */
  OPERATOR_NEAR = 1024,     /* between an operator new's frame and that of the malloc within */
};

struct known { /* a stack that has a row */
  struct known *next;
  uint64_t hash;
  uint32_t id, count;
  uint32_t told; /* the thread's `telling` when its row was last written */
  uint64_t frames[];
};

struct slab {
  struct slab *next;
  size_t used;
  char bytes[SLAB_BYTES - 2 * sizeof(void *)];
};

struct frame { /* as it lies on a stack */
  uintptr_t next;
  uint64_t ra;
};

struct ms_stacks {
  struct frame frames[MS_STACK_FRAMES]; /* of the last walk; the first: where it began, and the allocation's own address */
  uint32_t id;    /* in effect; 0: none */
  uint32_t count; /* of frames */
  int own;        /* it was on the thread's own stack */
  uint32_t given; /* ids */
  uint32_t known;
  uint64_t row[1 + MS_STACK_FRAMES]; /* STACK, of the last walk */
  struct slab *slabs, *slab;         /* all; the one in use */
  struct known *heads[HEADS];
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

/* ---- the walk ---- */

#ifdef MS_KEEPS_FRAMES
MS_HOT_FN uintptr_t frame_pointer(void) {
  uintptr_t frame;
  __asm__ volatile("mov %%rbp, %0" : "=r"(frame));
  return frame;
}
#else
MS_HOT_FN uintptr_t frame_pointer(void) { return 0; }
#endif

/* Frames are read word by word (volatile): both words at once would have to wait until
 * the two stores of a call just made have left the core. */

MS_HOT_FN int on_own_stack(uintptr_t pointer) { return pointer - ms_tls.stack_low < ms_tls.stack_top - ms_tls.stack_low; }

/* Do the frames lie where they lay, and say what they said? All of them are within the
 * thread's own stack, so they can be read before it is known that they still are frames:
 * no load waits for the one before. */
MS_HOT_FN int walked_before(const struct ms_stacks *stacks, uintptr_t frame, uintptr_t ra, int own) {
  const struct frame *at = stacks->frames, *end = at + stacks->count;
  if (at->next != frame || at->ra != ra || stacks->own != own) return 0;
  uint64_t differs = 0;
  for (; at + 1 < end; at++) {
    const volatile struct frame *now = (const volatile struct frame *)at->next;
    differs |= (now->next ^ at[1].next) | (now->ra ^ at[1].ra);
  }
  return !differs;
}

/* Walks anew; the sum of what is found. */
static uint64_t walk(struct ms_stacks *stacks, uintptr_t frame, uintptr_t ra, int own) {
  uintptr_t low = ms_stack_pointer(), top = ms_tls.stack_top - 2 * sizeof frame;
  uint32_t n = 0, most = own ? (uint32_t)ms_options.stack_depth : 1;
  uint64_t sum = ra;
  stacks->own = own;
  stacks->frames[0] = (struct frame){frame, ra};
  stacks->row[1] = ra;
  while (++n < most && frame > low && frame <= top && !(frame & (sizeof frame - 1))) {
    const volatile struct frame *at = (const volatile struct frame *)frame;
    low = frame;
    ra = at->ra;
    frame = at->next;
    stacks->frames[n].next = frame;
    stacks->frames[n].ra = ra;
    stacks->row[1 + n] = ra;
    sum += ra * (2 * n + 1);
  }
  stacks->count = n;
  return sum;
}

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

static uint64_t hash_of(uint64_t sum) {
  sum *= UINT64_C(0x9e3779b97f4a7c15);
  return sum ^ sum >> 32;
}

static uint64_t frames_hash(const uint64_t *frames, uint32_t count) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += frames[i] * (2 * i + 1);
  return hash_of(sum);
}

static int frames_same(const uint64_t *a, const uint64_t *b, uint32_t count) {
  uint64_t differs = 0;
  for (uint32_t i = 0; i < count; i++) differs |= a[i] ^ b[i];
  return !differs;
}

static struct known **head_of(struct ms_stacks *stacks, uint64_t hash) { return &stacks->heads[hash & (HEADS - 1)]; }

static struct known *known_find(struct ms_stacks *stacks, uint64_t hash) {
  const uint64_t *frames = stacks->row + 1;
  for (struct known *known = *head_of(stacks, hash); known; known = known->next)
    if (known->hash == hash && known->count == stacks->count && frames_same(known->frames, frames, known->count))
      return known;
  return NULL;
}

static void stacks_forget(struct ms_stacks *stacks) {
  memset(stacks->heads, 0, sizeof stacks->heads);
  stacks->known = 0;
  stacks->slab = stacks->slabs;
  if (stacks->slab) stacks->slab->used = 0;
}

static void *slab_get(struct ms_stacks *stacks, size_t bytes) {
  struct slab *slab = stacks->slab;
  if (!slab || slab->used + bytes > sizeof slab->bytes) {
    struct slab *next = slab && slab->next ? slab->next : ms_process_alloc(sizeof *next);
    if (!next) return NULL;
    if (!slab) stacks->slabs = next;
    else slab->next = next;
    next->used = 0;
    stacks->slab = slab = next;
  }
  void *got = slab->bytes + slab->used;
  slab->used += bytes;
  return got;
}

static void known_add(struct ms_stacks *stacks, uint64_t hash, uint32_t id, uint32_t told) {
  if (stacks->known == KNOWN_MOST) stacks_forget(stacks);
  struct known *known = slab_get(stacks, sizeof *known + stacks->count * sizeof *known->frames);
  if (!known) return;
  struct known **head = head_of(stacks, hash);
  *known = (struct known){.next = *head, .hash = hash, .id = id, .count = stacks->count, .told = told};
  memcpy(known->frames, stacks->row + 1, known->count * sizeof *known->frames);
  *head = known;
  stacks->known++;
}

/* Rows may leave the window meanwhile. 0: there is no room. */
static uint32_t stack_define(struct ms_thread *t, struct ms_stacks *stacks, uint64_t hash, struct known *known) {
  uint32_t id = known ? known->id : ++stacks->given & MS_STACK_ID, count = stacks->count;
  if (!ms_own_room(t, 1 + count)) return 0;
  ms_put_stack(stacks->row, (struct ms_row_stack){.words = count, .id = id});
  ms_own_put(t, stacks->row, 1 + count);
  if (known) known->told = t->telling;
  else known_add(stacks, hash, id, t->telling);
  return id;
}

/* What is no code ends a stack of code without frame pointers: it is not kept. Code
 * in no image may still be some, if frames in images lie behind it. */
static void frames_cut(struct ms_thread *t, struct ms_stacks *stacks) {
  ms_modules_look(t, stacks->row[1]);
  while (stacks->count > 1 && !ms_modules_know(stacks->row[stacks->count])) stacks->count--;
}

static MS_COLD uint32_t stack_make(struct ms_thread *t, struct ms_stacks *stacks) {
  frames_cut(t, stacks);
  uint64_t hash = frames_hash(stacks->row + 1, stacks->count);
  struct known *known = known_find(stacks, hash);
  return known && known->told == t->telling ? known->id : stack_define(t, stacks, hash, known);
}

static __attribute__((noinline)) void stack_changes(struct ms_thread *t, uintptr_t frame, uintptr_t ra, int own) {
  struct ms_stacks *stacks = t->stacks;
  const struct known *known = known_find(stacks, hash_of(walk(stacks, frame, ra, own)));
  uint32_t walked = stacks->count, id = known && known->told == t->telling ? known->id : stack_make(t, stacks);
  stacks->count = walked;
  if (id == stacks->id) return;
  uint64_t row;
  ms_put_stack_of(&row, (struct ms_row_stack_of){.id = id});
  ms_own_put(t, &row, 1);
  stacks->id = id;
}

void ms_stack_put(struct ms_thread *t, uintptr_t ra) {
  uintptr_t outer = outer_take(), frame = frame_pointer();
  if (MS_UNLIKELY(outer)) ra = outer, frame = ms_tls.outer_frame;
  int own = on_own_stack(ms_stack_pointer());
  if (MS_LIKELY(t->stacks->id) && MS_LIKELY(walked_before(t->stacks, frame, ra, own))) return;
  stack_changes(t, frame, ra, own);
}

/* ---- a thread's ---- */

struct ms_stacks *ms_stacks_new(struct ms_stacks *old) {
  if (!old) return ms_process_alloc(sizeof *old);
  stacks_forget(old);
  old->id = old->given = 0;
  return old;
}

void ms_stacks_go_on(struct ms_stacks *stacks, const struct ms_stacks *old) { stacks->given = old->given + 1; }

void ms_stacks_leave(struct ms_stacks *stacks) { stacks->id = 0; }
