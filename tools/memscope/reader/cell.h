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
 * Who finds his cell taken tries the others of the line, which has been fetched,
 * before the next line, which has not: at most 5/8 full, one in 20 must.
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
  MS_CELL_DENIED = 8, /* LIVE, but given by a row that is not believed: block is 0 */
};

struct ms_cell {
  uint64_t key;   /* 0 = empty */
  uint32_t block; /* LIVE: its number */
  uint32_t lane;  /* that changed it last */
};

struct ms_freed;

struct ms_cells {
  struct ms_cell *cells;
  uint64_t mask;
  uint32_t shift; /* 64 - log2 of cells */
  uint64_t count, most;
  uint64_t multiplier; /* odd, not known to who wrote the stream */
  struct ms_freed *freed; /* where cells without a block go when it grows; NULL: nowhere, of one lane they need not be known */
};

/* 0: no memory */
bool ms_cells_init(struct ms_cells *cells, struct ms_freed *freed);
void ms_cells_fini(struct ms_cells *cells);
bool ms_cells_grow(struct ms_cells *cells);

enum { MS_CELLS_OF_LINE = 4 };

/* Where an address is looked for first. */
static inline uint64_t ms_cell_slot(const struct ms_cells *cells, uint64_t addr8) {
  return ((addr8 >> 3) * cells->multiplier >> cells->shift & ~UINT64_C(3)) | (addr8 >> 1 & 3);
}

/* Where it is looked for behind that, as the try-th one. */
static inline struct ms_cell *ms_cell_try(const struct ms_cells *cells, uint64_t slot, uint64_t try) {
  const uint64_t in_line = MS_CELLS_OF_LINE - 1;
  return &cells->cells[(((slot & ~in_line) + (try & ~in_line)) & cells->mask) | ((slot + try) & in_line)];
}

/* The address's cell, NULL when it has none. */
static inline struct ms_cell *ms_cell_find(const struct ms_cells *cells, uint64_t addr8) {
  uint64_t slot = ms_cell_slot(cells, addr8), try = 0;
  struct ms_cell *cell = &cells->cells[slot];
  while (cell->key && cell->key >> 20 != addr8) cell = ms_cell_try(cells, slot, ++try);
  return cell->key ? cell : NULL;
}

void ms_freed_get(const struct ms_freed *freed, struct ms_cell *cell); /* see freed.h */

/* The address's cell; a new one is all zero but for its key's address and what is
 * `known` of it, and stays one only if flags are set in it before the next call.
 * addr8 != 0. There must be room: see ms_cells_room. */
static inline struct ms_cell *ms_cell_make(struct ms_cells *cells, uint64_t addr8, const struct ms_freed *known) {
  uint64_t slot = ms_cell_slot(cells, addr8), try = 0;
  struct ms_cell *cell = &cells->cells[slot];
  while (cell->key >> 20 != addr8) {
    if (!cell->key) {
      cell->key = addr8 << 20;
      cells->count++;
      if (known) ms_freed_get(known, cell);
      break;
    }
    cell = ms_cell_try(cells, slot, ++try);
  }
  return cell;
}

static inline struct ms_cell *ms_cell_at(struct ms_cells *cells, uint64_t addr8) { return ms_cell_make(cells, addr8, cells->freed); }

/* Called before ms_cell_at: true when a cell may be added. */
static inline bool ms_cells_room(struct ms_cells *cells) {
  return cells->count < cells->most || ms_cells_grow(cells);
}

/* Always inline: GCC takes a function that does no more than fetch ahead for one
 * without effect, and leaves out calls of it before it would inline them. */
#define MS_FETCH static inline __attribute__((always_inline))

MS_FETCH void ms_cell_prefetch(const struct ms_cells *cells, uint64_t addr8) {
  __builtin_prefetch(&cells->cells[ms_cell_slot(cells, addr8)], 1);
}

#endif
