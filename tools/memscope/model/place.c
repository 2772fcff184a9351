/* SPDX-License-Identifier: MIT
 *
 * Places: a site's text, or a return address in code without sites. The same
 * place compiled into several units (inline functions) is one.
 */
#include "model/build.h"

#include "base/text.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <string.h>

/* One pointer for equal contents, valid UTF-8. */
const char *ms_build_text(struct build *build, const char *text) {
  if (!*text) return "";
  text = ms_text_clean(build->arena, text);
  for (uint64_t key = XXH64(text, strlen(text), build->seed) | 1;; key += 2) {
    uint32_t *at = ms_map_at(&build->text_index, key);
    if (*at && strcmp(build->texts[*at], text) == 0) return build->texts[*at];
    if (*at) continue;
    *at = ++build->text_count;
    MS_TABLE_ROOM(build, build->texts, build->text_count, build->text_room);
    return build->texts[build->text_count] = text;
  }
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static uint32_t place_add(struct build *build, const struct ms_model_place *place) {
  uint32_t id = ++build->place_count;
  MS_TABLE_ROOM(build, build->places, id, build->place_room);
  build->places[id] = *place;
  build->places[id].id = id;
  return id;
}

static bool place_same(const struct ms_model_place *a, const struct ms_model_place *b) {
  return a->holder == b->holder && a->function == b->function && a->callee == b->callee &&
         a->file == b->file && a->line == b->line && a->column == b->column && a->kind == b->kind &&
         a->flags == b->flags && a->type_id == b->type_id && a->element_bytes == b->element_bytes &&
         a->module_id == b->module_id && a->address == b->address;
}

/* The place with these contents; texts in it are interned. */
static uint32_t place_intern(struct build *build, struct ms_model_place *place) {
  const uint64_t parts[] = {(uintptr_t)place->holder,
                            (uintptr_t)place->function,
                            (uintptr_t)place->callee,
                            (uintptr_t)place->file,
                            place->line,
                            place->column,
                            place->kind,
                            place->flags,
                            place->type_id,
                            place->module_id,
                            place->address,
                            place->element_bytes};
  for (uint64_t key = XXH64(parts, sizeof parts, build->seed) | 1;; key += 2) {
    uint32_t *at = ms_map_at(&build->place_index, key);
    if (*at && place_same(&build->places[*at], place)) return *at;
    if (!*at) return *at = place_add(build, place);
  }
}

uint32_t ms_place_of_site(struct build *build, uint32_t site_id) {
  uint32_t index;
  const struct ms_unit_view *unit = ms_stream_site(build->stream, site_id, &index);
  if (!unit) return ms_place_unknown(build);
  const struct ms_site *site = &unit->sites[index];
  struct ms_model_place place = {.holder = ms_build_text(build, ms_unit_text(unit, site->holder)),
                                 .function = ms_build_text(build, ms_unit_text(unit, site->function)),
                                 .callee = ms_build_text(build, ms_unit_text(unit, site->callee)),
                                 .file = ms_build_text(build, ms_unit_text(unit, site->file)),
                                 .line = site->line,
                                 .column = site->column,
                                 .kind = site->kind,
                                 .flags = site->flags,
                                 .type_id = ms_type_of(build, unit, site->type),
                                 .element_bytes = site->element_bytes,
                                 .module_id = build->modules[unit->module_index + 1].image,
                                 .site_id = site_id};
  uint32_t id = place_intern(build, &place);
  struct ms_model_place *made = &build->places[id];
  if (!made->text)
    made->text =
        ms_arena_print(build->arena, "%s:%" PRIu32 " %s", base_name(place.file), place.line, place.function);
  return id;
}

uint32_t ms_place_of_caller(struct build *build, uint64_t address, uint64_t ns) {
  uint32_t module = ms_stream_module_at(build->stream, address, ns) + 1; /* none: 0 */
  if (!module) return ms_place_unknown(build);
  const struct module *image = &build->modules[module];
  struct ms_model_place place = {.holder = "",
                                 .function = "",
                                 .callee = "",
                                 .file = "",
                                 .module_id = image->image,
                                 .address = address - image->view->record.bias};
  uint32_t id = place_intern(build, &place);
  struct ms_model_place *made = &build->places[id];
  if (!made->text)
    made->text = ms_arena_print(build->arena, "%s+0x%" PRIx64, base_name(image->path), place.address);
  return id;
}

uint32_t ms_place_unknown(struct build *build) {
  struct ms_model_place place = {.text = "unknown", .holder = "", .function = "", .callee = "", .file = ""};
  return place_intern(build, &place);
}
