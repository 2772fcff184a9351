/* SPDX-License-Identifier: MIT
 *
 * The model as JSON, schema 1. Every key of the schema is always there, but for
 * pauses, marks, damage, bad_frees and notes when there are none, call stacks unless asked
 * for (and symbol_problems, why binaries were not found), process.heard and
 * process.restricted_ns of a program that was, a mark's sites but of a snapshot,
 * process.sampling and each group's error when nothing was sampled; arrays may be empty,
 * and domains and findings are: nothing fills them yet. A number that there is not is null:
 * a site's lifetimes where nothing died, unloaded_ns while a module is loaded, the status of
 * an end that has none; and what counters cannot know (process.mode "counters"): peaks and
 * their time, temporary, foreign_frees, what was live at a mark. Sites' chains begin
 * innermost, at the allocator's caller. In an error peak_bytes and bytes_at_peak are null:
 * peaks of estimates have no interval. process.sampling: {"kind": "rate" | "bytes", "period":
 * mean distance of samples in allocations or bytes, "large_bytes": of rate, the size from
 * which blocks may be drawn more often than one in a period, "sampled_allocations"}.
 *
 * damage: what of the stream is in no figure. {"denied_chunks", "denied_events": whose
 * checksums do not hold, "doubtful_blocks": of those shown as live, how many may have been
 * freed there, "missing_chunks", "lost_segments", "lost_segment_events": of a packed file,
 * damaged, null where it is not known how many events those had}.
 *
 * notes: what the text summary says below its tables. {"kind": "info" (how a figure is to be
 * read) | "loss" | "damage", "offset": of damage, where in the stream, "text"}.
 *
 * bad_frees: equal ones are one row, the most frequent first. {"kind": "double" (of a
 * block that was freed before) | "unknown" (of an address where the stream had no
 * block), "function": "free" | "realloc", "count", "place": where, null when not
 * known, as of one in which the process ended; then of the first one "thread", "ns",
 * "address", and "block": what had been there, null where that is not known: {"site" (an
 * id), "holder", "type", "bytes", "born_ns", "born": its place, "freed_ns", "freed":
 * where it was freed first or, by a realloc that moved it, given its new place}}. A
 * place: {"file", "line", "column", "function", "module", "address" (in the module's
 * file, where there is no line)}.
 *
 * process.end: {"how": "exit" | "quick" (_exit) | "exec" | "signal" | "stopped" |
 * "none", "status": exit status or signal number}. Of a cut stream it is what the
 * header page says, and process.complete is false.
 */
#include "export/export.h"

#include <inttypes.h>
#include <string.h>
#include <yajl/yajl_gen.h>

struct json {
  yajl_gen gen;
  const struct ms_model *model;
  const struct ms_symbols *symbols; /* NULL: no call stacks */
  uint32_t top;
};

static void text_put(struct json *json, const char *text) {
  yajl_gen_string(json->gen, (const unsigned char *)text, strlen(text));
}

static void key_put(struct json *json, const char *key) { text_put(json, key); }

/* yajl's own integers are signed. */
static void number_put(struct json *json, uint64_t number) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
  yajl_gen_number(json->gen, digits, (size_t)length);
}

static void member_text(struct json *json, const char *key, const char *text) {
  key_put(json, key);
  text_put(json, text);
}

static void member_number(struct json *json, const char *key, uint64_t number) {
  key_put(json, key);
  number_put(json, number);
}

static void member_flag(struct json *json, const char *key, bool flag) {
  key_put(json, key);
  yajl_gen_bool(json->gen, flag);
}

static void member_known(struct json *json, const char *key, bool known, uint64_t number) {
  key_put(json, key);
  if (known)
    number_put(json, number);
  else
    yajl_gen_null(json->gen);
}

static void map_open(struct json *json, const char *key) {
  if (key) key_put(json, key);
  yajl_gen_map_open(json->gen);
}
static void map_close(struct json *json) { yajl_gen_map_close(json->gen); }

