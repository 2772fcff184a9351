/* SPDX-License-Identifier: MIT
 *
 * stream_robust: no damage harms the reader, and it shows what is whole.
 *
 *   stream_robust             cuts and corruptions in this process (built with ASan and UBSan)
 *   stream_robust files DIR N writes N damaged streams there, for the tool
 *
 * The stream is cut at every byte of its first 64 KiB and at 1,000 random places
 * behind, and corrupted 1,000 times. After a cut at c exactly the events whose
 * rows end at or before c are shown, and an error says where the file ends.
 */
#include "scribe.h"

#include "base/arena.h"
#include "base/error.h"
#include "model/model.h"
#include "reader/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  FIRST_BYTES = 64 << 10,
  RANDOM_CUTS = 1000,
  CORRUPTIONS = 1000,
  THREADS = 3,
  CHUNKS = 8,
  CHUNK_ROWS = 700
};

static uint64_t random_state = 20240229;

static uint32_t dice(uint64_t sides) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((random_state >> 32) % sides);
}

#define CHECK(condition, ...)                                                                                \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                        \
      fprintf(stderr, __VA_ARGS__);                                                                          \
      fputc('\n', stderr);                                                                                   \
      exit(1);                                                                                               \
    }                                                                                                        \
  } while (0)

/* ---- the stream ---- */

struct part {                 /* rows of one record */
  uint64_t record, rows, end; /* offsets: of the record, its first row, behind its last */
  bool window;
};

static struct part parts[THREADS * CHUNKS];
static uint32_t part_count;

/* Some of everything, blocks handed round between the threads. */
static void rows_write(struct sheet *sheet, struct names *names, uint32_t thread, uint32_t chunk) {
  if (!chunk) put_thread_start(sheet, (struct ms_row_thread_start){.tid = thread});
  if (!chunk) put_text(sheet, MS_TAG_THREAD_NAME, "a thread");
  uint32_t chain = name_site(names, site_name(2), 1), caller = name_caller(names, 0x401000 + chunk * 16, 0);
  for (uint32_t i = 0; i < CHUNK_ROWS; i++) {
    uint64_t address = 0x10000 + (uint64_t)(thread << 20 | chunk << 14 | i % 50 * 32);
    uint32_t gen = i / 50 + 1, name = i % 4 == 0 ? chain : i % 4 == 1 ? caller : site_name(i % 4);
    if (i % 64 == 0) put_clock(sheet, (uint64_t)(chunk * 1000 + i) * 100000);
    put_malloc(sheet, address, gen, i % 97 == 0 ? (UINT64_C(1) << 33) : i, name);
    if (i % 9 == 0) {
      *sheet_room(sheet, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, gen, address);
      put_realloc_end(sheet, (struct ms_row_realloc_end){
                                 .fn = 1, .gen = gen, .addr8 = (address + 0x8000000) >> 3, .size_low = 5});
      put_drop(sheet, address + 0x8000000, gen);
    } else {
      put_drop(sheet, address, gen);
    }
    if (i % 5 == 0) put_place(sheet, (struct ms_row_place){.name = site_name(2)});
  }
}

static void stream_write(struct book *book) {
  static struct unit unit;
  static struct names names;
  static const char *const argv[] = {"program", "argument"};
  names_init(&names, 3);
  book_open(book);
  book_process(book, "/bin/program", "/", 2, argv);
  unit_init(&unit);
  uint32_t type = unit_type(&unit, "struct s", MS_TYPE_STRUCT, 16);
  unit_field(&unit, type, "self", type, 0, 8);
  unit_site(&unit, "a", type, "/a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&unit, "b", 0, "/b.c", 2, "g", MS_SITE_RETURN, MS_SITE_WRAPPER);
  unit_site(&unit, "c", type, "/c.c", 3, "h", MS_SITE_ASSIGN, 0);
  book_module(book, 1, "/bin/program", 0x400000, 0x500000, 1, &unit);
  for (uint32_t chunk = 0; chunk < CHUNKS; chunk++)
    for (uint32_t thread = 1; thread <= THREADS; thread++) {
      struct sheet sheet = {0};
      rows_write(&sheet, &names, thread, chunk);
      bool window = chunk == CHUNKS - 1;
      uint64_t record = (window ? book_window : book_chunk)(book, thread, chunk, chunk * 100000000, &sheet);
      uint64_t rows = record + sizeof(struct ms_record);
      parts[part_count++] = (struct part){record, rows, rows + sheet.count * 8, window};
      sheet_free(&sheet);
      if (chunk == 2) book_hole(book, 1);
    }
  book_names(book, &names);
  book_header(book)->end_how = MS_END_EXIT;
  book_close(book);
}

static uint64_t part_events(const struct book *book, const struct part *part, uint64_t cut) {
  uint64_t events = 0, end = part->end < cut ? part->end : cut;
  for (uint64_t at = part->rows, bytes; at + 8 <= end; at += bytes) {
    const uint64_t *row = (const uint64_t *)(book->bytes + at);
    bytes = ms_row_words(*row) * 8;
    if (at + bytes > end) break;
    events += (*row & MS_HOT) && ms_row_tag(*row) != MS_TAG_REALLOC_BEGIN;
  }
  return events;
}

/* ---- reading ---- */

struct reading {
  uint64_t events;
  struct ms_model_totals totals; /* of a whole model */
  bool opened;
  struct ms_error error;
};

static struct reading book_read(const unsigned char *bytes, uint64_t size, bool whole_model) {
  struct reading reading = {0};
  struct ms_arena *arena = ms_arena_new();
  /* at its very end, so that a read beyond it is seen */
  unsigned char *copy = malloc(size ? size : 1);
  CHECK(copy, "no memory");
  memcpy(copy, bytes, size);
  struct ms_stream *stream = ms_stream_open_memory(arena, copy, size, &reading.error);
  reading.opened = stream != NULL;
  if (stream && whole_model) {
    const struct ms_model *model = ms_model_build(arena, stream, &reading.error);
    CHECK(model, "no model");
    reading.totals = model->totals;
    reading.events = model->totals.events;
  } else if (stream) {
    struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_AUTO);
    struct ms_event events[64];
    while (ms_merge_next(merge, events, 64)) {
    }
    reading.events = ms_merge_counts(merge)->events;
    ms_merge_close(merge);
    ms_stream_report(stream, &reading.error);
  }
  ms_stream_close(stream);
  ms_arena_free(arena);
  free(copy);
  return reading;
}

