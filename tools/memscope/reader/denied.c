/* SPDX-License-Identifier: MIT
 *
 * Rows of a piece whose checksum denies them. No event comes of them, but one: where
 * a row names a live block by address and generation, 56 bits that the block's own row
 * vouches for, that block has ended. Sizes, names, times and serials are vouched for by
 * nothing. Blocks given there are kept in their cells, without a number, so that their
 * later rows find the address in the state they ask for: a good free of one is of a
 * block that was never seen.
 *
 * Words that are no such row may be the damaged ones, and so have been a free: they are
 * counted as doubts.
 */
#include "reader/accept.h"

#include "pack/rows.h"
#include "reader/index.h"

/* Ends a block that the rest of the stream knows; of one given by a denied row nobody knows. */
static void block_end(struct ms_merge *merge, const struct run *run, uint64_t word, uint32_t block) {
  if (!block) return;
  event_put(merge, run, MS_EVENT_DENIED, word & ~UINT64_C(0xff))->block = block;
  block_put(merge, block);
}

/* Whatever came of it: one that fails has its block live on, but it has begun without one. */
static void realloc_end(struct ms_merge *merge, struct run *run) {
  struct open_realloc open = open_take(run);
  block_end(merge, run, open.word, open.block);
}

static void cell_give(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  if (ms_word_op(word) == MS_OP_REALLOC_END) realloc_end(merge, run);
  if (cell->key & MS_CELL_LIVE) block_end(merge, run, cell->key, cell->block);
  cell_set(cell, run, word, 0);
  cell->key |= MS_CELL_LIVE | MS_CELL_DENIED;
}

/* What seems to begin a reallocation may have been a free: the block has ended in any case. */
static void cell_take(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint32_t block = cell->block;
  cell_set(cell, run, run->at[0], 0);
  if (ms_word_op(run->at[0]) == MS_OP_REALLOC_BEGIN) ms_open_add(merge, run, 0);
  block_end(merge, run, run->at[0], block);
}

/* An address nothing is known of, or the block behind the live one: that has gone. */
static bool gives_next(uint64_t word, const struct ms_cell *cell) {
  if (!ms_word_gives(word)) return false;
  return !(cell->key & MS_CELL_SEEN) || ms_word_gen(word) == ((ms_word_gen(cell->key) + 1) & MS_GEN_MASK);
}

/* Neither a row's word nor its length is to be trusted: the next one may be behind it. */
static void doubt(struct ms_merge *merge, struct run *run) {
  merge->counts.doubts++;
  run->at++;
}

void ms_accept_denied(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  bool due = ms_word_due(word, cell);
  run->stamp_ns = 0;
  if (ms_word_gives(word) && (due || gives_next(word, cell))) {
    cell_give(merge, run, cell);
    run->at += 2;
  } else if (!ms_word_gives(word) && due) {
    cell_take(merge, run, cell);
    run->at++;
  } else {
    doubt(merge, run);
  }
}

/* At address 0, or a realloc that fails. */
void ms_accept_denied_cell_less(struct ms_merge *merge, struct run *run) {
  enum ms_op op = ms_word_op(*run->at);
  if (op == MS_OP_REALLOC_BEGIN) {
    ms_open_add(merge, run, 0);
    run->at++;
  } else if (op == MS_OP_REALLOC_END && run->open_count) {
    realloc_end(merge, run);
    run->at += 2;
  } else {
    doubt(merge, run);
  }
}

/* Text, or a call stack: they have more than fields. */
static bool text_holds(const uint64_t *words, uint32_t length) {
  uint8_t tag = (uint8_t)*words;
  if (tag == MS_TAG_STACK) return length - 1 <= MS_STACK_FRAMES && !(*words >> 54);
  bool is_text = tag == MS_TAG_THREAD_NAME || tag == MS_TAG_EXEC || tag == MS_TAG_MARK || tag == MS_TAG_SNAPSHOT;
  return is_text && !(*words >> 44) && (ms_get_thread_name(words).bytes + 7) / 8 == length - 1;
}

