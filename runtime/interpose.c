/* SPDX-License-Identifier: MIT
 *
 * The C allocator functions. Each calls the next one of its name (but see realloc_of_null)
 * and tells of it: an allocation behind, a free before. Any thread, any time; errno is the
 * next function's.
 *
 * The four that nearly all events come from jump through a table, one for each thing
 * that is recorded: with recording off straight to the next function, with it on to
 * the hot path (emit.h, with its cost, or count.h). The others test ms_on.
 */
#define _GNU_SOURCE
#include "count.h"
#include "real.h"
#include "sample.h"

#include <malloc.h>
#include <stdlib.h>

#ifdef MS_STATIC
MS_DECLARE(malloc)
MS_DECLARE(calloc)
MS_DECLARE(posix_memalign)
MS_DECLARE(aligned_alloc)
MS_DECLARE(memalign)
MS_DECLARE(valloc)
MS_DECLARE(pvalloc)
MS_DECLARE(realloc)
MS_DECLARE(reallocarray)
MS_DECLARE(free)
#endif

/* While not every event is recorded: a call of the next function, which gives p. What was
 * drawn before is recorded behind, though recording may be paused meanwhile. */
#define NOT_ON(call, p, size, fn, ra)                                                                                  \
  do {                                                                                                                 \
    int sampling_ = ms_on == MS_SAMPLING;                                                                              \
    if (sampling_) ms_sample_before(size);                                                                             \
    call;                                                                                                              \
    if (sampling_) ms_sample_behind(p, size, fn, ra);                                                                  \
    else ms_born_not_on(p, size, fn, ra);                                                                              \
  } while (0)

MS_HOT_FN void *born(void *p, size_t size, unsigned fn, uintptr_t ra) {
  return MS_LIKELY(p != NULL) ? ms_emit_alloc(p, size, fn, ra) : NULL;
}

MS_HOT_FN void *counted_born(void *p, size_t size, unsigned fn, uintptr_t ra) {
  return MS_LIKELY(p != NULL) ? ms_count_born(p, size, fn, ra) : NULL;
}

static void *malloc_counted(size_t size) { return counted_born(MS_NEXT(malloc)(size), size, MS_FN_malloc, MS_RA); }
static void *malloc_on(size_t size) {
  void *p = MS_NEXT(malloc)(size);
  return born(p, size, MS_FN_malloc, MS_RA);
}
static __attribute__((noinline)) void *malloc_maybe_drawn(size_t size) {
  return ms_sample_born(MS_NEXT(malloc)(size), size, MS_FN_malloc, MS_RA);
}
static void *malloc_sampled(size_t size) {
  return MS_LIKELY(ms_sample_passes_by(size)) ? MS_NEXT(malloc)(size) : malloc_maybe_drawn(size);
}
static void *malloc_paused(size_t size) {
  ms_paused_look();
  return MS_NEXT(malloc)(size);
}

static void *calloc_on(size_t count, size_t size) {
  void *p = MS_NEXT(calloc)(count, size);
  return born(p, count * size, MS_FN_calloc, MS_RA);
}
static void *calloc_counted(size_t count, size_t size) {
  return counted_born(MS_NEXT(calloc)(count, size), count * size, MS_FN_calloc, MS_RA);
}
static __attribute__((noinline)) void *calloc_not_on(size_t count, size_t size) {
  void *p;
  NOT_ON(p = MS_NEXT(calloc)(count, size), p, count * size, MS_FN_calloc, MS_RA);
  return p;
}

static __attribute__((noinline)) void *calloc_came_down(void *p, size_t size, uintptr_t ra) {
  return ms_sample_behind(p, size, MS_FN_calloc, ra);
}
static void *calloc_sampled(size_t count, size_t size) {
  if (MS_UNLIKELY(ms_tls.verdict || !ms_sample_passes_by(count * size))) return calloc_not_on(count, size);
  ms_sample_hold(MS_VERDICT_PASSED);
  void *p = MS_NEXT(calloc)(count, size);
  return ms_sample_release() ? p : calloc_came_down(p, count * size, MS_RA);
}

