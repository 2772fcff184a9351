/* SPDX-License-Identifier: MIT
 *
 * Sampled streams: what a sample stands for, and how far its sums may be off.
 *
 * An allocation drawn with probability p counts 1/p (Horvitz and Thompson), so the
 * sum of x over all allocations is estimated by Y = sum x/p over the samples, and
 * the variance of Y, draws being independent, by V = sum (1-p)/p^2 * x^2. While
 * events are replayed all sums are kept in units of 1/ONE, so that they lose
 * nothing when blocks go again; ms_sampling_take brings them back to what they mean.
 *
 * A figure's range is the score interval: all values y from which Y is no further
 * than Z standard deviations, the variance at y being c * y with c = V / Y. For
 * equal samples that is Wilson's interval, sound for one sample as well as for
 * many; where Y is large it is Y +- Z * sqrt(V).
 */
#include "model/build.h"

#include <math.h>

enum { ONE = 1 << 10 }; /* weights are true to 0.05 %, and sums reach 16 PiB */
static const double Z = 1.959964; /* 95 % */
static const double MOST = 0x1p62; /* of a hostile stream's sizes */

void ms_sampling_init(struct build *build) {
  const struct ms_file_header *header = &build->stream->header;
  struct sampling *s = &build->sampling;
  if (header->mode != MS_MODE_SAMPLE) return;
  s->kind = header->sampling;
  s->period = (double)header->sampling_period / (s->kind == MS_SAMPLING_RATE ? (double)MS_SAMPLING_ONE : 1);
  s->threads = ms_arena_array(build->arena, (size_t)build->thread_count + 1, sizeof *s->threads);
}

static uint64_t whole(double value) { return value < MOST ? (uint64_t)(value + 0.5) : (uint64_t)MOST; }

struct worth ms_sampling_worth(struct build *build, uint64_t size) {
  const struct sampling *s = &build->sampling;
  double bytes = (double)size, weight = s->period;
  if (s->kind == MS_SAMPLING_BYTES) weight = 1 / -expm1(-(size ? bytes : 1) / s->period);
  double doubt = weight * (weight - 1);
  return (struct worth){.blocks = whole(weight * ONE), .bytes = whole(weight * bytes * ONE), .blocks_doubt = doubt, .bytes_doubt = doubt * bytes * bytes, .estimate = true};
}

/* ---- variances, while events are replayed ---- */

struct doubt *ms_site_doubt(struct build *build, const struct site *site) {
  uint32_t id = (uint32_t)(site - build->sites);
  MS_TABLE_ROOM(build, build->sampling.sites, id, build->sampling.site_room);
  return &build->sampling.sites[id];
}

/* Rounding leaves a rest, which must not outlive the last block. */
static void lose(double *sum, double doubt, uint64_t left) { *sum = left && *sum > doubt ? *sum - doubt : 0; }

/* Behind the change of the site's own sums. */
void ms_doubt_gain(struct build *build, struct site *site, struct worth worth) {
  struct doubt *doubt = ms_site_doubt(build, site), *totals = &build->sampling.totals;
  doubt->live_blocks += worth.blocks_doubt;
  doubt->live_bytes += worth.bytes_doubt;
  totals->live_blocks += worth.blocks_doubt;
  totals->live_bytes += worth.bytes_doubt;
}

void ms_doubt_lose(struct build *build, struct site *site, struct worth worth) {
  struct doubt *doubt = ms_site_doubt(build, site), *totals = &build->sampling.totals;
  lose(&doubt->live_blocks, worth.blocks_doubt, site->live_blocks);
  lose(&doubt->live_bytes, worth.bytes_doubt, site->live_blocks);
  lose(&totals->live_blocks, worth.blocks_doubt, 1);
  lose(&totals->live_bytes, worth.bytes_doubt, 1);
}

