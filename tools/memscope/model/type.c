/* SPDX-License-Identifier: MIT
 *
 * Types: a unit's records, merged with those of other units by name and
 * layout. A unit that saw only a declaration gets the layout of another that
 * saw the definition, when there is just one of that name.
 */
#include "model/build.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

/* A type whose fields are still to be taken: they may lead to itself. */
struct type_todo {
  uint32_t type, index;
  const struct ms_unit_view *unit;
};

static bool is_record(unsigned kind) {
  return kind == MS_TYPE_STRUCT || kind == MS_TYPE_UNION || kind == MS_TYPE_CLASS;
}

static const struct ms_type *unit_type(const struct ms_unit_view *unit, uint32_t index) {
  return index && index <= unit->type_count ? &unit->types[index - 1] : NULL;
}

/* The fields' part of the table that is there; *count of them. */
static const struct ms_field *unit_fields(const struct ms_unit_view *unit, const struct ms_type *type,
                                          uint32_t *count) {
  uint32_t there = type->first_field < unit->field_count ? unit->field_count - type->first_field : 0;
  *count = type->field_count < there ? type->field_count : there;
  return unit->fields + (there ? type->first_field : 0);
}

static const char *type_name(const struct ms_unit_view *unit, uint32_t index) {
  const struct ms_type *type = unit_type(unit, index);
  return type ? ms_unit_text(unit, type->name) : "";
}

static uint64_t text_hash(const struct build *build, const char *text) {
  return XXH64(text, strlen(text), build->seed);
}

static uint64_t layout_hash(const struct build *build, const struct ms_unit_view *unit,
                            const struct ms_type *type) {
  XXH64_state_t state;
  XXH64_reset(&state, build->seed);
  const uint64_t head[] = {text_hash(build, ms_unit_text(unit, type->name)), type->kind, type->size_bytes,
                           type->align_bytes};
  XXH64_update(&state, head, sizeof head);
  uint32_t count;
  const struct ms_field *fields = unit_fields(unit, type, &count);
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t part[] = {text_hash(build, ms_unit_text(unit, fields[i].name)),
                             text_hash(build, type_name(unit, fields[i].type)),
                             (uint64_t)fields[i].offset_bytes << 32 | fields[i].size_bytes,
                             (uint64_t)fields[i].counted_by << 32 | (uint64_t)fields[i].flags << 8 |
                                 fields[i].offset_bits};
    XXH64_update(&state, part, sizeof part);
  }
  return XXH64_digest(&state) | 1;
}

/* ---- one complete record for each name ---- */

enum { NAME_TWICE = UINT32_MAX };

/* Names with one complete layout -> 1 + index of the unit whose table has it. */
static void complete_collect(struct build *build) {
  struct ms_map layouts;
  ms_map_init(&layouts, build->arena);
  build->complete_known = true;
  for (uint32_t u = 0; u < build->stream->unit_count; u++) {
    const struct ms_unit_view *unit = &build->stream->units[u];
    for (uint32_t i = 0; i < unit->type_count; i++) {
      const struct ms_type *type = &unit->types[i];
      if (!is_record(type->kind) || !type->size_bytes) continue;
      uint64_t key = text_hash(build, ms_unit_text(unit, type->name)) | 1;
      uint32_t layout = (uint32_t)layout_hash(build, unit, type), *known = ms_map_at(&layouts, key),
               *at = ms_map_at(&build->complete, key);
      if (!*at)
        *at = u + 1, *known = layout;
      else if (*known != layout)
        *at = NAME_TWICE;
    }
  }
}

/* The complete type meant by an incomplete one of that name, 0 = cannot be said. */
static uint32_t complete_find(struct build *build, const char *name) {
  if (!*name) return 0;
  if (!build->complete_known) complete_collect(build);
  uint32_t at = ms_map_find(&build->complete, text_hash(build, name) | 1);
  if (!at || at == NAME_TWICE) return 0;
  const struct ms_unit_view *unit = &build->stream->units[at - 1];
  for (uint32_t i = 1; i <= unit->type_count; i++) {
    const struct ms_type *type = unit_type(unit, i);
    if (is_record(type->kind) && type->size_bytes && strcmp(ms_unit_text(unit, type->name), name) == 0)
      return ms_type_of(build, unit, i);
  }
  return 0;
}

/* ---- interning ---- */

static uint32_t type_new(struct build *build, const struct ms_unit_view *unit, uint32_t index) {
  const struct ms_type *type = unit_type(unit, index);
  uint32_t id = ++build->type_count;
  MS_TABLE_ROOM(build, build->types, id, build->type_room);
  build->types[id] = (struct type){.out = {.name = ms_build_text(build, ms_unit_text(unit, type->name)),
                                           .kind = type->kind,
                                           .size_bytes = type->size_bytes,
                                           .align_bytes = type->align_bytes}};
  MS_TABLE_ROOM(build, build->type_todo, build->todo_count, build->todo_room);
  build->type_todo[build->todo_count++] = (struct type_todo){.type = id, .index = index, .unit = unit};
  return id;
}

