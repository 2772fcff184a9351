/* SPDX-License-Identifier: MIT
 *
 * A segment's inside, for pack.c and unpack.c.
 */
#ifndef MS_PACK_SEGMENT_H
#define MS_PACK_SEGMENT_H

#include "pack/pack.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_BYTES = 16 << 20 };

struct ms_pack_column {
  uint32_t id; /* enum column_id */
  uint32_t bytes, packed_bytes;
};

static inline uint64_t ms_pack_check(const struct ms_pack_segment *segment) {
  return XXH3_64bits_withSeed(segment, offsetof(struct ms_pack_segment, check), MS_PACK_SEGMENT_MAGIC);
}

#endif
