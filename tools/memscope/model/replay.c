/* SPDX-License-Identifier: MIT
 *
 * Replays the merged events: the live set, and what is summed by site, type,
 * holder, module and thread. Some 150 instructions an event, and the block's
 * cache line; each batch is looked through ahead to fetch that. Whether the stream
 * is sampled is a constant in all that is done for each event (HOT).
 *
 * The peak's composition costs nothing until a site changes: each new peak of
 * the process gets a serial, and a site notes its part of the latest one just
 * before it next changes.
 */
#include "model/build.h"

#include "base/progress.h"

enum { AHEAD = 12 };

#define HOT static inline __attribute__((always_inline))

/* ---- a site's live bytes ---- */

HOT void sum_add(struct sum *sum, uint64_t bytes) {
  sum->live_bytes += bytes;
  if (sum->live_bytes > sum->peak_bytes) sum->peak_bytes = sum->live_bytes;
}

HOT void site_before_change(struct build *build, struct site *site) {
  if (site->peak_serial != build->peak_serial) {
    site->peak_serial = build->peak_serial;
    site->bytes_at_peak = site->live_bytes;
    site->blocks_at_peak = site->live_blocks;
  }
  if (site->cut != build->timeline.serial) ms_timeline_mark(build, site);
}

HOT void site_gain(struct build *build, struct site *site, struct worth worth) {
  site_before_change(build, site);
  site->live_blocks += worth.blocks;
  site->live_bytes += worth.bytes;
  if (site->live_bytes > site->peak_bytes) site->peak_bytes = site->live_bytes;
  if (site->live_blocks > site->peak_blocks) site->peak_blocks = site->live_blocks;
  sum_add(&build->holders[site->holder].sum, worth.bytes);
  sum_add(&build->modules[site->module].sum, worth.bytes);
  if (site->type) sum_add(&build->types[site->type].sum, worth.bytes);
  if (worth.estimate) ms_doubt_gain(build, site, worth);
}

HOT void site_lose(struct build *build, struct site *site, struct worth worth) {
  site_before_change(build, site);
  site->live_blocks -= worth.blocks;
  site->live_bytes -= worth.bytes;
  build->holders[site->holder].sum.live_bytes -= worth.bytes;
  build->modules[site->module].sum.live_bytes -= worth.bytes;
  if (site->type) build->types[site->type].sum.live_bytes -= worth.bytes;
  if (worth.estimate) ms_doubt_lose(build, site, worth);
}

/* ---- the process ---- */

/* Called before anything is changed by an event. */
HOT void time_pass(struct build *build, uint64_t ns) {
  struct timeline *t = &build->timeline;
  if (ns > build->now_ns) build->now_ns = ns;
  if (build->now_ns >= t->due_ns || build->totals.events >= t->due_event) ms_timeline_cut(build);
}

HOT void process_gain(struct build *build, struct worth worth) {
  struct ms_model_totals *totals = &build->totals;
  totals->live_bytes += worth.bytes;
  totals->live_blocks += worth.blocks;
}

HOT void process_lose(struct build *build, struct worth worth) {
  build->totals.live_bytes -= worth.bytes;
  build->totals.live_blocks -= worth.blocks;
}

/* Called behind each event: one more, and perhaps a new peak. */
HOT void event_done(struct build *build) {
  struct ms_model_totals *totals = &build->totals;
  struct sample *open = &build->timeline.open;
  totals->events++;
  open->end_ns = build->now_ns;
  if (totals->live_bytes > open->most_bytes) open->most_bytes = totals->live_bytes;
  if (totals->live_bytes <= totals->peak_bytes) return;
  totals->peak_bytes = totals->live_bytes;
  totals->peak_blocks = totals->live_blocks;
  totals->peak_time_ns = build->now_ns;
  build->peak_serial++;
}

/* ---- blocks ---- */

HOT struct block *block_at(struct build *build, uint32_t id) {
  MS_TABLE_ROOM(build, build->blocks, id, build->block_room);
  return &build->blocks[id];
}

