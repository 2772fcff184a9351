/* SPDX-License-Identifier: MIT
 *
 * Finds the functions beneath ours, whoever provides them, and serves what
 * dlsym itself allocates meanwhile from a small arena whose blocks are never
 * reported and never given back. Runs at the first call of any allocator, which
 * may be before libc's own set-up.
 */
#define _GNU_SOURCE
#include "real.h"

#include <stdlib.h>

#ifdef MS_STATIC
MS_DECLARE(malloc)
MS_DECLARE(calloc)
MS_DECLARE(realloc)
void ms_real_find(void) {}
void ms_real_check(void) {}
int ms_real_is_early(const void *p) { return (void)p, 0; }
int ms_real_gave_early(void) { return 0; }

extern __typeof__(malloc) __libc_malloc __attribute__((weak));
extern __typeof__(calloc) __libc_calloc __attribute__((weak));
extern __typeof__(realloc) __libc_realloc __attribute__((weak));
int ms_real_is_libc(void) { return __GLIBC_PREREQ(2, 34) && MS_NEXT(malloc) == __libc_malloc && MS_NEXT(calloc) == __libc_calloc && MS_NEXT(realloc) == __libc_realloc; }
#else

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <malloc.h>

enum { EARLY_BYTES = 1 << 16 };

static _Alignas(64) char early_store[EARLY_BYTES];
static uint32_t early_used;
static uint32_t finding; /* 1: under way, 2: done */

int ms_real_gave_early(void) { return early_used != 0; }
int ms_real_is_early(const void *p) { return (const char *)p >= early_store && (const char *)p < early_store + EARLY_BYTES; }

/* A block of the arena, its size in front of it. */
static void *early_take(size_t align, size_t size) {
  if (align < 16) align = 16;
  if (size > EARLY_BYTES / 2 || align > MS_OS_PAGE) return NULL;
  size_t take = (size + align + 16 + 15) & ~(size_t)15;
  uint32_t at = __atomic_fetch_add(&early_used, (uint32_t)take, __ATOMIC_RELAXED);
  if (at + take > EARLY_BYTES) return NULL;
  uintptr_t p = ((uintptr_t)early_store + at + 16 + align - 1) & ~(align - 1);
  ((size_t *)p)[-1] = size;
  return (void *)p;
}

static void found_wait(void) {
  while (__atomic_load_n(&finding, __ATOMIC_ACQUIRE) == 1 && ms_tls.self != &ms_busy) ms_os_yield();
}

