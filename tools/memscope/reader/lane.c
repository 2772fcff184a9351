/* SPDX-License-Identifier: MIT
 *
 * A lane's rows, and looks at rows ahead of the one that is due.
 */
#include "reader/merge.h"

#include <string.h>

/* A lane that cycles one address 4096 times within a clock step meets it more often than this. */
enum { CONTINUES_ROWS = 64 };

/* Goes to the first row of the next piece that has one; false at the lane's end. */
bool ms_run_next_piece(struct ms_merge *merge, struct run *run) {
  const struct ms_lane *lane = run->lane;
  if (ms_run_denied_step(merge, run)) return true;
  if (run->at < run->end && *run->at)
    ms_stream_problem(merge->stream, ms_run_offset(run), "a row of thread %u runs over its chunk's end",
                      run->thread);
  while (run->piece < lane->piece_count) {
    const struct ms_piece *piece = &lane->pieces[run->piece++];
    merge->counts.row_bytes += piece->words * sizeof(uint64_t);
    run->at = piece->rows;
    run->sketch_from = run->sketch_to = NULL;
    run->end = piece->rows + piece->words;
    run->bias = piece->offset - (uintptr_t)piece->rows;
    memset(run->places, 0, sizeof run->places);
    run->size_high = run->stack = 0;
    run->stamp_ns = 0;
    run->denied = piece->denied;
    if (run->denied) ms_run_bound(merge, run);
    if (piece->start_ns > run->lo) run->lo = piece->start_ns;
    if (ms_row_fits(run->at, 0, piece->words)) return true;
  }
  run->at = run->end;
  return false;
}

/* When the run's next row can have happened at the latest. The time row that
 * bounds it is looked for once and remembered until the lane has passed it. */
uint64_t ms_run_hi(struct ms_merge *merge, struct run *run) {
  if (run->hi_piece > run->piece || (run->hi_piece == run->piece && run->hi_at > run->at)) return run->hi;
  const struct ms_lane *lane = run->lane;
  const uint64_t *at = run->at, *end = run->end;
  run->hi = UINT64_MAX;
  for (uint32_t piece = run->piece;;) {
    uint32_t length = ms_row_fits(at, 0, (uint32_t)(end - at));
    uint64_t ns = 0;
    if (length && (uint8_t)*at == MS_TAG_TIME)
      ns = lane->pieces[piece - 1].denied ? ms_denied_ns(merge, lane, piece - 1, at) : ms_get_time(at).ns;
    if (!length) {
      if (piece >= lane->piece_count) {
        run->hi_piece = UINT32_MAX;
        return run->hi;
      }
      const struct ms_piece *next = &lane->pieces[piece++];
      at = next->rows;
      end = at + next->words;
      ns = next->start_ns;
      length = 0;
    }
    if (ns > run->lo) {
      run->hi_piece = piece;
      run->hi_at = at + (length > 0); /* a piece's own time is passed by entering it */
      run->hi = ns + merge->step_ns;
      return run->hi;
    }
    at += length;
  }
}

/* The place of the free at hand, which has that slot: a PLACE row behind it says
 * so, before the next event; else the one that holds from before. */
uint32_t ms_run_place(const struct run *run, uint32_t slot) {
  const uint64_t *row = run->at + 1;
  for (uint32_t length; (length = ms_row_fits(row, 0, (uint32_t)(run->end - row))) && !(*row & MS_HOT); row += length)
    if ((uint8_t)*row == MS_TAG_PLACE && ms_get_place(row).slot == slot) return (uint32_t)ms_get_place(row).name;
  return run->places[slot];
}

/* The name of the block just allocated when a BIND row at the next chunk's
 * beginning has it: its row had left the window. */
uint32_t ms_run_late_name(const struct run *run, const uint64_t *behind, uint64_t word, uint32_t name) {
  if (run->piece >= run->lane->piece_count || run->end - behind > MS_LATE_ROWS) return name;
  const struct ms_piece *next = &run->lane->pieces[run->piece];
  if (next->denied) return name;
  for (uint32_t at = 0, rows = 0, length;
       rows < MS_LATE_ROWS && (length = ms_row_fits(next->rows, at, next->words)); rows++, at += length) {
    const uint64_t *row = next->rows + at;
    if ((uint8_t)*row == MS_TAG_BIND && !((*row ^ word) >> 8)) name = (uint32_t)ms_get_bind(row).name;
  }
  return name;
}

/* A look at the lane's next CONTINUES_ROWS rows. */
struct glance {
  const uint64_t *at, *end;
  uint32_t piece, rows;
};

static struct glance glance_from(const struct run *run, uint32_t rows) {
  return (struct glance){.at = run->at, .end = run->end, .piece = run->piece, .rows = rows};
}

