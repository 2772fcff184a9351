/* SPDX-License-Identifier: MIT
 *
 * Blocks alive at the end, one by one: the MS_LIVE_MAX largest of them.
 */
#include "model/build.h"

#include <stdlib.h>

struct picks {
  struct build *build;
  struct ms_model_live *rows; /* when full a heap, the least one first */
  uint32_t count;
};

static bool live_less(const struct ms_model_live *a, const struct ms_model_live *b) {
  if (a->size_bytes != b->size_bytes) return a->size_bytes < b->size_bytes;
  if (a->born_ns != b->born_ns) return a->born_ns > b->born_ns;
  return a->address > b->address;
}

static int live_order(const void *a, const void *b) { return live_less(a, b) ? 1 : live_less(b, a) ? -1 : 0; }

static void live_sink(struct ms_model_live *heap, uint32_t count, uint32_t at) {
  struct ms_model_live row = heap[at];
  for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && live_less(&heap[child + 1], &heap[child])) child++;
    if (!live_less(&heap[child], &row)) break;
    heap[at] = heap[child];
  }
  heap[at] = row;
}

static void live_pick(void *context, uint32_t id, uint64_t address) {
  struct picks *picks = context;
  const struct block *block = &picks->build->blocks[id];
  if (id >= picks->build->block_room || !block->site) return;
  struct ms_model_live row = {.address = address,
                              .size_bytes = block->size,
                              .born_ns = block->born_ns,
                              .site_id = block->site,
                              .thread_id = block->thread,
                              .reallocations = block->reallocations};
  if (picks->count < MS_LIVE_MAX) {
    picks->rows[picks->count++] = row;
    if (picks->count < MS_LIVE_MAX) return;
    for (uint32_t at = picks->count / 2; at-- > 0;) live_sink(picks->rows, picks->count, at);
  } else if (live_less(&picks->rows[0], &row)) {
    picks->rows[0] = row;
    live_sink(picks->rows, picks->count, 0);
  }
}

void ms_live_take(struct build *build, const struct ms_merge *merge, struct ms_model *model,
                  const uint32_t *site_ids) {
  struct picks picks = {.build = build,
                        .rows = ms_arena_array(build->arena, MS_LIVE_MAX, sizeof *picks.rows)};
  ms_merge_each_live(merge, live_pick, &picks);
  if (picks.count) qsort(picks.rows, picks.count, sizeof *picks.rows, live_order);
  for (uint32_t i = 0; i < picks.count; i++) picks.rows[i].site_id = site_ids[picks.rows[i].site_id];
  model->live = picks.rows;
  model->live_count = picks.count;
}
