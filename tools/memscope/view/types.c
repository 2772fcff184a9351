/* SPDX-License-Identifier: MIT
 *
 * Element types with their layouts, and holders: sums of variables.
 */
#include "view/view.h"

#include "model/model.h"

static void fields(struct ms_columns *columns, const struct ms_model *model) {
  uint32_t rows = 0, row = 0;
  for (uint32_t t = 0; t < model->type_count; t++) rows += model->types[t].field_count;
  struct ms_table *table = ms_table_add(columns, "fields", rows);
  uint64_t *type = ms_table_numbers(table, "type"), *field_type = ms_table_numbers(table, "field_type"),
           *offset = ms_table_numbers(table, "offset_bytes"), *size = ms_table_numbers(table, "size_bytes"),
           *bits = ms_table_numbers(table, "bits"), *offset_bits = ms_table_numbers(table, "offset_bits"),
           *padding = ms_table_numbers(table, "padding_bytes"),
           *counted = ms_table_numbers(table, "counted_by"), *flags = ms_table_numbers(table, "flags");
  uint32_t *name = ms_table_texts(table, "name"), *type_name = ms_table_texts(table, "type_name");
  for (uint32_t t = 0; t < model->type_count; t++)
    for (uint32_t f = 0; f < model->types[t].field_count; f++, row++) {
      const struct ms_model_field *field = &model->types[t].fields[f];
      type[row] = t + 1;
      field_type[row] = field->type_id;
      offset[row] = field->offset_bytes;
      size[row] = field->size_bytes;
      bits[row] = field->bits;
      offset_bits[row] = field->offset_bits;
      padding[row] = field->padding_bytes;
      counted[row] = field->counted_by;
      flags[row] = field->flags;
      name[row] = ms_columns_text(columns, field->name);
      type_name[row] = ms_columns_text(columns, field->type);
    }
}

void ms_view_types(struct ms_columns *columns, const struct ms_model *model) {
#define NUMBER(field) MS_NUMBERS(table, #field, rows[i].field);
  {
    const struct ms_model_type *rows = model->types;
    struct ms_table *table = ms_table_add(columns, "types", model->type_count);
    MS_TEXTS(table, "name", rows[i].name);
    NUMBER(kind)
    NUMBER(size_bytes) NUMBER(align_bytes) NUMBER(padding_bytes) NUMBER(site_count) NUMBER(allocations)
        NUMBER(frees) NUMBER(allocated_bytes) NUMBER(live_blocks) NUMBER(live_bytes) NUMBER(peak_bytes)
            NUMBER(bytes_at_peak) NUMBER(elements)
  }
  fields(columns, model);
  {
    const struct ms_model_holder *rows = model->holders;
    struct ms_table *table = ms_table_add(columns, "holders", model->holder_count);
    MS_TEXTS(table, "holder", rows[i].holder);
    MS_TEXTS(table, "type", rows[i].type);
    NUMBER(type_id)
    NUMBER(site_count) NUMBER(allocations) NUMBER(frees) NUMBER(allocated_bytes) NUMBER(live_blocks)
        NUMBER(live_bytes) NUMBER(peak_bytes) NUMBER(bytes_at_peak)
  }
#undef NUMBER
}
