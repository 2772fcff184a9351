/* SPDX-License-Identifier: MIT
 *
 * Replays the merged events: the live set, and what is summed by site, type,
 * holder, module and thread. About 25 ns an event, half of it the block's and
 * the site's cache lines; the batch is looked through ahead to fetch them.
 *
 * The peak's composition costs nothing until a site changes: each new peak of
 * the process gets a serial, and a site notes its part of the latest one just
 * before it next changes.
 */
#include "model/build.h"

enum { BATCH = 1024, AHEAD = 12 };

/* ---- a site's live bytes ---- */

static void sum_add(struct sum *sum, uint64_t bytes) {
  sum->live_bytes += bytes;
  if (sum->live_bytes > sum->peak_bytes) sum->peak_bytes = sum->live_bytes;
}

static void site_before_change(struct build *build, struct site *site) {
  if (site->peak_serial != build->peak_serial) {
    site->peak_serial = build->peak_serial;
    site->bytes_at_peak = site->live_bytes;
    site->blocks_at_peak = site->live_blocks;
  }
  if (site->cut != build->timeline.serial) ms_timeline_mark(build, site);
}

static inline void site_gain(struct build *build, struct site *site, struct worth worth) {
  site_before_change(build, site);
  site->live_blocks += worth.blocks;
  site->live_bytes += worth.bytes;
  if (site->live_bytes > site->peak_bytes) site->peak_bytes = site->live_bytes;
  if (site->live_blocks > site->peak_blocks) site->peak_blocks = site->live_blocks;
  sum_add(&build->holders[site->holder].sum, worth.bytes);
  sum_add(&build->modules[site->module].sum, worth.bytes);
  if (site->type) sum_add(&build->types[site->type].sum, worth.bytes);
  if (build->sampling.kind) ms_doubt_gain(build, site, worth);
}

static inline void site_lose(struct build *build, struct site *site, struct worth worth) {
  site_before_change(build, site);
  site->live_blocks -= worth.blocks;
  site->live_bytes -= worth.bytes;
  build->holders[site->holder].sum.live_bytes -= worth.bytes;
  build->modules[site->module].sum.live_bytes -= worth.bytes;
  if (site->type) build->types[site->type].sum.live_bytes -= worth.bytes;
  if (build->sampling.kind) ms_doubt_lose(build, site, worth);
}

/* ---- the process ---- */

/* Called before anything is changed by an event. */
static void time_pass(struct build *build, uint64_t ns) {
  struct timeline *t = &build->timeline;
  if (ns > build->now_ns) build->now_ns = ns;
  if (build->now_ns >= t->due_ns || t->open.end_event >= t->due_event) ms_timeline_cut(build);
}

static void process_gain(struct build *build, struct worth worth) {
  struct ms_model_totals *totals = &build->totals;
  totals->live_bytes += worth.bytes;
  totals->live_blocks += worth.blocks;
}

static void process_lose(struct build *build, struct worth worth) {
  build->totals.live_bytes -= worth.bytes;
  build->totals.live_blocks -= worth.blocks;
}

/* Called behind each event: one more, and perhaps a new peak. */
static inline void event_done(struct build *build) {
  struct ms_model_totals *totals = &build->totals;
  struct sample *open = &build->timeline.open;
  totals->events++;
  open->end_event = totals->events;
  open->end_ns = build->now_ns;
  open->live_bytes = totals->live_bytes;
  open->live_blocks = totals->live_blocks;
  if (build->sampling.kind) open->end_worth = ms_sampling_events(totals);
  if (totals->live_bytes > open->most_bytes) open->most_bytes = totals->live_bytes;
  if (totals->live_bytes <= totals->peak_bytes) return;
  totals->peak_bytes = totals->live_bytes;
  totals->peak_blocks = totals->live_blocks;
  totals->peak_time_ns = build->now_ns;
  build->peak_serial++;
}

/* ---- blocks ---- */

static inline struct block *block_at(struct build *build, uint32_t id) {
  MS_TABLE_ROOM(build, build->blocks, id, build->block_room);
  return &build->blocks[id];
}

static void size_seen(struct site *site, uint64_t bytes) {
  if (bytes < site->smallest) site->smallest = bytes;
  if (bytes > site->largest) site->largest = bytes;
}

static void thread_before_turn(const struct build *build, struct thread *thread) {
  if (thread->peak_serial == build->peak_serial) return;
  thread->peak_serial = build->peak_serial;
  thread->turn_at_peak = thread->turn;
}

/* Was this block, as it is now, there at the peak? */
static bool block_was_at_peak(struct build *build, const struct block *block) {
  struct thread *owner = &build->threads[block->thread];
  thread_before_turn(build, owner);
  return (int32_t)(block->turn - owner->turn_at_peak) <= 0;
}

/* One more for the figure `field` of a site, its thread and the process. */
#define DOUBT(build, site, thread, field, variance)                                                          \
  do {                                                                                                       \
    if (!(build)->sampling.kind) break;                                                                      \
    ms_site_doubt(build, site)->field += (variance);                                                         \
    (build)->sampling.threads[thread].field += (variance);                                                   \
    (build)->sampling.totals.field += (variance);                                                            \
  } while (0)

