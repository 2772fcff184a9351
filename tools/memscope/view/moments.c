/* SPDX-License-Identifier: MIT
 *
 * Moments along the timeline: pauses of the recording, marks, snapshots.
 */
#include "view/view.h"

#include "model/model.h"

void ms_view_moments(struct ms_columns *columns, const struct ms_model *model) {
  struct ms_table *pauses = ms_table_add(columns, "pauses", model->pause_count);
  MS_NUMBERS(pauses, "from_ns", model->pauses[i].from_ns);
  MS_NUMBERS(pauses, "to_ns", model->pauses[i].to_ns);
  struct ms_table *marks = ms_table_add(columns, "marks", model->mark_count);
  MS_TEXTS(marks, "name", model->marks[i].name);
  MS_NUMBERS(marks, "ns", model->marks[i].ns);
  MS_NUMBERS(marks, "live_bytes", model->marks[i].live_bytes);
  MS_NUMBERS(marks, "snapshot", model->marks[i].snapshot);
}
