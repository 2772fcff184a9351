/* SPDX-License-Identifier: MIT
 *
 * Sampled streams: what a sample stands for, and how far its sums may be off.
 *
 * An allocation drawn with probability p counts w = 1/p (Horvitz and Thompson), so the
 * sum of x over all allocations is estimated by Y = sum w x over the samples, and the
 * variance of Y, draws being independent, by V = sum w (w - 1) x^2. While events are
 * replayed all sums are kept in units of 1/ONE, so that they lose nothing when blocks
 * go again; ms_sampling_take brings them back to what they mean.
 *
 * A figure's range is the score interval: all values y from which Y is no further
 * than Z standard deviations, the variance at y being V + c (y - Y). The unit c is what
 * one undrawn block of the kind weighs in, the mean of (w - 1) x over what the samples
 * say is undrawn; blocks that are always drawn have no part in it. For equal samples
 * that is Wilson's interval, sound for one sample as well as for many. Two things more:
 * what was drawn is there, so no range begins below it; and a group that is in the
 * model because one of its blocks was drawn owes its low end to the others alone, whose
 * draws that one says nothing of: else a thousand sites of one block each would show
 * ten ranges, and all of them wrong.
 *
 * No interval of this kind can know of large blocks none of which was drawn: that
 * they are drawn often enough is up to how the stream was sampled (docs/design.md).
 */
#include "model/build.h"

#include <math.h>

enum { ONE = 1 << 10 }; /* weights are true to 0.05 %, and sums reach 16 PiB */
static const double Z = 1.959964; /* 95 % */
static const double MOST = 0x1p62; /* of a hostile stream's sizes */
static const double ROUNDING = 1e-9;

void ms_sampling_init(struct build *build) {
  const struct ms_file_header *header = &build->stream->header;
  struct sampling *s = &build->sampling;
  if (header->mode != MS_MODE_SAMPLE) return;
  s->kind = header->sampling;
  s->period = (double)header->sampling_period / (s->kind == MS_SAMPLING_BYTES ? 1 : (double)MS_SAMPLING_ONE);
  s->large = s->kind == MS_SAMPLING_LARGE && s->period > 1 ? ms_sampling_large(header->sampling_period) : 0;
  s->threads = ms_arena_array(build->arena, (size_t)build->thread_count + 1, sizeof *s->threads);
}

static uint64_t whole(double value) { return value < MOST ? (uint64_t)(value + 0.5) : (uint64_t)MOST; }

/* 1/p */
static double weight_of(const struct sampling *s, uint64_t size) {
  if (s->kind == MS_SAMPLING_BYTES) return 1 / -expm1(-(size ? (double)size : 1) / s->period);
  if (!s->large || size < s->large) return s->period;
  return size < MS_SAMPLING_SURE ? fmin(s->period, (double)MS_SAMPLING_SURE / (double)size) : 1;
}

static struct spread spread_of(double weight, double x) {
  double undrawn = (weight - 1) * x;
  return (struct spread){.variance = weight * x * undrawn, .undrawn = undrawn, .squares = undrawn * undrawn};
}

struct worth ms_sampling_worth(struct build *build, uint64_t size) {
  double bytes = (double)size, weight = weight_of(&build->sampling, size);
  return (struct worth){.blocks = whole(weight * ONE), .bytes = whole(weight * bytes * ONE), .blocks_spread = spread_of(weight, 1), .bytes_spread = spread_of(weight, bytes), .estimate = true};
}

/* ---- spreads, while events are replayed ---- */

struct doubt *ms_site_doubt(struct build *build, const struct site *site) {
  uint32_t id = (uint32_t)(site - build->sites);
  MS_TABLE_ROOM(build, build->sampling.sites, id, build->sampling.site_room);
  return &build->sampling.sites[id];
}

/* Rounding leaves a rest, which must not outlive the last block that had a part in the sum. */
static void lose(double *sum, double less, uint64_t left) { *sum = left && *sum - less > ROUNDING * *sum ? *sum - less : 0; }