static inline void block_born(struct build *build, const struct ms_event *event, struct block *block,
                              uint32_t id, uint32_t thread, struct worth worth) {
  struct site *site = &build->sites[id];
  struct thread *by = &build->threads[thread];
  thread_before_turn(build, by);
  *block = (struct block){.size = event->size,
                          .born_ns = event->ns,
                          .turn = ++by->turn,
                          .site = id,
                          .thread = thread,
                          .fn = event->fn};
  by->live_blocks += worth.blocks;
  by->live_bytes += worth.bytes;
  by->out.allocated_bytes += worth.bytes;
  site->allocated_bytes += worth.bytes;
  size_seen(site, event->size);
  site_gain(build, site, worth);
  process_gain(build, worth);
  build->totals.allocated_bytes += worth.bytes;
  build->timeline.open.allocated_bytes += worth.bytes;
  build->sampling.samples++;
  DOUBT(build, site, thread, allocated_bytes, worth.bytes_doubt);
  if (event->stack) ms_stack_born(build, event, thread, id, worth);
}

static inline void block_gone(struct build *build, struct block *block, struct worth worth) {
  struct thread *owner = &build->threads[block->thread];
  owner->live_blocks -= worth.blocks;
  owner->live_bytes -= worth.bytes;
  site_lose(build, &build->sites[block->site], worth);
  process_lose(build, worth);
  if (build->block_pairs) ms_stack_gone(build, block, worth);
  block->site = 0;
}

/* What counts for more than one has no streaks. */
static inline void tally(struct build *build, uint32_t id, enum tally_kind kind, uint32_t what, struct worth worth) {
  if (worth.blocks == 1) ms_tally_count(build, id, kind, what);
  else ms_tally_add(build, id, kind, what, worth.blocks);
}

static void on_alloc(struct build *build, const struct ms_event *event, uint32_t thread) {
  struct block *block = block_at(build, event->block);
  uint32_t id = ms_site_named(build, event->name);
  struct site *site = &build->sites[id];
  struct worth worth = ms_worth(build, event->size);
  if (!site->allocations) site->first_ns = build->now_ns;
  site->allocations += worth.blocks;
  site->last_ns = build->now_ns;
  tally(build, id, TALLY_ALLOC_THREAD, thread, worth);
  tally(build, id, TALLY_FUNCTION, event->fn, worth);
  block_born(build, event, block, id, thread, worth);
  build->threads[thread].out.allocations += worth.blocks;
  build->totals.allocations += worth.blocks;
  build->timeline.open.allocations += worth.blocks;
  DOUBT(build, site, thread, allocations, worth.blocks_doubt);
  event_done(build);
}

static inline uint32_t freed_at(struct build *build, struct thread *by, uint32_t name) {
  if (name == by->freed_name) return by->freed_place;
  by->freed_place = ms_freed_at(build, name);
  by->freed_name = name;
  return by->freed_place;
}

static void on_free(struct build *build, const struct ms_event *event, uint32_t thread) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  uint32_t id = block->site;
  struct site *site = &build->sites[id];
  struct thread *by = &build->threads[thread], *owner = &build->threads[block->thread];
  struct worth worth = ms_worth(build, block->size);
  bool temporary = owner->turn == block->turn && !build->sampling.kind;
  site->frees += worth.blocks;
  site->temporary += temporary;
  owner->out.temporary += temporary;
  build->totals.temporary += temporary;
  ms_lifetime_count(build, site, event->ns > block->born_ns ? event->ns - block->born_ns : 0, worth.blocks);
  tally(build, id, TALLY_FREE_THREAD, thread, worth);
  tally(build, id, TALLY_PLACE, freed_at(build, by, event->place), worth);
  by->out.frees += worth.blocks;
  if (by != owner) by->out.foreign_frees += worth.blocks;
  block_gone(build, block, worth);
  build->totals.frees += worth.blocks;
  build->timeline.open.frees += worth.blocks;
  DOUBT(build, site, thread, frees, worth.blocks_doubt);
  event_done(build);
}

static void reallocation_count(struct build *build, uint32_t id, uint32_t thread, struct worth worth) {
  build->sites[id].reallocations += worth.blocks;
  build->threads[thread].out.reallocations += worth.blocks;
  build->totals.reallocations += worth.blocks;
  DOUBT(build, &build->sites[id], thread, reallocations, worth.blocks_doubt);
}

/* A block's new size, and its new name if it got one that says more than a return address. */
static void on_realloc(struct build *build, const struct ms_event *event, uint32_t thread) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  struct block old = *block;
  uint32_t id = ms_site_named(build, event->name);
  struct worth worth = ms_worth(build, event->size);
  if (build->sites[id].naming == MS_UNNAMED) id = old.site;
  block_gone(build, block, ms_worth(build, old.size));
  block_born(build, event, block, id, thread, worth);
  block->born_ns = old.born_ns;
  block->reallocations = old.reallocations == UINT16_MAX ? UINT16_MAX : old.reallocations + 1;
  block->fn = old.fn;
  reallocation_count(build, id, thread, worth);
  event_done(build);
}

