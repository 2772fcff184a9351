/* SPDX-License-Identifier: MIT
 *
 * operator new and delete, all forms, by their mangled names. They come down to
 * malloc and free as a rule, which are interposed too: the row malloc has just
 * written is renamed to the operator's, and the free of a block that a delete
 * is giving back is passed over. So an operator that throws, or a replaced one
 * that takes its memory elsewhere, is recorded as what it did. When sampling, new
 * draws for the malloc beneath it.
 */
#include "count.h"
#include "real.h"
#include "sample.h"

/* Where this function's return address lies. */
#define RA_AT ((uintptr_t *)__builtin_dwarf_cfa() - 1)

#define NEW(symbol, params, args)                                                                                      \
  void *symbol params;                                                                                                 \
  MS_DECLARE(symbol)                                                                                                   \
  MS_PUBLIC void *MS_FN(symbol) params {                                                                               \
    if (MS_UNLIKELY(MS_RELAXED(ms_gate.all) != MS_ON)) {                                                               \
      unsigned gate = ms_on;                                                                                           \
      if (gate == MS_COUNTING) {                                                                                       \
        void *counted = MS_NEXT_NEW(symbol) args;                                                                      \
        return MS_LIKELY(counted != NULL) ? ms_count_outer(counted, size, MS_FN_##symbol, MS_RA) : NULL;               \
      }                                                                                                                \
      if (gate != MS_ON && gate != MS_SAMPLING) return MS_NEXT_NEW(symbol) args;                                       \
      if (ms_gate.stacks) ms_stack_outer(RA_AT);                                                                       \
      if (gate == MS_SAMPLING) {                                                                                       \
        ms_sample_outer(size);                                                                                         \
        void *drawn = MS_NEXT_NEW(symbol) args;                                                                        \
        ms_tls.outer = 0; /* not drawn, nobody took it: the next allocation shall not */                               \
        return ms_sample_behind(drawn, size, MS_FN_##symbol, MS_RA);                                                   \
      }                                                                                                                \
    }                                                                                                                  \
    void *p = MS_NEXT_NEW(symbol) args;                                                                                \
    if (MS_LIKELY(p != NULL)) ms_emit_outer(p, size, MS_FN_##symbol, MS_RA);                                           \
    return p;                                                                                                          \
  }

#define DELETE(symbol, params, args)                                                                                   \
  void symbol params;                                                                                                  \
  MS_DECLARE(symbol)                                                                                                   \
  MS_PUBLIC void MS_FN(symbol) params {                                                                                \
    if (MS_UNLIKELY(!ms_on || !p)) return MS_NEXT_NEW(symbol) args;                                                    \
    if (MS_LIKELY(ms_on == MS_ON)) ms_emit_free(p, MS_FN_##symbol, MS_RA);                                             \
    else ms_dying_not_on(p, MS_FN_##symbol, MS_RA);                                                                    \
    uintptr_t before = ms_tls.passing;                                                                                 \
    ms_tls.passing = (uintptr_t)p;                                                                                     \
    MS_NEXT_NEW(symbol) args;                                                                                          \
    ms_tls.passing = before;                                                                                           \
  }

NEW(_Znwm, (size_t size), (size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *nothrow), (size, align, nothrow))
NEW(_Znam, (size_t size), (size))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *nothrow), (size, align, nothrow))

DELETE(_ZdlPv, (void *p), (p))
DELETE(_ZdlPvm, (void *p, size_t size), (p, size))
DELETE(_ZdlPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align))
DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow))
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *nothrow), (p, align, nothrow))
DELETE(_ZdaPv, (void *p), (p))
DELETE(_ZdaPvm, (void *p, size_t size), (p, size))
DELETE(_ZdaPvSt11align_val_t, (void *p, size_t align), (p, align))
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t size, size_t align), (p, size, align))
DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow))
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t align, const void *nothrow), (p, align, nothrow))