static void spread_lose(struct spread *from, struct spread less, uint64_t left) {
  lose(&from->variance, less.variance, left);
  lose(&from->undrawn, less.undrawn, left);
  lose(&from->squares, less.squares, left);
}

/* Behind the change of the site's own sums. */
void ms_doubt_gain(struct build *build, struct site *site, struct worth worth) {
  struct doubt *doubt = ms_site_doubt(build, site), *totals = &build->sampling.totals;
  ms_spread_add(&doubt->live_blocks, worth.blocks_spread);
  ms_spread_add(&doubt->live_bytes, worth.bytes_spread);
  ms_spread_add(&totals->live_blocks, worth.blocks_spread);
  ms_spread_add(&totals->live_bytes, worth.bytes_spread);
}

void ms_doubt_lose(struct build *build, struct site *site, struct worth worth) {
  struct doubt *doubt = ms_site_doubt(build, site), *totals = &build->sampling.totals;
  spread_lose(&doubt->live_blocks, worth.blocks_spread, site->live_blocks);
  spread_lose(&doubt->live_bytes, worth.bytes_spread, site->live_blocks);
  spread_lose(&totals->live_blocks, worth.blocks_spread, 1);
  spread_lose(&totals->live_bytes, worth.bytes_spread, 1);
}

/* A block's name has changed: what of its spread is not live moves too. */
void ms_doubt_move(struct build *build, struct site *from, struct site *to, struct worth worth, bool reallocated) {
  ms_site_doubt(build, to); /* may move the table */
  struct doubt *a = ms_site_doubt(build, from), *b = ms_site_doubt(build, to);
  struct spread *less = reallocated ? &a->reallocations : &a->allocations, *more = reallocated ? &b->reallocations : &b->allocations;
  spread_lose(less, worth.blocks_spread, reallocated ? from->reallocations : from->allocations);
  ms_spread_add(more, worth.blocks_spread);
  spread_lose(&a->allocated_bytes, worth.bytes_spread, from->allocated_bytes);
  ms_spread_add(&b->allocated_bytes, worth.bytes_spread);
}

/* ---- ranges, at the end ---- */

/* How a figure's range is reckoned. */
struct reckoning {
  double none;  /* unit of what may be there of which nothing was drawn */
  double least; /* of the unit for the high end, where anything is undrawn */
  bool met;     /* the group is there because one of its blocks was drawn */
};

/* No mean is more than the sum; after what rounding left of both it would be. */
static double unit_of(struct spread spread) { return spread.undrawn > 0 ? fmin(spread.squares / spread.undrawn, spread.undrawn) : 0; }

/* From Y to the ends of the range. */
static double reach(double unit, double variance, int side) {
  double shift = Z * Z * unit / 2;
  return shift + side * sqrt(shift * shift + Z * Z * variance);
}

static double low_end(double value, struct spread spread, bool met) {
  double unit = unit_of(spread), first = met ? unit : 0;
  double low = value - first + reach(unit, fmax(spread.variance - first * first, 0), -1);
  return fmax(fmax(low, value - spread.undrawn), 0);
}

static struct ms_range range_of(uint64_t figure, struct spread spread, struct reckoning how) {
  double value = (double)figure, unit = unit_of(spread);
  if (!figure) return (struct ms_range){.high = whole(ceil(reach(how.none, 0, 1)))};
  uint64_t low = whole(floor(low_end(value, spread, how.met)));
  if (spread.undrawn > 0) unit = fmax(unit, how.least);
  uint64_t high = whole(ceil(value + fmax(reach(unit, spread.variance, 1), reach(how.none, 0, 1))));
  return (struct ms_range){.low = low < figure ? low : figure, .high = high > figure ? high : figure}; /* sums are rounded */
}

/* Small blocks are drawn by rate alone: beside the larger ones of a group, which are drawn
 * more often and so weigh less, there may be some that weigh as much as any. */
