/* SPDX-License-Identifier: MIT
 *
 * History in a fixed number of samples. A sample ends when it spans enough time
 * or enough events; when the table is full, neighbours are merged until both
 * spans are a few hundredths of the whole, so busy and idle stretches both keep
 * their shape.
 *
 * Sites' curves: a site's first change within a sample leaves a mark (event,
 * live bytes before the change). Sample ends are only ever dropped, never
 * moved, so the live bytes at a sample's end E are those of the site's first
 * mark with event >= E, or the present ones when there is none.
 */
#include "model/build.h"

#include <stdlib.h>

enum { SPANS = MS_TIMELINE_MAX / 3 }; /* merging leaves at most twice as many samples */

static void sample_open(struct build *build) {
  struct timeline *t = &build->timeline;
  t->serial++;
  t->start_ns = t->open.end_ns;
  t->start_event = t->open.end_event;
  t->due_ns = t->start_ns + t->span_ns;
  t->due_event = t->start_event + t->span_events;
  t->open.most_bytes = t->open.allocations = t->open.frees = t->open.allocated_bytes = 0;
}

void ms_timeline_init(struct build *build) {
  struct timeline *t = &build->timeline;
  t->samples = ms_arena_array(build->arena, MS_TIMELINE_MAX, sizeof *t->samples);
  t->span_ns = build->stream->header.clock_step_ns;
  if (!t->span_ns) t->span_ns = 1;
  t->span_events = 1;
  sample_open(build);
}

static struct sample merged(struct sample a, struct sample b) {
  if (a.most_bytes > b.most_bytes) b.most_bytes = a.most_bytes;
  b.allocations += a.allocations;
  b.frees += a.frees;
  b.allocated_bytes += a.allocated_bytes;
  return b;
}

static void samples_merge(struct timeline *t) {
  const struct sample *last = &t->samples[t->count - 1];
  if (t->span_ns < last->end_ns / SPANS) t->span_ns = last->end_ns / SPANS;
  if (t->span_events < last->end_event / SPANS) t->span_events = last->end_event / SPANS;
  uint64_t start_ns = 0, start_event = 0;
  uint32_t to = 0;
  for (uint32_t i = 0; i < t->count; to++) {
    struct sample sample = t->samples[i++];
    while (i < t->count && sample.end_ns - start_ns < t->span_ns &&
           sample.end_event - start_event < t->span_events)
      sample = merged(sample, t->samples[i++]);
    start_ns = sample.end_ns;
    start_event = sample.end_event;
    t->samples[to] = sample;
  }
  t->count = to;
}

/* Ends the open sample: it holds all events so far. */
void ms_timeline_cut(struct build *build) {
  struct timeline *t = &build->timeline;
  const struct ms_model_totals *totals = &build->totals;
  if (totals->events == t->start_event) return;
  t->open.end_event = totals->events;
  t->open.live_bytes = totals->live_bytes;
  t->open.live_blocks = totals->live_blocks;
  if (build->sampling.kind) t->open.end_worth = ms_sampling_events(totals);
  t->samples[t->count++] = t->open;
  if (t->count == MS_TIMELINE_MAX) samples_merge(t);
  sample_open(build);
}

void ms_timeline_finish(struct build *build) { ms_timeline_cut(build); }

/* ---- sites' curves ---- */

/* Drops marks that no sample's end needs any more. */
static void marks_thin(const struct timeline *t, struct site *site) {
  uint32_t to = 0, sample = 0;
  uint64_t before = 0;
  for (uint32_t i = 0; i < site->mark_count; i++) {
    struct mark mark = site->marks[i];
    while (sample < t->count && t->samples[sample].end_event <= before) sample++;
    if (sample < t->count && t->samples[sample].end_event <= mark.event) site->marks[to++] = mark;
    before = mark.event;
  }
  site->mark_count = to;
}

/* Called before the site's live bytes change for the first time in a sample. */
void ms_timeline_mark(struct build *build, struct site *site) {
  struct timeline *t = &build->timeline;
  site->cut = t->serial;
  if (site->mark_count == site->mark_room) {
    if (site->mark_room >= 64) marks_thin(t, site);
    if (site->mark_count * 2 >= site->mark_room) {
      uint32_t room = site->mark_room ? site->mark_room * 2 : 4;
      site->marks = ms_arena_grow(build->arena, site->marks, site->mark_room * sizeof *site->marks,
                                  room * sizeof *site->marks);
      site->mark_room = room;
    }
  }
  site->marks[site->mark_count++] = (struct mark){.event = build->totals.events, .live_bytes = site->live_bytes};
}

struct ms_points ms_timeline_points(struct build *build, const struct site *site) {
  const struct timeline *t = &build->timeline;
  struct ms_point *points = ms_arena_array(build->arena, site->mark_count + 1, sizeof *points);
  uint32_t count = 0, mark = 0;
  uint64_t value = 0;
  for (uint32_t i = 0; i < t->count; i++) {
    while (mark < site->mark_count && site->marks[mark].event < t->samples[i].end_event) mark++;
    uint64_t now = mark < site->mark_count ? site->marks[mark].live_bytes : site->live_bytes;
    if (now == value) continue;
    points[count++] = (struct ms_point){.sample = i, .live_bytes = value = now};
  }
  return (struct ms_points){points, count};
}

