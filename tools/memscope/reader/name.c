/* SPDX-License-Identifier: MIT
 *
 * What a thread's names mean. A block's name is written into its allocation's
 * row later than that row was, so a chain's definition may stand behind its
 * use: each lane has a second cursor here that runs ahead of the merge's, only
 * as far as somebody asks, and passes each row once.
 */
#include "reader/index.h"

#include "base/arena.h"
#include "base/map.h"

struct definition {
  uint32_t parent, site;
  uint64_t address, ns;
  const uint64_t *row; /* of a stack */
};

/* A stack's id among the names: no name has both bits. */
#define NAME_STACK (MS_NAME_CHAIN | MS_NAME_CALLER)

struct scan {
  struct ms_rows rows;
  uint32_t piece;
  uint64_t ns;
  bool done;
};

struct ms_names {
  struct ms_map index; /* thread << 32 | name -> definition, from 1 */
  struct definition *definitions;
  uint32_t count, room;
  struct scan *scans; /* one a lane */
};

struct ms_names *ms_names_new(struct ms_stream *stream) {
  struct ms_names *names = ms_arena_get(stream->arena, sizeof *names);
  ms_map_init(&names->index, stream->arena);
  names->scans = ms_arena_array(stream->arena, (size_t)stream->lane_count + 1, sizeof *names->scans);
  for (uint32_t i = 0; i < stream->lane_count; i++) {
    struct scan *scan = &names->scans[i];
    ms_rows_open(&scan->rows, stream, &stream->lanes[i]);
    scan->piece = UINT32_MAX;
  }
  return names;
}

static uint64_t name_key(uint32_t thread, uint32_t name) { return (uint64_t)thread << 32 | name; }

/* The first definition of a name holds. */
static void definition_add(struct ms_stream *stream, uint64_t key, struct definition definition) {
  struct ms_names *names = stream->names;
  uint32_t *at = ms_map_at(&names->index, key);
  if (*at) return;
  if (names->count == names->room) {
    uint32_t room = names->room ? names->room * 2 : 256;
    names->definitions = ms_arena_grow(stream->arena, names->definitions, names->count * sizeof definition,
                                       room * sizeof definition);
    names->room = room;
  }
  names->definitions[names->count++] = definition;
  *at = names->count;
}

static void row_define(struct ms_stream *stream, uint32_t thread, const uint64_t *row, uint64_t ns) {
  if ((uint8_t)*row == MS_TAG_CHAIN) {
    struct ms_row_chain chain = ms_get_chain(row);
    definition_add(stream, name_key(thread, MS_NAME_CHAIN | (uint32_t)chain.id),
                   (struct definition){.parent = (uint32_t)chain.parent, .site = (uint32_t)chain.site});
  } else if ((uint8_t)*row == MS_TAG_STACK) {
    definition_add(stream, name_key(thread, NAME_STACK | (uint32_t)ms_get_stack(row).id), (struct definition){.row = row, .ns = ns});
  } else {
    struct ms_row_caller caller = ms_get_caller(row);
    definition_add(stream, name_key(thread, MS_NAME_CALLER | (uint32_t)caller.id),
                   (struct definition){.address = caller.address, .ns = ns});
  }
}

static uint32_t scan_until(struct ms_stream *stream, struct scan *scan, uint64_t key) {
  const struct ms_lane *lane = scan->rows.lane;
  uint64_t offset;
  const uint64_t *row;
  while ((row = ms_rows_next(&scan->rows, &offset))) {
    if (scan->piece != scan->rows.piece) {
      scan->piece = scan->rows.piece;
      scan->ns = lane->pieces[scan->piece].start_ns;
    }
    uint8_t tag = (uint8_t)*row;
    if (tag == MS_TAG_TIME) scan->ns = ms_get_time(row).ns;
    if (tag != MS_TAG_CHAIN && tag != MS_TAG_CALLER && tag != MS_TAG_STACK) continue;
    row_define(stream, lane->thread, row, scan->ns);
    uint32_t found = ms_map_find(&stream->names->index, key);
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

static const struct definition *definition_find(struct ms_stream *stream, uint32_t thread, uint32_t name) {
  struct ms_names *names = stream->names;
  uint64_t key = name_key(thread, name);
  uint32_t found = ms_map_find(&names->index, key);
  for (uint32_t i = first_lane(stream, thread);
       !found && i < stream->lane_count && stream->lanes[i].thread == thread; i++)
    if (!names->scans[i].done) found = scan_until(stream, &names->scans[i], key);
  return found ? &names->definitions[found - 1] : NULL;
}

struct ms_name ms_stream_name(struct ms_stream *stream, uint32_t thread, uint32_t name) {
  struct ms_name none = {.kind = MS_NAME_IS_NONE};
  if (!name) return none;
  if (name <= MS_NAME_SITE_MAX) return (struct ms_name){.kind = MS_NAME_IS_SITE, .site = name};
  const struct definition *definition = definition_find(stream, thread, name);
  if (!definition || definition->row) return none;
  if (name & MS_NAME_CALLER)
    return (struct ms_name){.kind = MS_NAME_IS_CALLER, .address = definition->address, .ns = definition->ns};
  return (struct ms_name){.kind = MS_NAME_IS_CHAIN, .site = definition->site, .parent = definition->parent};
}

struct ms_frames ms_stream_stack(struct ms_stream *stream, uint32_t thread, uint32_t stack) {
  const struct definition *definition = stack ? definition_find(stream, thread, NAME_STACK | (stack & MS_NAME_ID)) : NULL;
  if (!definition) return (struct ms_frames){0};
  return (struct ms_frames){.addresses = definition->row + 1,
                            .count = (uint32_t)ms_get_stack(definition->row).words,
                            .ns = definition->ns};
}
