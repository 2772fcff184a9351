/* SPDX-License-Identifier: MIT
 *
 * Allocations with call stacks of every kind. Each says what an unwinder sees at the
 * same instant: libunwind where it is compiled in (HAVE_UNWIND), else GCC's own, which
 * is another program than libunwind (HAVE_GCC_UNWIND):
 *
 *   size ip ip ip …     innermost first; the first is in the function that called malloc
 *
 * stacks MODE: walks | signals | other | garbage | varied | small | forks | ends | handlers | unload A B | descriptors
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef HAVE_UNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#elif defined(HAVE_GCC_UNWIND)
#include <unwind.h>
#endif

enum { WALKS = 1000, THREADS = 4, FRAMES = 80, STACK_BYTES = 64 << 10 };

#define NOINLINE __attribute__((noinline))
#define STAYS stays() /* what was called before is no tail call */
static inline __attribute__((always_inline)) void stays(void) { __asm__ volatile("" ::: "memory"); }

static struct {
  unsigned long size;
  uintptr_t ip[FRAMES];
} seen[WALKS + 16];
static unsigned seen_count;
static void *kept[WALKS + 16];

#ifdef HAVE_GCC_UNWIND
struct found {
  uintptr_t *ip;
  unsigned n;
};
static _Unwind_Reason_Code frame_found(struct _Unwind_Context *context, void *data) {
  struct found *found = data;
  uintptr_t ip = _Unwind_GetIP(context);
  if (ip && found->n < FRAMES) found->ip[found->n++] = ip;
  return _URC_NO_REASON;
}
#endif

NOINLINE static void take(unsigned long size) {
  unsigned at = __atomic_fetch_add(&seen_count, 1, __ATOMIC_RELAXED);
  seen[at].size = size;
#ifdef HAVE_UNWIND
  unw_context_t context;
  unw_cursor_t cursor;
  unw_word_t ip;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  unsigned n = 0;
  do unw_get_reg(&cursor, UNW_REG_IP, &ip), seen[at].ip[n++] = ip;
  while (n < FRAMES && unw_step(&cursor) > 0);
#elif defined(HAVE_GCC_UNWIND)
  struct found found = {seen[at].ip, 0};
  _Unwind_Backtrace(frame_found, &found);
#endif
  kept[at] = malloc(size);
  STAYS;
}

static void say(void) {
  for (unsigned i = 0; i < seen_count; i++) {
    printf("%lu", seen[i].size);
    for (unsigned n = 0; n < FRAMES && seen[i].ip[n]; n++) printf(" %lx", seen[i].ip[n]);
    putchar('\n');
  }
}

/* ---- walks: each way through these is another stack ---- */

static void a(unsigned depth, unsigned way, unsigned long size);
static void b(unsigned depth, unsigned way, unsigned long size);

NOINLINE static void next(unsigned depth, unsigned way, unsigned long size) {
  if (!depth) take(size);
  else if (way & 1) a(depth - 1, way >> 1, size);
  else b(depth - 1, way >> 1, size);
  STAYS;
}
NOINLINE static void a(unsigned depth, unsigned way, unsigned long size) { next(depth, way * 5 + 1, size), STAYS; }
NOINLINE static void b(unsigned depth, unsigned way, unsigned long size) {
  char room[48 + depth];
  __asm__ volatile("" : : "r"(room) : "memory");
  next(depth, way ^ 5, size), STAYS;
}

