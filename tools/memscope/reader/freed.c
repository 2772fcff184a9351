/* SPDX-License-Identifier: MIT
 *
 * Generations of addresses that hold no block.
 */
#include "reader/freed.h"

#include "base/arena.h"

enum {
  LEAF_BITS = 6,
  LEAF_WORDS = 1 << LEAF_BITS,
  ROW_LEAVES = 1024, /* taken at a time */
  GEN_BITS = 12,
  LANES = (1 << (32 - GEN_BITS)) - 1,
};

/* A word is a generation, and above it 1 + the lane; 0: nothing is known. */
struct leaf {
  uint32_t words[LEAF_WORDS];
};

struct ms_freed {
  struct ms_arena *arena;
  struct ms_map leaves; /* their numbers from 1, by the addresses they are of */
  struct leaf **rows;
  uint32_t rows_room;
};

struct ms_freed *ms_freed_new(struct ms_arena *arena) {
  struct ms_freed *freed = ms_arena_get(arena, sizeof *freed);
  freed->arena = arena;
  ms_map_init(&freed->leaves, arena);
  return freed;
}

/* Multiples of 16 beside one another, and the rare odd multiples of 8 by themselves. */
static uint64_t leaf_key(uint64_t addr8) { return 1 + (addr8 >> (LEAF_BITS + 1) << 1 | (addr8 & 1)); }

static uint32_t *word_at(const struct ms_freed *freed, uint32_t number, uint64_t addr8) {
  struct leaf *leaf = &freed->rows[(number - 1) / ROW_LEAVES][(number - 1) % ROW_LEAVES];
  return &leaf->words[addr8 >> 1 & (LEAF_WORDS - 1)];
}

static void leaf_make(struct ms_freed *freed, uint32_t number) {
  uint32_t row = (number - 1) / ROW_LEAVES;
  if (row >= freed->rows_room) {
    uint32_t room = 16 + 2 * freed->rows_room;
    size_t bytes = sizeof *freed->rows;
    freed->rows = ms_arena_grow(freed->arena, freed->rows, freed->rows_room * bytes, room * bytes);
    freed->rows_room = room;
  }
  if (!freed->rows[row]) freed->rows[row] = ms_arena_array(freed->arena, ROW_LEAVES, sizeof(struct leaf));
}

bool ms_freed_put(struct ms_freed *freed, const struct ms_cell *cell) {
  uint64_t addr8 = cell->key >> 20;
  if (cell->lane >= LANES) return false;
  uint32_t *number = ms_map_at(&freed->leaves, leaf_key(addr8));
  if (!*number) leaf_make(freed, *number = freed->leaves.count);
  *word_at(freed, *number, addr8) = (cell->lane + 1) << GEN_BITS | (uint32_t)(cell->key >> 8 & ((1 << GEN_BITS) - 1));
  return true;
}

void ms_freed_get(const struct ms_freed *freed, struct ms_cell *cell) {
  uint64_t addr8 = cell->key >> 20;
  uint32_t number = ms_map_find(&freed->leaves, leaf_key(addr8));
  uint32_t word = number ? *word_at(freed, number, addr8) : 0;
  if (!word) return;
  cell->key |= (uint64_t)(word & ((1 << GEN_BITS) - 1)) << 8 | MS_CELL_SEEN;
  cell->lane = (word >> GEN_BITS) - 1;
}