/* The next hot row, NULL if there is none. */
static const uint64_t *glance_hot(struct glance *glance, const struct run *run) {
  while (glance->rows) {
    glance->rows--;
    const uint64_t *row = glance->at;
    uint32_t length = ms_row_fits(row, 0, (uint32_t)(glance->end - row));
    if (!length) {
      if (glance->piece >= run->lane->piece_count) return NULL;
      const struct ms_piece *next = &run->lane->pieces[glance->piece++];
      glance->at = next->rows;
      glance->end = next->rows + next->words;
      continue;
    }
    glance->at += length;
    if (*row & MS_HOT) return row;
  }
  return NULL;
}

static const uint64_t *glance_address(struct glance *glance, const struct run *run, uint64_t addr8) {
  const uint64_t *row;
  while ((row = glance_hot(glance, run)))
    if (*row >> 20 == addr8) return row;
  return NULL;
}

/* Most addresses asked for do not come: a bit for each that does answers that
 * without a look. The sketch serves until half of its rows are passed. */
static uint64_t *sketch_word(struct run *run, uint64_t addr8, uint64_t *bit) {
  uint64_t hash = addr8 * UINT64_C(0x9e3779b97f4a7c15);
  *bit = UINT64_C(1) << (hash >> 58);
  return &run->sketch[hash >> 52 & (MS_SKETCH_WORDS - 1)];
}

static void sketch_draw(struct run *run) {
  struct glance glance = glance_from(run, 2 * CONTINUES_ROWS);
  memset(run->sketch, 0, sizeof run->sketch);
  run->sketch_from = run->sketch_to = run->at;
  const uint64_t *row;
  uint64_t bit;
  while ((row = glance_hot(&glance, run))) {
    *sketch_word(run, *row >> 20, &bit) |= bit;
    if (glance.piece == run->piece && glance.rows >= CONTINUES_ROWS) run->sketch_to = row;
  }
}

static bool sketch_has(struct run *run, uint64_t addr8) {
  uint64_t bit;
  if (run->at < run->sketch_from || run->at > run->sketch_to) sketch_draw(run);
  return *sketch_word(run, addr8, &bit) & bit;
}

/* Is the lane itself about to change this cell from its state? */
bool ms_run_continues(struct run *run, const struct ms_cell *cell) {
  if (!sketch_has(run, cell->key >> 20)) return false;
  struct glance glance = glance_from(run, CONTINUES_ROWS);
  const uint64_t *row = glance_address(&glance, run, cell->key >> 20);
  return row && ms_word_due(*row, cell);
}

/* How often the address of the lane's next row comes in the rows ahead. */
uint32_t ms_run_meets(const struct run *run) {
  struct glance glance = glance_from(run, CONTINUES_ROWS);
  uint32_t meets = 0;
  while (glance_address(&glance, run, *run->at >> 20)) meets++;
  return meets;
}

/* Is the address in one of the lane's next rows? */
bool ms_run_comes(const struct run *run, uint64_t addr8, uint32_t rows) {
  struct glance glance = glance_from(run, rows);
  return glance_address(&glance, run, addr8);
}

/* Does the reallocation that begins there fail? Then nothing happens to its
 * block, and its generation cannot say when it did not. */
bool ms_run_fails(const struct run *run) {
  const uint64_t *at = run->at + 1;
  for (uint32_t length; (length = ms_row_fits(at, 0, (uint32_t)(run->end - at))) && !(*at & MS_HOT);
       at += length)
    if ((uint8_t)*at == MS_TAG_REALLOC_FAIL) return true;
  return false;
}

/* Finds out ahead_serial and ahead_ns, once until the lane has passed that row. */
void ms_run_look_ahead(struct run *run) {
  const uint64_t *at = run->at, *end = run->end;
  uint64_t serial = run->serial, ns = run->lo;
  bool stamp = run->stamp_ns;
  if (run->ahead_known) return;
  run->ahead_known = true;
  run->ahead_serial = run->ahead_ns = UINT64_MAX;
  for (uint32_t piece = run->piece;;) {
    uint32_t length = ms_row_fits(at, 0, (uint32_t)(end - at));
    if (!length) {
      if (piece >= run->lane->piece_count) return;
      const struct ms_piece *next = &run->lane->pieces[piece++];
      at = next->rows;
      end = at + next->words;
      continue;
    }
    if (ms_row_has_stamp(*at, stamp)) break;
    if ((uint8_t)*at == MS_TAG_STAMP && !run->lane->pieces[piece - 1].denied) serial = ms_get_stamp(at).serial, ns = ms_get_stamp(at).ns, stamp = true;
    at += length;
  }
  run->ahead_serial = serial;
  run->ahead_ns = ns;
}