static void walks(unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++) next(i % 14, i * 2654435761u >> 7, 10000 + i), STAYS;
}
static void *walker(void *number) {
  unsigned from = 400 + 150 * (unsigned)(uintptr_t)number;
  walks(from, from + 150), STAYS;
  return NULL;
}
static void walks_all(void) {
  pthread_t threads[THREADS];
  walks(0, 400);
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, walker, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* ---- signals ---- */

static volatile unsigned long signal_size;
NOINLINE static void handler(int number) { take(signal_size + (unsigned long)number * 0), STAYS; }
NOINLINE static void trap(unsigned long size) {
  char room[16]; /* so that it has a frame */
  signal_size = size;
  __asm__ volatile("int3" : : "r"(room) : "memory");
}
static void *trapper(void *size) { return trap((uintptr_t)size), STAYS, NULL; }

static void on_trap(int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaction(SIGTRAP, &action, NULL);
}

static void signals(void) {
  pthread_t thread;
  on_trap(0);
  trap(20001);
  pthread_create(&thread, NULL, trapper, (void *)20002);
  pthread_join(thread, NULL);
}

/* ---- other stacks: hand-made, between pages that must not be touched; a signal's ---- */

static ucontext_t here, there;
static void coroutine(void) {
  next(3, 5, 30001), STAYS;
  swapcontext(&there, &here);
  next(2, 5, 30002), STAYS;
}

static char *guarded(void) {
  char *at = mmap(NULL, 3 * STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(at + STACK_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE);
  return at + STACK_BYTES;
}

static void *other_run(void *unused) {
  (void)unused;
  getcontext(&there);
  there.uc_stack.ss_sp = guarded();
  there.uc_stack.ss_size = STACK_BYTES;
  there.uc_link = &here;
  makecontext(&there, coroutine, 0);
  swapcontext(&here, &there);
  next(2, 5, 30003), STAYS;
  swapcontext(&here, &there);
  stack_t mine = {.ss_sp = guarded(), .ss_size = STACK_BYTES};
  sigaltstack(&mine, NULL);
  on_trap(SA_ONSTACK);
  trap(30004);
  next(1, 5, 30005), STAYS;
  return NULL;
}

static void other(void) {
  pthread_t thread;
  other_run(NULL);
  pthread_create(&thread, NULL, other_run, NULL);
  pthread_join(thread, NULL);
}

/* ---- a frame pointer that is none ---- */

void *malloc_with(size_t size, uintptr_t frame);
__asm__(".text\n.type malloc_with, @function\nmalloc_with:\n push %rbp\n mov %rsi, %rbp\n call malloc@PLT\n pop %rbp\n ret\n"
        ".size malloc_with, . - malloc_with\n");

static void *garbage_run(void *top) {
  uintptr_t own = (uintptr_t)__builtin_frame_address(0), page = (uintptr_t)guarded();
  uintptr_t words[2] = {1, 2}, up[4] = {(uintptr_t)&up[2] + 1, 7, (uintptr_t)top - 8, 9}, loop[2] = {(uintptr_t)loop, 5};
  const uintptr_t frames[] = {0,       1,       8,           ~(uintptr_t)0, UINT64_C(0xdeadbeefdeadbee8),
                              own + 1, own - 1, page - 8,    page - 4096,   (uintptr_t)words,
                              (uintptr_t)up, (uintptr_t)&up[2], (uintptr_t)loop, (uintptr_t)top, (uintptr_t)top - 8,
                              (uintptr_t)top - 16, (uintptr_t)top + 4096, own - (1 << 20), own + (64 << 20)};
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) kept[0] = malloc_with(40000 + i, frames[i]);
  return NULL;
}

static void garbage(char **argv) {
  pthread_t thread;
  pthread_attr_t attr;
  garbage_run(argv);
  pthread_attr_init(&attr);
  char *stack = guarded();
  pthread_attr_setstack(&attr, stack, STACK_BYTES);
  pthread_create(&thread, &attr, garbage_run, stack + STACK_BYTES);
  pthread_join(thread, NULL);
}

/* ---- depths and ways that change from block to block, past what is remembered of a walk ---- */

NOINLINE static void turn(unsigned depth, uint64_t way, unsigned long size) {
  if (!depth) return take(size), STAYS;
  char room[16 << (way & 3)];
  __asm__ volatile("" : : "r"(room) : "memory");
  if (way & 4) turn(depth - 1, way >> 3, size), STAYS;
  else if (way & 8) turn(depth - 1, way >> 3 | way << 61, size), STAYS;
  else turn(depth - 1, way >> 5, size), STAYS;
}

static void varied(void) {
  uint64_t seed = 1;
  for (unsigned i = 0; i < WALKS; i++) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    unsigned depth = i % 40 == 39 ? 200 : (unsigned)(seed >> 60) + (i / 100 % 3) * 20;
    turn(depth, i % 7 ? seed >> 40 : 0, 10000 + i), STAYS;
  }
}

/* ---- threads with hardly any stack, and none of the thread's own ---- */

static void *small_run(void *size) { return next(2, 5, (uintptr_t)size), STAYS, NULL; }
static void small(void) {
  pthread_t thread;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 16 << 10);
  pthread_create(&thread, &attr, small_run, (void *)50001);
  pthread_join(thread, NULL);
  small_run((void *)50002);
}

/* ---- children of a process whose threads unwind what they have not met ---- */

static volatile int over;
static void *fork_load(void *number) {
  for (uint64_t i = (uintptr_t)number; !over; i += 7) {
    char *line = strdup("of libc");
    free(line);
    if (i % 3 == 0 && asprintf(&line, "%lu", (unsigned long)i) > 0) free(line);
  }
  return NULL;
}

