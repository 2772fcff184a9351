/* SPDX-License-Identifier: MIT
 *
 * Growing of the merge's table of addresses.
 */
#include "reader/cell.h"

#include "reader/freed.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { FIRST_BITS = 12, HUGE_BYTES = 4 << 20, PASSED_BYTES = 2 << 20, PASSED_CELLS = PASSED_BYTES / sizeof(struct ms_cell) };

static bool cells_get(struct ms_cells *cells, uint32_t bits) {
  size_t bytes = sizeof(struct ms_cell) << bits;
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED) return false;
  if (bytes >= HUGE_BYTES) madvise(got, bytes, MADV_HUGEPAGE);
  cells->cells = got;
  cells->mask = (UINT64_C(1) << bits) - 1;
  cells->shift = 64 - bits;
  cells->most = (UINT64_C(5) << bits) / 8;
  cells->count = 0;
  return true;
}

bool ms_cells_init(struct ms_cells *cells, struct ms_freed *freed) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  cells->multiplier = ms_mix((uint64_t)now.tv_nsec ^ (uintptr_t)cells) | 1;
  cells->freed = freed;
  return cells_get(cells, FIRST_BITS);
}

void ms_cells_fini(struct ms_cells *cells) {
  if (cells->cells) munmap(cells->cells, (cells->mask + 1) * sizeof *cells->cells);
  cells->cells = NULL;
}

static bool cell_is_needed(const struct ms_cell *cell) { return cell->key & (MS_CELL_LIVE | MS_CELL_WAITED); }

/* Or what it says is kept elsewhere, if it has to be. */
static bool cell_stays(const struct ms_cells *cells, const struct ms_cell *cell) {
  if (cell_is_needed(cell) || !cells->freed || !(cell->key & MS_CELL_SEEN)) return cell_is_needed(cell);
  return !ms_freed_put(cells->freed, cell);
}

/* Takes out in place what need not stay: from behind a line that is not full on, over
 * which no search goes, the cells of each line that stay are put where they are found
 * first now, which is never behind it. */
static void cells_tidy(struct ms_cells *cells) {
  uint64_t first = 0;
  while (cells->cells[first].key) first++;
  first += MS_CELLS_OF_LINE - first % MS_CELLS_OF_LINE;
  cells->count = 0;
  for (uint64_t i = 0; i <= cells->mask; i += MS_CELLS_OF_LINE) {
    struct ms_cell *line = &cells->cells[(first + i) & cells->mask], was[MS_CELLS_OF_LINE];
    memcpy(was, line, sizeof was);
    memset(line, 0, sizeof was);
    for (int c = 0; c < MS_CELLS_OF_LINE; c++)
      if (cell_stays(cells, &was[c])) *ms_cell_make(cells, was[c].key >> 20, NULL) = was[c];
  }
}

/* Addresses keep their order when the table doubles, so the new one fills from its
 * beginning as the old one is passed, whose pages go back: both take no more than the new. */
static bool cells_double(struct ms_cells *cells) {
  struct ms_cells old = *cells;
  if (!cells_get(cells, 64 - old.shift + 1)) {
    *cells = old;
    return false;
  }
  for (uint64_t i = 0; i <= old.mask; i++) {
    if (i && i % PASSED_CELLS == 0) madvise(&old.cells[i - PASSED_CELLS], PASSED_BYTES, MADV_DONTNEED);
    if (cell_stays(&old, &old.cells[i])) *ms_cell_make(cells, old.cells[i].key >> 20, NULL) = old.cells[i];
  }
  ms_cells_fini(&old);
  return true;
}

bool ms_cells_grow(struct ms_cells *cells) {
  uint64_t stay = 0;
  for (uint64_t i = 0; i <= cells->mask; i++) stay += cell_is_needed(&cells->cells[i]);
  if (stay > cells->most / 2) return cells_double(cells);
  cells_tidy(cells);
  return cells->count <= cells->most / 2 || cells_double(cells); /* what cannot be kept elsewhere has stayed */
}
