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

void ms_view_sampling(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_sampling *sampling = &model->sampling;
  const struct ms_model_site *s = model->sites;
  if (!sampling->kind) return;
  struct ms_table *how = ms_table_add(columns, "sampling", 1);
  MS_NUMBERS(how, "by_bytes", sampling->kind == MS_SAMPLING_BYTES);
  MS_NUMBERS(how, "period", (uint64_t)(sampling->period + 0.5));
  MS_NUMBERS(how, "sampled_allocations", sampling->sampled_allocations);
  totals(columns, model->totals.error);
  struct ms_table *table = ms_table_add(columns, "site_errors", model->site_count); /* row by row beside sites */
#define MS_FIGURE(name, counts)                           \
  MS_NUMBERS(table, #name "_low", s[i].error->name.low); \
  MS_NUMBERS(table, #name "_high", s[i].error->name.high);
#include "model/figure.def"
}
