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
 * A segment covers SEGMENT_BYTES of the stream or a little more, whole records, and
 * is decoded by itself: one that is damaged takes no other along. Little-endian, as
 * the stream.
 */
#ifndef MS_PACK_PACK_H
#define MS_PACK_PACK_H

#include "base/arena.h"
#include "base/error.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MS_PACK_VERSION = 3, MS_PACK_SEGMENT_MAGIC = 0x4753504d /* "MPSG" */ };
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
  uint64_t stream_offset; /* what it covers of the stream */
  uint64_t stream_bytes;
  uint64_t events;       /* in it */
  uint64_t packed_bytes; /* behind this */
  uint64_t checksum;     /* XXH3-64 of them */
  uint64_t check;        /* XXH3-64 of what stands before, seed MS_PACK_SEGMENT_MAGIC */
};

/* A part of the stream that is lost to damage; its place in what was unpacked is zeros. */
struct ms_pack_lost {
  uint64_t offset; /* in the packed file */
  uint64_t stream_offset, stream_bytes;
  uint64_t events; /* MS_PACK_UNKNOWN: its segment's header is damaged too */
};
#define MS_PACK_UNKNOWN UINT64_MAX

struct ms_pack_losses {
  struct ms_pack_lost *parts; /* in order */
  uint32_t count, room;
  bool cut; /* the stream's end is not there */
};

/* Do the bytes begin as a packed stream does? */
bool ms_is_packed(const void *bytes, uint64_t size);

/* Packs the stream's bytes into out. Returns 0, or the code of *error: out
 * cannot be written (path is for the message). The input is not changed. */
int ms_pack(struct ms_arena *arena, const unsigned char *bytes, uint64_t size, FILE *out, const char *path,
            const struct ms_progress *progress, struct ms_error *error);

/* Writes the stream to fd, which is a new file. Segments that are whole are written, each
 * to its place; when others are not, *error is MS_ERROR_DATA with the offset of the first in
 * the packed file, and *losses has them all. Returns 0 or the error's code; MS_ERROR_USAGE
 * when fd cannot be written. */
int ms_unpack(struct ms_arena *arena, const unsigned char *packed, uint64_t size, const char *path, int fd,
              const struct ms_progress *progress, struct ms_pack_losses *losses, struct ms_error *error);

#endif
