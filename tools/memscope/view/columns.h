/* SPDX-License-Identifier: MIT
 *
 * Tables of typed columns, laid out as the report page reads them
 * (tools/report/src/data/container.ts is the other side):
 *
 *   +-----------+------------+---------------------+--- 8-aligned ---+
 *   | MSPAGE1\n | u32 length | JSON directory      | columns ...     |
 *   +-----------+------------+---------------------+-----------------+
 *
 *   {"version":1,
 *    "heap":{"count":N,"ends":AT,"bytes":AT,"size":BYTES},
 *    "tables":[{"name":"sites","rows":N,"columns":[{"name":"holder","kind":"str","at":AT},...]},...]}
 *
 * AT counts from the first column, little-endian. A number column gets the
 * narrowest kind its values fit: u8, u16, u32, or f64 (exact to 2^53). A str
 * column holds u32 indexes into the heap of distinct strings, 0 = ""; each
 * ends with a NUL, and ends[i] is the offset behind it.
 *
 * It knows nothing of models: a table is filled by whoever adds it.
 */
#ifndef MS_VIEW_COLUMNS_H
#define MS_VIEW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_arena;
struct ms_columns;

struct ms_table {
  struct ms_columns *columns; /* all of them */
  const char *name;           /* literals: letters, digits and _ */
  uint32_t rows;
  struct ms_column *first, **last;
  struct ms_table *next;
};

struct ms_columns *ms_columns_new(struct ms_arena *arena);
struct ms_arena *ms_columns_arena(const struct ms_columns *columns);

/* A table of that many rows; its columns are filled before ms_columns_write. */
struct ms_table *ms_table_add(struct ms_columns *columns, const char *name, uint32_t rows);

/* `rows` values to be filled in, zero until then. */
uint64_t *ms_table_numbers(struct ms_table *table, const char *name);
uint32_t *ms_table_texts(struct ms_table *table, const char *name);

/* The index of a string in the heap. The text must live as long as the columns. */
uint32_t ms_columns_text(struct ms_columns *columns, const char *text);

/* Gives the bytes piece by piece; false from `put` ends it. */
typedef bool ms_put_bytes(void *context, const void *bytes, size_t size);
bool ms_columns_write(struct ms_columns *columns, ms_put_bytes *put, void *context);

/* A column from an expression of row `i`. */
#define MS_NUMBERS(table, name, expression)                                                                  \
  do {                                                                                                       \
    uint64_t *values_ = ms_table_numbers(table, name);                                                       \
    for (uint32_t i = 0; i < (table)->rows; i++) values_[i] = (uint64_t)(expression);                        \
  } while (0)
#define MS_TEXTS(table, name, expression)                                                                    \
  do {                                                                                                       \
    uint32_t *values_ = ms_table_texts(table, name);                                                         \
    for (uint32_t i = 0; i < (table)->rows; i++) values_[i] = ms_columns_text((table)->columns, expression); \
  } while (0)

#endif