static void array_open(struct json *json, const char *key) {
  key_put(json, key);
  yajl_gen_array_open(json->gen);
}
static void array_close(struct json *json) { yajl_gen_array_close(json->gen); }

/* Members whose key is the field's name. */
#define NUMBER(from, field) member_number(json, #field, (from)->field)
#define TEXT(from, field) member_text(json, #field, (from)->field)

static const char *module_name(const struct json *json, uint32_t id) {
  return id ? json->model->modules[id - 1].path : "";
}

static const char *type_name(const struct json *json, uint32_t id) {
  return id ? json->model->types[id - 1].name : "";
}

static void end_put(struct json *json, const struct ms_model_process *process) {
  static const struct {
    const char *how;
    bool status;
  } ends[] = {
      [MS_END_NONE] = {"none", false}, [MS_END_EXIT] = {"exit", true},     [MS_END_QUICK] = {"quick", true},
      [MS_END_EXEC] = {"exec", false}, [MS_END_SIGNAL] = {"signal", true}, [MS_END_STOPPED] = {"stopped", false},
  };
  unsigned end = process->end_how < sizeof ends / sizeof *ends ? process->end_how : MS_END_NONE;
  map_open(json, "end");
  member_text(json, "how", ends[end].how);
  member_known(json, "status", ends[end].status, (uint32_t)process->end_status);
  map_close(json);
}

static void sampling_put(struct json *json) {
  const struct ms_model_sampling *sampling = &json->model->sampling;
  map_open(json, "sampling");
  member_text(json, "kind", sampling->kind == MS_SAMPLING_BYTES ? "bytes" : "rate");
  key_put(json, "period");
  yajl_gen_double(json->gen, sampling->period);
  if (sampling->large_bytes) NUMBER(sampling, large_bytes);
  NUMBER(sampling, sampled_allocations);
  map_close(json);
}

/* ---- errors of estimates ---- */

enum figure {
#define MS_FIGURE(name, counts) FIGURE_##name,
#include "model/figure.def"
  FIGURE_peak_bytes,
  FIGURE_bytes_at_peak,
};
#define HAS(name) (1u << FIGURE_##name)

static void range_put(struct json *json, const char *key, struct ms_range range) {
  map_open(json, key);
  member_number(json, "low", range.low);
  member_number(json, "high", range.high);
  map_close(json);
}

/* What a reader may look for and there is not. */
static const struct {
  unsigned shown;
  const char *name;
} peaks[] = {{HAS(peak_bytes), "peak_bytes"}, {HAS(bytes_at_peak), "bytes_at_peak"}};

/* Of those figures the group shows. */
static void error_put(struct json *json, const struct ms_model_error *error, unsigned shown) {
  if (!error) return;
  map_open(json, "error");
#define MS_FIGURE(name, counts) \
  if (shown & HAS(name)) range_put(json, #name, error->name);
#include "model/figure.def"
  for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++)
    if (shown & peaks[i].shown) member_known(json, peaks[i].name, false, 0);
  map_close(json);
}

/* Not known of samples, nor of counters. */
static void temporary_put(struct json *json, uint64_t temporary) {
  member_known(json, "temporary", !json->model->sampling.kind && !json->model->counted, temporary);
}

/* Not known of counters. */
#define EVENT_NUMBER(from, field) member_known(json, #field, !json->model->counted, (from)->field)

static void process_put(struct json *json) {
  const struct ms_model_process *process = &json->model->process;
  map_open(json, "process");
  TEXT(process, program);
  array_open(json, "argv");
  for (uint32_t i = 0; i < process->argc; i++) text_put(json, process->argv[i]);
  array_close(json);
  NUMBER(process, pid);
  TEXT(process, host);
  NUMBER(process, start_unix_ns);
  NUMBER(process, duration_ns);
  TEXT(process, mode);
  member_flag(json, "complete", process->complete);
  end_put(json, process);
  if (process->heard) TEXT(process, heard);
  if (process->restricted_ns) NUMBER(process, restricted_ns);
  if (json->model->sampling.kind) sampling_put(json);
  map_close(json);
}

