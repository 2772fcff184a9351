/* SPDX-License-Identifier: MIT
 *
 * Growing of the merge's table of addresses.
 */
#include "reader/cell.h"

#include "base/map.h"

#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

enum { FIRST_BITS = 12, HUGE_BYTES = 4 << 20 };

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

bool ms_cells_init(struct ms_cells *cells, bool forget) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  cells->multiplier = ms_mix((uint64_t)now.tv_nsec ^ (uintptr_t)cells) | 1;
  cells->forget = forget;
  return cells_get(cells, FIRST_BITS);
}

void ms_cells_fini(struct ms_cells *cells) {
  if (cells->cells) munmap(cells->cells, (cells->mask + 1) * sizeof *cells->cells);
  cells->cells = NULL;
}

static bool cell_stays(const struct ms_cells *cells, const struct ms_cell *cell) {
  return cell->key && (!cells->forget || cell->key & (MS_CELL_LIVE | MS_CELL_WAITED));
}

bool ms_cells_grow(struct ms_cells *cells) {
  struct ms_cells old = *cells;
  uint64_t stay = 0;
  for (uint64_t i = 0; i <= old.mask; i++) stay += cell_stays(&old, &old.cells[i]);
  uint32_t bits = 64 - old.shift;
  if (stay > old.most / 2) bits++;
  if (!cells_get(cells, bits)) {
    *cells = old;
    return false;
  }
  for (uint64_t i = 0; i <= old.mask; i++)
    if (cell_stays(&old, &old.cells[i])) *ms_cell_at(cells, old.cells[i].key >> 20) = old.cells[i];
  ms_cells_fini(&old);
  return true;
}
