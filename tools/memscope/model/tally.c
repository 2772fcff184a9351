/* SPDX-License-Identifier: MIT
 *
 * Counts per site and id: by which threads, where freed, by which function.
 */
#include "model/build.h"

#include <stdlib.h>

static uint32_t tally_find(struct build *build, uint32_t site, enum tally_kind kind, uint32_t id) {
  uint32_t *at = ms_map_at(&build->tally_index, (uint64_t)site << 34 | (uint64_t)kind << 32 | id);
  if (*at) return *at;
  uint32_t tally = *at = ++build->tally_count;
  MS_TABLE_ROOM(build, build->tallies, tally, build->tally_room);
  build->tallies[tally] = (struct tally){.id = id, .next = build->sites[site].tallies[kind]};
  build->sites[site].tallies[kind] = tally;
  return tally;
}

void ms_tally_add(struct build *build, uint32_t site, enum tally_kind kind, uint32_t id, uint64_t by) {
  if (!by) return;
  uint32_t tally = tally_find(build, site, kind, id);
  build->tallies[tally].count += by;
}

static int tally_order(const void *a, const void *b) {
  const struct ms_tally *x = a, *y = b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

struct ms_tallies ms_tallies_take(struct build *build, uint32_t id, enum tally_kind kind) {
  struct site *site = &build->sites[id];
  ms_tally_add(build, id, kind, site->streak[kind].id, site->streak[kind].count);
  site->streak[kind].count = 0;
  uint32_t count = 0;
  for (uint32_t at = site->tallies[kind]; at; at = build->tallies[at].next)
    count += build->tallies[at].count > 0;
  struct ms_tally *rows = ms_arena_array(build->arena, count, sizeof *rows);
  uint32_t to = 0;
  for (uint32_t at = site->tallies[kind]; at; at = build->tallies[at].next)
    if (build->tallies[at].count)
      rows[to++] = (struct ms_tally){build->tallies[at].id, build->tallies[at].count};
  if (count) qsort(rows, count, sizeof *rows, tally_order);
  return (struct ms_tallies){rows, count};
}
