/* SPDX-License-Identifier: MIT
 *
 * A segment's inside, for pack.c and unpack.c.
 */
#ifndef MS_PACK_SEGMENT_H
#define MS_PACK_SEGMENT_H

#include <stdint.h>

enum { SEGMENT_BYTES = 16 << 20 };

struct ms_pack_column {
  uint32_t id; /* enum column_id */
  uint32_t bytes, packed_bytes;
};

#endif