/* ---- the const columns ---- */

#define COLUMN_OF(field, from)                                                                               \
  do {                                                                                                       \
    uint64_t *column = ms_arena_array(build->arena, t->count, sizeof *column);                               \
    for (uint32_t i = 0; i < t->count; i++) column[i] = t->samples[i].from;                                  \
    out->field = column;                                                                                     \
  } while (0)
#define COLUMN(field) COLUMN_OF(field, field)

static void columns_take(struct build *build, struct ms_model_timeline *out) {
  const struct timeline *t = &build->timeline;
  out->sample_count = t->count;
  COLUMN(end_ns);
  if (build->sampling.kind) COLUMN_OF(end_event, end_worth);
  else COLUMN(end_event);
  COLUMN(live_bytes);
  COLUMN(most_bytes);
  COLUMN(live_blocks);
  COLUMN(allocations);
  COLUMN(frees);
  COLUMN(allocated_bytes);
  while (out->peak_sample + 1 < t->count && out->most_bytes[out->peak_sample] < build->totals.peak_bytes)
    out->peak_sample++;
}

/* Adds a site's changes to a curve of changes. */
static void changes_add(uint64_t *changes, struct ms_points points) {
  uint64_t before = 0;
  for (uint32_t i = 0; i < points.count; i++) {
    changes[points.rows[i].sample] +=
        points.rows[i].live_bytes - before; /* modulo 2^64: sums come out right */
    before = points.rows[i].live_bytes;
  }
}

struct group { /* a type or holder that may get a curve */
  uint32_t id;
  uint64_t peak_bytes;
};

static int group_order(const void *a, const void *b) {
  const struct group *x = a, *y = b;
  if (x->peak_bytes != y->peak_bytes) return x->peak_bytes > y->peak_bytes ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

/* The groups that were the largest at any time have a curve each, all other
 * sites one together. `group_of` gives a site's group, 0 = none. */
static const struct ms_model_curve *curves_take(struct build *build, const struct ms_model *model,
                                                struct group *groups, uint32_t group_count, uint32_t id_most,
                                                uint32_t (*group_of)(const struct ms_model_site *),
                                                uint32_t *count) {
  uint32_t samples = model->timeline.sample_count;
  uint32_t named = group_count < MS_TIMELINE_CURVES - 1 ? group_count : MS_TIMELINE_CURVES - 1;
  uint32_t *slots = ms_arena_array(build->arena, id_most + 1, sizeof *slots); /* by group; 0: the others */
  struct ms_model_curve *curves = ms_arena_array(build->arena, named + 1, sizeof *curves);
  uint64_t **columns = ms_arena_array(build->arena, named + 1, sizeof *columns);
  if (group_count) qsort(groups, group_count, sizeof *groups, group_order);
  for (uint32_t i = 0; i < named; i++) slots[groups[i].id] = i + 1;
  for (uint32_t i = 0; i <= named; i++) columns[i] = ms_arena_array(build->arena, samples, sizeof **columns);
  for (uint32_t i = 0; i < model->site_count; i++) {
    uint32_t slot = slots[group_of(&model->sites[i])];
    changes_add(columns[slot ? slot - 1 : named], model->sites[i].points);
  }
  for (uint32_t i = 0; i <= named; i++) {
    for (uint32_t s = 1; s < samples; s++) columns[i][s] += columns[i][s - 1];
    curves[i] = (struct ms_model_curve){.id = i < named ? groups[i].id : 0, .live_bytes = columns[i]};
  }
  *count = named + 1;
  return curves;
}

static uint32_t type_group(const struct ms_model_site *site) { return site->type_id; }
static uint32_t holder_group(const struct ms_model_site *site) { return site->holder_id; }

void ms_timeline_take(struct build *build, struct ms_model *model) {
  struct ms_model_timeline *out = &model->timeline;
  columns_take(build, out);
  struct group *types = ms_arena_array(build->arena, model->type_count, sizeof *types);
  uint32_t used = 0; /* types that only stand inside others have no curve */
  for (uint32_t i = 0; i < model->type_count; i++)
    if (model->types[i].site_count) types[used++] = (struct group){i + 1, model->types[i].peak_bytes};
  struct group *holders = ms_arena_array(build->arena, model->holder_count, sizeof *holders);
  for (uint32_t i = 0; i < model->holder_count; i++)
    holders[i] = (struct group){i + 1, model->holders[i].peak_bytes};
  out->types = curves_take(build, model, types, used, model->type_count, type_group, &out->type_count);
  out->holders = curves_take(build, model, holders, model->holder_count, model->holder_count, holder_group,
                             &out->holder_count);
}
