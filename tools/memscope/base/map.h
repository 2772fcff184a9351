/* SPDX-License-Identifier: MIT
 *
 * A table from non-zero 64-bit keys to 32-bit values that only grows: open
 * addressing, linear probing, at most half full. For interning and counting;
 * the merge's live cells have a table of their own (reader/cell.h).
 */
#ifndef MS_BASE_MAP_H
#define MS_BASE_MAP_H

#include "base/arena.h"

#include <stdint.h>

struct ms_map_slot {
  uint64_t key; /* 0 = empty */
  uint32_t value;
};

struct ms_map {
  struct ms_arena *arena;
  struct ms_map_slot *slots;
  uint64_t seed; /* so that a stream cannot choose keys that collide */
  uint32_t bits; /* log2 of slots, 0 = none yet */
  uint32_t count;
};

void ms_map_init(struct ms_map *map, struct ms_arena *arena);

/* The key's value, made 0 when new; valid until the next call. key != 0. */
uint32_t *ms_map_at(struct ms_map *map, uint64_t key);

/* The key's value, 0 when it is not there. */
uint32_t ms_map_find(const struct ms_map *map, uint64_t key);

static inline uint64_t ms_mix(uint64_t key) {
  key = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
  key = (key ^ key >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
  return key ^ key >> 32;
}

#endif
