/* SPDX-License-Identifier: MIT
 *
 * Pairs of a merge, and two merges' pairs against each other.
 */
#include "reader/pairs.h"

#include "base/arena.h"

enum { BATCH = 1024, ROW_ALIGN = 8 };

struct births {
  uint64_t *offsets; /* of the row that gave the block its address, by block */
  uint32_t room;
};

static uint64_t *birth_at(struct ms_arena *arena, struct births *births, uint32_t block) {
  if (block >= births->room) {
    uint32_t room = births->room ? births->room * 2 : 4096;
    while (room <= block) room *= 2;
    births->offsets = ms_arena_grow(arena, births->offsets, births->room * sizeof *births->offsets,
                                    room * sizeof *births->offsets);
    births->room = room;
  }
  return &births->offsets[block];
}

static bool gives_address(unsigned kind) {
  return kind == MS_EVENT_ALLOC || kind == MS_EVENT_REALLOC || kind == MS_EVENT_UNBORN_REALLOC;
}

static bool ends_address(unsigned kind) {
  return kind == MS_EVENT_FREE || kind == MS_EVENT_UNBORN_FREE || kind == MS_EVENT_REALLOC ||
         kind == MS_EVENT_REALLOC_FREE || kind == MS_EVENT_ENDED || kind == MS_EVENT_UNSAMPLED;
}

bool ms_pairs_walk(struct ms_stream *stream, enum ms_merge_order order, ms_pair_fn *on_pair, void *context,
                   struct ms_merge_counts *counts) {
  struct ms_merge *merge = ms_merge_open(stream, order);
  if (!merge) return false;
  struct ms_event *events = ms_arena_array(stream->arena, BATCH, sizeof *events);
  struct births births = {0};
  uint32_t count;
  while ((count = ms_merge_next(merge, events, BATCH)))
    for (uint32_t i = 0; i < count; i++) {
      const struct ms_event *event = &events[i];
      if (ends_address(event->kind))
        on_pair(context, event, event->block ? *birth_at(stream->arena, &births, event->block) : 0);
      if (gives_address(event->kind)) *birth_at(stream->arena, &births, event->block) = event->offset;
    }
  *counts = *ms_merge_counts(merge);
  ms_merge_close(merge);
  return true;
}

/* ---- two orders ---- */

/* Births by the row they belong to. Rows lie at multiples of 8 in the file and
 * only within lanes' pieces: one slot for each word of them. */
struct ledger {
  struct ms_stream *stream;
  uint64_t *births; /* file offset / 8 -> birth + 1, 0 = no pair */
  struct ms_pairs_check *check;
};

static void pair_keep(void *context, const struct ms_event *event, uint64_t birth) {
  struct ledger *ledger = context;
  ledger->births[ms_stream_dense(ledger->stream, event->offset) / ROW_ALIGN] = birth + 1;
}

static void pair_compare(void *context, const struct ms_event *event, uint64_t birth) {
  struct ledger *ledger = context;
  uint64_t *kept = &ledger->births[ms_stream_dense(ledger->stream, event->offset) / ROW_ALIGN];
  ledger->check->pairs++;
  ledger->check->mismatches += *kept != birth + 1;
  *kept = 0;
}

bool ms_pairs_compare(struct ms_stream *stream, struct ms_pairs_check *check) {
  *check = (struct ms_pairs_check){0};
  uint64_t words = ms_stream_bytes(stream) / ROW_ALIGN + 1;
  struct ledger ledger = {.stream = stream, .check = check};
  ledger.births = ms_arena_array(stream->arena, words, sizeof *ledger.births);
  struct ms_merge_counts oracle, counts;
  if (!ms_pairs_walk(stream, MS_ORDER_SERIALS, pair_keep, &ledger, &oracle)) return false;
  if (!ms_pairs_walk(stream, MS_ORDER_GENERATIONS, pair_compare, &ledger, &counts)) return false;
  for (uint64_t i = 0; i < words; i++) check->mismatches += ledger.births[i] != 0;
  check->events = counts.events;
  check->oracle_events = oracle.events;
  check->forced = counts.forced;
  check->parked = counts.parked;
  return true;
}