/* The first entries of the table: find the others, then go on there. */
#define EARLY(symbol, fallback, ...)                                                                                   \
  do {                                                                                                                 \
    ms_real_find();                                                                                                    \
    if (ms_real.symbol != (void (*)(void))early_##symbol) return MS_NEXT(symbol)(__VA_ARGS__);                         \
    return fallback;                                                                                                   \
  } while (0)

static void *early_malloc(size_t size) { EARLY(malloc, early_take(16, size), size); }
static void *early_calloc(size_t count, size_t size) {
  EARLY(calloc, size && count > EARLY_BYTES / size ? NULL : early_take(16, count * size), count, size);
}
static int early_out(void **out, size_t align, size_t size) { return (*out = early_take(align, size)) ? 0 : ENOMEM; }
static int early_posix_memalign(void **out, size_t align, size_t size) {
  EARLY(posix_memalign, early_out(out, align, size), out, align, size);
}
static void *early_aligned_alloc(size_t align, size_t size) { EARLY(aligned_alloc, early_take(align, size), align, size); }
static void *early_memalign(size_t align, size_t size) { EARLY(memalign, early_take(align, size), align, size); }
static void *early_valloc(size_t size) { EARLY(valloc, early_take(MS_OS_PAGE, size), size); }
static void *early_pvalloc(size_t size) { EARLY(pvalloc, early_take(MS_OS_PAGE, size), size); }

static void *early_grow(void *p, size_t size) {
  void *q = early_take(16, size);
  if (q && p) memcpy(q, p, ((size_t *)p)[-1] < size ? ((size_t *)p)[-1] : size);
  return q;
}
static void *early_realloc(void *p, size_t size) { EARLY(realloc, early_grow(p, size), p, size); }
static void *early_reallocarray(void *p, size_t count, size_t size) {
  EARLY(reallocarray, size && count > EARLY_BYTES / size ? NULL : early_grow(p, count * size), p, count, size);
}
static void early_free(void *p) {
  ms_real_find();
  if (!ms_real_is_early(p) && ms_real.free != (void (*)(void))early_free) MS_NEXT(free)(p);
}

struct ms_real ms_real = {
    .malloc = (void (*)(void))early_malloc,
    .calloc = (void (*)(void))early_calloc,
    .posix_memalign = (void (*)(void))early_posix_memalign,
    .aligned_alloc = (void (*)(void))early_aligned_alloc,
    .memalign = (void (*)(void))early_memalign,
    .valloc = (void (*)(void))early_valloc,
    .pvalloc = (void (*)(void))early_pvalloc,
    .realloc = (void (*)(void))early_realloc,
    .reallocarray = (void (*)(void))early_reallocarray,
    .free = (void (*)(void))early_free,
};

/* ---- once the arena has given blocks away ---- */

static void (*beneath_free)(void *);
static void *(*beneath_realloc)(void *, size_t);

static void guarded_free(void *p) {
  if (!ms_real_is_early(p)) beneath_free(p);
}

static void *guarded_realloc(void *p, size_t size) {
  if (!ms_real_is_early(p)) return beneath_realloc(p, size);
  void *q = MS_NEXT(malloc)(size);
  if (q) memcpy(q, p, ((size_t *)p)[-1] < size ? ((size_t *)p)[-1] : size);
  return q;
}

static void guard_early(void) {
  if (!early_used) return;
  beneath_free = MS_NEXT(free);
  beneath_realloc = MS_NEXT(realloc);
  ms_real.free = (void (*)(void))guarded_free;
  ms_real.realloc = (void (*)(void))guarded_realloc;
}

/* ---- finding ---- */

/* Only what this libc has is asked for: dlsym allocates for its message when it fails. */
#define FIND_1(symbol) {#symbol, (void (**)(void))&found.symbol},
#define FIND_0(symbol)
#define FIND_IF(have, symbol) FIND_##have(symbol)
#define FIND_EVAL(have, symbol) FIND_IF(have, symbol)
#define FIND_malloc(symbol) FIND_EVAL(MS_HAVE_##symbol, symbol)
#define FIND_new(symbol)
#define FIND_new_array(symbol)

static struct ms_real found;

MS_COLD void ms_real_find(void) {
  uint32_t none = 0;
  if (!__atomic_compare_exchange_n(&finding, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return found_wait();
  static const struct {
    const char *name;
    void (**to)(void);
  } table[] = {
#undef MS_ALLOCFN_ALLOC
#undef MS_ALLOCFN_REALLOC
#undef MS_ALLOCFN_FREE
#define MS_ALLOCFN_ALLOC(symbol, family) FIND_##family(symbol)
#define MS_ALLOCFN_REALLOC(symbol, family) FIND_##family(symbol)
#define MS_ALLOCFN_FREE(symbol, family) FIND_##family(symbol)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_ALLOCFN_##op(symbol, family)
#include "memscope/allocfn.def"
  };
  struct ms_thread *before = ms_tls.self;
  ms_tls.self = &ms_busy; /* a call that comes back to us meanwhile does not wait for us */
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) *table[i].to = (void (*)(void))dlsym(RTLD_NEXT, table[i].name);
  ms_real = found;
  guard_early();
  ms_tls.self = before;
  __atomic_store_n(&finding, 2, __ATOMIC_RELEASE);
  ms_gate_found();
}

/* dladdr, unlike dlsym, allocates nothing. */
static int is_of_libc(void (*function)(void)) {
  Dl_info libc, info;
  return dladdr((void *)gnu_get_libc_version, &libc) && dladdr((void *)function, &info) && info.dli_fbase == libc.dli_fbase;
}

/* Before 2.34 a host's malloc hooks were called by libc's functions, and might call ours. */
static int has_hooks(void) {
  const char *version = gnu_get_libc_version();
  return strncmp(version, "2.", 2) != 0 || strtol(version + 2, NULL, 10) < 34;
}

int ms_real_is_libc(void) { return !has_hooks() && is_of_libc(found.malloc) && is_of_libc(found.calloc) && is_of_libc(found.realloc); }

/* In a program that holds its address, malloc's is a place of the program's own that
 * jumps to whoever comes first: that says nothing. */
void ms_real_check(void) {
  Dl_info info;
  ElfW(Sym) *symbol = NULL;
  void *first = dlsym(RTLD_DEFAULT, "malloc");
  if (first == (void *)malloc || !dladdr1(first, &info, (void **)&symbol, RTLD_DL_SYMENT)) return;
  if (!symbol || symbol->st_shndx == SHN_UNDEF) return;
  ms_say("the malloc of %s comes before this runtime's, and what it gives is not seen: put libmemscope.so first in LD_PRELOAD, or link the program with memscope-cc", info.dli_fname);
}

/* A library loaded for a plugin alone is not behind us in the search order. */
static void *late_find(const char *name) {
  static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};
  void *found = dlsym(RTLD_NEXT, name);
  for (int i = 0; !found && i < 2; i++) {
    void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
    if (library) found = dlsym(library, name);
  }
  return found;
}

MS_COLD void *ms_real_late(void **cache, const char *name) {
  int saved = errno;
  void *found = late_find(name);
  if (!found) {
    ms_say("no %s behind this one", name);
    __builtin_trap(); /* the program called a function that nobody has */
  }
  __atomic_store_n(cache, found, __ATOMIC_RELAXED);
  errno = saved;
  return found;
}
#endif
