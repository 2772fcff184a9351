/* SPDX-License-Identifier: MIT
 *
 * Who takes part: modules and threads.
 */
#include "view/view.h"

#include "model/model.h"

void ms_view_parties(struct ms_columns *columns, const struct ms_model *model) {
#define NUMBER(field) MS_NUMBERS(table, #field, rows[i].field);
  {
    const struct ms_model_module *rows = model->modules;
    struct ms_table *table = ms_table_add(columns, "modules", model->module_count);
    MS_TEXTS(table, "name", rows[i].name);
    MS_TEXTS(table, "path", rows[i].path);
    MS_TEXTS(table, "build_id", rows[i].build_id);
    NUMBER(instrumented)
    NUMBER(is_main) NUMBER(unit_count) NUMBER(site_count) NUMBER(status) NUMBER(loaded_ns) NUMBER(unloaded_ns)
        NUMBER(allocations) NUMBER(frees) NUMBER(allocated_bytes) NUMBER(live_blocks) NUMBER(live_bytes)
            NUMBER(peak_bytes) NUMBER(bytes_at_peak)
  }
  {
    const struct ms_model_thread *rows = model->threads;
    struct ms_table *table = ms_table_add(columns, "threads", model->thread_count);
    MS_TEXTS(table, "name", rows[i].name);
    NUMBER(stream_id)
    NUMBER(system_id) NUMBER(creator_id) NUMBER(start_ns) NUMBER(end_ns) NUMBER(allocations) NUMBER(frees)
        NUMBER(reallocations) NUMBER(allocated_bytes) NUMBER(foreign_frees) NUMBER(temporary)
            NUMBER(live_blocks) NUMBER(live_bytes)
  }
#undef NUMBER
}