HOT void size_seen(struct site *site, uint64_t bytes) {
  if (bytes < site->smallest) site->smallest = bytes;
  if (bytes > site->largest) site->largest = bytes;
}

HOT void thread_before_turn(const struct build *build, struct thread *thread) {
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

/* The site and the thread an event counts for. */
struct whose {
  struct site *site;
  struct thread *thread;
  uint32_t site_id, thread_id;
};

HOT struct whose whose(const struct build *build, uint32_t site, uint32_t thread) {
  return (struct whose){&build->sites[site], &build->threads[thread], site, thread};
}

/* One more for the figure `field` of a site, its thread and the process. */
#define DOUBT(build, of, field, worth, spread)                                                               \
  do {                                                                                                       \
    if (!(worth).estimate) break;                                                                            \
    ms_spread_add(&ms_site_doubt(build, (of).site)->field, (worth).spread);                                  \
    ms_spread_add(&(build)->sampling.threads[(of).thread_id].field, (worth).spread);                         \
    ms_spread_add(&(build)->sampling.totals.field, (worth).spread);                                          \
  } while (0)

HOT void block_born(struct build *build, const struct ms_event *event, struct block *block, struct whose of, struct worth worth) {
  thread_before_turn(build, of.thread);
  *block = (struct block){.size = event->size,
                          .born_ns = event->ns,
                          .turn = ++of.thread->turn,
                          .site = of.site_id,
                          .thread = of.thread_id,
                          .fn = event->fn};
  of.thread->live_blocks += worth.blocks;
  of.thread->live_bytes += worth.bytes;
  of.thread->out.allocated_bytes += worth.bytes;
  of.site->allocated_bytes += worth.bytes;
  size_seen(of.site, event->size);
  site_gain(build, of.site, worth);
  process_gain(build, worth);
  build->totals.allocated_bytes += worth.bytes;
  build->timeline.open.allocated_bytes += worth.bytes;
  build->sampling.samples += worth.estimate;
  DOUBT(build, of, allocated_bytes, worth, bytes_spread);
  if (event->stack) ms_stack_born(build, event, of.thread_id, of.site_id, worth.blocks, worth.bytes);
}

/* of: where it was born. */
HOT void block_gone(struct build *build, struct block *block, struct whose of, struct worth worth) {
  of.thread->live_blocks -= worth.blocks;
  of.thread->live_bytes -= worth.bytes;
  site_lose(build, of.site, worth);
  process_lose(build, worth);
  if (build->block_pairs) ms_stack_gone(build, block, worth.blocks, worth.bytes);
  block->site = 0;
}

/* What counts for more than one has no streaks. */
HOT void tally(struct build *build, struct whose of, enum tally_kind kind, uint32_t what, struct worth worth) {
  if (worth.estimate) ms_tally_add(build, of.site_id, kind, what, worth.blocks);
  else ms_tally_count(build, of.site, of.site_id, kind, what);
}

/* Mostly one that was asked for before. */
HOT uint32_t site_named(struct build *build, uint32_t name) {
  uint32_t site = name < build->stream->name_room ? build->name_sites[name] : 0;
  return site ? site : ms_site_named(build, name);
}

HOT void on_alloc(struct build *build, const struct ms_event *event, uint32_t thread, bool sampled) {
  struct block *block = block_at(build, event->block);
  struct whose of = whose(build, site_named(build, event->name), thread);
  struct worth worth = ms_worth(build, event->size, sampled);
  if (!of.site->allocations) of.site->first_ns = build->now_ns;
  of.site->allocations += worth.blocks;
  of.site->last_ns = build->now_ns;
  tally(build, of, TALLY_ALLOC_THREAD, thread, worth);
  tally(build, of, TALLY_FUNCTION, event->fn, worth);
  block_born(build, event, block, of, worth);
  of.thread->out.allocations += worth.blocks;
  build->totals.allocations += worth.blocks;
  build->timeline.open.allocations += worth.blocks;
  DOUBT(build, of, allocations, worth, blocks_spread);
  event_done(build);
}

static inline uint32_t freed_at(struct build *build, struct thread *by, uint32_t name) {
  if (name == by->freed_name) return by->freed_place;
  by->freed_place = ms_freed_at(build, name);
  by->freed_name = name;
  return by->freed_place;
}

HOT void on_free(struct build *build, const struct ms_event *event, uint32_t thread, bool sampled) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  struct thread *by = &build->threads[thread];
  struct whose of = whose(build, block->site, block->thread);
  struct worth worth = ms_worth(build, block->size, sampled);
  bool temporary = of.thread->turn == block->turn && !sampled;
  of.site->frees += worth.blocks;
  of.site->temporary += temporary;
  of.thread->out.temporary += temporary;
  build->totals.temporary += temporary;
  ms_lifetime_count(build, of.site, event->ns > block->born_ns ? event->ns - block->born_ns : 0, worth.blocks);
  tally(build, of, TALLY_FREE_THREAD, thread, worth);
  tally(build, of, TALLY_PLACE, freed_at(build, by, event->place), worth);
  by->out.frees += worth.blocks;
  if (by != of.thread) by->out.foreign_frees += worth.blocks;
  block_gone(build, block, of, worth);
  build->totals.frees += worth.blocks;
  build->timeline.open.frees += worth.blocks;
  of.thread_id = thread;
  DOUBT(build, of, frees, worth, blocks_spread);
  event_done(build);
}

