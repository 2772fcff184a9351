/* SPDX-License-Identifier: MIT
 *
 * Call stacks of code without frame pointers, by its unwind tables: libunwind's
 * unw_backtrace, which remembers how each return address is unwound. It is loaded when
 * it is asked for, and only then, so that the runtime itself needs libc alone.
 *
 * libunwind takes locks of its own on the way to an address it has not met, and the
 * dynamic linker's: a child forked meanwhile could wait for ever, so a fork waits for
 * those that unwind. It needs room on the stack, so only a thread's own is unwound, and
 * not its end.
 *
 * Whether memory can be read it finds out by writing it to a pipe, whose numbers the host
 * may close and take for files of its own. It is given another way, and its pipe goes.
 *
 * Runs only for busy threads; what a signal handler allocates meanwhile has no stack.
 * Cost: 16 to 20 ns a frame where all addresses are known, microseconds for one that is not.
 */
#define _GNU_SOURCE
#include "stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

enum {
  OURS_MOST = 24,        /* frames between libunwind's caller and the program's: ours, and operator new's */
  ROOM_BYTES = 64 << 10, /* of the stack, for libunwind */
  HOLD_WAITS = 2000,     /* turns of the processor given away, some milliseconds */
  CURSOR_WORDS = 127,    /* as libunwind.h has it */
  REGISTER_IP = 16,
};

/* libunwind.so.8, as far as it is used. */
typedef int memory_fn(void *space, uint64_t address, uint64_t *word, int write, void *argument);
struct accessors { /* the first of its unw_accessors_t */
  void (*others[3])(void);
  memory_fn *memory;
};

struct unwinder {
  struct accessors *(*accessors)(void *space);
  int (*backtrace)(void **ra, int most);
  int (*context)(ucontext_t *);
  int (*begin)(void *cursor, ucontext_t *);
  int (*get)(void *cursor, int number, uint64_t *value);
  int (*step)(void *cursor);
  void (*forget)(void *space, uint64_t low, uint64_t high);
  void **space;
};

static struct unwinder unwinder;
static int unwinds;          /* it is there */
static int steps_only;       /* what unw_backtrace remembers may be of a library that is gone */
static uintptr_t first_room; /* the first thread's stack may end here */

static uint32_t held; /* how many want nobody to begin to unwind */
static int stuck;     /* at the last fork somebody had not come to an end */

#if defined(MS_STATIC) || !defined(__x86_64__)
MS_COLD void ms_unwind_load(void) {
  ms_say("this is a static program, which cannot load libunwind, or no x86-64 one: call stacks hold the return address only; use --stack fp, or link without -static");
}
#else
static int unwinder_find(struct unwinder *found) {
  const struct {
    const char *name;
    void *to;
  } symbols[] = {
      {"unw_backtrace", &found->backtrace},          {"_Ux86_64_getcontext", &found->context}, {"_ULx86_64_init_local", &found->begin},
      {"_ULx86_64_get_reg", &found->get},            {"_ULx86_64_step", &found->step},         {"_Ux86_64_flush_cache", &found->forget},
      {"_ULx86_64_local_addr_space", &found->space}, {"_Ux86_64_get_accessors", &found->accessors},
  };
  void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = library ? dlsym(library, symbols[i].name) : NULL;
    if (!symbol) return 0;
    memcpy(symbols[i].to, &symbol, sizeof symbol);
  }
  return 1;
}

/* Also when the host unwinds with this library. Above the stack pointer all of the thread's
 * own stack is mapped; what lies elsewhere the kernel is asked about, 0.1 us a word. */
static int memory_access(void *space, uint64_t address, uint64_t *word, int write, void *argument) {
  uintptr_t here = ms_stack_pointer();
  (void)space, (void)argument;
  if (write) return memcpy((void *)address, word, sizeof *word), 0;
  int own = ms_on_own_stack(here) && address >= here && address <= ms_tls.stack_top - sizeof *word;
  if (!own && !ms_os_readable((const void *)address, sizeof *word)) return -1;
  memcpy(word, (const void *)address, sizeof *word);
  return 0;
}

/* libunwind up to 1.7 opens its pipe as it sets itself up, later ones when it is first
 * wanted. It gets the two lowest numbers that are free, as a pipe just before it. */
static void unwinder_set_up(void) {
  int low[2];
  struct ms_os_file one, other;
  int known = pipe2(low, O_CLOEXEC) == 0;
  if (known) ms_os_close(low[0]), ms_os_close(low[1]);
  unwinder.accessors(*unwinder.space)->memory = memory_access;
  if (!known || ms_os_identify(low[0], &one) || ms_os_identify(low[1], &other)) return;
  if (one.device == other.device && one.inode == other.inode) ms_os_close(low[0]), ms_os_close(low[1]);
}

MS_COLD void ms_unwind_load(void) {
  void *warm[2];
  struct rlimit limit;
  if (!unwinder_find(&unwinder)) {
    dlerror(); /* once to say it, once more to forget it: its text is not to be freed while we record */
    dlerror();
    ms_say("no libunwind.so.8 to unwind with: call stacks hold the return address only; install libunwind8, or use --stack fp");
    return;
  }
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < ms_tls.stack_top) first_room = ms_tls.stack_top - limit.rlim_cur;
  unwinder_set_up();
  unwinder.backtrace(warm, 2); /* what it needs later it allocates now */
  unwinds = 1;
}
#endif