/* A block's name has changed: what of its variance is not live moves too. */
void ms_doubt_move(struct build *build, struct site *from, struct site *to, struct worth worth, bool reallocated) {
  ms_site_doubt(build, to); /* may move the table */
  struct doubt *a = ms_site_doubt(build, from), *b = ms_site_doubt(build, to);
  double *less = reallocated ? &a->reallocations : &a->allocations, *more = reallocated ? &b->reallocations : &b->allocations;
  lose(less, worth.blocks_doubt, reallocated ? from->reallocations : from->allocations);
  *more += worth.blocks_doubt;
  lose(&a->allocated_bytes, worth.bytes_doubt, from->allocated_bytes);
  b->allocated_bytes += worth.bytes_doubt;
}

/* ---- ranges, at the end ---- */

/* Variance for each unit of the figure; of none seen, what another figure of its kind had. */
static double unit_doubt(double value, double doubt, double other, double other_doubt) {
  if (value > 0) return doubt / value;
  return other > 0 ? other_doubt / other : 0;
}

static struct ms_range range_of(double value, double c) {
  double middle = value + Z * Z * c / 2, reach = Z * sqrt(c * value + Z * Z * c * c / 4);
  return (struct ms_range){.low = middle > reach ? (uint64_t)(middle - reach) : 0, .high = whole(ceil(middle + reach))};
}

/* Beside what the drawn ones say there is room for as many undrawn ones as if none of
 * their kind had been seen: where weights differ, those of few drawn say little of it. */
static struct ms_range figure_range(double value, double doubt, double other, double other_doubt) {
  struct ms_range range = range_of(value, unit_doubt(value, doubt, other, other_doubt));
  uint64_t high = whole(value) + range_of(0, unit_doubt(0, 0, other, other_doubt)).high;
  if (high > range.high) range.high = high;
  return range;
}

/* Of a process without any sample in it: as if none had been seen of the smallest that can be told. */
static double none_doubt(const struct sampling *s) { return s->kind == MS_SAMPLING_RATE ? s->period - 1 : s->period; }

#define RANGE(error, of, doubt, field, other)                                                                \
  (error)->field = figure_range((double)(of)->field, (doubt)->field, (double)(of)->other, (doubt)->other)

/* The figures types, holders and modules have in common. */
#define COMMON_RANGES(error, of, doubt)                                                                      \
  (RANGE(error, of, doubt, allocations, allocations), RANGE(error, of, doubt, frees, allocations),           \
   RANGE(error, of, doubt, allocated_bytes, allocated_bytes), RANGE(error, of, doubt, live_blocks, allocations), \
   RANGE(error, of, doubt, live_bytes, allocated_bytes))

static struct ms_model_error *error_new(struct build *build) { return ms_arena_get(build->arena, sizeof(struct ms_model_error)); }

static const struct ms_model_error *site_error(struct build *build, const struct ms_model_site *site, const struct doubt *doubt) {
  struct ms_model_error *error = error_new(build);
  COMMON_RANGES(error, site, doubt);
  RANGE(error, site, doubt, reallocations, allocations);
  return error;
}

static const struct ms_model_error *totals_error(struct build *build, const struct ms_model_totals *totals, struct doubt doubt) {
  struct ms_model_error *error = error_new(build);
  COMMON_RANGES(error, totals, &doubt);
  RANGE(error, totals, &doubt, reallocations, allocations);
  if (build->sampling.samples) return error;
  if (build->sampling.kind == MS_SAMPLING_RATE) error->allocations = range_of(0, none_doubt(&build->sampling));
  else error->allocated_bytes = error->live_bytes = range_of(0, none_doubt(&build->sampling));
  return error;
}

static const struct ms_model_error *thread_error(struct build *build, const struct ms_model_thread *thread, const struct doubt *doubt) {
  struct ms_model_error *error = error_new(build);
  RANGE(error, thread, doubt, allocations, allocations);
  RANGE(error, thread, doubt, frees, allocations);
  RANGE(error, thread, doubt, reallocations, allocations);
  RANGE(error, thread, doubt, allocated_bytes, allocated_bytes);
  return error;
}