static void totals_put(struct json *json) {
  const struct ms_model_totals *totals = &json->model->totals;
  map_open(json, "totals");
  NUMBER(totals, allocations);
  NUMBER(totals, frees);
  NUMBER(totals, reallocations);
  NUMBER(totals, allocated_bytes);
  EVENT_NUMBER(totals, peak_bytes);
  EVENT_NUMBER(totals, peak_time_ns);
  NUMBER(totals, live_blocks);
  NUMBER(totals, live_bytes);
  temporary_put(json, totals->temporary);
  NUMBER(totals, threads);
  NUMBER(totals, events);
  NUMBER(totals, lost_events);
  error_put(json, totals->error, HAS(allocations) | HAS(frees) | HAS(reallocations) | HAS(allocated_bytes) | HAS(peak_bytes) | HAS(live_blocks) | HAS(live_bytes));
  map_close(json);
}

static void damage_put(struct json *json) {
  const struct ms_model_damage *damage = &json->model->damage;
  if (!damage->denied_chunks && !damage->missing_chunks && !damage->lost_segments) return;
  map_open(json, "damage");
  NUMBER(damage, denied_chunks);
  NUMBER(damage, denied_events);
  member_number(json, "doubtful_blocks", damage->doubts);
  NUMBER(damage, missing_chunks);
  NUMBER(damage, lost_segments);
  member_known(json, "lost_segment_events", !damage->lost_segments_unknown, damage->lost_segment_events);
  map_close(json);
}

static void coverage_put(struct json *json) {
  const struct ms_model_coverage *coverage = &json->model->coverage;
  map_open(json, "coverage");
  NUMBER(coverage, named_allocations);
  NUMBER(coverage, wrapper_only_allocations);
  NUMBER(coverage, unnamed_allocations);
  NUMBER(coverage, named_bytes);
  NUMBER(coverage, wrapper_only_bytes);
  NUMBER(coverage, unnamed_bytes);
  NUMBER(coverage, typed_bytes);
  map_close(json);
}

static const char *kind_name(enum ms_site_kind kind) {
  static const char *const names[] = {"unknown", "init", "assign", "return", "arg",
                                      "temp",    "out",  "free",   "discard"};
  return (size_t)kind < sizeof names / sizeof *names ? names[kind] : names[0];
}

static void link_put(struct json *json, const struct ms_model_place *place) {
  map_open(json, NULL);
  TEXT(place, holder);
  member_text(json, "type", type_name(json, place->type_id));
  TEXT(place, file);
  NUMBER(place, line);
  NUMBER(place, column);
  TEXT(place, function);
  TEXT(place, callee);
  member_text(json, "kind", kind_name(place->kind));
  member_flag(json, "wrapper", place->flags & MS_SITE_WRAPPER);
  map_close(json);
}

static void lifetime_put(struct json *json, const struct ms_model_lifetime *lifetime) {
  map_open(json, "lifetime_ns");
  member_known(json, "min", lifetime->count, lifetime->min_ns);
  member_known(json, "median", lifetime->count, lifetime->median_ns);
  member_known(json, "p99", lifetime->count, lifetime->p99_ns);
  member_known(json, "max", lifetime->count, lifetime->max_ns);
  map_close(json);
}