MS_PUBLIC int MS_FN(posix_memalign)(void **out, size_t align, size_t size) {
  int rc;
  if (MS_UNLIKELY(ms_on != MS_ON)) {
    NOT_ON(rc = MS_NEXT(posix_memalign)(out, align, size), rc ? NULL : *out, size, MS_FN_posix_memalign, MS_RA);
    return rc;
  }
  rc = MS_NEXT(posix_memalign)(out, align, size);
  if (MS_LIKELY(rc == 0)) born(*out, size, MS_FN_posix_memalign, MS_RA);
  return rc;
}

MS_PUBLIC void *MS_FN(aligned_alloc)(size_t align, size_t size) {
  void *p;
  if (MS_LIKELY(ms_on == MS_ON)) return born(MS_NEXT(aligned_alloc)(align, size), size, MS_FN_aligned_alloc, MS_RA);
  NOT_ON(p = MS_NEXT(aligned_alloc)(align, size), p, size, MS_FN_aligned_alloc, MS_RA);
  return p;
}

MS_PUBLIC void *MS_FN(memalign)(size_t align, size_t size) {
  void *p;
  if (MS_LIKELY(ms_on == MS_ON)) return born(MS_NEXT(memalign)(align, size), size, MS_FN_memalign, MS_RA);
  NOT_ON(p = MS_NEXT(memalign)(align, size), p, size, MS_FN_memalign, MS_RA);
  return p;
}

MS_PUBLIC void *MS_FN(valloc)(size_t size) {
  void *p;
  if (MS_LIKELY(ms_on == MS_ON)) return born(MS_NEXT(valloc)(size), size, MS_FN_valloc, MS_RA);
  NOT_ON(p = MS_NEXT(valloc)(size), p, size, MS_FN_valloc, MS_RA);
  return p;
}

MS_PUBLIC void *MS_FN(pvalloc)(size_t size) {
  void *p;
  if (MS_LIKELY(ms_on == MS_ON)) return born(MS_NEXT(pvalloc)(size), size, MS_FN_pvalloc, MS_RA);
  NOT_ON(p = MS_NEXT(pvalloc)(size), p, size, MS_FN_pvalloc, MS_RA);
  return p;
}

/* ---- realloc ---- */

/* Says how a realloc of p ended; q is what it gave for a size. */
MS_HOT_FN void *regrown(enum ms_realloc how, void *p, void *q, size_t size, unsigned fn, uintptr_t ra) {
  if (MS_LIKELY(how == MS_REALLOC_OPEN)) {
    if (MS_LIKELY(q != NULL)) ms_emit_realloc_end(q, size, fn, ra);
    else if (size) ms_realloc_fail((uintptr_t)p);
    else ms_realloc_freed((uintptr_t)p, fn, ra);
  } else if (how == MS_REALLOC_UNBORN && q) {
    if (MS_LIKELY(ms_on == MS_ON)) ms_emit_alloc(q, size, MS_FN_REALLOC_NULL + fn, ra);
    else ms_born_not_on(q, size, MS_FN_REALLOC_NULL + fn, ra); /* not known before */
  } else if (how == MS_REALLOC_LOST) {
    ms_realloc_lost(q, size, fn);
  }
  return q;
}

/* While the next function works on it, p is ours to report: some allocators
 * come back to realloc, malloc or free for it. */
#define PASSING(p, call)                                                                                               \
  do {                                                                                                                 \
    uintptr_t before_ = ms_tls.passing;                                                                                \
    ms_tls.passing = (uintptr_t)(p);                                                                                   \
    call;                                                                                                              \
    ms_tls.passing = before_;                                                                                          \
  } while (0)

/* realloc(NULL, size). libc's own does nothing but call its malloc, in some 25 instructions:
 * that is called instead. */
