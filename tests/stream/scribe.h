/* SPDX-License-Identifier: MIT
 *
 * Writes streams for tests, with stream.h's own put functions and no runtime:
 * what a writer leaves, in whatever order, state of damage or adversity a test
 * needs. Deterministic.
 */
#ifndef TESTS_STREAM_SCRIBE_H
#define TESTS_STREAM_SCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memscope/stream.h"

/* ---- rows of a thread ---- */

struct sheet {
  uint64_t *words;
  uint32_t count, room;
};

uint64_t *sheet_room(struct sheet *sheet, uint32_t words);
void sheet_free(struct sheet *sheet);

/* put_<row>(sheet, struct ms_row_<row>) for every row of fixed length */
#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                                         \
  static inline void put_##name(struct sheet *sheet, struct ms_row_##name row) {                             \
    ms_put_##name(sheet_room(sheet, (words) ? (words) : 1), row);                                            \
  }
#include "memscope/stream.def"

void put_malloc(struct sheet *sheet, uint64_t address, uint32_t gen, uint64_t size, uint32_t name);
void put_drop(struct sheet *sheet, uint64_t address, uint32_t gen); /* free() */
void put_clock(struct sheet *sheet, uint64_t ns);
void put_serial(struct sheet *sheet, uint64_t serial, uint64_t ns);
void put_text(struct sheet *sheet, uint8_t tag, const char *text);
void put_frames(struct sheet *sheet, uint32_t id, const uint64_t *frames, uint32_t count); /* STACK */

/* ---- names of a unit ---- */

struct text_table {
  char bytes[8192];
  uint32_t count;
};

struct unit {
  struct text_table strings;
  struct ms_site sites[64];
  struct ms_type types[64];
  struct ms_field fields[64];
  uint32_t site_count, type_count, field_count;
};

void unit_init(struct unit *unit);
uint32_t unit_text(struct unit *unit, const char *text);
uint32_t unit_type(struct unit *unit, const char *name, unsigned kind, uint64_t bytes); /* 1-based */
void unit_field(struct unit *unit, uint32_t of_type, const char *name, uint32_t type, uint32_t offset,
                uint32_t bytes);

/* Returns its index; its id is first_site + index. */
uint32_t unit_site(struct unit *unit, const char *holder, uint32_t type, const char *file, uint32_t line,
                   const char *function, unsigned kind, unsigned flags);

/* ---- names ---- */

struct names {
  uint64_t words[MS_NAMES_WORDS];
  uint32_t count; /* 0: none yet */
};

/* Afterwards site_name(S) is the name of site S alone, for S of 1 .. count. */
void names_init(struct names *names, uint32_t count);
static inline uint32_t site_name(uint32_t site) { return MS_NAMES_HEADER - 1 + site; }

/* Each returns the name's id. */
uint32_t name_site(struct names *names, uint32_t parent, uint32_t site); /* parent 0: none */
uint32_t name_caller(struct names *names, uint64_t address, uint64_t ns);

/* ---- the file ---- */

struct book {
  unsigned char *bytes;
  uint64_t size, room;
};

void book_open(struct book *book);
struct ms_file_header *book_header(struct book *book);
void book_close(struct book *book); /* header.tail, as a writer leaves it */
void book_free(struct book *book);

/* Each returns the record's offset. */
uint64_t book_process(struct book *book, const char *program, const char *directory, int argc,
                      const char *const *argv);
uint64_t book_module(struct book *book, uint32_t id, const char *path, uint64_t start, uint64_t end,
                     uint32_t first_site, const struct unit *unit); /* unit NULL: not instrumented */
uint64_t book_chunk(struct book *book, uint32_t thread, uint32_t chunk, uint64_t start_ns,
                    const struct sheet *rows);
uint64_t book_window(struct book *book, uint32_t thread, uint32_t chunk, uint64_t start_ns,
                     const struct sheet *rows);
uint64_t book_names(struct book *book, const struct names *names);
uint64_t book_counters(struct book *book, uint32_t thread, const struct ms_counters_head *head, const struct ms_counter *counters,
                       uint32_t count); /* head NULL: every block is counted; one page */
uint64_t book_unknown(struct book *book, uint32_t kind, uint64_t bytes);
void book_hole(struct book *book, uint32_t pages);

void book_reseal(struct book *book, uint64_t record); /* checksums, after its bytes were changed */

bool book_save(const struct book *book, const char *path);

#endif
