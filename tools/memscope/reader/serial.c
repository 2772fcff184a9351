/* SPDX-License-Identifier: MIT
 *
 * Events in the order of exact mode: rows with a stamp by their serials. A row without
 * (a thread's start and end, a mark) lies between two of its lane and within a clock
 * step of its coarse time: it comes out before its lane's next one with a stamp, or
 * earlier, when the others have gone a step beyond it.
 *
 * Times never go back. A thread that was interrupted between taking its serial and
 * reading the clock says a time later than the next serial's: it happened before.
 */
#include "reader/accept.h"

/* On its own a row without a stamp: an event, with a time of its own. */
static bool row_waits(uint64_t word) {
  switch ((uint8_t)word) {
  case MS_TAG_TIME:
  case MS_TAG_PLACE:
  case MS_TAG_SIZE_HIGH:
  case MS_TAG_STAMP:
  case MS_TAG_OF_THREAD:
  case MS_TAG_STACK:
  case MS_TAG_STACK_OF:
  case MS_TAG_REALLOC_FAIL: /* belongs to the begin before it */
  case MS_TAG_BIND:         /* to the block: the sooner it has its name the better */
    return false;
  default:
    return true;
  }
}

/* The events from there on happened then, or when the last one did. */
static void events_date(struct ms_merge *merge, struct run *run, struct ms_event *from, uint64_t ns) {
  if (ns > merge->now_ns) merge->now_ns = ns;
  if (merge->now_ns > run->lo) run->lo = merge->now_ns;
  for (; from < merge->out; from++) from->ns = merge->now_ns;
}

static void cold_take(struct ms_merge *merge, struct run *run, uint64_t ns) {
  struct ms_event *from = merge->out;
  ms_accept_cold(merge, run, ms_row_words(*run->at));
  if (merge->out != from) events_date(merge, run, from, ns);
}

/* When it has to come out at the latest. Nothing of its thread comes behind the
 * last rows of a lane: they follow the row before, but an end without a stamp the others. */
static uint64_t due(const struct ms_merge *merge, const struct run *run) {
  uint64_t latest = ms_later(run->lo, merge->step_ns);
  if (run->ahead_serial != UINT64_MAX) return latest < run->ahead_ns ? latest : run->ahead_ns;
  return (uint8_t)*run->at == MS_TAG_END ? latest : run->lo;
}

static void stamped_wait(struct run *run) {
  run->state = READY;
  run->ahead_serial = run->serial;
  run->ahead_ns = run->stamp_ns ? run->stamp_ns : run->lo;
}

static void cold_wait(struct ms_merge *merge, struct run *run) {
  run->state = PARKED;
  ms_run_look_ahead(run);
  if (run->lo > run->ahead_ns) run->lo = run->ahead_ns;
  run->hi = due(merge, run);
  if (run->hi < merge->due_ns) merge->due_ns = run->hi;
}

/* On to the lane's next row that waits: READY with its serial, or PARKED. */
static bool advance(struct ms_merge *merge, struct run *run) {
  while (merge->out_end - merge->out >= MS_EVENTS_OF_ROW) {
    uint32_t length = ms_row_fits(run->at, 0, (uint32_t)(run->end - run->at));
    bool stamped = length && ms_row_has_stamp(*run->at, run->stamp_ns);
    if (stamped || (length && row_waits(*run->at))) {
      if (stamped) stamped_wait(run);
      else cold_wait(merge, run);
      ms_heap_add(&merge->heaps[RUN], run, run->ahead_serial);
      return true;
    }
    if (length)
      cold_take(merge, run, merge->now_ns);
    else if (!ms_run_next_piece(merge, run)) {
      ms_run_end(merge, run);
      return true;
    }
  }
  return false; /* no room: it stays the current one */
}

/* The parked lane that is due first. They are few, and so are their rows: looked through. */
static struct run *parked_first(struct ms_merge *merge) {
  struct run *first = NULL;
  merge->due_ns = UINT64_MAX;
  for (uint32_t i = 0; i < merge->stream->lane_count; i++) {
    struct run *run = &merge->runs[i];
    if (run->state != PARKED) continue;
    bool sooner = !first || run->hi < first->hi;
    uint64_t other = !sooner ? run->hi : first ? first->hi : UINT64_MAX;
    if (other < merge->due_ns) merge->due_ns = other;
    if (sooner) first = run;
  }
  return first;
}

/* A parked lane is due before its own next serial is, so none is passed over. */
static struct run *choose(struct ms_merge *merge) {
  struct run *next = ms_heap_top(&merge->heaps[RUN]), *parked = NULL;
  if (next && next->state != RUN && merge->due_ns <= next->ahead_ns) parked = parked_first(merge);
  return parked ? parked : next;
}

static void row_take(struct ms_merge *merge, struct run *run) {
  if (!(*run->at & MS_HOT)) ms_accept_cold(merge, run, ms_row_words(*run->at));
  else if (cell_less(merge, run)) return;
  else if (!ms_cells_room(&merge->cells)) merge->failed = true;
  else hot_accept(merge, run, ms_cell_at(&merge->cells, *run->at >> 20), false);
}

static void stamped_take(struct ms_merge *merge, struct run *run) {
  const struct run *next = ms_heap_top(&merge->heaps[RUN]);
  struct ms_event *from = merge->out;
  uint64_t ns = run->ahead_ns;
  if (next && next->state != RUN && next->ahead_ns < ns) ns = next->ahead_ns;
  run->ahead_known = false;
  row_take(merge, run);
  events_date(merge, run, from, ns);
}

void ms_order_serials(struct ms_merge *merge) {
  while (merge->out_end - merge->out >= MS_EVENTS_OF_ROW && !merge->failed) {
    if (merge->current && !advance(merge, merge->current)) return;
    struct run *run = merge->current = choose(merge);
    if (!run) return;
    enum run_state state = run->state;
    ms_heap_remove(&merge->heaps[RUN], run);
    run->state = RUN;
    if (state == READY) stamped_take(merge, run);
    if (state == PARKED) cold_take(merge, run, run->lo);
  }
}