static void site_put(struct json *json, const struct ms_model_site *site) {
  map_open(json, NULL);
  NUMBER(site, id);
  TEXT(site, holder);
  TEXT(site, type);
  NUMBER(site, element_bytes);
  TEXT(site->place, file);
  NUMBER(site->place, line);
  NUMBER(site->place, column);
  member_text(json, "function",
              *site->place->function || site->chain_count ? site->place->function : site->place->text);
  member_text(json, "module", module_name(json, site->module_id));
  array_open(json, "chain");
  for (uint32_t i = 0; i < site->chain_count; i++) link_put(json, site->chain[i]);
  array_close(json);
  member_text(json, "provenance", ms_provenance_name(site->provenance));
  NUMBER(site, allocations);
  NUMBER(site, frees);
  NUMBER(site, allocated_bytes);
  NUMBER(site, live_blocks);
  NUMBER(site, live_bytes);
  EVENT_NUMBER(site, peak_bytes);
  EVENT_NUMBER(site, bytes_at_peak);
  temporary_put(json, site->temporary);
  member_number(json, "threads", site->alloc_threads.count);
  lifetime_put(json, &site->lifetime);
  error_put(json, site->error, HAS(allocations) | HAS(frees) | HAS(allocated_bytes) | HAS(live_blocks) | HAS(live_bytes) | HAS(peak_bytes) | HAS(bytes_at_peak));
  map_close(json);
}

enum { GROUP_FIGURES = HAS(allocations) | HAS(live_bytes) | HAS(peak_bytes) };

static void type_put(struct json *json, const struct ms_model_type *type) {
  map_open(json, NULL);
  TEXT(type, name);
  member_number(json, "size", type->size_bytes);
  member_number(json, "align", type->align_bytes);
  NUMBER(type, allocations);
  NUMBER(type, live_bytes);
  EVENT_NUMBER(type, peak_bytes);
  NUMBER(type, padding_bytes);
  error_put(json, type->error, GROUP_FIGURES);
  map_close(json);
}

static void holder_put(struct json *json, const struct ms_model_holder *holder) {
  map_open(json, NULL);
  TEXT(holder, holder);
  TEXT(holder, type);
  NUMBER(holder, allocations);
  NUMBER(holder, live_bytes);
  EVENT_NUMBER(holder, peak_bytes);
  error_put(json, holder->error, GROUP_FIGURES);
  map_close(json);
}

static void module_put(struct json *json, const struct ms_model_module *module) {
  bool unloaded = module->status == MS_MODULE_UNLOADED;
  map_open(json, NULL);
  member_text(json, "name", module->path);
  TEXT(module, build_id);
  member_flag(json, "instrumented", module->instrumented);
  member_text(json, "status", unloaded ? "unloaded" : "running");
  NUMBER(module, loaded_ns);
  member_known(json, "unloaded_ns", unloaded, module->unloaded_ns);
  NUMBER(module, allocations);
  NUMBER(module, live_bytes);
  error_put(json, module->error, HAS(allocations) | HAS(live_bytes));
  map_close(json);
}

static void thread_put(struct json *json, const struct ms_model_thread *thread) {
  map_open(json, NULL);
  member_number(json, "id", thread->stream_id);
  TEXT(thread, name);
  NUMBER(thread, allocations);
  NUMBER(thread, frees);
  EVENT_NUMBER(thread, foreign_frees);
  NUMBER(thread, allocated_bytes);
  error_put(json, thread->error, HAS(allocations) | HAS(frees) | HAS(allocated_bytes));
  map_close(json);
}

static void domain_put(struct json *json, const struct ms_model_domain *domain) {
  map_open(json, NULL);
  NUMBER(domain, id);
  TEXT(domain, name);
  member_number(json, "parent", domain->parent_id);
  NUMBER(domain, self_bytes);
  NUMBER(domain, total_bytes);
  map_close(json);
}

static void pause_put(struct json *json, const struct ms_model_pause *pause) {
  map_open(json, NULL);
  NUMBER(pause, from_ns);
  NUMBER(pause, to_ns);
  map_close(json);
}