static void *realloc_of_null(size_t size) { return MS_NEXT(realloc)(NULL, size); }
static void *(*next_of_null)(size_t) = realloc_of_null;

/* As realloc(p, size), whichever function `call` is. Not sampling: paused, also when that is
 * over by now. One that fails then leaves a block that the stream says has ended: its free
 * is unseen. */
#define REALLOC_NOT_ON(call, p, size, fn, ra)                                                                          \
  do {                                                                                                                 \
    void *q_;                                                                                                          \
    if (MS_UNLIKELY(ms_on != MS_SAMPLING || (p && ms_is_passing((uintptr_t)(p))))) {                                   \
      if (p) ms_paused_end((uintptr_t)p);                                                                              \
      else ms_paused_look();                                                                                           \
      return call;                                                                                                     \
    }                                                                                                                  \
    if (!p) {                                                                                                          \
      ms_sample_before(size);                                                                                          \
      q_ = call;                                                                                                       \
      return ms_sample_behind(q_, size, MS_FN_REALLOC_NULL + fn, ra);                                                  \
    }                                                                                                                  \
    enum ms_realloc how_ = MS_REALLOC_UNBORN;                                                                          \
    if (ms_sample_has((uintptr_t)(p))) how_ = ms_realloc_begin_slow((uintptr_t)(p), fn, ra);                           \
    ms_sample_before(size);                                                                                            \
    PASSING(p, q_ = call);                                                                                             \
    return ms_sample_regrown(how_, p, q_, size, fn, ra);                                                               \
  } while (0)

#define REALLOC_COUNTED(call, p, size, fn, ra)                                                                         \
  do {                                                                                                                 \
    if (MS_UNLIKELY(p && ms_is_passing((uintptr_t)(p)))) return call;                                                  \
    if (!p) return counted_born(call, size, MS_FN_REALLOC_NULL + fn, ra);                                              \
    struct ms_count_from from_ = ms_count_realloc_begin((uintptr_t)p, fn, ra);                                         \
    void *q_;                                                                                                          \
    PASSING(p, q_ = call);                                                                                             \
    return ms_count_regrown(&from_, p, q_, size, fn, ra);                                                              \
  } while (0)

static void *realloc_counted(void *p, size_t size) {
  if (!p) return counted_born(next_of_null(size), size, MS_FN_REALLOC_NULL + MS_FN_realloc, MS_RA);
  REALLOC_COUNTED(MS_NEXT(realloc)(p, size), p, size, MS_FN_realloc, MS_RA);
}

static __attribute__((noinline)) void *realloc_not_on(void *p, size_t size) {
  REALLOC_NOT_ON(MS_NEXT(realloc)(p, size), p, size, MS_FN_realloc, MS_RA);
}

static __attribute__((noinline)) void *realloc_came_down(void *p, void *q, size_t size, uintptr_t ra) {
  if (!p) return ms_sample_behind(q, size, MS_FN_REALLOC_NULL + MS_FN_realloc, ra);
  return ms_sample_regrown(MS_REALLOC_UNBORN, p, q, size, MS_FN_realloc, ra);
}
static void *realloc_sampled(void *p, size_t size) {
  if (MS_UNLIKELY(ms_tls.verdict || !ms_sample_is_nothing((uintptr_t)p) || !ms_sample_passes_by(size))) return realloc_not_on(p, size);
  ms_sample_hold(MS_VERDICT_PASSED);
  void *q = MS_NEXT(realloc)(p, size);
  return ms_sample_release() ? q : realloc_came_down(p, q, size, MS_RA);
}

/* Behind which nothing comes down to one of ours: no verdict has to be held. */
static void *calloc_straight(size_t count, size_t size) {
  return MS_LIKELY(ms_sample_passes_by(count * size)) ? MS_NEXT(calloc)(count, size) : calloc_not_on(count, size);
}
static void *realloc_straight(void *p, size_t size) {
  int passes = (!p || MS_LIKELY(ms_sample_is_nothing((uintptr_t)p))) && ms_sample_passes_by(size);
  if (MS_UNLIKELY(!passes)) return realloc_not_on(p, size);
  return p ? MS_NEXT(realloc)(p, size) : next_of_null(size);
}