/* Sums of sites: draws are independent, so their variances add up. */
static void doubt_add(struct doubt *to, const struct doubt *from) {
#define MS_FIGURE(name, counts) to->name += from->name;
#include "model/figure.def"
}

/* ---- back to what figures mean ---- */

static uint64_t plain(uint64_t sum) { return (sum + ONE / 2) / ONE; }

/* As they will be in the end, so that the last of all is the figure that is shown. */
uint64_t ms_sampling_events(const struct ms_model_totals *totals) {
  return plain(totals->allocations) + plain(totals->frees) + plain(totals->reallocations);
}

#define PLAIN(of, field) ((of)->field = plain((of)->field))
#define COMMON_PLAIN(of)                                                                                     \
  (PLAIN(of, allocations), PLAIN(of, frees), PLAIN(of, allocated_bytes), PLAIN(of, live_blocks),             \
   PLAIN(of, live_bytes), PLAIN(of, peak_bytes), PLAIN(of, bytes_at_peak))

/* The model is const for everybody else; here it is still being made. */
#define EACH(type, row, rows, count)                                                                         \
  for (type *row = (type *)(uintptr_t)(rows), *row##_end = (count) ? row + (count) : row; row < row##_end; row++)

static void column_plain(const uint64_t *column, uint32_t count) {
  EACH(uint64_t, value, column, count) *value = plain(*value);
}

static void tallies_plain(struct ms_tallies tallies) { EACH(struct ms_tally, tally, tallies.rows, tallies.count) PLAIN(tally, count); }

static void site_plain(struct ms_model_site *site) {
  COMMON_PLAIN(site);
  PLAIN(site, reallocations);
  PLAIN(site, peak_blocks);
  PLAIN(site, blocks_at_peak);
  if (site->lifetime.count) column_plain(site->lifetime.buckets, MS_LIFETIME_BUCKETS);
  PLAIN(&site->lifetime, count);
  tallies_plain(site->alloc_threads);
  tallies_plain(site->free_threads);
  tallies_plain(site->free_places);
  tallies_plain(site->functions);
  EACH(struct ms_point, point, site->points.rows, site->points.count) PLAIN(point, live_bytes);
}

static void totals_plain(struct ms_model_totals *totals) {
  PLAIN(totals, allocations), PLAIN(totals, frees), PLAIN(totals, reallocations), PLAIN(totals, allocated_bytes);
  PLAIN(totals, peak_bytes), PLAIN(totals, peak_blocks), PLAIN(totals, live_blocks), PLAIN(totals, live_bytes);
  totals->events = totals->allocations + totals->frees + totals->reallocations;
}

static void coverage_plain(struct ms_model_coverage *c) {
  PLAIN(c, named_allocations), PLAIN(c, wrapper_only_allocations), PLAIN(c, unnamed_allocations);
  PLAIN(c, named_bytes), PLAIN(c, wrapper_only_bytes), PLAIN(c, unnamed_bytes), PLAIN(c, typed_bytes);
}

static void timeline_plain(const struct ms_model_timeline *t) {
  const uint64_t *const columns[] = {t->live_bytes, t->most_bytes, t->live_blocks, t->allocations, t->frees, t->allocated_bytes};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) column_plain(columns[i], t->sample_count);
  for (uint32_t i = 0; i < t->type_count; i++) column_plain(t->types[i].live_bytes, t->sample_count);
  for (uint32_t i = 0; i < t->holder_count; i++) column_plain(t->holders[i].live_bytes, t->sample_count);
}

static void marks_plain(const struct ms_model *model) {
  EACH(struct ms_model_mark, mark, model->marks, model->mark_count) {
    PLAIN(mark, live_bytes), PLAIN(mark, live_blocks);
    EACH(struct ms_model_held, held, mark->held, mark->held_count) PLAIN(held, live_bytes), PLAIN(held, live_blocks);
  }
}

