/* SPDX-License-Identifier: MIT
 *
 * Of a sampled stream: how it was drawn, and how far the figures may be off. In the
 * report of any other these tables are not there.
 */
#include "view/view.h"

#include "model/model.h"

static void totals(struct ms_columns *columns, const struct ms_model_error *error) {
  const struct {
    const char *figure;
    struct ms_range range;
  } rows[] = {
#define MS_FIGURE(name, counts) {#name, error->name},
#include "model/figure.def"
  };
  struct ms_table *table = ms_table_add(columns, "total_errors", sizeof rows / sizeof *rows);
  MS_TEXTS(table, "figure", rows[i].figure);
  MS_NUMBERS(table, "low", rows[i].range.low);
  MS_NUMBERS(table, "high", rows[i].range.high);
}

/* Row by row beside the table of that kind; `first`: where the first row keeps its error. A figure
 * that rows of the kind do not have is 0 in all of them. */
static void errors(struct ms_columns *columns, const char *name, const void *first, size_t row_bytes, uint32_t count) {
  struct ms_table *table = ms_table_add(columns, name, count);
#define ERROR_AT(i) (*(const struct ms_model_error *const *)((const char *)first + (i)*row_bytes))
#define MS_FIGURE(name, counts)                            \
  MS_NUMBERS(table, #name "_low", ERROR_AT(i)->name.low); \
  MS_NUMBERS(table, #name "_high", ERROR_AT(i)->name.high);
#include "model/figure.def"
}

#define ERRORS(columns, name, rows, count) errors(columns, name, (count) ? &(rows)->error : NULL, sizeof *(rows), count)

void ms_view_sampling(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_sampling *sampling = &model->sampling;
  if (!sampling->kind) return;
  struct ms_table *how = ms_table_add(columns, "sampling", 1);
  MS_NUMBERS(how, "by_bytes", sampling->kind == MS_SAMPLING_BYTES);
  MS_NUMBERS(how, "period", (uint64_t)(sampling->period + 0.5));
  MS_NUMBERS(how, "large_bytes", sampling->large_bytes);
  MS_NUMBERS(how, "sampled_allocations", sampling->sampled_allocations);
  totals(columns, model->totals.error);
  ERRORS(columns, "site_errors", model->sites, model->site_count);
  ERRORS(columns, "type_errors", model->types, model->type_count);
  ERRORS(columns, "module_errors", model->modules, model->module_count);
  ERRORS(columns, "thread_errors", model->threads, model->thread_count);
}