static void cut_check(const struct book *book, uint64_t cut, bool whole_model) {
  struct reading reading = book_read(book->bytes, cut, whole_model);
  uint64_t due = 0;
  for (uint32_t i = 0; i < part_count; i++) due += part_events(book, &parts[i], cut);
  CHECK(reading.opened == (cut >= MS_HEADER_BYTES), "cut at %" PRIu64, cut);
  CHECK(reading.events == due, "cut at %" PRIu64 ": %" PRIu64 " events, not %" PRIu64, cut, reading.events,
        due);
  CHECK((reading.error.code == MS_ERROR_DATA) == (cut < book->size), "cut at %" PRIu64 ": %s", cut,
        reading.error.text);
  CHECK(reading.error.offset <= cut, "cut at %" PRIu64 ": error at %" PRIu64, cut, reading.error.offset);
  CHECK(!strchr(reading.error.text, '\n'), "one line");
}

static void corrupt(unsigned char *bytes, uint64_t from, uint64_t to, uint64_t *at) {
  uint32_t length = 1 + dice(dice(3) ? 8 : 200);
  *at = from + dice(to - from);
  for (uint32_t i = 0; i < length && *at + i < to; i++) {
    unsigned char byte = dice(4) == 0 ? 0xff : dice(4) == 0 ? 0 : (unsigned char)dice(256);
    bytes[*at + i] = bytes[*at + i] == byte ? byte ^ 1 : byte;
  }
}

/* What a checksum denies is in no figure. */
static void totals_check(uint64_t at, const struct ms_model_totals *whole, const struct ms_model_totals *totals) {
#define AT_MOST(figure) CHECK(totals->figure <= whole->figure, "damage at %" PRIu64 ": %" PRIu64 ", not %" PRIu64, at, totals->figure, whole->figure)
  AT_MOST(allocations);
  AT_MOST(reallocations);
  AT_MOST(frees);
  AT_MOST(allocated_bytes);
  AT_MOST(bad_frees);
  AT_MOST(lost_events);
#undef AT_MOST
}

/* Every event outside the record that was hit is shown; damage that a checksum
 * covers is said, and changes nothing else. */
static void corruption_check(const struct book *book, uint64_t at, const struct reading *whole, const struct reading *reading) {
  if (at < MS_HEADER_BYTES || !reading->opened) return;
  uint64_t due = 0;
  bool covered = false;
  for (uint32_t i = 0; i < part_count; i++) {
    bool hit = at < parts[i].end + 8192 && at + 200 > parts[i].record;
    if (!hit) due += part_events(book, &parts[i], UINT64_MAX);
    covered |= !parts[i].window && at >= parts[i].rows && at < parts[i].end;
  }
  CHECK(reading->events >= due, "damage at %" PRIu64 ": %" PRIu64 " events of %" PRIu64, at, reading->events,
        due);
  CHECK(!covered || reading->error.code == MS_ERROR_DATA, "damage at %" PRIu64 " is not said", at);
  if (covered) totals_check(at, &whole->totals, &reading->totals);
}

static void in_process(const struct book *book) {
  struct reading whole = book_read(book->bytes, book->size, true);
  CHECK(!whole.error.code, "%s", whole.error.text);
  CHECK(whole.events > 10000, "%" PRIu64 " events", whole.events);
  for (uint64_t cut = 0; cut <= FIRST_BYTES; cut++) cut_check(book, cut, cut % 8 == 0);
  for (int i = 0; i < RANDOM_CUTS; i++)
    cut_check(book, FIRST_BYTES + dice(book->size - FIRST_BYTES + 1), true);
  unsigned char *bytes = malloc(book->size);
  CHECK(bytes, "no memory");
  for (int i = 0; i < CORRUPTIONS; i++) {
    memcpy(bytes, book->bytes, book->size);
    uint64_t at;
    corrupt(bytes, 0, book->size, &at);
    struct reading reading = book_read(bytes, book->size, true);
    corruption_check(book, at, &whole, &reading);
  }
  free(bytes);
}

/* Half cut, half corrupted. */
static void files_write(const struct book *book, const char *folder, int count) {
  for (int i = 0; i < count; i++) {
    struct book damaged = {.size = book->size, .bytes = malloc(book->size)};
    CHECK(damaged.bytes, "no memory");
    memcpy(damaged.bytes, book->bytes, book->size);
    uint64_t at;
    if (i % 2)
      corrupt(damaged.bytes, 0, book->size, &at);
    else
      damaged.size = dice(i % 4 ? book->size : FIRST_BYTES);
    char path[4096];
    snprintf(path, sizeof path, "%s/%03d.memscope", folder, i);
    CHECK(book_save(&damaged, path), "%s", path);
    free(damaged.bytes);
  }
}

int main(int argc, char **argv) {
  struct book book;
  stream_write(&book);
  if (argc == 4 && strcmp(argv[1], "files") == 0)
    files_write(&book, argv[2], atoi(argv[3]));
  else if (argc == 1)
    in_process(&book);
  else
    return 2;
  book_free(&book);
  return 0;
}