#define STACK_PLAIN(of)                                                                                      \
  (PLAIN(of, allocations), PLAIN(of, allocated_bytes), PLAIN(of, live_blocks), PLAIN(of, live_bytes),        \
   PLAIN(of, bytes_at_peak), PLAIN(of, blocks_at_peak))

static void stacks_plain(const struct ms_model *model) {
  EACH(struct ms_model_stack, stack, model->stacks, model->stack_count) {
    STACK_PLAIN(stack);
    EACH(struct ms_model_stack_site, site, stack->sites, stack->site_count) STACK_PLAIN(site);
  }
}

/* ---- all of it ---- */

static struct doubt *doubts_new(struct build *build, uint32_t count) { return ms_arena_array(build->arena, (size_t)count + 1, sizeof(struct doubt)); }

static void groups_take(struct build *build, struct ms_model *model, const struct order *order) {
  struct doubt *types = doubts_new(build, build->type_count), *holders = doubts_new(build, build->holder_count);
  struct doubt *modules = doubts_new(build, build->module_count);
  for (uint32_t i = 1; i <= build->site_count; i++) {
    const struct site *site = &build->sites[i];
    const struct doubt *doubt = ms_site_doubt(build, site);
    if (site->type) doubt_add(&types[order->type_ids[site->type]], doubt);
    doubt_add(&holders[order->holder_ids[site->holder]], doubt);
    doubt_add(&modules[site->module], doubt);
  }
#define GROUP(type, rows, count, doubts)                                                                     \
  EACH(type, row, rows, count) {                                                                             \
    struct ms_model_error *error = error_new(build);                                                         \
    COMMON_PLAIN(row);                                                                                       \
    COMMON_RANGES(error, row, &(doubts)[row->id]);                                                           \
    row->error = error;                                                                                      \
  }
  GROUP(struct ms_model_type, model->types, model->type_count, types)
  EACH(struct ms_model_type, type, model->types, model->type_count) PLAIN(type, elements);
  GROUP(struct ms_model_holder, model->holders, model->holder_count, holders)
  GROUP(struct ms_model_module, model->modules, model->module_count, modules)
}

static void sites_take(struct build *build, struct ms_model *model, const struct order *order) {
  EACH(struct ms_model_site, site, model->sites, model->site_count) site_plain(site);
  for (uint32_t i = 1; i <= build->site_count; i++) {
    if (!order->site_ids[i]) continue;
    struct ms_model_site *site = (struct ms_model_site *)(uintptr_t)&model->sites[order->site_ids[i] - 1];
    site->error = site_error(build, site, ms_site_doubt(build, &build->sites[i]));
  }
}

static void threads_take(struct build *build, struct ms_model *model) {
  EACH(struct ms_model_thread, thread, model->threads, model->thread_count) {
    PLAIN(thread, allocations), PLAIN(thread, frees), PLAIN(thread, reallocations), PLAIN(thread, allocated_bytes);
    PLAIN(thread, foreign_frees), PLAIN(thread, live_blocks), PLAIN(thread, live_bytes);
    thread->error = thread_error(build, thread, &build->sampling.threads[thread->id]);
  }
}

void ms_sampling_take(struct build *build, struct ms_model *model, const struct order *order) {
  const struct sampling *s = &build->sampling;
  sites_take(build, model, order);
  groups_take(build, model, order);
  threads_take(build, model);
  totals_plain(&model->totals);
  model->totals.error = totals_error(build, &model->totals, s->totals);
  coverage_plain(&model->coverage);
  timeline_plain(&model->timeline);
  marks_plain(model);
  stacks_plain(model);
  model->sampling = (struct ms_model_sampling){.kind = (enum ms_sampling)s->kind, .period = s->period, .sampled_allocations = s->samples};
}
