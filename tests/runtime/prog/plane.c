/* SPDX-License-Identifier: MIT
 *
 * Under ThreadSanitizer memory lies in a few places only, and a program may touch
 * no other: the plane is a piece of its own there, for the heap's addresses.
 */
#include "runtime.h"

#include <stdlib.h>

enum { HEAP_BITS = 40 };

void *__real_ms_os_pages_reserve(size_t bytes);
void *__wrap_ms_os_pages_reserve(size_t bytes);
void *__real_malloc(size_t size);

void *__wrap_ms_os_pages_reserve(size_t bytes) {
  if (bytes != MS_PLANE_BYTES) return __real_ms_os_pages_reserve(bytes);
  uintptr_t heap = (uintptr_t)__real_malloc(1) >> HEAP_BITS << HEAP_BITS;
  char *piece = __real_ms_os_pages_reserve((size_t)1 << HEAP_BITS >> 3);
  return piece ? piece - (heap << 17 >> 20) : NULL;
}
