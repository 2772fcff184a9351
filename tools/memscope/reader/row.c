/* SPDX-License-Identifier: MIT
 *
 * Every row of a lane, as it stands.
 */
#include "reader/reader.h"

void ms_rows_open(struct ms_rows *rows, struct ms_stream *stream, const struct ms_lane *lane) {
  *rows = (struct ms_rows){.stream = stream, .lane = lane};
}

const uint64_t *ms_rows_next(struct ms_rows *rows, uint64_t *offset) {
  for (; rows->piece < rows->lane->piece_count; rows->piece++, rows->at = 0) {
    const struct ms_piece *piece = &rows->lane->pieces[rows->piece];
    uint32_t length = ms_row_fits(piece->rows, rows->at, piece->words);
    if (!length) continue;
    const uint64_t *row = piece->rows + rows->at;
    *offset = piece->offset + rows->at * sizeof(uint64_t);
    rows->at += length;
    return row;
  }
  return NULL;
}

const uint64_t *ms_rows_next_cold(struct ms_rows *rows, uint64_t *offset) {
  for (; rows->piece < rows->lane->piece_count; rows->piece++, rows->at = 0) {
    const struct ms_piece *piece = &rows->lane->pieces[rows->piece];
    uint32_t at = rows->at;
    while (at < piece->words && piece->rows[at] & MS_HOT) at += ms_row_words(piece->rows[at]);
    rows->at = at;
    if (ms_row_fits(piece->rows, at, piece->words)) break;
  }
  return ms_rows_next(rows, offset);
}
