/* SPDX-License-Identifier: MIT
 *
 * libFuzzer target: bytes as a stream through reader, model, JSON and text. The
 * magic numbers and checksums are made right first, or nearly every input would
 * be refused at the door; a byte in the header's spare part says where not.
 */
#include "base/arena.h"
#include "base/error.h"
#include "export/export.h"
#include "reader/pairs.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE = 4000, KEEP_HEADER = 1, KEEP_CHECKS = 2 };

static void header_mend(unsigned char *bytes) {
  struct ms_file_header *header = (struct ms_file_header *)bytes;
  memcpy(header->magic, MS_STREAM_MAGIC, sizeof header->magic);
  header->byte_order = MS_BYTE_ORDER;
  header->version = MS_STREAM_VERSION;
  header->header_bytes = MS_HEADER_BYTES;
  header->record_align = MS_RECORD_ALIGN;
}

static void records_mend(unsigned char *bytes, size_t size) {
  for (size_t at = MS_HEADER_BYTES; at + sizeof(struct ms_record) <= size; at += MS_RECORD_ALIGN) {
    struct ms_record *record = (struct ms_record *)(bytes + at);
    if (record->magic != MS_RECORD_MAGIC || record->kind == MS_RECORD_WINDOW) continue;
    uint64_t room = size - at - sizeof *record, fill = ms_fill_bytes(record->fill);
    record->checksum = (uint32_t)XXH3_64bits(record + 1, fill < room ? fill : room);
    record->check = XXH3_64bits_withSeed(record, offsetof(struct ms_record, fill), MS_RECORD_MAGIC);
    record->place = 0;
  }
}

static FILE *nowhere;

static void stream_read(struct ms_arena *arena, struct ms_stream *stream, struct ms_error *error) {
  struct ms_pairs_check check;
  if (!ms_pairs_compare(stream, &check)) abort();
  const struct ms_model *model = ms_model_build(arena, stream, error);
  if (!model) abort();
  const struct ms_model_totals *totals = &model->totals;
  if (totals->events != totals->allocations + totals->frees + totals->reallocations) abort();
  uint64_t at_peak = 0, live = 0, allocations = 0;
  for (uint32_t i = 0; i < model->site_count; i++) {
    at_peak += model->sites[i].bytes_at_peak;
    live += model->sites[i].live_bytes;
    allocations += model->sites[i].allocations;
  }
  if (at_peak != totals->peak_bytes || live != totals->live_bytes || allocations != totals->allocations)
    abort();
  if (!ms_export_json(model, "0", 0, NULL, nowhere)) abort();
  ms_export_text(model, &(struct ms_text_options){.path = "f"}, nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!nowhere) nowhere = fopen("/dev/null", "w");
  unsigned char *bytes = malloc(size ? size : 1);
  if (!bytes || !nowhere) abort();
  memcpy(bytes, data, size);
  if (size >= MS_HEADER_BYTES && !(bytes[SPARE] & KEEP_HEADER)) header_mend(bytes);
  if (size >= MS_HEADER_BYTES && !(bytes[SPARE] & KEEP_CHECKS)) records_mend(bytes, size);

  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  struct ms_stream *stream = ms_stream_open_memory(arena, bytes, size, &error);
  if (stream)
    stream_read(arena, stream, &error);
  else if (error.code != MS_ERROR_DATA || !*error.text)
    abort();
  ms_stream_close(stream);
  ms_arena_free(arena);
  free(bytes);
  return 0;
}