/* unw_backtrace keeps what it knows of an address for as long as its thread lives, and does
 * not look whether it still holds: another library's code there would be left by way of
 * registers that hold anything. Stepping knows of libraries that go, and is ten times dearer. */
MS_COLD void ms_unwind_unloaded(void) {
  if (!unwinds) return;
  __atomic_store_n(&steps_only, 1, __ATOMIC_RELEASE);
  unwinder.forget(*unwinder.space, 0, 0);
}

/* ---- who unwinds ---- */

/* Each thread says so where no other writes. */
static int somebody_unwinds(void) {
  struct ms_stack *stack = ms_process ? __atomic_load_n(&ms_process->unwinders, __ATOMIC_SEQ_CST) : NULL;
  while (stack && !__atomic_load_n(&stack->unwinding, __ATOMIC_SEQ_CST)) stack = stack->next;
  return stack != NULL;
}

static void unwinder_enlist(struct ms_stack *stack) {
  stack->next = __atomic_load_n(&ms_process->unwinders, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&ms_process->unwinders, &stack->next, stack, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
  }
  stack->enlisted = 1;
}

/* Whoever is under way comes to an end first; nobody begins until it is let. */
static void unwinding_hold(void) {
  __atomic_fetch_add(&held, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < HOLD_WAITS && somebody_unwinds(); i++) ms_os_yield();
}

static void unwinding_let(void) { __atomic_fetch_sub(&held, 1, __ATOMIC_SEQ_CST); }

/* The program is about to restrict its system calls, and libunwind makes its own. */
MS_COLD void ms_unwind_end(void) {
  if (!unwinds) return;
  unwinding_hold();
  ms_say("the program is about to restrict its system calls (seccomp), and libunwind makes some: from then on call stacks hold the return address only");
}

/* Its filter was refused. */
MS_COLD void ms_unwind_go_on(void) {
  if (unwinds) unwinding_let();
}

void ms_unwind_fork_prepare(void) {
  unwinding_hold();
  stuck = somebody_unwinds();
}

void ms_unwind_fork_done(void) { unwinding_let(); }

/* A thread that was still unwinding may have left locks taken that nobody opens here. */
void ms_unwind_fork_child(void) {
  if (stuck) unwinds = 0;
  unwinding_let();
}

/* ---- unwinding ---- */

static int has_room(void) {
  uintptr_t here = ms_stack_pointer(), room = here - ROOM_BYTES;
  return ms_on_own_stack(here) && ms_on_own_stack(room) && (room > first_room || ms_tls.stack_top < first_room);
}

static int steps(void **ra, int most) {
  ucontext_t context;
  uint64_t cursor[CURSOR_WORDS] __attribute__((aligned(16))), ip;
  int found = 0;
  if (unwinder.context(&context) || unwinder.begin(cursor, &context) < 0) return 0;
  do {
    if (unwinder.get(cursor, REGISTER_IP, &ip) < 0 || !ip) break;
    ra[found++] = (void *)(uintptr_t)ip;
  } while (found < most && unwinder.step(cursor) > 0);
  return found;
}

static int unwind(struct ms_stack *stack, void **ra, int most) {
  int saved = errno, found = 0;
  if (!stack->enlisted) unwinder_enlist(stack);
  __atomic_store_n(&stack->unwinding, 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
    found = __atomic_load_n(&steps_only, __ATOMIC_ACQUIRE) ? steps(ra, most) : unwinder.backtrace(ra, most);
  __atomic_store_n(&stack->unwinding, 0, __ATOMIC_RELEASE);
  errno = saved;
  return found;
}

/* Of the frames found, how many come before the one the program is in. */
static int frames_ours(void **ra, int found, uintptr_t begin) {
  int ours = 0;
  while (ours < found && (uintptr_t)ra[ours] != begin) ours++;
  return ours;
}

/* The program's frames; no more is unwound than was of use the last time. */
static int frames_find(struct ms_stack *stack, void **ra, int most, uintptr_t begin) {
  int asked = stack->ours ? stack->ours : OURS_MOST, found = unwind(stack, ra, most + asked), ours = frames_ours(ra, found, begin);
  if (ours > asked) {
    found = unwind(stack, ra, most + OURS_MOST);
    ours = frames_ours(ra, found, begin);
  }
  stack->ours = ours < found ? ours : 0;
  for (int i = ours; i < found && i < ours + most; i++) stack->row[1 + i - ours] = (uintptr_t)ra[i];
  return found - ours < most ? found - ours : most;
}

void ms_stack_unwind(struct ms_stack *stack, uint64_t begin) {
  void *ra[MS_STACK_FRAMES + OURS_MOST];
  int found = unwinds && has_room() ? frames_find(stack, ra, (int)ms_options.stack_depth, begin) : 0;
  if (!found) stack->row[1 + found++] = begin;
  stack->count = (uint32_t)found;
  stack->sum = ms_stack_sum(stack->row + 1, stack->count);
}
