/* SPDX-License-Identifier: MIT
 *
 * checksum.c for processors that have AVX2: this file alone is compiled for them.
 */
#include "runtime.h"

#if defined(__x86_64__)
#define XXH_INLINE_ALL
#include <xxhash.h>

uint32_t ms_checksum_avx2(const void *payload, size_t bytes) { return (uint32_t)XXH3_64bits(payload, bytes); }
#endif