static void reallocation_count(struct build *build, struct whose of, struct worth worth) {
  of.site->reallocations += worth.blocks;
  of.thread->out.reallocations += worth.blocks;
  build->totals.reallocations += worth.blocks;
  DOUBT(build, of, reallocations, worth, blocks_spread);
}

/* A block's new size, and its new name if it got one that says more than a return address. */
static void on_realloc(struct build *build, const struct ms_event *event, uint32_t thread, bool sampled) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  struct block old = *block;
  uint32_t id = site_named(build, event->name);
  struct worth worth = ms_worth(build, event->size, sampled);
  if (build->sites[id].naming == MS_UNNAMED) id = old.site;
  struct whose of = whose(build, id, thread);
  block_gone(build, block, whose(build, old.site, old.thread), ms_worth(build, old.size, sampled));
  block_born(build, event, block, of, worth);
  block->born_ns = old.born_ns;
  block->reallocations = old.reallocations == UINT16_MAX ? UINT16_MAX : old.reallocations + 1;
  block->fn = old.fn;
  reallocation_count(build, of, worth);
  event_done(build);
}

static void on_unborn_realloc(struct build *build, const struct ms_event *event, uint32_t thread, bool sampled) {
  struct block *block = block_at(build, event->block);
  struct whose of = whose(build, site_named(build, event->name), thread);
  struct worth worth = ms_worth(build, event->size, sampled);
  block_born(build, event, block, of, worth);
  block->reallocations = 1;
  reallocation_count(build, of, worth);
  build->totals.unborn += !sampled; /* sampled: it was merely not drawn before */
  event_done(build);
}

/* Its allocation now counts for the new name, also in the process's peak; what
 * the old one's own peaks were stays. */