static void mark_put(struct json *json, const struct ms_model_mark *mark) {
  map_open(json, NULL);
  TEXT(mark, name);
  NUMBER(mark, ns);
  EVENT_NUMBER(mark, live_bytes);
  EVENT_NUMBER(mark, live_blocks);
  bool known = mark->snapshot && !json->model->counted;
  if (known) array_open(json, "sites");
  for (uint32_t i = 0; i < mark->held_count && i < json->top; i++) {
    map_open(json, NULL);
    member_number(json, "id", mark->held[i].site_id);
    NUMBER(&mark->held[i], live_bytes);
    NUMBER(&mark->held[i], live_blocks);
    map_close(json);
  }
  if (known) array_close(json);
  map_close(json);
}

/* ---- bad frees ---- */

static void place_put(struct json *json, const char *key, uint32_t id) {
  const struct ms_model_place *place = id ? &json->model->places[id - 1] : NULL;
  key_put(json, key);
  if (!place) {
    yajl_gen_null(json->gen);
    return;
  }
  map_open(json, NULL);
  TEXT(place, file);
  NUMBER(place, line);
  NUMBER(place, column);
  TEXT(place, function);
  member_text(json, "module", module_name(json, place->module_id));
  NUMBER(place, address);
  map_close(json);
}

static void bad_block_put(struct json *json, const struct ms_model_bad_free *bad) {
  const struct ms_model_site *site = bad->site_id ? &json->model->sites[bad->site_id - 1] : NULL;
  key_put(json, "block");
  if (!site) {
    yajl_gen_null(json->gen);
    return;
  }
  map_open(json, NULL);
  member_number(json, "site", site->id);
  TEXT(site, holder);
  TEXT(site, type);
  member_number(json, "bytes", bad->size_bytes);
  NUMBER(bad, born_ns);
  place_put(json, "born", site->place->id);
  NUMBER(bad, freed_ns);
  place_put(json, "freed", bad->freed_place_id);
  map_close(json);
}

static void bad_free_put(struct json *json, const struct ms_model_bad_free *bad) {
  map_open(json, NULL);
  member_text(json, "kind", ms_bad_free_name(bad->kind));
  member_text(json, "function", bad->resized ? "realloc" : "free");
  NUMBER(bad, count);
  place_put(json, "place", bad->place_id);
  member_number(json, "thread", json->model->threads[bad->thread_id - 1].stream_id);
  NUMBER(bad, ns);
  NUMBER(bad, address);
  bad_block_put(json, bad);
  map_close(json);
}

static void note_put(struct json *json, const struct ms_model_note *note) {
  static const char *const kinds[] = {[MS_NOTE_INFO] = "info", [MS_NOTE_LOSS] = "loss", [MS_NOTE_DAMAGE] = "damage"};
  map_open(json, NULL);
  member_text(json, "kind", kinds[note->kind]);
  member_known(json, "offset", note->kind == MS_NOTE_DAMAGE, note->offset);
  TEXT(note, text);
  map_close(json);
}

static void frame_put(struct json *json, const struct ms_model_place *place, const struct ms_symbol *symbol) {
  map_open(json, NULL);
  TEXT(symbol, function);
  TEXT(symbol, file);
  NUMBER(symbol, line);
  member_text(json, "module", module_name(json, place->module_id));
  NUMBER(place, address);
  member_flag(json, "inlined", symbol->inlined);
  map_close(json);
}

/* One address is several frames when functions were inlined there. */
static void frames_put(struct json *json, uint32_t place_id) {
  static const struct ms_symbol unknown = {.function = "", .file = ""};
  const struct ms_symbol_rows *found = &json->symbols->places[place_id - 1];
  for (uint32_t i = 0; i < found->count; i++) frame_put(json, &json->model->places[place_id - 1], &found->rows[i]);
  if (!found->count) frame_put(json, &json->model->places[place_id - 1], &unknown);
}

static void stack_site_put(struct json *json, const struct ms_model_stack_site *site) {
  map_open(json, NULL);
  member_number(json, "id", site->site_id);
  NUMBER(site, allocations);
  NUMBER(site, allocated_bytes);
  NUMBER(site, live_bytes);
  NUMBER(site, bytes_at_peak);
  map_close(json);
}

