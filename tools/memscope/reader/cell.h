/* SPDX-License-Identifier: MIT
 *
 * The merge's table of addresses: what each one's state is. A cell's key is
 * laid out as a hot row's word, so that one compare answers "this address, this
 * generation":
 *
 *   63                                20 19        8 7       0
 *   +----------------------------------+-----------+---------+
 *   | address >> 3 (44)                | gen (12)  | flags   |
 *   +----------------------------------+-----------+---------+
 *
 * The four cells of 64 neighbouring bytes share a cache line; lines are
 * scattered. (Larger neighbourhoods overlap one another and make long probes.)
 * Linear probing, at most 5/8 full.
 */
#ifndef MS_READER_CELL_H
#define MS_READER_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MS_CELL_LIVE = 1,
  MS_CELL_SEEN = 2,   /* gen is known */
  MS_CELL_WAITED = 4, /* a lane waits for a change of it */
};

struct ms_cell {
  uint64_t key;   /* 0 = empty */
  uint32_t block; /* LIVE: its number */
  uint32_t lane;  /* that changed it last */
};

struct ms_cells {
  struct ms_cell *cells;
  uint64_t mask;
  uint32_t shift; /* 64 - log2 of cells */
  uint64_t count, most;
  uint64_t multiplier; /* odd, not known to who wrote the stream */
  bool forget;         /* freed cells may go when it grows: one lane only */
};

/* 0: no memory */
bool ms_cells_init(struct ms_cells *cells, bool forget);
void ms_cells_fini(struct ms_cells *cells);
bool ms_cells_grow(struct ms_cells *cells);

static inline uint64_t ms_cell_slot(const struct ms_cells *cells, uint64_t addr8) {
  return ((addr8 >> 3) * cells->multiplier >> cells->shift & ~UINT64_C(3)) | (addr8 >> 1 & 3);
}

/* The address's cell, NULL when it has none. */
static inline struct ms_cell *ms_cell_find(const struct ms_cells *cells, uint64_t addr8) {
  for (uint64_t at = ms_cell_slot(cells, addr8);; at = (at + 1) & cells->mask) {
    struct ms_cell *cell = &cells->cells[at];
    if (cell->key >> 20 == addr8 && cell->key) return cell;
    if (!cell->key) return NULL;
  }
}

/* The address's cell; a new one is all zero but for its key's address, and
 * stays one only if flags are set in it before the next call. addr8 != 0.
 * There must be room: see ms_cells_room. */
static inline struct ms_cell *ms_cell_at(struct ms_cells *cells, uint64_t addr8) {
  for (uint64_t at = ms_cell_slot(cells, addr8);; at = (at + 1) & cells->mask) {
    struct ms_cell *cell = &cells->cells[at];
    if (cell->key >> 20 == addr8) return cell;
    if (!cell->key) {
      cell->key = addr8 << 20;
      cells->count++;
      return cell;
    }
  }
}

/* Called before ms_cell_at: true when a cell may be added. */
static inline bool ms_cells_room(struct ms_cells *cells) {
  return cells->count < cells->most || ms_cells_grow(cells);
}

static inline void ms_cell_prefetch(const struct ms_cells *cells, uint64_t addr8) {
  __builtin_prefetch(&cells->cells[ms_cell_slot(cells, addr8)], 1);
}

#endif
