/* SPDX-License-Identifier: MIT
 *
 * A stream's bytes to segments. The records are walked as a reader does, but
 * nothing is believed: what does not look like rows is packed as bytes.
 */
#include "pack/pack.h"
#include "pack/rows.h"
#include "pack/segment.h"

#include <zstd.h>

#include <errno.h>
#include <string.h>

enum { LEVEL = 3 };

struct packing {
  struct coder coder;
  const unsigned char *bytes;
  uint64_t size, at;
  uint64_t raw; /* bytes before `at` that are not in a column yet */
  struct column packed;
  ZSTD_CCtx *zstd;
};

bool ms_is_packed(const void *bytes, uint64_t size) {
  return size >= sizeof(struct ms_pack_header) && memcmp(bytes, MS_PACK_MAGIC, 8) == 0;
}

/* ---- records to columns ---- */

/* The raw bytes so far, and behind them that many words of rows. */
static void part_end(struct packing *packing, uint32_t thread, uint64_t words) {
  struct columns *columns = &packing->coder.columns;
  const unsigned char *raw = packing->bytes + packing->at - packing->raw;
  ms_code(columns, false, COLUMN_LAYOUT, packing->raw);
  ms_code(columns, false, COLUMN_LAYOUT, words);
  ms_code(columns, false, COLUMN_LAYOUT, thread);
  ms_code_bytes(columns, COLUMN_RAW, (void *)(uintptr_t)raw, packing->raw);
  packing->raw = 0;
}

static void raw_take(struct packing *packing, uint64_t bytes) {
  packing->at += bytes;
  packing->raw += bytes;
}

static void rows_take(struct packing *packing, const struct ms_record *record) {
  uint64_t room = record->bytes - sizeof *record, used = ms_fill_bytes(record->fill);
  uint32_t words = (uint32_t)((used < room ? used : room) / sizeof(uint64_t));
  raw_take(packing, sizeof *record);
  part_end(packing, record->thread, words);
  ms_code_rows(&packing->coder, record->thread, (uint64_t *)(uintptr_t)(packing->bytes + packing->at), words);
  packing->at += words * sizeof(uint64_t);
  raw_take(packing, room - words * sizeof(uint64_t));
}

static void record_take(struct packing *packing) {
  struct ms_record record;
  uint64_t left = packing->size - packing->at;
  if (left < MS_RECORD_ALIGN) return raw_take(packing, left);
  memcpy(&record, packing->bytes + packing->at, sizeof record);
  bool is_record = record.magic == MS_RECORD_MAGIC && record.bytes >= MS_RECORD_ALIGN && record.bytes <= left &&
                   record.bytes <= SEGMENT_BYTES && record.bytes % MS_RECORD_ALIGN == 0;
  if (is_record && (record.kind == MS_RECORD_WINDOW || record.kind == MS_RECORD_CHUNK))
    rows_take(packing, &record);
  else
    raw_take(packing, is_record ? record.bytes : MS_RECORD_ALIGN);
}

/* ---- columns to the file ---- */

static int column_pack(struct packing *packing, uint32_t id, struct column *column) {
  struct ms_pack_column head = {.id = id, .bytes = (uint32_t)column->used};
  size_t bound = ZSTD_compressBound(column->used);
  ms_column_reserve(&packing->coder.columns, &packing->packed, sizeof head + bound);
  uint8_t *to = packing->packed.bytes + packing->packed.used;
  size_t got = ZSTD_compressCCtx(packing->zstd, to + sizeof head, bound, column->bytes, column->used, LEVEL);
  if (ZSTD_isError(got)) return -1;
  head.packed_bytes = (uint32_t)got;
  memcpy(to, &head, sizeof head);
  packing->packed.used += sizeof head + got;
  return 0;
}

static int segment_write(struct packing *packing, uint64_t from, FILE *out) {
  struct ms_pack_segment segment = {
      .magic = MS_PACK_SEGMENT_MAGIC, .stream_offset = from, .stream_bytes = packing->at - from, .events = packing->coder.events};
  part_end(packing, 0, 0);
  packing->packed.used = 0;
  for (uint32_t id = 0; id < COLUMNS; id++) {
    struct column *column = &packing->coder.columns.column[id];
    if (!column->used) continue;
    if (column_pack(packing, id, column)) return -1;
    segment.columns++;
  }
  segment.packed_bytes = packing->packed.used;
  segment.checksum = XXH3_64bits(packing->packed.bytes, packing->packed.used);
  segment.check = ms_pack_check(&segment);
  return fwrite(&segment, sizeof segment, 1, out) == 1 &&
                 fwrite(packing->packed.bytes, 1, packing->packed.used, out) == packing->packed.used
             ? 0
             : -1;
}

static int segments_write(struct packing *packing, FILE *out, const struct ms_progress *progress) {
  while (packing->at < packing->size) {
    uint64_t from = packing->at;
    ms_coder_reset(&packing->coder);
    while (packing->at < packing->size && packing->at - from < SEGMENT_BYTES) record_take(packing);
    if (segment_write(packing, from, out)) return -1;
    ms_progress_step(progress, packing->at, packing->size);
  }
  return 0;
}

int ms_pack(struct ms_arena *arena, const unsigned char *bytes, uint64_t size, FILE *out, const char *path,
            const struct ms_progress *progress, struct ms_error *error) {
  struct packing *packing = ms_arena_get(arena, sizeof *packing);
  struct ms_pack_header header = {.byte_order = MS_BYTE_ORDER, .version = MS_PACK_VERSION, .stream_bytes = size};
  memcpy(header.magic, MS_PACK_MAGIC, sizeof header.magic);
  packing->bytes = bytes;
  packing->size = size;
  packing->coder.columns.arena = arena;
  packing->zstd = ZSTD_createCCtx();
  ms_guess_init(&packing->coder.guess, arena);
  bool written = packing->zstd && fwrite(&header, sizeof header, 1, out) == 1 && !segments_write(packing, out, progress) &&
                 fflush(out) == 0;
  int why = errno;
  ZSTD_freeCCtx(packing->zstd);
  if (written) return 0;
  return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s: %s; choose another place with -o", path, strerror(why));
}
