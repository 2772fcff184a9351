/* SPDX-License-Identifier: MIT
 *
 * A stream at rest: the same bytes in a tenth of the room. Rows are taken apart
 * into columns, one for each field, of which only what could not be guessed is
 * kept, and zstd packs each column. Every byte comes back, also of a damaged
 * stream: what is no row is packed as it is.
 *
 *   +--------+-----------+-----------+-- - -
 *   | header | segment 0 | segment 1 |
 *   +--------+-----------+-----------+-- - -
 *
 * A segment covers SEGMENT_BYTES of the stream or a little more, whole records,
 * and can be decoded when all before it have been: guesses rest on what has
 * been seen. Little-endian, as the stream.
 */
#ifndef MS_PACK_PACK_H
#define MS_PACK_PACK_H

#include "base/arena.h"
#include "base/error.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MS_PACK_VERSION = 2, MS_PACK_SEGMENT_MAGIC = 0x4753504d /* "MPSG" */ };
#define MS_PACK_MAGIC "\x89MemPack" /* 8 bytes, no NUL */

struct ms_pack_header {
  char magic[8];
  uint32_t byte_order; /* MS_BYTE_ORDER */
  uint32_t version;
  uint64_t stream_bytes;
};

/* Behind it: for each column that is not empty its number, bytes and packed
 * bytes (uint32_t each) and its zstd frame. */
struct ms_pack_segment {
  uint32_t magic;
  uint32_t columns;
  uint64_t stream_bytes; /* of the stream, from where the segment before ended */
  uint64_t packed_bytes; /* behind this */
  uint64_t checksum;     /* XXH3-64 of them */
};

/* Do the bytes begin as a packed stream does? */
bool ms_is_packed(const void *bytes, uint64_t size);

/* Packs the stream's bytes into out. Returns 0, or the code of *error: out
 * cannot be written (path is for the message). The input is not changed. */
int ms_pack(struct ms_arena *arena, const unsigned char *bytes, uint64_t size, FILE *out, const char *path,
            const struct ms_progress *progress, struct ms_error *error);

/* Writes the stream to fd, which is a new file. Whole segments before damage
 * are written; then *error is MS_ERROR_DATA with the offset in the packed file.
 * Returns 0 or the error's code; MS_ERROR_USAGE when fd cannot be written. */
int ms_unpack(struct ms_arena *arena, const unsigned char *packed, uint64_t size, const char *path, int fd,
              const struct ms_progress *progress, struct ms_error *error);

#endif
