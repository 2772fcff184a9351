/* SPDX-License-Identifier: MIT
 *
 * Tables of typed columns: see columns.h for the bytes.
 */
#include "view/columns.h"

#include "base/arena.h"
#include "base/map.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum kind { KIND_U8, KIND_U16, KIND_U32, KIND_F64, KIND_STR };
static const struct {
  const char *name;
  unsigned bytes;
} kinds[] = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"f64", 8}, {"str", 4}};

struct ms_column {
  const char *name;
  uint64_t *numbers; /* or */
  uint32_t *texts;
  enum kind kind; /* settled when written */
  uint64_t at;
  struct ms_column *next;
};

struct ms_columns {
  struct ms_arena *arena;
  struct ms_table *first, **last;
  struct ms_map ids; /* hash of a string, or the next free key behind it -> its index */
  const char **strings;
  uint32_t string_count, string_room;
  uint64_t string_bytes;
};

/* ---- filling ---- */

struct ms_columns *ms_columns_new(struct ms_arena *arena) {
  struct ms_columns *columns = ms_arena_get(arena, sizeof *columns);
  columns->arena = arena;
  columns->last = &columns->first;
  ms_map_init(&columns->ids, arena);
  ms_columns_text(columns, "");
  return columns;
}

struct ms_arena *ms_columns_arena(const struct ms_columns *columns) {
  return columns->arena;
}

struct ms_table *ms_table_add(struct ms_columns *columns, const char *name, uint32_t rows) {
  struct ms_table *table = ms_arena_get(columns->arena, sizeof *table);
  *table = (struct ms_table){.columns = columns, .name = name, .rows = rows};
  table->last = &table->first;
  *columns->last = table;
  columns->last = &table->next;
  return table;
}

static struct ms_column *column_add(struct ms_table *table, const char *name) {
  struct ms_column *column = ms_arena_get(table->columns->arena, sizeof *column);
  column->name = name;
  *table->last = column;
  table->last = &column->next;
  return column;
}

uint64_t *ms_table_numbers(struct ms_table *table, const char *name) {
  return column_add(table, name)->numbers =
             ms_arena_array(table->columns->arena, table->rows, sizeof(uint64_t));
}

uint32_t *ms_table_texts(struct ms_table *table, const char *name) {
  struct ms_column *column = column_add(table, name);
  column->kind = KIND_STR;
  return column->texts = ms_arena_array(table->columns->arena, table->rows, sizeof(uint32_t));
}

static uint32_t string_add(struct ms_columns *columns, const char *text, size_t length) {
  if (columns->string_count == columns->string_room) {
    uint32_t room = columns->string_room ? columns->string_room * 2 : 1024;
    columns->strings =
        ms_arena_grow(columns->arena, columns->strings, columns->string_room * sizeof *columns->strings,
                      room * sizeof *columns->strings);
    columns->string_room = room;
  }
  columns->strings[columns->string_count] = text;
  columns->string_bytes += length + 1;
  return columns->string_count++;
}

uint32_t ms_columns_text(struct ms_columns *columns, const char *text) {
  size_t length = strlen(text);
  for (uint64_t key = XXH3_64bits(text, length);; key++) {
    if (!key) continue; /* the map's empty slot */
    uint32_t *found = ms_map_at(&columns->ids, key);
    if (!*found) return (*found = string_add(columns, text, length) + 1) - 1;
    if (strcmp(columns->strings[*found - 1], text) == 0) return *found - 1;
  }
}

/* ---- layout ---- */

static enum kind narrowest(const uint64_t *numbers, uint32_t rows) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < rows; i++) all |= numbers[i];
  return all >> 32 ? KIND_F64 : all >> 16 ? KIND_U32 : all >> 8 ? KIND_U16 : KIND_U8;
}

static uint64_t place(uint64_t *at, uint64_t bytes) {
  uint64_t here = *at;
  *at += (bytes + 7) & ~UINT64_C(7);
  return here;
}

struct layout {
  uint64_t ends, bytes; /* of the heap */
};

static struct layout columns_place(struct ms_columns *columns) {
  uint64_t at = 0;
  struct layout layout;
  layout.ends = place(&at, (uint64_t)columns->string_count * 4);
  layout.bytes = place(&at, columns->string_bytes);
  for (struct ms_table *table = columns->first; table; table = table->next)
    for (struct ms_column *column = table->first; column; column = column->next) {
      if (column->numbers) column->kind = narrowest(column->numbers, table->rows);
      column->at = place(&at, (uint64_t)table->rows * kinds[column->kind].bytes);
    }
  return layout;
}

struct text {
  struct ms_arena *arena;
  char *bytes;
  size_t used, room;
};

