/* SPDX-License-Identifier: MIT
 *
 * Columns of a segment, written or read by the same calls, so that packing and
 * unpacking cannot drift apart. Numbers are varints: 7 bits a byte, lowest first.
 */
#ifndef MS_PACK_COLUMN_H
#define MS_PACK_COLUMN_H

#include "base/arena.h"
#include "memscope/stream.h"

#include <stdbool.h>
#include <stdint.h>

#define COLUMN_COUNT_(field, word, shift, bits) +1
enum column_id {
  COLUMN_RAW,    /* bytes that are no rows */
  COLUMN_LAYOUT, /* by turns: how many raw bytes, how many words of rows */
  COLUMN_TAG,    /* lowest byte of each row; 0: an escaped one */
  COLUMN_ESCAPE, /* words that are no row known to us, or have bits set where it has none: count, words */
  COLUMN_SIZE,   /* allocations: 0 as the last of that name, else 1 + size */
  COLUMN_NAME,
  COLUMN_ADDRESS_GUESS, /* enum address_guess */
  COLUMN_ADDRESS,       /* distance from the thread's last one */
  COLUMN_FREED,         /* 0: see COLUMN_FREED_ADDRESS; else 1 + distance in order of allocation */
  COLUMN_FREED_ADDRESS,
  COLUMN_GENERATION, /* how far from the guess */
/* one for each field of the other rows: distance from the last one there */
#define MS_ROW(tag, NAME, name, words, FIELDS, help) COLUMN_OF_##NAME, COLUMN_END_##NAME = COLUMN_OF_##NAME + (0 FIELDS(COLUMN_COUNT_)),
#include "memscope/stream.def"
  COLUMNS
};

struct column {
  uint8_t *bytes;
  uint64_t used, room;
  uint64_t at;   /* reading */
  uint64_t last; /* value, for distances */
};

struct columns {
  struct ms_arena *arena;
  bool reading;
  bool failed; /* reading: a column ended too early; all further values are 0 */
  struct column column[COLUMNS];
};

void ms_column_reserve(struct columns *columns, struct column *column, uint64_t bytes);

/* Empties all of them: a segment has nothing to do with those before it. */
void ms_columns_reset(struct columns *columns);

void ms_column_write(struct columns *columns, struct column *column, uint64_t value);
uint64_t ms_column_read_long(struct columns *columns, struct column *column);
void ms_code_bytes(struct columns *columns, enum column_id id, void *bytes, uint64_t count);

/* Small for small differences of either sign. */
static inline uint64_t ms_zigzag(uint64_t difference) { return difference << 1 ^ -(difference >> 63); }
static inline uint64_t ms_zagzig(uint64_t value) { return value >> 1 ^ -(value & 1); }

/* What is done for each row is made twice of one text, `reading` being a constant. */
#define MS_PACK_HOT static inline __attribute__((always_inline))

/* Each writes value, or reads and returns one; nearly all numbers have one byte. */
MS_PACK_HOT uint64_t ms_code(struct columns *columns, bool reading, enum column_id id, uint64_t value) {
  struct column *column = &columns->column[id];
  if (!reading) {
    ms_column_write(columns, column, value);
    return value;
  }
  if (__builtin_expect(column->at < column->used && column->bytes[column->at] < 0x80, 1)) return column->bytes[column->at++];
  return ms_column_read_long(columns, column);
}

/* From the column's last one. */
MS_PACK_HOT uint64_t ms_code_distance(struct columns *columns, bool reading, enum column_id id, uint64_t value) {
  struct column *column = &columns->column[id];
  return column->last += ms_zagzig(ms_code(columns, reading, id, ms_zigzag(value - column->last)));
}

#endif
