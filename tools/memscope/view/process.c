/* SPDX-License-Identifier: MIT
 *
 * The run: single figures, the command line, and what a reader must know.
 */
#include "view/view.h"

#include "model/model.h"

#include <string.h>

struct fact {
  const char *name;
  uint64_t number;
  const char *text;
};

static const char *name_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void facts_add(struct ms_columns *columns, const struct fact *facts, uint32_t count) {
  struct ms_table *table = ms_table_add(columns, "facts", count);
  MS_TEXTS(table, "name", facts[i].name);
  MS_NUMBERS(table, "number", facts[i].number);
  MS_TEXTS(table, "text", facts[i].text ? facts[i].text : "");
}

static void facts(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_process *p = &model->process;
  const struct ms_model_totals *t = &model->totals;
  const struct ms_model_coverage *c = &model->coverage;
#define NUMBER(from, field)                                                                                  \
  { #field, from->field, NULL }
  const struct fact rows[] = {
      {"version", 0, MS_VERSION},
      {"name", 0, name_of(p->program)},
      {"program", 0, p->program},
      {"directory", 0, p->directory},
      {"host", 0, p->host},
      {"mode", 0, p->mode},
      {"parent_stream", 0, p->parent_stream},
      {"start_unix_ms", p->start_unix_ns / 1000000, NULL},
      {"end_how", p->end_how, NULL},
      {"end_status", (uint32_t)p->end_status, NULL},
      {"end_when", 0, p->end_when},
      NUMBER(p, cut),
      NUMBER(p, pid),
      NUMBER(p, parent_pid),
      NUMBER(p, duration_ns),
      NUMBER(p, clock_step_ns),
      NUMBER(p, complete),
      NUMBER(t, allocations),
      NUMBER(t, frees),
      NUMBER(t, reallocations),
      NUMBER(t, allocated_bytes),
      NUMBER(t, peak_bytes),
      NUMBER(t, peak_time_ns),
      NUMBER(t, peak_blocks),
      NUMBER(t, live_blocks),
      NUMBER(t, live_bytes),
      NUMBER(t, temporary),
      NUMBER(t, threads),
      NUMBER(t, events),
      NUMBER(t, lost_events),
      NUMBER(t, bad_frees),
      NUMBER(t, forced),
      NUMBER(t, failed_reallocations),
      NUMBER(t, stream_bytes),
      NUMBER(c, named_allocations),
      NUMBER(c, wrapper_only_allocations),
      NUMBER(c, unnamed_allocations),
      NUMBER(c, named_bytes),
      NUMBER(c, wrapper_only_bytes),
      NUMBER(c, unnamed_bytes),
      NUMBER(c, typed_bytes),
      {"peak_sample", model->timeline.peak_sample, NULL},
  };
#undef NUMBER
  facts_add(columns, rows, sizeof rows / sizeof *rows);
}

void ms_view_process(struct ms_columns *columns, const struct ms_model *model) {
  facts(columns, model);
  struct ms_table *argv = ms_table_add(columns, "argv", model->process.argc);
  MS_TEXTS(argv, "text", model->process.argv[i]);
  struct ms_table *notes = ms_table_add(columns, "notes", model->note_count);
  MS_NUMBERS(notes, "kind", model->notes[i].kind);
  MS_NUMBERS(notes, "offset", model->notes[i].offset);
  MS_TEXTS(notes, "text", model->notes[i].text);
}
