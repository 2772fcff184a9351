/* SPDX-License-Identifier: MIT
 *
 * memscope dump --raw: names, lanes and rows as they stand in the file, every
 * field by its name in stream.def.
 */
#include "cmd/dump.h"

#include <inttypes.h>

#define FIELD_PRINT(field, word, shift, bits) fprintf(out, " " #field "=%" PRIu64, (uint64_t)r.field);
#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                                         \
  static void name##_print(FILE *out, const uint64_t *w) {                                                   \
    struct ms_row_##name r = ms_get_##name(w);                                                               \
    fputs(#NAME, out);                                                                                       \
    FIELDS(FIELD_PRINT)                                                                                      \
    (void)r;                                                                                                 \
  }
#include "memscope/stream.def"

static void row_print(FILE *out, const uint64_t *row) {
  switch (ms_row_tag(*row)) {
#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                                         \
  case tag:                                                                                                  \
    name##_print(out, row);                                                                                  \
    break;
#include "memscope/stream.def"
  default:
    fprintf(out, "row 0x%02x of %" PRIu32 " words", ms_row_tag(*row), ms_row_words(*row));
  }
}

static void names_print(const struct ms_stream *stream, FILE *out) {
  for (uint32_t id = 0; id < stream->name_room; id++) {
    struct ms_name name = ms_stream_name(stream, id);
    if (name.kind == MS_NAME_IS_NONE) continue;
    fprintf(out, "name %" PRIu32, id);
    if (name.kind == MS_NAME_IS_CALLER) fprintf(out, " address=0x%" PRIx64 " ns=%" PRIu64 "\n", name.address, name.ns);
    else fprintf(out, " parent=%" PRIu32 " site=%" PRIu32 "\n", name.parent, name.site);
    id += name.kind == MS_NAME_IS_CALLER; /* its time is no name */
  }
}

static void counters_print(const struct ms_stream *stream, FILE *out) {
  for (uint32_t v = 0; v < stream->counters_count; v++) {
    const struct ms_counters_view *view = &stream->counters[v];
    const struct ms_counters_head *head = view->head;
    fprintf(out, "counters of thread %" PRIu32 ", seen_ns=%" PRIu64 "\n", view->thread, head->seen_ns);
    if (head->newest[0]) {
      fprintf(out, "  newest bytes=%" PRIu64 " from=%" PRIu32 " from_bytes=%" PRIu64 " ", head->bytes, head->from, head->from_bytes);
      row_print(out, head->newest);
      fputc('\n', out);
    }
    for (uint32_t i = 0; i < view->count; i++) {
      const struct ms_counter *c = &view->counters[i];
      if (!c->name) continue;
      fprintf(out, "  name=%" PRIu32 " allocations=%" PRIu64 " reallocations=%" PRIu64 " allocated_bytes=%" PRIu64 " frees=%" PRIu64, c->name,
              c->allocations, c->reallocations, c->allocated_bytes, c->frees);
      fprintf(out, " resized=%" PRIu64 " ended=%" PRIu64 " vanished=%" PRIu32 " gone_bytes=%" PRIu64 "\n", c->resized, c->ended, c->vanished, c->gone_bytes);
    }
  }
}

int ms_dump_raw(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error) {
  (void)options;
  (void)error;
  names_print(stream, out);
  counters_print(stream, out);
  for (uint32_t i = 0; i < stream->lane_count && !ferror(out); i++) {
    const struct ms_lane *lane = &stream->lanes[i];
    fprintf(out, "thread %" PRIu32 "%s, %" PRIu32 " chunk%s\n", lane->thread, lane->shared ? " (shared)" : "", lane->piece_count,
            lane->piece_count == 1 ? "" : "s");
    struct ms_rows rows;
    ms_rows_open(&rows, stream, lane);
    uint32_t piece = UINT32_MAX;
    uint64_t offset;
    for (const uint64_t *row; (row = ms_rows_next(&rows, &offset)) && !ferror(out);) {
      if (piece != rows.piece) {
        piece = rows.piece;
        fprintf(out, " chunk %" PRIu32 " at %" PRIu64 ", %" PRIu32 " words, start_ns=%" PRIu64 "\n",
                lane->pieces[piece].chunk, lane->pieces[piece].offset, lane->pieces[piece].words,
                lane->pieces[piece].start_ns);
      }
      fprintf(out, "  %10" PRIu64 "  ", offset);
      row_print(out, row);
      fputc('\n', out);
    }
  }
  return 0;
}
