/* SPDX-License-Identifier: MIT
 *
 * Bad frees, the most frequent first. In the report of a run without any the table
 * is not there.
 */
#include "view/view.h"

#include "model/model.h"

void ms_view_bad_frees(struct ms_columns *columns, const struct ms_model *model) {
  const struct ms_model_bad_free *b = model->bad_frees;
  if (!model->bad_free_count) return;
  struct ms_table *table = ms_table_add(columns, "bad_frees", model->bad_free_count);
#define NUMBER(field) MS_NUMBERS(table, #field, b[i].field);
  NUMBER(kind)
  NUMBER(resized) NUMBER(count) NUMBER(address) NUMBER(ns) NUMBER(size_bytes) NUMBER(born_ns) NUMBER(freed_ns)
#undef NUMBER
  MS_NUMBERS(table, "place", b[i].place_id);
  MS_NUMBERS(table, "thread", b[i].thread_id);
  MS_NUMBERS(table, "site", b[i].site_id);
  MS_NUMBERS(table, "freed_place", b[i].freed_place_id);
}
