/* SPDX-License-Identifier: MIT
 *
 * Counters to figures, in place of events. Each thread has counted for itself, so a
 * site's figures are sums, modulo 2^64: what one thread counted too early another has
 * taken back. Times, peaks and single blocks are not known, and stay 0.
 */
#include "model/build.h"

/* Of a thread: its newest blocks that other threads took before they had a name, less
 * those it has counted since. It is 0, or 1 for the one that is not counted yet. */
struct claims {
  uint64_t frees, resized, ended, vanished;
};

static struct thread *thread_find(struct build *build, uint32_t stream_id) {
  uint32_t low = 1, high = build->thread_count + 1; /* they are sorted */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (build->threads[middle].out.stream_id < stream_id) low = middle + 1;
    else high = middle;
  }
  bool found = stream_id && low <= build->thread_count && build->threads[low].out.stream_id == stream_id;
  return found ? &build->threads[low] : NULL;
}

static uint32_t thread_index(const struct build *build, const struct thread *thread) { return (uint32_t)(thread - build->threads); }

static void site_count(struct build *build, uint32_t id, const struct ms_counter *counter, const struct thread *thread) {
  struct site *site = &build->sites[id];
  site->allocations += counter->allocations;
  site->frees += counter->frees;
  site->reallocations += counter->reallocations;
  site->allocated_bytes += counter->allocated_bytes;
  site->live_blocks += counter->allocations + counter->reallocations - counter->frees - counter->resized - counter->ended - counter->vanished;
  site->live_bytes += counter->allocated_bytes - counter->gone_bytes;
  if (!thread) return;
  ms_tally_add(build, id, TALLY_ALLOC_THREAD, thread_index(build, thread), counter->allocations);
  ms_tally_add(build, id, TALLY_FREE_THREAD, thread_index(build, thread), counter->frees);
}

/* What is counted whatever the block's name. */
static void totals_count(struct build *build, const struct ms_counter *counter, struct thread *thread) {
  struct ms_model_totals *totals = &build->totals;
  totals->allocations += counter->allocations;
  totals->frees += counter->frees;
  totals->reallocations += counter->reallocations;
  totals->allocated_bytes += counter->allocated_bytes;
  totals->ended += counter->ended;
  totals->vanished += counter->vanished;
  if (!thread) return;
  thread->out.allocations += counter->allocations;
  thread->out.frees += counter->frees;
  thread->out.reallocations += counter->reallocations;
  thread->out.allocated_bytes += counter->allocated_bytes;
}

static void claims_count(struct build *build, const struct ms_counter *counter) {
  uint32_t *at = ms_map_at(&build->claim_index, (uint64_t)counter->name + 1);
  if (!*at) *at = ++build->claim_count;
  MS_TABLE_ROOM(build, build->claims, *at, build->claim_room);
  struct claims *claims = &build->claims[*at];
  claims->frees += counter->frees;
  claims->resized += counter->resized;
  claims->ended += counter->ended;
  claims->vanished += counter->vanished;
}

/* Of blocks that ended before they had a name, or from before recording: no other figure is meant. */
static void ends_take(struct build *build, struct ms_counter counter, struct thread *thread) {
  counter.allocations = counter.reallocations = counter.allocated_bytes = 0;
  totals_count(build, &counter, thread);
  if (counter.name == MS_COUNTER_UNSEEN) build->totals.unborn += counter.frees + counter.resized;
  else claims_count(build, &counter);
}

static void counter_take(struct build *build, const struct ms_counter *counter, struct thread *thread) {
  if (counter->name >= MS_NAMES_MOST || counter->name == MS_COUNTER_UNSEEN) return ends_take(build, *counter, thread);
  totals_count(build, counter, thread);
  site_count(build, ms_site_named(build, counter->name), counter, thread);
}

/* ---- a thread's newest block, which it has not counted ---- */

/* Was a newest block of the thread taken by another? Of a thread that was jumped out of
 * and went on with other counters, one of two. */
static bool claim_take(struct build *build, uint32_t thread) {
  uint32_t at = ms_map_find(&build->claim_index, (uint64_t)MS_NAMES_MOST + (thread & (MS_NAMES_MOST - 1)) + 1);
  struct claims *claims = at ? &build->claims[at] : NULL;
  if (!claims || claims->frees + claims->resized + claims->ended + claims->vanished != 1) return false;
  *claims = (struct claims){0};
  return true;
}

/* Gone already: its end was counted by whoever came, but not under its name. Whether it
 * was freed or resized nobody can tell any more: its thread counts all others as freed. */
static void newest_end(struct build *build, uint32_t id, uint64_t bytes) {
  struct site *site = &build->sites[id];
  site->frees++;
  site->live_blocks--;
  site->live_bytes -= bytes;
}

static void newest_take(struct build *build, const struct ms_counters_view *view, struct thread *thread) {
  const struct ms_counters_head *head = view->head;
  if (!head->newest[0]) return;
  bool resized = ms_word_op(head->newest[0]) == MS_OP_REALLOC_END;
  uint32_t id = ms_site_named(build, (uint32_t)(head->newest[1] >> 32));
  if (resized && head->from == MS_COUNTER_UNSEEN) build->totals.unborn++;
  else if (resized && build->sites[id].naming == MS_UNNAMED && head->from < MS_NAMES_MOST) id = ms_site_named(build, head->from);
  struct ms_counter counter = {.allocations = !resized, .reallocations = resized, .allocated_bytes = head->bytes};
  totals_count(build, &counter, thread);
  site_count(build, id, &counter, thread);
  if (claim_take(build, view->thread)) newest_end(build, id, head->bytes);
  if (!resized || head->from >= MS_NAMES_MOST || head->from == MS_COUNTER_UNSEEN) return;
  struct site *from = &build->sites[ms_site_named(build, head->from)];
  from->live_blocks--;
  from->live_bytes -= head->from_bytes;
}

/* ---- all of it ---- */

/* Where counts were lost the rest may say that more went than came. */
static void live_sum(struct build *build) {
  for (uint32_t id = 1; id <= build->site_count; id++) {
    struct site *site = &build->sites[id];
    if ((int64_t)site->live_blocks < 0) site->live_blocks = 0;
    if ((int64_t)site->live_bytes < 0 || !site->live_blocks) site->live_bytes = 0;
    build->totals.live_blocks += site->live_blocks;
    build->totals.live_bytes += site->live_bytes;
  }
}

void ms_counters_sum(struct build *build) {
  const struct ms_stream *stream = build->stream;
  if (!ms_is_counted(build)) return;
  for (uint32_t v = 0; v < stream->counters_count; v++) {
    const struct ms_counters_view *view = &stream->counters[v];
    struct thread *thread = thread_find(build, view->thread);
    if (view->head->seen_ns > build->now_ns) build->now_ns = view->head->seen_ns;
    for (uint32_t i = 0; i < view->count; i++)
      if (view->counters[i].name) counter_take(build, &view->counters[i], thread);
  }
  for (uint32_t v = 0; v < stream->counters_count; v++)
    newest_take(build, &stream->counters[v], thread_find(build, stream->counters[v].thread));
  live_sum(build);
  struct ms_model_totals *totals = &build->totals;
  totals->events = totals->allocations + totals->frees + totals->reallocations;
}
