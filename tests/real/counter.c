/* SPDX-License-Identifier: MIT
 *
 * An independent counter of allocations, preloaded beneath the recorder:
 *
 *   LD_PRELOAD=libmemscope.so:counter.so MS_COUNTER=FILE program
 *
 * It knows nothing of MemScope: its own table of live blocks (open addressing,
 * one lock), its own sizes as requested, totals in a shared mapping of FILE so
 * that they stand however the process ends. A block that the table does not
 * know when it is freed is counted in `strange`. Operators new and delete count once,
 * whether they come down to malloc and free or not. Called by every thread.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct totals {
  uint64_t allocations, frees, reallocations, live_blocks, live_bytes, allocated_bytes, strange, pid;
};
struct cell {
  uintptr_t block; /* 0 empty, 1 deleted */
  size_t bytes;
};
enum { CELLS_FIRST = 1 << 16, EARLY_BYTES = 1 << 16 };

static struct totals nowhere, *totals = &nowhere;
static struct cell *cells;
static size_t cells_size, cells_used;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static char early[EARLY_BYTES]; /* what dlsym itself allocates while we ask it */
static size_t early_used;
static __thread int asking, within; /* within: an operator that has been, or will be, counted */

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_memalign)(size_t, size_t);
static void *(*real_valloc)(size_t);

/* Inside a static program, linked before libc, there is no next one to ask for. */
#ifdef COUNTER_STATIC
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t), *__libc_valloc(size_t), __libc_free(void *);
static int libc_posix_memalign(void **out, size_t align, size_t bytes) { return (*out = __libc_memalign(align, bytes)) ? 0 : ENOMEM; }
#define NEXT(type, name, in_static) (in_static)
#else
#define NEXT(type, name, in_static) ((type)dlsym(RTLD_NEXT, name))
#endif

static void *pages(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) abort();
  return p;
}

static void totals_open(void) {
  const char *path = getenv("MS_COUNTER");
  int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0 || ftruncate(fd, sizeof *totals) != 0) return;
  void *p = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (p == MAP_FAILED) return;
  totals = p;
  *totals = nowhere; /* what came before libc knew the environment */
  totals->pid = (uint64_t)getpid();
}

__attribute__((constructor)) static void begin(void) {
  if (totals == &nowhere) totals_open();
}

static void start(void) {
  if (real_valloc || asking) return;
  asking = 1;
  real_malloc = NEXT(void *(*)(size_t), "malloc", __libc_malloc);
  real_calloc = NEXT(void *(*)(size_t, size_t), "calloc", __libc_calloc);
  real_realloc = NEXT(void *(*)(void *, size_t), "realloc", __libc_realloc);
  real_free = NEXT(void (*)(void *), "free", __libc_free);
  real_posix_memalign = NEXT(int (*)(void **, size_t, size_t), "posix_memalign", libc_posix_memalign);
  real_aligned_alloc = NEXT(void *(*)(size_t, size_t), "aligned_alloc", __libc_memalign);
  real_memalign = NEXT(void *(*)(size_t, size_t), "memalign", __libc_memalign);
  totals_open();
  real_valloc = NEXT(void *(*)(size_t), "valloc", __libc_valloc);
  asking = 0;
}