static void on_bind(struct build *build, const struct ms_event *event, bool sampled) {
  struct block *block = block_at(build, event->block);
  uint32_t id = site_named(build, event->name), old = block->site;
  if (!old || id == old || build->sites[id].naming == MS_UNNAMED) return;
  struct site *from = &build->sites[old], *to = &build->sites[id];
  struct worth worth = ms_worth(build, block->size, sampled);
  if (!block->reallocations) {
    from->allocations -= worth.blocks;
    if (!to->allocations) to->first_ns = build->now_ns;
    to->allocations += worth.blocks;
    to->last_ns = build->now_ns;
    struct whose of = whose(build, id, block->thread);
    ms_tally_add(build, old, TALLY_ALLOC_THREAD, block->thread, -worth.blocks);
    tally(build, of, TALLY_ALLOC_THREAD, block->thread, worth);
    ms_tally_add(build, old, TALLY_FUNCTION, block->fn, -worth.blocks);
    tally(build, of, TALLY_FUNCTION, block->fn, worth);
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
  if (sampled) ms_doubt_move(build, from, to, worth, block->reallocations != 0);
  block->site = id;
}

/* No free of anybody's: nobody knows where, or how old it grew. */
static void on_vanished(struct build *build, const struct ms_event *event, uint64_t *count, bool sampled) {
  struct block *block = block_at(build, event->block);
  if (!block->site) return;
  block_gone(build, block, whose(build, block->site, block->thread), ms_worth(build, block->size, sampled));
  ++*count;
}

/* Of a size nobody knows: sampled, it stands for it is not known how many. */
static void on_unborn_free(struct build *build, uint32_t thread, bool sampled) {
  build->totals.frees += !sampled;
  build->totals.unborn++;
  build->threads[thread].out.frees += !sampled;
  if (!sampled) event_done(build);
}

HOT void event_take(struct build *build, const struct ms_event *event, bool sampled) {
  uint32_t thread = build->lane_threads[event->lane];
  time_pass(build, event->ns);
  switch (event->kind) {
  case MS_EVENT_ALLOC:
    on_alloc(build, event, thread, sampled);
    break;
  case MS_EVENT_FREE:
  case MS_EVENT_REALLOC_FREE:
    on_free(build, event, thread, sampled);
    break;
  case MS_EVENT_REALLOC:
    on_realloc(build, event, thread, sampled);
    break;
  case MS_EVENT_UNBORN_REALLOC:
    on_unborn_realloc(build, event, thread, sampled);
    break;
  case MS_EVENT_UNBORN_FREE:
    on_unborn_free(build, thread, sampled);
    break;
  case MS_EVENT_REALLOC_FAIL:
    build->totals.failed_reallocations++;
    break;
  case MS_EVENT_BIND:
    on_bind(build, event, sampled);
    break;
  case MS_EVENT_BAD_FREE:
    ms_bad_free_seen(build, event);
    break;
  case MS_EVENT_VANISHED:
    on_vanished(build, event, &build->totals.vanished, sampled);
    break;
  case MS_EVENT_ENDED:
    on_vanished(build, event, &build->totals.ended, sampled);
    break;
  case MS_EVENT_UNSAMPLED:
  case MS_EVENT_DENIED:
    on_vanished(build, event, &(uint64_t){0}, sampled);
    break;
  default:
    ms_row_note(build, event);
  }
}

HOT void fetch(const struct build *build, const struct ms_event *event) {
  if (event->block < build->block_room) __builtin_prefetch(&build->blocks[event->block], 1);
}

HOT void batch_take(struct build *build, const struct ms_event *events, uint32_t count, bool sampled) {
  uint32_t ahead = count < AHEAD ? count : AHEAD;
  for (uint32_t i = 0; i < ahead; i++) fetch(build, &events[i]);
  for (uint32_t i = 0; i < count; i++) {
    if (i + AHEAD < count) fetch(build, &events[i + AHEAD]);
    event_take(build, &events[i], sampled);
  }
}

void ms_replay(struct build *build, struct ms_merge *merge) {
  struct ms_feed *feed = ms_feed_open(build->stream, merge, MS_FEED_AUTO);
  const struct ms_event *events;
  uint32_t count;
  while ((count = ms_feed_next(feed, &events))) {
    if (build->sampling.kind) batch_take(build, events, count, true);
    else batch_take(build, events, count, false);
    struct ms_feed_done done = ms_feed_done(feed);
    ms_progress_step(build->stream->progress, done.done, done.all);
  }
  ms_feed_close(feed);
}