/* Jumped to, as all that stand in the table: the return address is the program's. */
static __attribute__((noinline)) void *realloc_null_on(size_t size) {
  void *p = next_of_null(size);
  return born(p, size, MS_FN_REALLOC_NULL + MS_FN_realloc, MS_RA);
}

static __attribute__((noinline)) void *realloc_block_on(void *p, size_t size, uintptr_t ra) {
  void *q;
  enum ms_realloc how = ms_emit_realloc_begin(p, MS_FN_realloc, ra);
  PASSING(p, q = MS_NEXT(realloc)(p, size));
  return regrown(how, p, q, size, MS_FN_realloc, ra);
}

static void *realloc_on(void *p, size_t size) {
  return p ? realloc_block_on(p, size, MS_RA) : realloc_null_on(size);
}

MS_PUBLIC void *MS_FN(reallocarray)(void *p, size_t count, size_t size) {
  size_t bytes;
  void *q;
  if (__builtin_mul_overflow(count, size, &bytes) || !ms_on) return MS_NEXT(reallocarray)(p, count, size);
  if (ms_on == MS_COUNTING) REALLOC_COUNTED(MS_NEXT(reallocarray)(p, count, size), p, bytes, MS_FN_reallocarray, MS_RA);
  if (MS_UNLIKELY(ms_on != MS_ON)) REALLOC_NOT_ON(MS_NEXT(reallocarray)(p, count, size), p, bytes, MS_FN_reallocarray, MS_RA);
  if (!p) return born(MS_NEXT(reallocarray)(p, count, size), bytes, MS_FN_REALLOC_NULL + MS_FN_reallocarray, MS_RA);
  enum ms_realloc how = ms_emit_realloc_begin(p, MS_FN_reallocarray, MS_RA);
  PASSING(p, q = MS_NEXT(reallocarray)(p, count, size));
  return regrown(how, p, q, bytes, MS_FN_reallocarray, MS_RA);
}

/* ---- free ---- */

static __attribute__((noinline)) void free_slow(void *p, uintptr_t ra) {
  ms_free_slow((uintptr_t)p, MS_FN_free, ra);
  MS_NEXT(free)(p);
}
static void free_on(void *p) {
  if (MS_LIKELY(p != NULL) && !ms_emit_free_hot(p, MS_FN_free, MS_RA)) free_slow(p, MS_RA);
  else MS_NEXT(free)(p);
}
static __attribute__((noinline)) void free_maybe_drawn(void *p) {
  if (p) ms_sample_dying(p, MS_FN_free, MS_RA);
  MS_NEXT(free)(p);
}
static void free_sampled(void *p) {
  if (MS_LIKELY(ms_sample_is_nothing((uintptr_t)p))) MS_NEXT(free)(p);
  else free_maybe_drawn(p);
}
static __attribute__((noinline)) void free_counted_slow(void *p, uintptr_t ra) {
  ms_count_dead_slow((uintptr_t)p, MS_FN_free, ra);
  MS_NEXT(free)(p);
}
static void free_counted(void *p) {
  if (MS_LIKELY(p && !ms_count_is_passing((uintptr_t)p)) && !ms_count_dead_hot(p)) free_counted_slow(p, MS_RA);
  else MS_NEXT(free)(p);
}
static void free_paused(void *p) {
  if (p) ms_paused_end((uintptr_t)p);
  MS_NEXT(free)(p);
}

#if MS_HAVE_free_sized || MS_HAVE_free_aligned_sized
static void dying(void *p, unsigned fn, uintptr_t ra) {
  if (MS_LIKELY(ms_on == MS_ON)) ms_emit_free(p, fn, ra);
  else ms_dying_not_on(p, fn, ra);
}
#endif

