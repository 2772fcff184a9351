/* SPDX-License-Identifier: MIT
 *
 * MODULE and PROCESS records: their tables are left where they are in the
 * mapping, checked once so that an index inside the counts is inside the bytes.
 * Indices within the tables (strings, types, fields) are checked at each use.
 */
#include "reader/index.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdlib.h>

/* Bytes that can be taken from, never beyond their end. */
struct cursor {
  const unsigned char *at;
  uint64_t left;
  bool over; /* more was asked for than was there */
};

static const void *cursor_take(struct cursor *cursor, uint64_t bytes) {
  uint64_t padded = (bytes + 7) & ~UINT64_C(7);
  if (cursor->over || bytes > cursor->left) {
    cursor->over = true;
    return NULL;
  }
  const void *taken = cursor->at;
  if (padded > cursor->left) padded = cursor->left;
  cursor->at += padded;
  cursor->left -= padded;
  return taken;
}

static void *table_add(struct ms_stream *stream, void *table, uint32_t count, size_t bytes) {
  if (count & (count - 1)) return table; /* room is the next power of two */
  return ms_arena_grow(stream->arena, table, count * bytes, (count ? count * 2 : 1) * bytes);
}

static bool unit_take(struct ms_stream *stream, struct cursor *cursor) {
  const struct ms_unit_record *record = cursor_take(cursor, sizeof *record);
  if (!record) return false;
  struct ms_unit_view unit = {.module_index = stream->module_count,
                              .first_site = record->first_site,
                              .site_count = record->site_count,
                              .type_count = record->type_count,
                              .field_count = record->field_count,
                              .strings_bytes = record->strings_bytes,
                              .source = record->source,
                              .compiler = record->compiler};
  unit.sites = cursor_take(cursor, (uint64_t)unit.site_count * sizeof *unit.sites);
  unit.types = cursor_take(cursor, (uint64_t)unit.type_count * sizeof *unit.types);
  unit.fields = cursor_take(cursor, (uint64_t)unit.field_count * sizeof *unit.fields);
  unit.strings = cursor_take(cursor, unit.strings_bytes);
  if (cursor->over) return false;
  if (!unit.site_count) return true;
  if (!unit.strings_bytes || unit.strings[unit.strings_bytes - 1]) unit.strings = "", unit.strings_bytes = 1;
  if (!unit.first_site || unit.site_count > MS_SITE_MAX - unit.first_site) return false;
  stream->units = table_add(stream, stream->units, stream->unit_count, sizeof *stream->units);
  stream->units[stream->unit_count++] = unit;
  return true;
}

void ms_module_take(struct ms_stream *stream, uint64_t offset, const unsigned char *payload, uint64_t bytes) {
  struct cursor cursor = {.at = payload, .left = bytes};
  struct ms_module_view module = {.offset = offset, .path = ""};
  const struct ms_module_record *record = cursor_take(&cursor, sizeof *record);
  if (!record) return;
  module.record = *record;
  module.segments = cursor_take(&cursor, (uint64_t)record->segment_count * sizeof *module.segments);
  const char *path = cursor_take(&cursor, record->path_bytes);
  if (path && record->path_bytes && !path[record->path_bytes - 1]) module.path = path;
  if (!module.segments) module.record.segment_count = 0;
  if (module.record.build_id_bytes > sizeof record->build_id) module.record.build_id_bytes = 0;

  uint32_t units = 0;
  while (units < record->unit_count && unit_take(stream, &cursor)) units++;
  module.unit_count = units;
  if (units < record->unit_count)
    ms_stream_problem(stream, offset,
                      "%" PRIu32 " of %" PRIu32 " units of this module's names cannot be read",
                      record->unit_count - units, record->unit_count);
  stream->modules = table_add(stream, stream->modules, stream->module_count, sizeof *stream->modules);
  stream->modules[stream->module_count++] = module;
}

static const char *string_take(struct cursor *cursor) {
  const unsigned char *end = memchr(cursor->at, 0, cursor->left);
  if (!end) return NULL;
  const char *string = (const char *)cursor->at;
  cursor->left -= (uint64_t)(end - cursor->at) + 1;
  cursor->at = end + 1;
  return string;
}

void ms_process_take(struct ms_stream *stream, uint64_t offset, const unsigned char *payload,
                     uint64_t bytes) {
  struct cursor cursor = {.at = payload, .left = bytes};
  const struct ms_process_record *record = cursor_take(&cursor, sizeof *record);
  if (!record) return;
  if (cursor.left > record->strings_bytes) cursor.left = record->strings_bytes;
  const char *program = string_take(&cursor), *directory = program ? string_take(&cursor) : NULL;
  uint32_t most = record->argc, argc = 0;
  if (most > cursor.left) most = (uint32_t)cursor.left; /* each takes a byte at least */
  const char **argv = ms_arena_array(stream->arena, (size_t)most + 1, sizeof *argv);
  while (argc < most && (argv[argc] = string_take(&cursor))) argc++;
  if (program) stream->program = program;
  if (directory) stream->directory = directory;
  stream->argv = argv;
  stream->argc = argc;
  if (!directory || argc < record->argc)
    ms_stream_problem(stream, offset, "the program's name and arguments are not whole");
}

/* ---- look-up ---- */

static int unit_order(const void *a, const void *b) {
  const struct ms_unit_view *x = a, *y = b;
  if (x->first_site != y->first_site) return x->first_site < y->first_site ? -1 : 1;
  return x->module_index < y->module_index ? -1 : x->module_index > y->module_index;
}

void ms_modules_finish(struct ms_stream *stream) {
  if (stream->unit_count) qsort(stream->units, stream->unit_count, sizeof *stream->units, unit_order);
}

const struct ms_unit_view *ms_stream_site(const struct ms_stream *stream, uint32_t site_id, uint32_t *index) {
  uint32_t low = 0, high = stream->unit_count;
  while (low < high) { /* the last unit that begins at or before it */
    uint32_t middle = low + (high - low) / 2;
    if (stream->units[middle].first_site <= site_id)
      low = middle + 1;
    else
      high = middle;
  }
  if (!low) return NULL;
  const struct ms_unit_view *unit = &stream->units[low - 1];
  if (site_id - unit->first_site >= unit->site_count) return NULL;
  *index = site_id - unit->first_site;
  return unit;
}

uint32_t ms_stream_module_at(const struct ms_stream *stream, uint64_t address, uint64_t ns) {
  uint32_t found = UINT32_MAX;
  for (uint32_t i = 0; i < stream->module_count; i++) {
    const struct ms_module_record *record = &stream->modules[i].record;
    if (address < record->start || address >= record->end) continue;
    if (found != UINT32_MAX && record->loaded_ns > ns) continue;
    found = i;
  }
  return found;
}

const char *ms_unit_text(const struct ms_unit_view *unit, uint32_t offset) {
  return offset < unit->strings_bytes ? unit->strings + offset : "";
}
