/* SPDX-License-Identifier: MIT
 *
 * The growing table of 64-bit keys.
 */
#include "base/map.h"

#include <time.h>

void ms_map_init(struct ms_map *map, struct ms_arena *arena) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  *map = (struct ms_map){.arena = arena, .seed = ms_mix((uint64_t)now.tv_nsec ^ (uintptr_t)map)};
}

static struct ms_map_slot *slot_find(const struct ms_map *map, uint64_t key) {
  uint64_t mask = (UINT64_C(1) << map->bits) - 1;
  uint64_t at = ms_mix(key ^ map->seed) & mask;
  while (map->slots[at].key && map->slots[at].key != key) at = (at + 1) & mask;
  return &map->slots[at];
}

static void map_grow(struct ms_map *map) {
  struct ms_map old = *map;
  map->bits = old.bits ? old.bits + 1 : 6;
  map->slots = ms_arena_array(map->arena, (size_t)1 << map->bits, sizeof *map->slots);
  if (!old.bits) return;
  size_t slots = (size_t)1 << old.bits;
  for (size_t i = 0; i < slots; i++)
    if (old.slots[i].key) *slot_find(map, old.slots[i].key) = old.slots[i];
  ms_arena_give_back(map->arena, old.slots, slots * sizeof *old.slots);
}

uint32_t *ms_map_at(struct ms_map *map, uint64_t key) {
  if (map->count >= ((UINT64_C(1) << map->bits) >> 1)) map_grow(map);
  struct ms_map_slot *slot = slot_find(map, key);
  if (!slot->key) {
    slot->key = key;
    map->count++;
  }
  return &slot->value;
}

uint32_t ms_map_find(const struct ms_map *map, uint64_t key) {
  if (!map->bits) return 0;
  const struct ms_map_slot *slot = slot_find(map, key);
  return slot->key ? slot->value : 0;
}