#if MS_HAVE_free_sized
MS_DECLARE(free_sized)
MS_PUBLIC void MS_FN(free_sized)(void *p, size_t size) {
  if (p) dying(p, MS_FN_free_sized, MS_RA);
  PASSING(p, MS_NEXT(free_sized)(p, size));
}
#endif

#if MS_HAVE_free_aligned_sized
MS_DECLARE(free_aligned_sized)
MS_PUBLIC void MS_FN(free_aligned_sized)(void *p, size_t align, size_t size) {
  if (p) dying(p, MS_FN_free_aligned_sized, MS_RA);
  PASSING(p, MS_NEXT(free_aligned_sized)(p, align, size));
}
#endif

/* ---- the table ---- */

struct ways {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void (*free)(void *);
};

static const struct ways on = {malloc_on, calloc_on, realloc_on, free_on};
static const struct ways sampled = {malloc_sampled, calloc_sampled, realloc_sampled, free_sampled};
static const struct ways straight = {malloc_sampled, calloc_straight, realloc_straight, free_sampled};
static const struct ways paused = {malloc_paused, calloc_not_on, realloc_not_on, free_paused};
static const struct ways counted = {malloc_counted, calloc_counted, realloc_counted, free_counted};
#ifdef MS_STATIC
static const struct ways off = {MS_NEXT(malloc), MS_NEXT(calloc), MS_NEXT(realloc), MS_NEXT(free)};
enum { off_is_found = 1 };
#else
static struct ways off;
static uint8_t off_is_found;

void ms_gate_found(void) {
  off = (struct ways){MS_NEXT(malloc), MS_NEXT(calloc), MS_NEXT(realloc), MS_NEXT(free)};
  __atomic_store_n(&off_is_found, 1, __ATOMIC_RELEASE);
  ms_gate_follow();
}
#endif

static const struct ways *by_gate[] = {[MS_OFF] = &off, [MS_ON] = &on, [MS_PAUSED] = &paused, [MS_SAMPLING] = &sampled, [MS_COUNTING] = &counted};
static struct ways ways = {malloc_on, calloc_on, realloc_on, free_on}; /* until it is known */

uint8_t ms_is_straight;

/* Before the gate is first set. */
void ms_gate_straight(void) {
  ms_is_straight = 1;
  by_gate[MS_SAMPLING] = &straight;
  next_of_null = MS_NEXT(malloc);
}

static void ways_take(const struct ways *from) {
  __atomic_store_n(&ways.free, from->free, __ATOMIC_SEQ_CST);
  __atomic_store_n(&ways.realloc, from->realloc, __ATOMIC_SEQ_CST);
  __atomic_store_n(&ways.calloc, from->calloc, __ATOMIC_SEQ_CST);
  __atomic_store_n(&ways.malloc, from->malloc, __ATOMIC_SEQ_CST);
}

/* Another thread may change the gate at the same time: the last look at it counts. */
void ms_gate_follow(void) {
  uint8_t gate;
  do {
    gate = __atomic_load_n(&ms_gate.on, __ATOMIC_SEQ_CST);
    if (gate != MS_OFF || off_is_found) ways_take(by_gate[gate]);
  } while (gate != __atomic_load_n(&ms_gate.on, __ATOMIC_SEQ_CST));
}

void ms_gate_set(uint8_t gate) {
  __atomic_store_n(&ms_gate.on, gate, __ATOMIC_SEQ_CST);
  ms_gate_follow();
}

/* Tail calls: the return address is the program's. */
MS_PUBLIC void *MS_FN(malloc)(size_t size) { return MS_RELAXED(ways.malloc)(size); }
MS_PUBLIC void *MS_FN(calloc)(size_t count, size_t size) { return MS_RELAXED(ways.calloc)(count, size); }
MS_PUBLIC void *MS_FN(realloc)(void *p, size_t size) { return MS_RELAXED(ways.realloc)(p, size); }
MS_PUBLIC void MS_FN(free)(void *p) { MS_RELAXED(ways.free)(p); }