static double blocks_least(const struct sampling *s) { return s->kind == MS_SAMPLING_LARGE ? s->period - 1 : 0; }

/* Of none seen, and beside those that were: what another figure of its kind had. */
#define RANGE(error, of, doubt, field, other, least_, met_)                                                  \
  (error)->field = range_of((of)->field, (doubt)->field, (struct reckoning){unit_of((doubt)->other), least_, met_})
#define BLOCKS_RANGE(build, error, of, doubt, field, met)                                                    \
  RANGE(error, of, doubt, field, allocations, blocks_least(&(build)->sampling), met)
#define BYTES_RANGE(error, of, doubt, field, met) RANGE(error, of, doubt, field, allocated_bytes, 0, met)

/* The figures types, holders and modules have in common. */
#define COMMON_RANGES(build, error, of, doubt, met)                                                          \
  (BLOCKS_RANGE(build, error, of, doubt, allocations, met), BLOCKS_RANGE(build, error, of, doubt, frees, met), \
   BYTES_RANGE(error, of, doubt, allocated_bytes, met), BLOCKS_RANGE(build, error, of, doubt, live_blocks, met), \
   BYTES_RANGE(error, of, doubt, live_bytes, met))

static struct ms_model_error *error_new(struct build *build) { return ms_arena_get(build->arena, sizeof(struct ms_model_error)); }

static const struct ms_model_error *site_error(struct build *build, const struct ms_model_site *site, const struct doubt *doubt) {
  struct ms_model_error *error = error_new(build);
  COMMON_RANGES(build, error, site, doubt, true);
  BLOCKS_RANGE(build, error, site, doubt, reallocations, true);
  return error;
}

/* Of a process without any sample in it: as if none had been seen of what weighs the most, or,
 * by bytes, of the smallest that can be told. Of rate alone bytes have no end. */
static void none_error(const struct sampling *s, struct ms_model_error *error) {
  struct spread nothing = {0};
  double blocks = s->period - 1, bytes = s->kind == MS_SAMPLING_LARGE ? fmax((double)s->large * blocks, (double)MS_SAMPLING_SURE) : s->period;
  if (s->kind != MS_SAMPLING_BYTES) error->allocations = range_of(0, nothing, (struct reckoning){.none = blocks});
  if (s->kind != MS_SAMPLING_RATE) error->allocated_bytes = error->live_bytes = range_of(0, nothing, (struct reckoning){.none = bytes});
}

static const struct ms_model_error *totals_error(struct build *build, const struct ms_model_totals *totals, const struct doubt *doubt) {
  struct ms_model_error *error = error_new(build);
  COMMON_RANGES(build, error, totals, doubt, false);
  BLOCKS_RANGE(build, error, totals, doubt, reallocations, false);
  if (!build->sampling.samples) none_error(&build->sampling, error);
  return error;
}

static const struct ms_model_error *thread_error(struct build *build, const struct ms_model_thread *thread, const struct doubt *doubt) {
  struct ms_model_error *error = error_new(build);
  BLOCKS_RANGE(build, error, thread, doubt, allocations, false);
  BLOCKS_RANGE(build, error, thread, doubt, frees, false);
  BLOCKS_RANGE(build, error, thread, doubt, reallocations, false);
  BYTES_RANGE(error, thread, doubt, allocated_bytes, false);
  return error;
}

/* Sums of sites: draws are independent, so their spreads add up. */
static void doubt_add(struct doubt *to, const struct doubt *from) {
#define MS_FIGURE(name, counts) ms_spread_add(&to->name, from->name);
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
    COMMON_RANGES(build, error, row, &(doubts)[row->id], true);                                              \
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
  model->totals.error = totals_error(build, &model->totals, &s->totals);
  coverage_plain(&model->coverage);
  timeline_plain(&model->timeline);
  marks_plain(model);
  stacks_plain(model);
  model->sampling = (struct ms_model_sampling){.kind = (enum ms_sampling)s->kind, .period = s->period, .large_bytes = s->large, .sampled_allocations = s->samples};
}
