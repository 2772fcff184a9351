/* SPDX-License-Identifier: MIT
 *
 * Segments to a stream's bytes. The packed file is hostile: every length is
 * checked, a segment is checked whole before it is looked into.
 */
#include "pack/pack.h"
#include "pack/rows.h"
#include "pack/segment.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Most bytes a segment can hold: its last record may be as large as the segment. */
enum { STREAM_MOST = 2 * SEGMENT_BYTES, COLUMN_MOST = 8 * SEGMENT_BYTES };

struct unpacking {
  struct coder coder;
  struct column stream; /* the segment's bytes */
  ZSTD_DCtx *zstd;
};

/* ---- the file to columns ---- */

static bool column_unpack(struct unpacking *unpacking, const struct ms_pack_column *head, const unsigned char *from) {
  struct columns *columns = &unpacking->coder.columns;
  if (head->id >= COLUMNS || head->bytes > COLUMN_MOST) return false;
  struct column *column = &columns->column[head->id];
  if (column->used) return false; /* twice */
  ms_column_reserve(columns, column, head->bytes);
  column->used = head->bytes;
  return ZSTD_decompressDCtx(unpacking->zstd, column->bytes, head->bytes, from, head->packed_bytes) == head->bytes;
}

static bool columns_unpack(struct unpacking *unpacking, const struct ms_pack_segment *segment, const unsigned char *from) {
  struct ms_pack_column head;
  const unsigned char *end = from + segment->packed_bytes;
  for (uint32_t id = 0; id < COLUMNS; id++) {
    struct column *column = &unpacking->coder.columns.column[id];
    column->used = column->at = 0;
  }
  for (uint32_t i = 0; i < segment->columns; i++) {
    if ((uint64_t)(end - from) < sizeof head) return false;
    memcpy(&head, from, sizeof head);
    from += sizeof head;
    if (head.packed_bytes > (uint64_t)(end - from) || !column_unpack(unpacking, &head, from)) return false;
    from += head.packed_bytes;
  }
  return true;
}

/* ---- columns to bytes ---- */

static bool part_unpack(struct unpacking *unpacking, uint64_t bytes) {
  struct columns *columns = &unpacking->coder.columns;
  uint64_t raw = ms_code(columns, COLUMN_LAYOUT, 0), words = ms_code(columns, COLUMN_LAYOUT, 0);
  uint32_t thread = (uint32_t)ms_code(columns, COLUMN_LAYOUT, 0);
  struct column *stream = &unpacking->stream;
  uint64_t room = bytes - stream->used;
  if (columns->failed || raw > room || words > (room - raw) / sizeof(uint64_t)) return false;
  if (words && (stream->used + raw) % sizeof(uint64_t)) return false;
  unsigned char *to = stream->bytes + stream->used;
  ms_code_bytes(columns, COLUMN_RAW, to, raw);
  ms_code_rows(&unpacking->coder, thread, (uint64_t *)(to + raw), (uint32_t)words);
  stream->used += raw + words * sizeof(uint64_t);
  return !columns->failed;
}

static bool segment_unpack(struct unpacking *unpacking, const struct ms_pack_segment *segment, const unsigned char *from) {
  struct columns *columns = &unpacking->coder.columns;
  if (!columns_unpack(unpacking, segment, from)) return false;
  unpacking->stream.used = 0;
  ms_column_reserve(columns, &unpacking->stream, segment->stream_bytes);
  while (columns->column[COLUMN_LAYOUT].at < columns->column[COLUMN_LAYOUT].used)
    if (!part_unpack(unpacking, segment->stream_bytes)) return false;
  return unpacking->stream.used == segment->stream_bytes;
}

/* ---- all of them ---- */

static bool bytes_write(int fd, const unsigned char *bytes, uint64_t count) {
  while (count) {
    ssize_t done = write(fd, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    count -= (uint64_t)done;
  }
  return true;
}

static int damaged(struct ms_error *error, const char *path, uint64_t offset, const char *what) {
  error->offset = offset;
  return ms_error_set(error, MS_ERROR_DATA,
                      "%s: at offset %" PRIu64 ": %s; all before it was read: copy or pack it again for the rest", path, offset,
                      what);
}

static int header_check(const struct ms_pack_header *header, const char *path, struct ms_error *error) {
  if (header->version > MS_PACK_VERSION)
    return ms_error_set(error, MS_ERROR_DATA, "%s: is packed by version %" PRIu32 ", this memscope reads up to %d: use a newer memscope",
                        path, header->version, MS_PACK_VERSION);
  if (header->version && header->version < MS_PACK_VERSION)
    return ms_error_set(error, MS_ERROR_DATA, "%s: is packed by an older version; unpack it with that memscope, or record it again", path);
  if (header->byte_order != MS_BYTE_ORDER || !header->version)
    return ms_error_set(error, MS_ERROR_DATA, "%s: its header is damaged; copy or pack it again", path);
  return 0;
}

static bool segment_holds(const struct ms_pack_segment *segment, uint64_t behind, const unsigned char *payload) {
  return segment->magic == MS_PACK_SEGMENT_MAGIC && segment->packed_bytes <= behind && segment->stream_bytes <= STREAM_MOST &&
         XXH3_64bits(payload, segment->packed_bytes) == segment->checksum;
}

static int segments_unpack(struct unpacking *unpacking, const unsigned char *packed, uint64_t size, const char *path, int fd,
                           const struct ms_progress *progress, struct ms_error *error) {
  struct ms_pack_segment segment;
  struct ms_pack_header header;
  uint64_t at = sizeof header, done = 0;
  memcpy(&header, packed, sizeof header);
  if (header_check(&header, path, error)) return (int)error->code;
  for (; size - at >= sizeof segment; at += sizeof segment + segment.packed_bytes) {
    const unsigned char *payload = packed + at + sizeof segment;
    memcpy(&segment, packed + at, sizeof segment);
    if (!segment_holds(&segment, size - at - sizeof segment, payload) || !segment_unpack(unpacking, &segment, payload))
      return damaged(error, path, at, "a packed segment is damaged or cut");
    if (!bytes_write(fd, unpacking->stream.bytes, segment.stream_bytes))
      return ms_error_set(error, MS_ERROR_USAGE, "%s cannot be unpacked: %s; give more room (TMPDIR names where)", path, strerror(errno));
    done += segment.stream_bytes;
    ms_progress_step(progress, at, size);
  }
  return done == header.stream_bytes ? 0 : damaged(error, path, at, "the packed file ends too early");
}

int ms_unpack(struct ms_arena *arena, const unsigned char *packed, uint64_t size, const char *path, int fd,
              const struct ms_progress *progress, struct ms_error *error) {
  struct unpacking *unpacking = ms_arena_get(arena, sizeof *unpacking);
  unpacking->coder.columns.arena = arena;
  unpacking->coder.columns.reading = true;
  unpacking->zstd = ZSTD_createDCtx();
  ms_guess_init(&unpacking->coder.guess, arena);
  if (!unpacking->zstd) return ms_error_set(error, MS_ERROR_USAGE, "%s: no memory to unpack it", path);
  int code = segments_unpack(unpacking, packed, size, path, fd, progress, error);
  ZSTD_freeDCtx(unpacking->zstd);
  return code;
}
