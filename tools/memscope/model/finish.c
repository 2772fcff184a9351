/* SPDX-License-Identifier: MIT
 *
 * Accumulators to the const model: what took part, in its final order.
 */
#include "model/build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- sites ---- */

static bool site_took_part(const struct site *site) {
  return site->allocations || site->frees || site->reallocations || site->live_blocks || site->blocks_at_peak;
}

static void site_settle(struct build *build, struct site *site) {
  if (site->peak_serial == build->peak_serial) return;
  site->bytes_at_peak = site->live_bytes;
  site->blocks_at_peak = site->live_blocks;
}

struct sort_row {
  uint64_t at_peak, peak, allocated;
  uint32_t index; /* order of first sight, the same in every reading */
};

static int sort_order(const void *a, const void *b) {
  const struct sort_row *x = a, *y = b;
  if (x->at_peak != y->at_peak) return x->at_peak > y->at_peak ? -1 : 1;
  if (x->peak != y->peak) return x->peak > y->peak ? -1 : 1;
  if (x->allocated != y->allocated) return x->allocated > y->allocated ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static const struct ms_model_place *const *chain_take(struct build *build, const struct site *site) {
  const struct ms_model_place **chain = ms_arena_array(build->arena, site->chain_count, sizeof *chain);
  for (uint32_t i = 0; i < site->chain_count; i++) chain[i] = &build->places[site->chain[i]];
  return chain;
}

static void site_take(struct build *build, uint32_t id, struct ms_model_site *out) {
  const struct site *site = &build->sites[id];
  const struct ms_model_place *place = &build->places[site->place];
  *out = (struct ms_model_site){.place = place,
                                .holder = place->holder,
                                .type_id = site->type,
                                .type = site->type ? build->types[site->type].out.name : "",
                                .element_bytes = place->element_bytes,
                                .holder_id = site->holder,
                                .module_id = site->module,
                                .chain = chain_take(build, site),
                                .chain_count = site->chain_count,
                                .provenance = site->provenance,
                                .naming = site->naming,
                                .allocations = site->allocations,
                                .frees = site->frees,
                                .reallocations = site->reallocations,
                                .allocated_bytes = site->allocated_bytes,
                                .live_blocks = site->live_blocks,
                                .live_bytes = site->live_bytes,
                                .peak_bytes = site->peak_bytes,
                                .peak_blocks = site->peak_blocks,
                                .bytes_at_peak = site->bytes_at_peak,
                                .blocks_at_peak = site->blocks_at_peak,
                                .temporary = site->temporary,
                                .smallest_bytes = site->smallest == UINT64_MAX ? 0 : site->smallest,
                                .largest_bytes = site->largest,
                                .first_ns = site->first_ns,
                                .last_ns = site->last_ns,
                                .lifetime = ms_lifetime_take(build, site),
                                .alloc_threads = ms_tallies_take(build, id, TALLY_ALLOC_THREAD),
                                .free_threads = ms_tallies_take(build, id, TALLY_FREE_THREAD),
                                .free_places = ms_tallies_take(build, id, TALLY_PLACE),
                                .functions = ms_tallies_take(build, id, TALLY_FUNCTION),
                                .points = ms_timeline_points(build, site)};
  if (site->type && !out->element_bytes)
    out->element_bytes = (uint32_t)build->types[site->type].out.size_bytes;
}

static void sites_take(struct build *build, struct ms_model *model, struct order *order) {
  struct sort_row *rows = ms_arena_array(build->arena, build->site_count + 1, sizeof *rows);
  uint32_t count = 0;
  for (uint32_t i = 1; i <= build->site_count; i++) {
    struct site *site = &build->sites[i];
    site_settle(build, site);
    if (site_took_part(site))
      rows[count++] = (struct sort_row){site->bytes_at_peak, site->peak_bytes, site->allocated_bytes, i};
  }
  qsort(rows, count, sizeof *rows, sort_order);
  struct ms_model_site *sites = ms_arena_array(build->arena, count, sizeof *sites);
  for (uint32_t i = 0; i < count; i++) {
    site_take(build, rows[i].index, &sites[i]);
    sites[i].id = order->site_ids[rows[i].index] = i + 1;
  }
  model->sites = sites;
  model->site_count = count;
}

/* ---- types and holders: sums of sites ---- */

/* The figures types, holders and modules have in common. */
#define SUM_SITE(to, site)                                                                                   \
  ((to)->allocations += (site)->allocations, (to)->frees += (site)->frees,                                   \
   (to)->allocated_bytes += (site)->allocated_bytes, (to)->live_blocks += (site)->live_blocks,               \
   (to)->live_bytes += (site)->live_bytes, (to)->bytes_at_peak += (site)->bytes_at_peak)

static void types_sum(struct build *build) {
  for (uint32_t i = 1; i <= build->site_count; i++) {
    const struct site *site = &build->sites[i];
    if (!site->type || !site_took_part(site)) continue;
    struct ms_model_type *type = &build->types[site->type].out;
    SUM_SITE(type, site);
    type->site_count++;
    if (type->size_bytes) type->elements += site->allocated_bytes / type->size_bytes;
  }
}

/* Types of blocks first, by size; then those that only stand inside others. */
static void types_take(struct build *build, struct ms_model *model, struct order *order) {
  struct sort_row *rows = ms_arena_array(build->arena, build->type_count + 1, sizeof *rows);
  types_sum(build);
  for (uint32_t i = 1; i <= build->type_count; i++) {
    struct type *type = &build->types[i];
    type->out.peak_bytes = type->sum.peak_bytes;
    rows[i - 1] =
        (struct sort_row){type->out.bytes_at_peak, type->out.peak_bytes, type->out.allocated_bytes, i};
  }
  qsort(rows, build->type_count, sizeof *rows, sort_order);
  struct ms_model_type *types = ms_arena_array(build->arena, build->type_count, sizeof *types);
  for (uint32_t i = 0; i < build->type_count; i++) {
    types[i] = build->types[rows[i].index].out;
    types[i].id = order->type_ids[rows[i].index] = i + 1;
  }
  for (uint32_t i = 0; i < build->type_count; i++)
    for (uint32_t f = 0; f < types[i].field_count; f++) {
      struct ms_model_field *field =
          (struct ms_model_field *)&types[i].fields[f]; /* each type has fields of its own */
      field->type_id = order->type_ids[field->type_id];
    }
  model->types = types;
  model->type_count = build->type_count;
}

static void holders_take(struct build *build, struct ms_model *model, struct order *order) {
  struct ms_model_holder *sums = ms_arena_array(build->arena, build->holder_count + 1, sizeof *sums);
  struct sort_row *rows = ms_arena_array(build->arena, build->holder_count + 1, sizeof *rows);
  for (uint32_t i = 1; i <= build->site_count; i++) {
    const struct site *site = &build->sites[i];
    if (!site_took_part(site)) continue;
    SUM_SITE(&sums[site->holder], site);
    sums[site->holder].site_count++;
  }
  uint32_t count = 0;
  for (uint32_t i = 1; i <= build->holder_count; i++) {
    const struct holder *holder = &build->holders[i];
    sums[i].holder = holder->text;
    sums[i].type_id = order->type_ids[holder->type];
    sums[i].type = holder->type ? build->types[holder->type].out.name : "";
    sums[i].peak_bytes = holder->sum.peak_bytes;
    if (*holder->text && sums[i].site_count)
      rows[count++] =
          (struct sort_row){sums[i].bytes_at_peak, sums[i].peak_bytes, sums[i].allocated_bytes, i};
  }
  qsort(rows, count, sizeof *rows, sort_order);
  struct ms_model_holder *holders = ms_arena_array(build->arena, count, sizeof *holders);
  for (uint32_t i = 0; i < count; i++) {
    holders[i] = sums[rows[i].index];
    holders[i].id = order->holder_ids[rows[i].index] = i + 1;
  }
  model->holders = holders;
  model->holder_count = count;
}

/* ---- modules and threads ---- */

static const char *hex_text(struct build *build, const uint8_t *bytes, uint32_t count) {
  char *text = ms_arena_get(build->arena, 2 * (size_t)count + 1);
  for (uint32_t i = 0; i < count; i++) {
    text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

static void modules_take(struct build *build, struct ms_model *model) {
  struct ms_model_module *modules = ms_arena_array(build->arena, build->module_count + 1, sizeof *modules);
  for (uint32_t i = 1; i <= build->module_count; i++) {
    const struct module *from = &build->modules[i];
    const struct ms_module_record *record = &from->view->record;
    const char *slash = strrchr(from->path, '/');
    modules[i] =
        (struct ms_model_module){.id = i,
                                 .path = from->path,
                                 .name = slash ? slash + 1 : from->path,
                                 .build_id = hex_text(build, record->build_id, record->build_id_bytes),
                                 .instrumented = record->unit_count > 0,
                                 .is_main = record->is_main,
                                 .unit_count = from->view->unit_count,
                                 .status = from->unloaded ? MS_MODULE_UNLOADED : MS_MODULE_RUNNING,
                                 .loaded_ns = record->loaded_ns,
                                 .unloaded_ns = from->unloaded_ns,
                                 .start = record->start,
                                 .end = record->end,
                                 .peak_bytes = from->sum.peak_bytes};
  }
  for (uint32_t i = 0; i < build->stream->unit_count; i++)
    modules[build->stream->units[i].module_index + 1].site_count += build->stream->units[i].site_count;
  for (uint32_t i = 1; i <= build->site_count; i++)
    SUM_SITE(&modules[build->sites[i].module], &build->sites[i]);
  model->modules = modules + 1;
  model->module_count = build->module_count;
}

/* The process's end as far as it is known. */
static uint64_t end_ns(const struct build *build) {
  uint64_t said = build->stream->header.end_ns;
  return said > build->now_ns ? said : build->now_ns;
}

static void threads_take(struct build *build, struct ms_model *model) {
  struct ms_model_thread *threads = ms_arena_array(build->arena, build->thread_count, sizeof *threads);
  for (uint32_t i = 0; i < build->thread_count; i++) {
    const struct thread *from = &build->threads[i + 1];
    threads[i] = from->out;
    threads[i].id = i + 1;
    if (!threads[i].end_ns) threads[i].end_ns = end_ns(build); /* it lived to the end */
    threads[i].live_blocks = from->live_blocks;
    threads[i].live_bytes = from->live_bytes;
    if (from->out.allocations || from->out.frees || from->out.reallocations) build->totals.threads++;
  }
  for (uint32_t i = 0; i < build->thread_count; i++) {
    uint32_t creator = 0;
    for (uint32_t j = 0; j < build->thread_count && threads[i].creator_id && !creator; j++)
      if (threads[j].stream_id == threads[i].creator_id) creator = j + 1;
    threads[i].creator_id = creator;
  }
  model->threads = threads;
  model->thread_count = build->thread_count;
}

/* ---- the process ---- */

static void coverage_take(struct ms_model *model) {
  struct ms_model_coverage *coverage = &model->coverage;
  for (uint32_t i = 0; i < model->site_count; i++) {
    const struct ms_model_site *site = &model->sites[i];
    uint64_t *const allocations[] = {&coverage->named_allocations, &coverage->wrapper_only_allocations,
                                     &coverage->unnamed_allocations};
    uint64_t *const bytes[] = {&coverage->named_bytes, &coverage->wrapper_only_bytes,
                               &coverage->unnamed_bytes};
    *allocations[site->naming] += site->allocations;
    *bytes[site->naming] += site->allocated_bytes;
    if (site->type_id) coverage->typed_bytes += site->allocated_bytes;
  }
}

static const char *mode_name(uint32_t mode) {
  switch (mode) {
  case MS_MODE_EXACT: return "exact";
  case MS_MODE_SAMPLE: return "sample";
  case MS_MODE_COUNTERS: return "counters";
  default: return "full";
  }
}

static void process_take(struct build *build, struct ms_model *model) {
  const struct ms_stream *stream = build->stream;
  const struct ms_file_header *header = &stream->header;
  struct ms_model_process *process = &model->process;
  const char **argv = ms_arena_array(build->arena, (size_t)stream->argc + 1, sizeof *argv);
  for (uint32_t i = 0; i < stream->argc; i++) argv[i] = ms_build_text(build, stream->argv[i]);
  bool header_ended = header->end_how != MS_END_NONE;
  *process = (struct ms_model_process){
      .program = ms_build_text(build, stream->program),
      .directory = ms_build_text(build, stream->directory),
      .argv = argv,
      .argc = stream->argc,
      .pid = header->pid,
      .parent_pid = header->parent_pid,
      .host = ms_build_text(build, header->host),
      .parent_stream = ms_build_text(build, header->parent),
      .start_unix_ns = header->start_unix_ns,
      .duration_ns = end_ns(build),
      .clock_step_ns = header->clock_step_ns,
      .mode = mode_name(header->mode),
      .end_how = header_ended ? (enum ms_end_how)header->end_how : build->ended ? build->end_how : MS_END_NONE,
      .end_status = header_ended ? header->end_status : build->end_status,
      .cut = stream->cut,
      .running = stream->live,
      .heard = ms_build_heard(build),
      .restricted_ns = header->restricted_ns,
      .loss = build->loss};
  process->end_when = ms_model_end_when(process);
  process->complete = (build->ended || header_ended) && !build->totals.lost_events && !stream->problem_count;
}

void ms_finish(struct build *build, const struct ms_merge *merge, struct ms_model *model) {
  struct order order = {
      .site_ids = ms_arena_array(build->arena, (size_t)build->site_count + 1, sizeof(uint32_t)),
      .type_ids = ms_arena_array(build->arena, (size_t)build->type_count + 1, sizeof(uint32_t)),
      .holder_ids = ms_arena_array(build->arena, (size_t)build->holder_count + 1, sizeof(uint32_t))};
  sites_take(build, model, &order);
  types_take(build, model, &order);
  holders_take(build, model, &order);
  for (uint32_t i = 0; i < model->site_count; i++) {
    struct ms_model_site *site = (struct ms_model_site *)&model->sites[i];
    site->type_id = order.type_ids[site->type_id];
    site->holder_id = order.holder_ids[site->holder_id];
  }
  for (uint32_t i = 1; i <= build->place_count; i++)
    build->places[i].type_id = order.type_ids[build->places[i].type_id];
  modules_take(build, model);
  threads_take(build, model);
  ms_stacks_take(build, model, order.site_ids);
  ms_live_take(build, merge, model, order.site_ids);
  model->places = build->places ? build->places + 1 : NULL;
  model->place_count = build->place_count;
  coverage_take(model);
  process_take(build, model);
  ms_moments_take(build, model, order.site_ids);
  ms_bad_frees_take(build, model, order.site_ids);
  model->totals = build->totals;
  model->damage = build->damage;
  model->domains = NULL;
  model->findings = NULL;
  model->notes = build->notes;
  model->note_count = build->note_count;
  model->counted = ms_is_counted(build);
  if (!model->counted) ms_timeline_take(build, model);
  if (build->sampling.kind) ms_sampling_take(build, model, &order);
}