static void on_unborn_realloc(struct build *build, const struct ms_event *event, uint32_t thread) {
  struct block *block = block_at(build, event->block);
  uint32_t id = ms_site_named(build, event->name);
  struct worth worth = ms_worth(build, event->size);
  block_born(build, event, block, id, thread, worth);
  block->reallocations = 1;
  reallocation_count(build, id, thread, worth);
  build->totals.unborn += !build->sampling.kind; /* sampled: it was merely not drawn before */
  event_done(build);
}

/* Its allocation now counts for the new name, also in the process's peak; what
 * the old one's own peaks were stays. */
static void on_bind(struct build *build, const struct ms_event *event) {
  struct block *block = block_at(build, event->block);
  uint32_t id = ms_site_named(build, event->name), old = block->site;
  if (!old || id == old || build->sites[id].naming == MS_UNNAMED) return;
  struct site *from = &build->sites[old], *to = &build->sites[id];
  struct worth worth = ms_worth(build, block->size);
  if (!block->reallocations) {
    from->allocations -= worth.blocks;
    if (!to->allocations) to->first_ns = build->now_ns;
    to->allocations += worth.blocks;
    to->last_ns = build->now_ns;
    ms_tally_add(build, old, TALLY_ALLOC_THREAD, block->thread, -worth.blocks);
    tally(build, id, TALLY_ALLOC_THREAD, block->thread, worth);
    ms_tally_add(build, old, TALLY_FUNCTION, block->fn, -worth.blocks);
    tally(build, id, TALLY_FUNCTION, block->fn, worth);
  } else {
    from->reallocations -= worth.blocks;
    to->reallocations += worth.blocks;
  }
  from->allocated_bytes -= worth.bytes;
  to->allocated_bytes += worth.bytes;
  size_seen(to, block->size);
  site_lose(build, from, worth);
  site_gain(build, to, worth);
  bool at_peak = block_was_at_peak(build, block);
  if (build->block_pairs) ms_stack_bind(build, block, id, worth, at_peak);
  if (at_peak) {
    from->bytes_at_peak -= worth.bytes;
    from->blocks_at_peak -= worth.blocks;
    to->bytes_at_peak += worth.bytes;
    to->blocks_at_peak += worth.blocks;
  }
  if (build->sampling.kind) ms_doubt_move(build, from, to, worth, block->reallocations != 0);
  block->site = id;
}

/* No free of anybody's: nobody knows where, or how old it grew. */
static void on_vanished(struct build *build, const struct ms_event *event, uint64_t *count) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  block_gone(build, block, ms_worth(build, block->size));
  ++*count;
}

/* Of a size nobody knows: sampled, it stands for it is not known how many. */
static void on_unborn_free(struct build *build, uint32_t thread) {
  bool counts = !build->sampling.kind;
  build->totals.frees += counts;
  build->totals.unborn++;
  build->threads[thread].out.frees += counts;
  if (counts) event_done(build);
}

static void event_take(struct build *build, const struct ms_event *event) {
  uint32_t thread = build->lane_threads[event->lane];
  time_pass(build, event->ns);
  switch (event->kind) {
  case MS_EVENT_ALLOC:
    on_alloc(build, event, thread);
    break;
  case MS_EVENT_FREE:
  case MS_EVENT_REALLOC_FREE:
    on_free(build, event, thread);
    break;
  case MS_EVENT_REALLOC:
    on_realloc(build, event, thread);
    break;
  case MS_EVENT_UNBORN_REALLOC:
    on_unborn_realloc(build, event, thread);
    break;
  case MS_EVENT_UNBORN_FREE:
    on_unborn_free(build, thread);
    break;
  case MS_EVENT_REALLOC_FAIL:
    build->totals.failed_reallocations++;
    break;
  case MS_EVENT_BIND:
    on_bind(build, event);
    break;
  case MS_EVENT_BAD_FREE:
    ms_bad_free_seen(build, event);
    break;
  case MS_EVENT_VANISHED:
    on_vanished(build, event, &build->totals.vanished);
    break;
  case MS_EVENT_ENDED:
    on_vanished(build, event, &build->totals.ended);
    break;
  case MS_EVENT_UNSAMPLED:
    on_vanished(build, event, &(uint64_t){0});
    break;
  default:
    ms_row_note(build, event);
  }
}

static void fetch_ahead(const struct build *build, const struct ms_event *event) {
  if (event->block < build->block_room) __builtin_prefetch(&build->blocks[event->block], 1);
}

void ms_replay(struct build *build, struct ms_merge *merge) {
  struct ms_event *events = ms_arena_array(build->arena, BATCH + AHEAD, sizeof *events);
  uint32_t count;
  while ((count = ms_merge_next(merge, events, BATCH))) {
    for (uint32_t i = 0; i < count; i++) {
      fetch_ahead(build, &events[i + AHEAD]); /* behind the batch: rows of an earlier one, harmless */
      event_take(build, &events[i]);
    }
  }
}
