/* SPDX-License-Identifier: MIT
 *
 * Moments: where recording paused and went on, marks, and snapshots with what
 * was live then.
 */
#include "model/build.h"

#include <inttypes.h>
#include <stdlib.h>

static void pause_add(struct build *build, uint64_t from_ns, uint64_t to_ns) {
  MS_TABLE_ROOM(build, build->pauses, build->pause_count, build->pause_room);
  build->pauses[build->pause_count++] = (struct ms_model_pause){.from_ns = from_ns, .to_ns = to_ns};
}

void ms_moment_recording(struct build *build, const struct ms_row_recording *row) {
  MS_TABLE_ROOM(build, build->switches, build->switch_count, build->switch_room);
  uint32_t at = build->switch_count++;
  for (; at && build->switches[at - 1].ns > row->ns; at--) build->switches[at] = build->switches[at - 1];
  build->switches[at] = *row;
}

/* A recording that begins paused has no row that says so. */
static void pauses_make(struct build *build) {
  for (uint32_t i = 0; i < build->switch_count; i++) {
    const struct ms_row_recording *row = &build->switches[i];
    struct ms_model_pause *last = build->pause_count ? &build->pauses[build->pause_count - 1] : NULL;
    if (!row->on) pause_add(build, row->ns, UINT64_MAX);
    else if (!last) pause_add(build, 0, row->ns);
    else if (last->to_ns == UINT64_MAX) last->to_ns = row->ns;
  }
}

/* Of the sites as they are accumulated: their final ids come at the end. */
static void held_take(struct build *build, struct ms_model_mark *mark) {
  uint32_t count = 0;
  for (uint32_t id = 1; id <= build->site_count; id++) count += build->sites[id].live_blocks != 0;
  struct ms_model_held *held = ms_arena_array(build->arena, count, sizeof *held);
  mark->held = held;
  for (uint32_t id = 1; id <= build->site_count; id++) {
    const struct site *site = &build->sites[id];
    if (site->live_blocks)
      held[mark->held_count++] = (struct ms_model_held){.site_id = id, .live_bytes = site->live_bytes, .live_blocks = site->live_blocks};
  }
}

void ms_moment_mark(struct build *build, const char *name, uint64_t ns, bool snapshot) {
  MS_TABLE_ROOM(build, build->moments, build->moment_count, build->moment_room);
  struct ms_model_mark *mark = &build->moments[build->moment_count++];
  *mark = (struct ms_model_mark){.name = name,
                                 .ns = ns,
                                 .live_bytes = build->totals.live_bytes,
                                 .live_blocks = build->totals.live_blocks,
                                 .snapshot = snapshot};
  if (snapshot) held_take(build, mark);
}

static int held_order(const void *a, const void *b) {
  const struct ms_model_held *x = a, *y = b;
  if (x->live_bytes != y->live_bytes) return x->live_bytes > y->live_bytes ? -1 : 1;
  return x->site_id < y->site_id ? -1 : x->site_id > y->site_id;
}

static void never_note(struct build *build) {
  ms_note_add(build, MS_NOTE_INFO, 0, "nothing is recorded: " MS_NEVER_RESUMED, build->stream->header.pid);
}

static void pauses_note(struct build *build) {
  uint64_t paused = 0;
  for (uint32_t i = 0; i < build->pause_count; i++) paused += build->pauses[i].to_ns - build->pauses[i].from_ns;
  if (build->pause_count)
    ms_note_add(build, MS_NOTE_INFO, 0, "recording was paused %" PRIu32 " time%s, %.3f s in all: what was allocated then is not known, %" PRIu64
                " block%s recorded before ended meanwhile",
                build->pause_count, build->pause_count == 1 ? "" : "s", (double)paused / 1e9, build->totals.ended,
                build->totals.ended == 1 ? "" : "s");
}

void ms_moments_take(struct build *build, struct ms_model *model, const uint32_t *site_ids) {
  pauses_make(build);
  bool never = !build->pause_count && build->stream->header.recording == MS_RECORDING_PAUSED; /* else a row said so */
  if (never) pause_add(build, 0, UINT64_MAX);
  for (uint32_t i = 0; i < build->pause_count; i++)
    if (build->pauses[i].to_ns == UINT64_MAX || build->pauses[i].to_ns < build->pauses[i].from_ns)
      build->pauses[i].to_ns = model->process.duration_ns > build->pauses[i].from_ns ? model->process.duration_ns : build->pauses[i].from_ns;
  for (uint32_t i = 0; i < build->moment_count; i++) {
    struct ms_model_held *held = (struct ms_model_held *)(uintptr_t)build->moments[i].held;
    for (uint32_t h = 0; h < build->moments[i].held_count; h++) held[h].site_id = site_ids[held[h].site_id];
    if (held) qsort(held, build->moments[i].held_count, sizeof *held, held_order);
  }
  if (never) never_note(build);
  else pauses_note(build);
  model->pauses = build->pauses;
  model->pause_count = build->pause_count;
  model->marks = build->moments;
  model->mark_count = build->moment_count;
}
