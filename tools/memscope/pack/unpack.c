/* SPDX-License-Identifier: MIT
 *
 * Segments to a stream's bytes. The packed file is hostile: every length is checked; of
 * a segment the header is checked by itself, and what is behind it before it is looked
 * into. Behind one that is damaged the next one is looked for, byte by byte where even
 * its length is not known.
 */
#include "pack/pack.h"
#include "pack/rows.h"
#include "pack/segment.h"

#include <zstd.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* Most bytes a segment can hold, whose last record may be as large as the segment, and
 * most that all its columns have: 21 bytes for a row of 16, a word of many small fields
 * two for each. PACKED_LEAST: 16 MiB of zeros take 626 bytes of the packed file. */
enum { STREAM_MOST = 2 * SEGMENT_BYTES, COLUMNS_MOST = 8 * SEGMENT_BYTES, PACKED_LEAST = 256 };

struct unpacking {
  struct coder coder;
  struct column plain;  /* the segment's columns, one behind the other */
  struct column stream; /* the segment's bytes */
  ZSTD_DCtx *zstd;
  const unsigned char *packed;
  uint64_t size, at; /* in it */
  uint64_t done;     /* of the stream */
  uint64_t whole;    /* the stream, as the header has it, which nothing vouches for */
  uint32_t taken;    /* segments that were whole */
  const char *path;
  struct ms_pack_losses *losses;
  struct ms_error *error;
};

/* ---- the file to columns ---- */

/* Reads the head at *at, which then is at the column's frame; false: not all of it is there. */
static bool head_read(struct ms_pack_column *head, const unsigned char **at, const unsigned char *end) {
  if ((uint64_t)(end - *at) < sizeof *head) return false;
  memcpy(head, *at, sizeof *head);
  *at += sizeof *head;
  return head->packed_bytes <= (uint64_t)(end - *at);
}

static bool columns_reserve(struct unpacking *unpacking, const struct ms_pack_segment *segment, const unsigned char *from) {
  struct ms_pack_column head;
  const unsigned char *end = from + segment->packed_bytes;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < segment->columns; i++) {
    if (!head_read(&head, &from, end)) return false;
    bytes += head.bytes;
    from += head.packed_bytes;
  }
  if (bytes > COLUMNS_MOST) return false;
  unpacking->plain.used = 0;
  ms_column_reserve(&unpacking->coder.columns, &unpacking->plain, bytes);
  return true;
}

static bool column_unpack(struct unpacking *unpacking, const struct ms_pack_column *head, const unsigned char *from) {
  if (head->id >= COLUMNS || !head->bytes) return false; /* empty ones are not written */
  struct column *column = &unpacking->coder.columns.column[head->id];
  if (column->used) return false; /* twice */
  column->bytes = unpacking->plain.bytes + unpacking->plain.used;
  column->used = head->bytes;
  unpacking->plain.used += head->bytes;
  return ZSTD_decompressDCtx(unpacking->zstd, column->bytes, head->bytes, from, head->packed_bytes) == head->bytes;
}

static bool columns_unpack(struct unpacking *unpacking, const struct ms_pack_segment *segment, const unsigned char *from) {
  struct ms_pack_column head;
  const unsigned char *end = from + segment->packed_bytes;
  ms_coder_reset(&unpacking->coder);
  if (!columns_reserve(unpacking, segment, from)) return false;
  for (uint32_t i = 0; i < segment->columns; i++) {
    if (!head_read(&head, &from, end) || !column_unpack(unpacking, &head, from)) return false;
    from += head.packed_bytes;
  }
  return true;
}

/* ---- columns to bytes ---- */

static bool part_unpack(struct unpacking *unpacking, uint64_t bytes) {
  struct columns *columns = &unpacking->coder.columns;
  uint64_t raw = ms_code(columns, true, COLUMN_LAYOUT, 0), words = ms_code(columns, true, COLUMN_LAYOUT, 0);
  uint32_t thread = (uint32_t)ms_code(columns, true, COLUMN_LAYOUT, 0);
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
  columns->failed = false;
  if (!columns_unpack(unpacking, segment, from)) return false;
  unpacking->stream.used = 0;
  ms_column_reserve(columns, &unpacking->stream, segment->stream_bytes);
  while (columns->column[COLUMN_LAYOUT].at < columns->column[COLUMN_LAYOUT].used)
    if (!part_unpack(unpacking, segment->stream_bytes)) return false;
  return unpacking->stream.used == segment->stream_bytes;
}

/* ---- what is lost ---- */

static void part_lost(struct unpacking *unpacking, struct ms_pack_lost part) {
  struct ms_pack_losses *losses = unpacking->losses;
  if (losses->count == losses->room) {
    uint32_t room = losses->room ? 2 * losses->room : 8;
    losses->parts = ms_arena_grow(unpacking->coder.columns.arena, losses->parts, losses->room * sizeof part, room * sizeof part);
    losses->room = room;
  }
  losses->parts[losses->count++] = part;
}

static bool segment_at(const struct unpacking *unpacking, uint64_t at, struct ms_pack_segment *segment) {
  if (unpacking->size - at < sizeof *segment) return false;
  memcpy(segment, unpacking->packed + at, sizeof *segment);
  return segment->magic == MS_PACK_SEGMENT_MAGIC && segment->check == ms_pack_check(segment);
}

/* One that can come here, `skipped` bytes of the packed file behind the one before. The
 * header's word is asked for those alone behind a gap. */
