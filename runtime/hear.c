/* SPDX-License-Identifier: MIT
 *
 * Programs built with a sanitizer. AddressSanitizer and its kin own malloc: nobody
 * stands before theirs, and it asks nobody beneath. But they tell whoever has
 * asked for it, behind each allocation and before each free, in the thread that makes
 * it and outside their locks; so rows, order and names are as ever. Not told are the
 * function, its caller, and that a free and an allocation are one realloc.
 *
 * Their own functions stand before libc's too, before ours where both have one: what of
 * libc this library calls comes to them, and beneath them to us. So they are made ready
 * before all else, and what they would check is our own (bytes.c).
 */
#include "emit.h"
#include "real.h"

#define WEAK __attribute__((weak)) /* dlsym allocates when it does not find a name */
extern void __asan_init(void) WEAK;
extern void __tsan_init(void) WEAK;
extern void __msan_init(void) WEAK;
extern void __lsan_init(void) WEAK;
extern void __hwasan_init(void) WEAK;
extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *)) WEAK;
extern size_t __sanitizer_get_allocated_size(const volatile void *) WEAK;

enum { NO_CALLER = 0 };

/* Their entry may be called at any time, and does its work once. Ours comes before
 * theirs: this library is the first to be initialised. */
enum ms_heard ms_hear_prepare(void) {
  if (__asan_init) return __asan_init(), MS_HEARD_ADDRESS;
  if (__tsan_init) return __tsan_init(), MS_HEARD_THREAD;
  if (__msan_init) return __msan_init(), MS_HEARD_MEMORY;
  if (__lsan_init) return __lsan_init(), MS_HEARD_LEAK;
  return __hwasan_init ? MS_HEARD_HWADDRESS : MS_HEARD_NOBODY;
}

/* ThreadSanitizer tells the number of a reallocarray's elements for its size. */
static size_t size_of(const volatile void *p, size_t told) {
  if (ms_heard != MS_HEARD_THREAD || !told || !__sanitizer_get_allocated_size) return told;
  return __sanitizer_get_allocated_size(p);
}

/* NULL: a realloc that gave nothing back. */
static void born(const volatile void *block, size_t size) {
  void *p = (void *)(uintptr_t)block;
  if (MS_UNLIKELY(!p || !ms_on)) return;
  if (MS_LIKELY(ms_on == MS_ON)) ms_emit_alloc(p, size_of(p, size), MS_FN_malloc, NO_CALLER);
  else ms_born_not_on(p, size_of(p, size), MS_FN_malloc, NO_CALLER);
}

static void dying(const volatile void *block) {
  void *p = (void *)(uintptr_t)block;
  if (MS_UNLIKELY(!p || !ms_on)) return;
  if (MS_LIKELY(ms_on == MS_ON)) ms_emit_free(p, MS_FN_free, NO_CALLER);
  else ms_dying_not_on(p, MS_FN_free, NO_CALLER);
}

/* 0: it does not tell. */
int ms_hear_begin(void) {
  if (ms_heard == MS_HEARD_HWADDRESS || !__sanitizer_install_malloc_and_free_hooks) return 0;
  return __sanitizer_install_malloc_and_free_hooks(born, dying) > 0;
}