static void stack_put(struct json *json, const struct ms_model_stack *stack) {
  map_open(json, NULL);
  NUMBER(stack, id);
  array_open(json, "frames");
  for (uint32_t i = 0; i < stack->place_count; i++) frames_put(json, stack->places[i]);
  array_close(json);
  array_open(json, "sites");
  for (uint32_t i = 0; i < stack->site_count; i++) stack_site_put(json, &stack->sites[i]);
  array_close(json);
  map_close(json);
}

static void problems_put(struct json *json) {
  array_open(json, "symbol_problems");
  for (uint32_t i = 0; i < json->symbols->problem_count; i++) text_put(json, json->symbols->problems[i]);
  array_close(json);
}

static void finding_put(struct json *json, const struct ms_finding *finding) {
  map_open(json, NULL);
  TEXT(finding, rule);
  TEXT(finding, severity);
  TEXT(finding, message);
  TEXT(finding, holder);
  TEXT(finding, type);
  TEXT(finding, file);
  NUMBER(finding, line);
  TEXT(finding, function);
  NUMBER(finding, cwe);
  NUMBER(finding, blocks);
  NUMBER(finding, bytes);
  TEXT(finding, allocated_at);
  TEXT(finding, freed_at);
  map_open(json, "evidence");
  for (uint32_t i = 0; i < finding->evidence_count; i++)
    member_text(json, finding->evidence[i].name, finding->evidence[i].value);
  map_close(json);
  map_close(json);
}

#define ARRAY(key, rows, count, most, put)                                                                   \
  do {                                                                                                       \
    array_open(json, key);                                                                                   \
    for (uint32_t i = 0; i < json->model->count && i < (most); i++) put(json, &json->model->rows[i]);        \
    array_close(json);                                                                                       \
  } while (0)

static void model_put(struct json *json, const char *version) {
  map_open(json, NULL);
  map_open(json, "memscope");
  member_text(json, "version", version);
  member_number(json, "schema", MS_JSON_SCHEMA);
  map_close(json);
  process_put(json);
  totals_put(json);
  damage_put(json);
  coverage_put(json);
  ARRAY("sites", sites, site_count, json->top, site_put);
  ARRAY("types", types, type_count, json->top, type_put);
  ARRAY("holders", holders, holder_count, json->top, holder_put);
  ARRAY("modules", modules, module_count, UINT32_MAX, module_put);
  ARRAY("threads", threads, thread_count, UINT32_MAX, thread_put);
  ARRAY("domains", domains, domain_count, UINT32_MAX, domain_put);
  if (json->model->pause_count) ARRAY("pauses", pauses, pause_count, UINT32_MAX, pause_put);
  if (json->model->mark_count) ARRAY("marks", marks, mark_count, UINT32_MAX, mark_put);
  if (json->model->bad_free_count) ARRAY("bad_frees", bad_frees, bad_free_count, json->top, bad_free_put);
  if (json->model->note_count) ARRAY("notes", notes, note_count, UINT32_MAX, note_put);
  ARRAY("findings", findings, finding_count, UINT32_MAX, finding_put);
  if (json->symbols) {
    ARRAY("stacks", stacks, stack_count, json->top, stack_put);
    problems_put(json);
  }
  map_close(json);
}

static void out_print(void *out, const char *text, size_t bytes) { fwrite(text, 1, bytes, out); }

bool ms_export_json(const struct ms_model *model, const char *version, unsigned top, const struct ms_symbols *symbols,
                    FILE *out) {
  struct json json = {.gen = yajl_gen_alloc(NULL), .model = model, .symbols = symbols, .top = top ? top : UINT32_MAX};
  if (!json.gen) return false;
  yajl_gen_config(json.gen, yajl_gen_beautify, 1);
  yajl_gen_config(json.gen, yajl_gen_indent_string, " ");
  yajl_gen_config(json.gen, yajl_gen_print_callback, out_print, out);
  model_put(&json, version);
  yajl_gen_free(json.gen);
  return true;
}