static uint32_t type_intern(struct build *build, const struct ms_unit_view *unit, uint32_t index) {
  const struct ms_type *type = unit_type(unit, index);
  if (is_record(type->kind) && !type->size_bytes) {
    uint32_t complete = complete_find(build, ms_unit_text(unit, type->name));
    if (complete) return complete;
  }
  uint64_t key = layout_hash(build, unit, type);
  uint32_t id = ms_map_find(&build->type_index, key);
  if (id) return id;
  id = type_new(build, unit, index);
  return *ms_map_at(&build->type_index, key) = id;
}

uint32_t ms_type_of(struct build *build, const struct ms_unit_view *unit, uint32_t index) {
  const struct ms_type *type = unit_type(unit, index);
  if (!type || strcmp(ms_unit_text(unit, type->name), "void") == 0) return 0;
  uint64_t key = (uint64_t)(unit - build->stream->units + 1) << 32 | index;
  uint32_t id = ms_map_find(&build->type_places, key);
  if (id) return id;
  id = type_intern(build, unit, index);
  return *ms_map_at(&build->type_places, key) = id;
}

/* ---- layouts ---- */

/* A field's extent in bits from the record's beginning. */
static uint64_t bits_from(const struct ms_model_field *field) {
  return field->offset_bytes * 8 + field->offset_bits;
}
static uint64_t bits_to(const struct ms_model_field *field) {
  return bits_from(field) + (field->bits ? field->bits : (uint64_t)field->size_bytes * 8);
}

static int extent_order(const void *a, const void *b) {
  const struct ms_model_field *x = *(const struct ms_model_field *const *)a,
                              *y = *(const struct ms_model_field *const *)b;
  if (bits_from(x) != bits_from(y)) return bits_from(x) < bits_from(y) ? -1 : 1;
  return bits_to(x) < bits_to(y) ? -1 : bits_to(x) > bits_to(y);
}

/* Bytes that no field uses: behind which field, and in all. Whole bytes only. */
static void padding_find(struct build *build, struct ms_model_type *type, struct ms_model_field *fields) {
  if (type->kind == MS_TYPE_UNION || !type->field_count || !type->size_bytes) return;
  struct ms_model_field **order = ms_arena_array(build->arena, type->field_count, sizeof *order);
  for (uint32_t i = 0; i < type->field_count; i++) order[i] = &fields[i];
  qsort(order, type->field_count, sizeof *order, extent_order);
  uint64_t end = 0, used = 0;
  for (uint32_t i = 0; i < type->field_count; i++) {
    uint64_t to = (bits_to(order[i]) + 7) / 8, from = bits_from(order[i]) / 8;
    if (to > type->size_bytes) to = type->size_bytes; /* a flexible member lies behind the end */
    if (from < end) from = end;
    if (to > from) used += to - from;
    if (to > end) end = to;
    uint64_t next = i + 1 < type->field_count ? bits_from(order[i + 1]) / 8 : type->size_bytes;
    if (next > type->size_bytes) next = type->size_bytes;
    order[i]->padding_bytes = next > end ? (uint32_t)(next - end) : 0;
  }
  type->padding_bytes = (uint32_t)(type->size_bytes - used);
}

static void fields_take(struct build *build, const struct type_todo *todo) {
  const struct ms_unit_view *unit = todo->unit;
  uint32_t count;
  const struct ms_field *from = unit_fields(unit, unit_type(unit, todo->index), &count);
  struct ms_model_field *fields = ms_arena_array(build->arena, count, sizeof *fields);
  for (uint32_t i = 0; i < count; i++) {
    const struct ms_type *type = unit_type(unit, from[i].type);
    bool bits = from[i].flags & MS_FIELD_BITS;
    fields[i] = (struct ms_model_field){
        .name = ms_build_text(build, ms_unit_text(unit, from[i].name)),
        .type = ms_build_text(build, type_name(unit, from[i].type)),
        .type_id = type && is_record(type->kind) ? ms_type_of(build, unit, from[i].type) : 0,
        .offset_bytes = from[i].offset_bytes,
        .size_bytes = bits ? 0 : from[i].size_bytes,
        .bits = bits ? from[i].size_bytes : 0,
        .offset_bits = bits ? from[i].offset_bits : 0,
        .counted_by = from[i].counted_by <= count ? from[i].counted_by : 0,
        .flags = from[i].flags};
  }
  struct ms_model_type *out = &build->types[todo->type].out;
  out->fields = fields;
  out->field_count = count;
  padding_find(build, out, fields);
}

/* All that the fields lead to is there too, layer by layer. */
void ms_types_finish(struct build *build) {
  while (build->todo_done < build->todo_count) {
    struct type_todo todo = build->type_todo[build->todo_done++];
    fields_take(build, &todo);
  }
}