uint32_t ms_row_denied(const uint64_t *rows, uint32_t at, uint32_t words) {
  uint32_t length = ms_row_fits(rows, at, words);
  return length && (ms_row_known(rows + at, length) || text_holds(rows + at, length)) ? length : 0;
}

/* Is there a row among its words that ends a live block? Then it is not as long as it says. */
static bool row_swallows(const struct ms_merge *merge, const uint64_t *row, uint32_t length) {
  for (uint32_t i = 1; i < length; i++) {
    if (!(row[i] & MS_HOT) || ms_word_gives(row[i]) || !(row[i] >> 20)) continue;
    const struct ms_cell *cell = ms_cell_find(&merge->cells, row[i] >> 20);
    if (cell && ms_word_due(row[i], cell)) return true;
  }
  return false;
}

uint64_t ms_denied_next_ns(const struct ms_piece *in, const uint64_t *row, uint64_t behind_ns) {
  const uint64_t *at = row + 1, *end = in->rows + in->words;
  for (uint32_t length; at < end; at += length ? length : 1) {
    length = ms_row_fits(at, 0, (uint32_t)(end - at));
    if ((uint8_t)*at == MS_TAG_TIME) return ms_get_time(at).ns;
  }
  return behind_ns;
}

/* Not before the piece begins, nor behind the next time that is told. */
uint64_t ms_denied_ns(const struct ms_merge *merge, const struct ms_lane *lane, uint32_t piece, const uint64_t *row) {
  const struct ms_piece *in = &lane->pieces[piece];
  uint64_t ns = ms_get_time(row).ns, behind_ns = merge->stream->header.end_ns;
  if (piece + 1 < lane->piece_count) behind_ns = lane->pieces[piece + 1].start_ns;
  return ns >= in->start_ns && ns <= ms_denied_next_ns(in, row, behind_ns) ? ns : 0;
}

static bool cold_holds(const struct ms_merge *merge, const struct run *run, uint32_t length) {
  if ((uint8_t)*run->at == MS_TAG_TIME) return ms_denied_ns(merge, run->lane, run->piece - 1, run->at);
  if ((uint8_t)*run->at == MS_TAG_STAMP && !merge->serials) return false;
  return ms_row_denied(run->at, 0, length) && !row_swallows(merge, run->at, length);
}

/* Serials may go on to where the first row that is vouched for stands. */
static void serial_take(struct run *run) {
  uint64_t serial = ms_get_stamp(run->at).serial;
  if (serial > run->serial && serial < run->serial_most) run->serial = serial;
}

void ms_accept_denied_cold(struct ms_merge *merge, struct run *run, uint32_t length) {
  uint8_t tag = (uint8_t)*run->at;
  if (!cold_holds(merge, run, length)) {
    doubt(merge, run);
    return;
  }
  if (tag == MS_TAG_TIME && ms_get_time(run->at).ns > run->lo) run->lo = ms_get_time(run->at).ns;
  if (tag == MS_TAG_STAMP) serial_take(run);
  if (tag == MS_TAG_REALLOC_FAIL || tag == MS_TAG_REALLOC_UNSAMPLED) realloc_end(merge, run);
  run->at += length;
}

bool ms_run_denied_step(struct ms_merge *merge, struct run *run) {
  if (!run->denied || run->at >= run->end) return false;
  doubt(merge, run);
  return true;
}

/* How far serials of a denied piece may go: to the next one that is vouched for. */
void ms_run_bound(const struct ms_merge *merge, struct run *run) {
  run->serial_most = UINT64_MAX;
  for (uint32_t piece = run->piece; merge->serials && piece < run->lane->piece_count; piece++) {
    const struct ms_piece *next = &run->lane->pieces[piece];
    for (uint32_t at = 0, length; !next->denied && (length = ms_row_fits(next->rows, at, next->words)); at += length)
      if ((uint8_t)next->rows[at] == MS_TAG_STAMP) {
        run->serial_most = ms_get_stamp(next->rows + at).serial;
        return;
      }
  }
}
