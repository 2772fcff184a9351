/* SPDX-License-Identifier: MIT
 *
 * The next function of each name: what an interposer calls. In the shared
 * library found with dlsym behind us; in a static program the linker's --wrap
 * gives both names.
 */
#ifndef MS_REAL_H
#define MS_REAL_H

#include "runtime.h"

#ifdef MS_STATIC
#define MS_FN(name) __wrap_##name
#define MS_NEXT(name) __real_##name
#define MS_DECLARE(name) extern __typeof__(name) __real_##name, __wrap_##name;
#define MS_DECLARE_HOST(name) MS_DECLARE(name)
#define MS_NEXT_HOST(name) __real_##name
#define MS_NEXT_NEW(name) __real_##name

#else
/* The C library's allocators, in place before the first call of any of them. */
struct ms_real {
#define MS_REAL_malloc(symbol) void (*symbol)(void);
#define MS_REAL_new(symbol)
#define MS_REAL_new_array(symbol)
#define MS_ALLOCFN_ALLOC(symbol, family) MS_REAL_##family(symbol)
#define MS_ALLOCFN_REALLOC(symbol, family) MS_REAL_##family(symbol)
#define MS_ALLOCFN_FREE(symbol, family) MS_REAL_##family(symbol)
#define MS_ALLOCFN_VIA(symbol, family)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_ALLOCFN_##op(symbol, family)
#include "memscope/allocfn.def"
#undef MS_REAL_malloc
#undef MS_REAL_new
#undef MS_REAL_new_array
};
extern struct ms_real ms_real __attribute__((visibility("hidden")));

/* Found at its first use: libstdc++ need not be there, or may come by dlopen. */
void *ms_real_late(void **cache, const char *name);

#define MS_FN(name) name
#define MS_NEXT(name) ((__typeof__(&name))ms_real.name)
#define MS_DECLARE(name)
#define MS_DECLARE_HOST(name)
#define MS_NEXT_LATE(name)                                                                                             \
  ({                                                                                                                   \
    static void *next_;                                                                                                \
    void *found_ = __atomic_load_n(&next_, __ATOMIC_RELAXED);                                                          \
    (__typeof__(&name))(found_ ? found_ : ms_real_late(&next_, #name));                                                \
  })
#define MS_NEXT_HOST(name) MS_NEXT_LATE(name)
#define MS_NEXT_NEW(name) MS_NEXT_LATE(name)
#endif

enum ms_fn {
#define MS_FN_ALLOC(symbol, number) MS_FN_##symbol = number,
#define MS_FN_REALLOC(symbol, number) MS_FN_##symbol = number,
#define MS_FN_FREE(symbol, number) MS_FN_##symbol = number,
#define MS_FN_VIA(symbol, number)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_FN_##op(symbol, number)
#include "memscope/allocfn.def"
#undef MS_FN_REALLOC
};

/* The return address of the function it stands in, as it lies on the stack: behind a call
 * it is loaded again, which is cheaper than to keep it in a register. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MS_RA (((const volatile uintptr_t *)__builtin_dwarf_cfa())[-1])
#else
#define MS_RA ((uintptr_t)__builtin_return_address(0))
#endif

#endif
