/* SPDX-License-Identifier: MIT
 *
 * Columns: see column.h.
 */
#include "pack/column.h"

#include <string.h>

enum { VARINT_MOST = 10, ROOM_FIRST = 1 << 16 };

void ms_column_reserve(struct columns *columns, struct column *column, uint64_t bytes) {
  if (column->used + bytes <= column->room) return;
  uint64_t room = column->room ? column->room : ROOM_FIRST;
  while (room < column->used + bytes) room *= 2;
  column->bytes = ms_arena_grow(columns->arena, column->bytes, column->room, room);
  column->room = room;
}

void ms_columns_reset(struct columns *columns) {
  for (uint32_t id = 0; id < COLUMNS; id++) {
    struct column *column = &columns->column[id];
    column->used = column->at = column->last = 0;
  }
}

void ms_column_write(struct columns *columns, struct column *column, uint64_t value) {
  ms_column_reserve(columns, column, VARINT_MOST);
  for (; value >= 0x80; value >>= 7) column->bytes[column->used++] = (uint8_t)(value | 0x80);
  column->bytes[column->used++] = (uint8_t)value;
}

uint64_t ms_column_read_long(struct columns *columns, struct column *column) {
  uint64_t value = 0;
  for (unsigned shift = 0; column->at < column->used && shift < 7 * VARINT_MOST; shift += 7) {
    uint8_t byte = column->bytes[column->at++];
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  columns->failed = true;
  return 0;
}

void ms_code_bytes(struct columns *columns, enum column_id id, void *bytes, uint64_t count) {
  struct column *column = &columns->column[id];
  if (!columns->reading) {
    ms_column_reserve(columns, column, count);
    memcpy(column->bytes + column->used, bytes, count);
    column->used += count;
  } else if (count <= column->used - column->at) {
    memcpy(bytes, column->bytes + column->at, count);
    column->at += count;
  } else {
    columns->failed = true;
    memset(bytes, 0, count);
  }
}