static bool segment_fits(const struct unpacking *unpacking, const struct ms_pack_segment *segment, uint64_t skipped) {
  if (segment->stream_bytes > STREAM_MOST || segment->stream_offset < unpacking->done) return false;
  if (!skipped) return segment->stream_offset == unpacking->done;
  return segment->stream_offset - unpacking->done <= (skipped + PACKED_LEAST - 1) / PACKED_LEAST * STREAM_MOST &&
         segment->stream_offset <= unpacking->whole && segment->stream_bytes <= unpacking->whole - segment->stream_offset;
}

/* Goes to the next segment's header; false: there is none. */
static bool segment_find(struct unpacking *unpacking, struct ms_pack_segment *segment) {
  uint64_t from = unpacking->at;
  for (; unpacking->size - unpacking->at >= sizeof *segment; unpacking->at++)
    if (segment_at(unpacking, unpacking->at, segment) && segment_fits(unpacking, segment, unpacking->at - from)) {
      if (unpacking->at != from)
        part_lost(unpacking, (struct ms_pack_lost){.offset = from,
                                                   .stream_offset = unpacking->done,
                                                   .stream_bytes = segment->stream_offset - unpacking->done,
                                                   .events = MS_PACK_UNKNOWN});
      return true;
    }
  unpacking->at = from;
  return false;
}

static int losses_say(struct unpacking *unpacking) {
  struct ms_pack_losses *losses = unpacking->losses;
  losses->cut = unpacking->done != unpacking->whole;
  if (!losses->count && !losses->cut) return 0;
  unpacking->error->offset = losses->count ? losses->parts[0].offset : unpacking->at;
  return ms_error_set(unpacking->error, MS_ERROR_DATA, "%s: at offset %" PRIu64 ": %s; %s", unpacking->path, unpacking->error->offset,
                      losses->count ? "a packed segment is damaged" : "the packed file ends too early",
                      unpacking->taken ? "everything else was read: copy or pack it again for the rest"
                                       : "nothing can be read; copy or pack it again");
}

/* ---- all of them ---- */

static bool bytes_write(int fd, const unsigned char *bytes, uint64_t count, uint64_t offset) {
  while (count) {
    ssize_t done = pwrite(fd, bytes, count, (off_t)offset);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done;
    offset += (uint64_t)done;
    count -= (uint64_t)done;
  }
  return true;
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

/* False: it is lost. */
static bool segment_take(struct unpacking *unpacking, const struct ms_pack_segment *segment) {
  const unsigned char *payload = unpacking->packed + unpacking->at + sizeof *segment;
  return segment->packed_bytes <= unpacking->size - unpacking->at - sizeof *segment &&
         XXH3_64bits(payload, segment->packed_bytes) == segment->checksum && segment_unpack(unpacking, segment, payload);
}

/* Where the next header should be; of a lost one whose end is not in the file, any place behind it. */
static void segment_pass(struct unpacking *unpacking, const struct ms_pack_segment *segment, bool whole) {
  uint64_t behind = unpacking->size - unpacking->at - sizeof *segment;
  if (!whole)
    part_lost(unpacking, (struct ms_pack_lost){unpacking->at, segment->stream_offset, segment->stream_bytes, segment->events});
  unpacking->done = segment->stream_offset + segment->stream_bytes;
  unpacking->at += sizeof *segment;
  if (segment->packed_bytes <= behind) unpacking->at += segment->packed_bytes;
}

static int cannot_write(const struct unpacking *unpacking) {
  return ms_error_set(unpacking->error, MS_ERROR_USAGE, "%s cannot be unpacked: %s; give more room (TMPDIR names where)", unpacking->path,
                      strerror(errno));
}

static int segments_unpack(struct unpacking *unpacking, int fd, const struct ms_progress *progress) {
  struct ms_pack_segment segment;
  struct ms_pack_header header;
  memcpy(&header, unpacking->packed, sizeof header);
  unpacking->at = sizeof header;
  unpacking->whole = header.stream_bytes;
  if (header_check(&header, unpacking->path, unpacking->error)) return (int)unpacking->error->code;
  while (segment_find(unpacking, &segment)) {
    bool whole = segment_take(unpacking, &segment);
    if (whole && !bytes_write(fd, unpacking->stream.bytes, segment.stream_bytes, segment.stream_offset))
      return cannot_write(unpacking);
    unpacking->taken += whole;
    segment_pass(unpacking, &segment, whole);
    ms_progress_step(progress, unpacking->at, unpacking->size);
  }
  if (unpacking->taken && unpacking->losses->count && ftruncate(fd, (off_t)unpacking->done)) return cannot_write(unpacking);
  return losses_say(unpacking);
}

int ms_unpack(struct ms_arena *arena, const unsigned char *packed, uint64_t size, const char *path, int fd,
              const struct ms_progress *progress, struct ms_pack_losses *losses, struct ms_error *error) {
  struct unpacking *unpacking = ms_arena_get(arena, sizeof *unpacking);
  *unpacking = (struct unpacking){.packed = packed, .size = size, .path = path, .losses = losses, .error = error, .zstd = ZSTD_createDCtx()};
  unpacking->coder.columns.arena = arena;
  unpacking->coder.columns.reading = true;
  *losses = (struct ms_pack_losses){0};
  ms_guess_init(&unpacking->coder.guess, arena);
  if (!unpacking->zstd) return ms_error_set(error, MS_ERROR_USAGE, "%s: no memory to unpack it", path);
  int code = segments_unpack(unpacking, fd, progress);
  ZSTD_freeDCtx(unpacking->zstd);
  return code;
}