static size_t slot(uintptr_t block) { return (size_t)((block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cells_size - 1); }

static void cell_add(uintptr_t block, size_t bytes) {
  size_t i = slot(block);
  while (cells[i].block > 1) i = (i + 1) & (cells_size - 1);
  cells_used += cells[i].block == 0;
  cells[i] = (struct cell){block, bytes};
}

static void cells_grow(void) {
  struct cell *old = cells;
  size_t old_size = cells_size, live = 0;
  for (size_t i = 0; i < old_size; i++) live += old[i].block > 1;
  while (cells_size < CELLS_FIRST || live * 4 > cells_size) cells_size = cells_size ? cells_size * 2 : CELLS_FIRST;
  cells = pages(cells_size * sizeof *cells);
  cells_used = 0;
  for (size_t i = 0; i < old_size; i++)
    if (old[i].block > 1) cell_add(old[i].block, old[i].bytes);
  if (old) munmap(old, old_size * sizeof *old);
}

static int cell_take(uintptr_t block, size_t *bytes) {
  if (!cells) return 0;
  for (size_t i = slot(block); cells[i].block; i = (i + 1) & (cells_size - 1))
    if (cells[i].block == block) {
      *bytes = cells[i].bytes;
      cells[i].block = 1;
      return 1;
    }
  return 0;
}

static void lock_take(void) {
  while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) sched_yield();
}
static void lock_give(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

static void *born(void *block, size_t bytes, int again) {
  if (!block || within) return block;
  lock_take();
  if (cells_used * 2 >= cells_size) cells_grow();
  cell_add((uintptr_t)block, bytes);
  if (again)
    totals->reallocations++;
  else
    totals->allocations++;
  totals->live_blocks++;
  totals->live_bytes += bytes;
  totals->allocated_bytes += bytes;
  lock_give();
  return block;
}

/* Before the real free: the address may be another thread's the moment after. */
static size_t dead(void *block, int again) {
  size_t bytes = 0;
  if (within) return 0;
  lock_take();
  if (cell_take((uintptr_t)block, &bytes)) {
    totals->frees += !again;
    totals->live_blocks--;
    totals->live_bytes -= bytes;
  } else {
    totals->strange++;
  }
  lock_give();
  return bytes;
}

static int is_early(const void *p) { return (const char *)p >= early && (const char *)p < early + EARLY_BYTES; }
static void *early_take(size_t bytes) {
  void *p = early + early_used;
  early_used += (bytes + 15) & ~(size_t)15;
  if (early_used > EARLY_BYTES) abort();
  return p;
}

void *malloc(size_t bytes) {
  start();
  return asking ? early_take(bytes) : born(real_malloc(bytes), bytes, 0);
}

void *calloc(size_t count, size_t bytes) {
  start();
  return asking ? early_take(count * bytes) : born(real_calloc(count, bytes), count * bytes, 0);
}

void free(void *p) {
  if (!p || is_early(p)) return;
  start();
  int saved = errno;
  dead(p, 0);
  errno = saved;
  real_free(p);
}

void *realloc(void *p, size_t bytes) {
  start();
  if (asking) return early_take(bytes);
  if (!p) return born(real_realloc(NULL, bytes), bytes, 0);
  size_t old = dead(p, 1);
  void *q = real_realloc(p, bytes);
  if (q) return born(q, bytes, 1);
  lock_take();
  if (bytes) { /* failed: the block lives on */
    cell_add((uintptr_t)p, old);
    totals->live_blocks++;
    totals->live_bytes += old;
  } else {
    totals->frees++;
  }
  lock_give();
  return NULL;
}

void *reallocarray(void *p, size_t count, size_t bytes) {
  if (bytes && count > SIZE_MAX / bytes) return errno = ENOMEM, NULL;
  return realloc(p, count * bytes);
}

int posix_memalign(void **out, size_t align, size_t bytes) {
  start();
  int rc = real_posix_memalign(out, align, bytes);
  if (rc == 0) born(*out, bytes, 0);
  return rc;
}
void *aligned_alloc(size_t align, size_t bytes) { return start(), born(real_aligned_alloc(align, bytes), bytes, 0); }
void *memalign(size_t align, size_t bytes) { return start(), born(real_memalign(align, bytes), bytes, 0); }
void *valloc(size_t bytes) { return start(), born(real_valloc(bytes), bytes, 0); }

/* ---- operators, by their mangled names ---- */

#ifndef COUNTER_STATIC
#define NEW(symbol, params, args)                                  \
  void *symbol params {                                            \
    static void *(*next) params;                                   \
    if (!next) next = (void *(*)params)dlsym(RTLD_NEXT, #symbol);  \
    within++; /* one that throws ends the count here: none does */ \
    void *block = next args;                                       \
    within--;                                                      \
    return born(block, bytes, 0);                                  \
  }
#define DELETE(symbol, params, args)                             \
  void symbol params {                                           \
    static void (*next) params;                                  \
    if (!next) next = (void (*)params)dlsym(RTLD_NEXT, #symbol); \
    if (p) dead(p, 0);                                           \
    within++;                                                    \
    next args;                                                   \
    within--;                                                    \
  }
NEW(_Znwm, (size_t bytes), (bytes))
NEW(_Znam, (size_t bytes), (bytes))
NEW(_ZnwmRKSt9nothrow_t, (size_t bytes, const void *nothrow), (bytes, nothrow))
NEW(_ZnamRKSt9nothrow_t, (size_t bytes, const void *nothrow), (bytes, nothrow))
NEW(_ZnwmSt11align_val_t, (size_t bytes, size_t align), (bytes, align))
NEW(_ZnamSt11align_val_t, (size_t bytes, size_t align), (bytes, align))
DELETE(_ZdlPv, (void *p), (p))
DELETE(_ZdaPv, (void *p), (p))
DELETE(_ZdlPvm, (void *p, size_t bytes), (p, bytes))
DELETE(_ZdaPvm, (void *p, size_t bytes), (p, bytes))
DELETE(_ZdlPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdaPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t bytes, size_t align), (p, bytes, align))
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t bytes, size_t align), (p, bytes, align))
#endif
