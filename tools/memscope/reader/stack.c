/* SPDX-License-Identifier: MIT
 *
 * What a thread's call stacks mean. A stack may be defined behind its use where rows
 * were lost or another order is asked for: each lane has a second cursor here that runs
 * ahead of the merge's, only as far as somebody asks, and passes each row once.
 */
#include "reader/index.h"

#include "base/arena.h"
#include "base/map.h"

struct definition {
  const uint64_t *row;
  uint64_t ns;
};

struct scan {
  struct ms_rows rows;
  uint32_t piece;
  uint64_t ns;
  bool done;
};

struct ms_stacks {
  struct ms_map index; /* thread << 32 | id -> definition, from 1 */
  struct definition *definitions;
  uint32_t count, room;
  struct scan *scans; /* one a lane */
};

struct ms_stacks *ms_stacks_new(struct ms_stream *stream) {
  struct ms_stacks *stacks = ms_arena_get(stream->arena, sizeof *stacks);
  ms_map_init(&stacks->index, stream->arena);
  stacks->scans = ms_arena_array(stream->arena, (size_t)stream->lane_count + 1, sizeof *stacks->scans);
  for (uint32_t i = 0; i < stream->lane_count; i++) {
    struct scan *scan = &stacks->scans[i];
    ms_rows_open(&scan->rows, stream, &stream->lanes[i]);
    scan->piece = UINT32_MAX;
  }
  return stacks;
}

static uint64_t stack_key(uint32_t thread, uint32_t stack) { return (uint64_t)thread << 32 | stack; }

/* The first definition holds. */
static void definition_add(struct ms_stream *stream, uint64_t key, struct definition definition) {
  struct ms_stacks *stacks = stream->stacks;
  uint32_t *at = ms_map_at(&stacks->index, key);
  if (*at) return;
  if (stacks->count == stacks->room) {
    uint32_t room = stacks->room ? stacks->room * 2 : 256;
    stacks->definitions = ms_arena_grow(stream->arena, stacks->definitions, stacks->count * sizeof definition,
                                       room * sizeof definition);
    stacks->room = room;
  }
  stacks->definitions[stacks->count++] = definition;
  *at = stacks->count;
}

static uint32_t scan_until(struct ms_stream *stream, struct scan *scan, uint64_t key) {
  const struct ms_lane *lane = scan->rows.lane;
  uint64_t offset;
  const uint64_t *row;
  while ((row = ms_rows_next_cold(&scan->rows, &offset))) {
    if (scan->piece != scan->rows.piece) {
      scan->piece = scan->rows.piece;
      scan->ns = lane->pieces[scan->piece].start_ns;
    }
    if (lane->pieces[scan->piece].denied) continue;
    uint8_t tag = (uint8_t)*row;
    if (tag == MS_TAG_TIME) scan->ns = ms_get_time(row).ns;
    if (tag != MS_TAG_STACK) continue;
    definition_add(stream, stack_key(lane->thread, (uint32_t)ms_get_stack(row).id), (struct definition){.row = row, .ns = scan->ns});
    uint32_t found = ms_map_find(&stream->stacks->index, key);
    if (found) return found;
  }
  scan->done = true;
  return 0;
}

static uint32_t first_lane(const struct ms_stream *stream, uint32_t thread) {
  uint32_t low = 0, high = stream->lane_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (stream->lanes[middle].thread < thread)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static const struct definition *definition_find(struct ms_stream *stream, uint32_t thread, uint32_t stack) {
  struct ms_stacks *stacks = stream->stacks;
  uint64_t key = stack_key(thread, stack);
  uint32_t found = ms_map_find(&stacks->index, key);
  for (uint32_t i = first_lane(stream, thread);
       !found && i < stream->lane_count && stream->lanes[i].thread == thread; i++)
    if (!stacks->scans[i].done) found = scan_until(stream, &stacks->scans[i], key);
  return found ? &stacks->definitions[found - 1] : NULL;
}

struct ms_frames ms_stream_stack(struct ms_stream *stream, uint32_t thread, uint32_t stack) {
  const struct definition *definition = stack ? definition_find(stream, thread, stack) : NULL;
  if (!definition) return (struct ms_frames){0};
  return (struct ms_frames){.addresses = definition->row + 1,
                            .count = (uint32_t)ms_get_stack(definition->row).words,
                            .ns = definition->ns};
}