static void __attribute__((format(printf, 2, 3))) text_add(struct text *text, const char *format, ...) {
  char piece[256]; /* names are literals of ours */
  va_list arguments;
  va_start(arguments, format);
  size_t length = (size_t)vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (text->used + length > text->room) {
    size_t room = (text->room + length) * 2;
    text->bytes = ms_arena_grow(text->arena, text->bytes, text->room, room);
    text->room = room;
  }
  memcpy(text->bytes + text->used, piece, length);
  text->used += length;
}

static struct text directory(const struct ms_columns *columns, struct layout layout) {
  struct text text = {.arena = columns->arena};
  text_add(&text,
           "{\"version\":1,\"heap\":{\"count\":%u,\"ends\":%llu,\"bytes\":%llu,\"size\":%llu},\"tables\":[",
           columns->string_count, (unsigned long long)layout.ends, (unsigned long long)layout.bytes,
           (unsigned long long)columns->string_bytes);
  for (struct ms_table *table = columns->first; table; table = table->next) {
    text_add(&text, "{\"name\":\"%s\",\"rows\":%u,\"columns\":[", table->name, table->rows);
    for (struct ms_column *column = table->first; column; column = column->next)
      text_add(&text, "{\"name\":\"%s\",\"kind\":\"%s\",\"at\":%llu}%s", column->name,
               kinds[column->kind].name, (unsigned long long)column->at, column->next ? "," : "");
    text_add(&text, "]}%s", table->next ? "," : "");
  }
  text_add(&text, "]}");
  return text;
}

/* ---- writing ---- */

struct sink {
  ms_put_bytes *put;
  void *context;
  uint64_t written; /* since the last alignment */
  size_t held;
  unsigned char buffer[1 << 16];
};

static bool sink_flush(struct sink *sink) {
  size_t held = sink->held;
  sink->held = 0;
  return held == 0 || sink->put(sink->context, sink->buffer, held);
}

static bool sink_put(struct sink *sink, const void *bytes, size_t size) {
  sink->written += size;
  if (sink->held + size > sizeof sink->buffer && !sink_flush(sink)) return false;
  if (size > sizeof sink->buffer) return sink->put(sink->context, bytes, size);
  memcpy(sink->buffer + sink->held, bytes, size);
  sink->held += size;
  return true;
}

static bool sink_align(struct sink *sink) {
  static const char zeros[8];
  return sink_put(sink, zeros, -sink->written & 7);
}

static bool number_put(struct sink *sink, uint64_t value, enum kind kind) {
  double real = (double)value;
  uint32_t word = (uint32_t)value;
  uint16_t half = (uint16_t)value;
  uint8_t byte = (uint8_t)value;
  switch (kind) {
  case KIND_F64:
    return sink_put(sink, &real, 8);
  case KIND_U16:
    return sink_put(sink, &half, 2);
  case KIND_U8:
    return sink_put(sink, &byte, 1);
  default:
    return sink_put(sink, &word, 4);
  }
}

static bool column_put(struct sink *sink, const struct ms_column *column, uint32_t rows) {
  bool well = true;
  if (column->texts)
    well = sink_put(sink, column->texts, (size_t)rows * 4);
  else
    for (uint32_t i = 0; well && i < rows; i++) well = number_put(sink, column->numbers[i], column->kind);
  return well && sink_align(sink);
}

static bool heap_put(struct sink *sink, const struct ms_columns *columns) {
  uint32_t end = 0;
  for (uint32_t i = 0; i < columns->string_count; i++) {
    end += (uint32_t)strlen(columns->strings[i]) + 1;
    if (!sink_put(sink, &end, 4)) return false;
  }
  if (!sink_align(sink)) return false;
  for (uint32_t i = 0; i < columns->string_count; i++)
    if (!sink_put(sink, columns->strings[i], strlen(columns->strings[i]) + 1)) return false;
  return sink_align(sink);
}

bool ms_columns_write(struct ms_columns *columns, ms_put_bytes *put, void *context) {
  struct sink *sink = ms_arena_get(columns->arena, sizeof *sink);
  sink->put = put;
  sink->context = context;
  struct text text = directory(columns, columns_place(columns));
  uint32_t length = (uint32_t)text.used;
  bool well = sink_put(sink, "MSPAGE1\n", 8) && sink_put(sink, &length, 4) &&
              sink_put(sink, text.bytes, text.used) && sink_align(sink) && heap_put(sink, columns);
  for (struct ms_table *table = columns->first; well && table; table = table->next)
    for (struct ms_column *column = table->first; well && column; column = column->next)
      well = column_put(sink, column, table->rows);
  return well && sink_flush(sink);
}