static void forks(void) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, fork_load, (void *)i);
  for (int i = 0; i < 100; i++) {
    pid_t child = fork();
    if (!child) {
      next(3, 5, 60001), STAYS;
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    if (status) exit(3);
  }
  over = 1;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* ---- before main, in a destructor of a thread, at exit, behind it ---- */

static void *volatile early, *volatile late;
__attribute__((constructor)) static void begins(void) { early = malloc(70001); }
__attribute__((destructor)) static void ends_last(void) { late = malloc(70004); }
static void at_end(void) { next(1, 1, 70003), STAYS; }
static void of_thread(void *unused) { (void)unused, next(1, 1, 70002), STAYS; }
static void *ends_run(void *key) { return pthread_setspecific(*(pthread_key_t *)key, key), NULL; }
static void ends(void) {
  static pthread_key_t key;
  pthread_t thread;
  pthread_key_create(&key, of_thread);
  pthread_create(&thread, NULL, ends_run, &key);
  pthread_join(thread, NULL);
  atexit(at_end);
}

/* ---- a handler that allocates, in the middle of whatever ---- */

static void on_tick(int number) { free(malloc(80000 + (size_t)number)); }
static void handlers(void) {
  struct itimerval often = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500}, never = {.it_value.tv_usec = 0};
  struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
  uint64_t way = 1;
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  for (unsigned i = 0; i < 200000; i++) {
    way = way * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    char *text = strdup("of libc");
    free(text);
    seen_count = 0;
    if (i % 16 == 0) turn(i % 23, way >> 20, 20001), free(kept[0]);
  }
  setitimer(ITIMER_REAL, &never, NULL);
  seen_count = 0;
}

/* ---- libraries that take one another's place ---- */

static void unload(char **paths) {
  for (int i = 0; i < 4; i++) {
    void *library = dlopen(paths[i % 2], RTLD_NOW);
    void *(*shape)(size_t) = (void *(*)(size_t))dlsym(library, "shape");
    for (int n = 0; n < 3; n++) kept[0] = shape(90000 + (size_t)i), STAYS;
    dlclose(library);
  }
}

/* ---- numbers of files, all but three given back and taken again, with blocks of code that has no tables between ---- */

/* Eight of them: what is known of an address is not looked up again. */
void *malloc_untold(size_t size, const void *frame);
__asm__(".text\n.type malloc_untold, @function\n.balign 32\nmalloc_untold:\n.rept 8\n push %rbp\n mov %rsi, %rbp\n call malloc@PLT\n"
        " pop %rbp\n ret\n.balign 32\n.endr\n.size malloc_untold, . - malloc_untold\n");

static void from_no_tables(void) {
  static int next;
  void *(*malloc_next)(size_t, const void *) = (void *(*)(size_t, const void *))((uintptr_t)malloc_untold + 32 * (uintptr_t)next++);
  char *page = guarded();
  for (int i = 0; i < 8; i++) free(malloc_next(95000, page - 8)), free(malloc_next(95001, page + i * 4096));
}

static void two_files(const char *when) {
  char text[64];
  for (int i = 0; i < 2; i++) {
    int fd = open(i ? "second" : "first", O_RDWR | O_CREAT | O_TRUNC, 0600);
    printf("%s: file %d is number %d\n", when, i, fd);
    if (write(fd, when, strlen(when)) < 0) exit(3);
  }
  from_no_tables();
  for (int fd = 3; fd < 5; fd++) {
    ssize_t bytes = pread(fd, text, sizeof text, 0);
    printf("%s: number %d stands at %ld of %ld: %.*s\n", when, fd, (long)lseek(fd, 0, SEEK_CUR), (long)bytes, bytes > 0 ? (int)bytes : 0, text);
  }
}

static void descriptors(void) {
  from_no_tables();
  two_files("from the beginning");
  for (int fd = 3; fd < 1024; fd++) close(fd);
  two_files("behind a loop of close");
  close_range(3, ~0u, 0);
  two_files("behind close_range");
  for (int fd = 3; fd < 1024; fd++) dup2(2, fd);
  for (int fd = 3; fd < 1024; fd++) close(fd);
  two_files("behind dup2 over all");
  fflush(stdout);
  pid_t child = fork();
  from_no_tables();
  for (int fd = 3; fd < 1024; fd++) close(fd);
  if (child) waitpid(child, NULL, 0);
  two_files(child ? "in the parent" : "in a child");
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "walks";
  if (!strcmp(mode, "walks")) walks_all();
  if (!strcmp(mode, "signals")) signals();
  if (!strcmp(mode, "other")) other();
  if (!strcmp(mode, "garbage")) garbage(argv);
  if (!strcmp(mode, "varied")) varied();
  if (!strcmp(mode, "small")) small();
  if (!strcmp(mode, "forks")) forks();
  if (!strcmp(mode, "ends")) ends();
  if (!strcmp(mode, "handlers")) handlers();
  if (!strcmp(mode, "unload")) unload(argv + 2);
  if (!strcmp(mode, "descriptors")) descriptors();
  say();
  return 0;
}
