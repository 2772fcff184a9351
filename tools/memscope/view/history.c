/* SPDX-License-Identifier: MIT
 *
 * Memory over time: the whole, the biggest types and holders, and each
 * variable's own curve, thinned so that a page stays small.
 */
#include "view/view.h"

#include "model/model.h"

enum { POINTS_MAX = 150000 }; /* of all variables together: about 700 kB of page */

static void curves(struct ms_columns *columns, const struct ms_model_timeline *timeline) {
  const struct ms_model_curve *lists[] = {timeline->types, timeline->holders};
  uint32_t counts[] = {timeline->type_count, timeline->holder_count}, row = 0, point = 0;
  uint32_t rows = counts[0] + counts[1];
  struct ms_table *table = ms_table_add(columns, "curves", rows);
  uint64_t *group = ms_table_numbers(table, "group"), *id = ms_table_numbers(table, "id");
  struct ms_table *points = ms_table_add(columns, "curve_points", rows * timeline->sample_count);
  uint64_t *live = ms_table_numbers(points, "live_bytes");
  for (uint32_t g = 0; g < 2; g++)
    for (uint32_t c = 0; c < counts[g]; c++, row++) {
      group[row] = g;
      id[row] = lists[g][c].id;
      for (uint32_t i = 0; i < timeline->sample_count; i++) live[point++] = lists[g][c].live_bytes[i];
    }
}

/* Of the points that fall into `step` samples only the last is kept: it is the
 * one that holds from there on. */
static bool point_kept(const struct ms_points *points, uint32_t at, uint32_t step) {
  return at + 1 == points->count || points->rows[at + 1].sample / step != points->rows[at].sample / step;
}

static uint64_t points_kept(const struct ms_model *model, uint32_t step) {
  uint64_t kept = 0;
  for (uint32_t s = 0; s < model->site_count; s++)
    for (uint32_t p = 0; p < model->sites[s].points.count; p++)
      kept += point_kept(&model->sites[s].points, p, step);
  return kept;
}

static void points(struct ms_columns *columns, const struct ms_model *model) {
  uint32_t step = 1, row = 0;
  while (step < MS_TIMELINE_MAX && points_kept(model, step) > POINTS_MAX) step *= 2;
  struct ms_table *table = ms_table_add(columns, "points", (uint32_t)points_kept(model, step));
  uint64_t *site = ms_table_numbers(table, "site"), *sample = ms_table_numbers(table, "sample"),
           *live = ms_table_numbers(table, "live_bytes");
  for (uint32_t s = 0; s < model->site_count; s++) {
    const struct ms_points *list = &model->sites[s].points;
    for (uint32_t p = 0; p < list->count; p++) {
      if (!point_kept(list, p, step)) continue;
      site[row] = s + 1;
      sample[row] = list->rows[p].sample;
      live[row++] = list->rows[p].live_bytes;
    }
  }
}

void ms_view_history(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_timeline *t = &model->timeline;
  struct ms_table *table = ms_table_add(columns, "timeline", t->sample_count);
#define NUMBER(field) MS_NUMBERS(table, #field, t->field[i]);
  NUMBER(end_ns)
  NUMBER(end_event) NUMBER(live_bytes) NUMBER(most_bytes) NUMBER(live_blocks) NUMBER(allocations)
      NUMBER(frees) NUMBER(allocated_bytes)
#undef NUMBER
          curves(columns, t);
  points(columns, model);
}
