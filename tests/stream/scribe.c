/* SPDX-License-Identifier: MIT
 *
 * The writer of tests' streams.
 */
#include "scribe.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

uint64_t *sheet_room(struct sheet *sheet, uint32_t words) {
  if (sheet->count + words > sheet->room) {
    sheet->room = (sheet->count + words) * 2 + 64;
    sheet->words = realloc(sheet->words, sheet->room * sizeof(uint64_t));
    if (!sheet->words) abort();
  }
  uint64_t *at = sheet->words + sheet->count;
  memset(at, 0, words * sizeof *at);
  sheet->count += words;
  return at;
}

void sheet_free(struct sheet *sheet) {
  free(sheet->words);
  *sheet = (struct sheet){0};
}

void put_malloc(struct sheet *sheet, uint64_t address, uint32_t gen, uint64_t size, uint32_t name) {
  if (size >> 32) put_size_high(sheet, (struct ms_row_size_high){.high = size >> 32});
  put_alloc(sheet, (struct ms_row_alloc){
                       .fn = 1, .gen = gen, .addr8 = address >> 3, .size_low = (uint32_t)size, .name = name});
}

void put_drop(struct sheet *sheet, uint64_t address, uint32_t gen) {
  *sheet_room(sheet, 1) = ms_hot_word(MS_OP_FREE, 1, gen & MS_GEN_MASK, address);
}

void put_clock(struct sheet *sheet, uint64_t ns) { put_time(sheet, (struct ms_row_time){.ns = ns}); }

void put_serial(struct sheet *sheet, uint64_t serial, uint64_t ns) {
  put_stamp(sheet, (struct ms_row_stamp){.serial = serial, .ns = ns});
}

void put_text(struct sheet *sheet, uint8_t tag, const char *text) {
  uint32_t bytes = (uint32_t)strlen(text), words = (bytes + 7) / 8;
  uint64_t *at = sheet_room(sheet, 1 + words);
  ms_put_thread_name(at, (struct ms_row_thread_name){.words = words, .bytes = bytes});
  at[0] = (at[0] & ~UINT64_C(0xff)) | tag;
  memcpy(at + 1, text, bytes);
}

void put_frames(struct sheet *sheet, uint32_t id, const uint64_t *frames, uint32_t count) {
  uint64_t *at = sheet_room(sheet, 1 + count);
  ms_put_stack(at, (struct ms_row_stack){.words = count, .id = id});
  memcpy(at + 1, frames, count * sizeof *frames);
}

/* ---- names ---- */

void unit_init(struct unit *unit) {
  memset(unit, 0, sizeof *unit);
  unit->strings.count = 1; /* offset 0 is the empty string */
}

uint32_t unit_text(struct unit *unit, const char *text) {
  if (!*text) return 0;
  uint32_t at = unit->strings.count, bytes = (uint32_t)strlen(text) + 1;
  if (at + bytes > sizeof unit->strings.bytes) abort();
  memcpy(unit->strings.bytes + at, text, bytes);
  unit->strings.count += bytes;
  return at;
}

uint32_t unit_type(struct unit *unit, const char *name, unsigned kind, uint64_t bytes) {
  if (unit->type_count == 64) abort();
  unit->types[unit->type_count] = (struct ms_type){.name = unit_text(unit, name),
                                                   .kind = (uint16_t)kind,
                                                   .size_bytes = bytes,
                                                   .align_bytes = bytes < 8 ? (uint32_t)bytes : 8,
                                                   .first_field = unit->field_count};
  return ++unit->type_count;
}

void unit_field(struct unit *unit, uint32_t of_type, const char *name, uint32_t type, uint32_t offset,
                uint32_t bytes) {
  if (unit->field_count == 64) abort();
  unit->fields[unit->field_count++] = (struct ms_field){
      .name = unit_text(unit, name), .type = type, .offset_bytes = offset, .size_bytes = bytes};
  unit->types[of_type - 1].field_count++;
}

uint32_t unit_site(struct unit *unit, const char *holder, uint32_t type, const char *file, uint32_t line,
                   const char *function, unsigned kind, unsigned flags) {
  if (unit->site_count == 64) abort();
  unit->sites[unit->site_count] =
      (struct ms_site){.holder = unit_text(unit, holder),
                       .type = type,
                       .file = unit_text(unit, file),
                       .line = line,
                       .function = unit_text(unit, function),
                       .callee = unit_text(unit, kind == MS_SITE_FREE ? "free" : "malloc"),
                       .column = 5,
                       .kind = (uint8_t)kind,
                       .flags = (uint8_t)flags,
                       .element_bytes = type ? (uint32_t)unit->types[type - 1].size_bytes : 0};
  return unit->site_count++;
}

static uint32_t name_add(struct names *names, uint64_t word) {
  if (!names->count) names->count = MS_NAMES_HEADER;
  if (names->count == MS_NAMES_WORDS) abort();
  names->words[names->count] = word;
  return names->count++;
}

uint32_t name_site(struct names *names, uint32_t parent, uint32_t site) {
  return name_add(names, ms_name_of_site(parent, site));
}

uint32_t name_caller(struct names *names, uint64_t address, uint64_t ns) {
  uint32_t id = name_add(names, ms_name_of_caller(0, address));
  name_add(names, ns);
  return id;
}

void names_init(struct names *names, uint32_t count) {
  *names = (struct names){0};
  for (uint32_t site = 1; site <= count; site++) name_site(names, 0, site);
}

/* ---- the file ---- */

static unsigned char *book_room(struct book *book, uint64_t bytes) {
  if (book->size + bytes > book->room) {
    book->room = (book->size + bytes) * 2;
    book->bytes = realloc(book->bytes, book->room);
    if (!book->bytes) abort();
  }
  unsigned char *at = book->bytes + book->size;
  memset(at, 0, bytes);
  book->size += bytes;
  return at;
}

struct ms_file_header *book_header(struct book *book) {
  return (struct ms_file_header *)book->bytes;
}

void book_open(struct book *book) {
  *book = (struct book){0};
  struct ms_file_header *header = (struct ms_file_header *)book_room(book, MS_HEADER_BYTES);
  memcpy(header->magic, MS_STREAM_MAGIC, sizeof header->magic);
  header->byte_order = MS_BYTE_ORDER;
  header->version = MS_STREAM_VERSION;
  header->header_bytes = MS_HEADER_BYTES;
  header->record_align = MS_RECORD_ALIGN;
  header->mode = MS_MODE_FULL;
  header->pid = 1234;
  header->parent_pid = 1;
  header->clock_step_ns = 4000000;
  header->start_unix_ns = UINT64_C(1700000000000000000);
  strcpy(header->host, "testhost");
}

void book_close(struct book *book) { book_header(book)->tail = book->size; }

void book_free(struct book *book) {
  free(book->bytes);
  *book = (struct book){0};
}

void book_reseal(struct book *book, uint64_t record_offset) {
  struct ms_record *record = (struct ms_record *)(book->bytes + record_offset);
  record->checksum = (uint32_t)XXH3_64bits(record + 1, ms_fill_bytes(record->fill));
  record->check = XXH3_64bits_withSeed(record, offsetof(struct ms_record, fill), MS_RECORD_MAGIC);
}

static uint64_t record_add(struct book *book, struct ms_record record, const void *payload, uint64_t bytes) {
  uint64_t offset = book->size;
  record.magic = MS_RECORD_MAGIC;
  if (!record.bytes)
    record.bytes = (sizeof record + bytes + MS_RECORD_ALIGN - 1) / MS_RECORD_ALIGN * MS_RECORD_ALIGN;
  unsigned char *at = book_room(book, record.bytes);
  memcpy(at, &record, sizeof record);
  if (bytes) memcpy(at + sizeof record, payload, bytes);
  if (record.kind != MS_RECORD_WINDOW) book_reseal(book, offset); /* of NAMES: fill is 0 */
  return offset;
}

static uint64_t rows_add(struct book *book, uint32_t kind, uint32_t thread, uint32_t chunk, uint64_t start_ns,
                         const struct sheet *rows) {
  uint32_t bytes = rows->count * (uint32_t)sizeof(uint64_t);
  struct ms_record record = {
      .kind = kind, .thread = thread, .fill = ms_fill(chunk, bytes), .start_ns = start_ns};
  return record_add(book, record, rows->words, bytes);
}

uint64_t book_chunk(struct book *book, uint32_t thread, uint32_t chunk, uint64_t start_ns,
                    const struct sheet *rows) {
  return rows_add(book, MS_RECORD_CHUNK, thread, chunk, start_ns, rows);
}

uint64_t book_window(struct book *book, uint32_t thread, uint32_t chunk, uint64_t start_ns,
                     const struct sheet *rows) {
  return rows_add(book, MS_RECORD_WINDOW, thread, chunk, start_ns, rows);
}

uint64_t book_names(struct book *book, const struct names *names) {
  struct ms_record record = {.kind = MS_RECORD_NAMES, .bytes = MS_NAMES_WORDS * sizeof(uint64_t)};
  return record_add(book, record, names->words + MS_NAMES_HEADER, record.bytes - sizeof record);
}

uint64_t book_counters(struct book *book, uint32_t thread, const struct ms_counters_head *head, const struct ms_counter *counters,
                       uint32_t count) {
  unsigned char payload[MS_RECORD_ALIGN - sizeof(struct ms_record)] = {0};
  struct ms_record record = {.kind = MS_RECORD_COUNTERS, .thread = thread, .bytes = MS_RECORD_ALIGN};
  if (sizeof *head + count * sizeof *counters > sizeof payload) abort();
  if (head) memcpy(payload, head, sizeof *head);
  memcpy(payload + sizeof *head, counters, count * sizeof *counters);
  return record_add(book, record, payload, sizeof payload);
}

uint64_t book_unknown(struct book *book, uint32_t kind, uint64_t bytes) {
  unsigned char *payload = calloc(1, bytes);
  if (!payload) abort();
  memset(payload, 0x5a, bytes);
  uint64_t offset = record_add(book, (struct ms_record){.kind = kind, .fill = bytes}, payload, bytes);
  free(payload);
  return offset;
}

void book_hole(struct book *book, uint32_t pages) { book_room(book, (uint64_t)pages * MS_RECORD_ALIGN); }

/* ---- payloads of tables ---- */

static void bytes_add(struct sheet *sheet, const void *bytes, uint64_t count) {
  uint64_t *at = sheet_room(sheet, (uint32_t)((count + 7) / 8));
  if (count) memcpy(at, bytes, count);
}

uint64_t book_process(struct book *book, const char *program, const char *directory, int argc,
                      const char *const *argv) {
  char text[4096];
  size_t at = 0;
  for (int i = -2; i < argc; i++) {
    const char *part = i == -2 ? program : i == -1 ? directory : argv[i];
    size_t bytes = strlen(part) + 1;
    if (at + bytes > sizeof text) abort();
    memcpy(text + at, part, bytes);
    at += bytes;
  }
  struct ms_process_record process = {.argc = (uint32_t)argc, .strings_bytes = (uint32_t)at};
  struct sheet sheet = {0};
  bytes_add(&sheet, &process, sizeof process);
  bytes_add(&sheet, text, at);
  uint64_t offset = record_add(book, (struct ms_record){.kind = MS_RECORD_PROCESS, .fill = sheet.count * 8},
                               sheet.words, sheet.count * 8);
  sheet_free(&sheet);
  return offset;
}

uint64_t book_module(struct book *book, uint32_t id, const char *path, uint64_t start, uint64_t end,
                     uint32_t first_site, const struct unit *unit) {
  struct ms_module_record module = {.module = id,
                                    .unit_count = unit != NULL,
                                    .bias = start,
                                    .start = start,
                                    .end = end,
                                    .first_site = first_site,
                                    .segment_count = 1,
                                    .path_bytes = (uint32_t)strlen(path) + 1,
                                    .build_id_bytes = 4,
                                    .build_id = {0xc0, 0xff, 0xee, (uint8_t)id},
                                    .is_main = id == 1};
  struct ms_segment segment = {start, end};
  struct sheet sheet = {0};
  bytes_add(&sheet, &module, sizeof module);
  bytes_add(&sheet, &segment, sizeof segment);
  bytes_add(&sheet, path, module.path_bytes);
  if (unit) {
    struct ms_unit_record record = {.first_site = first_site,
                                    .site_count = unit->site_count,
                                    .type_count = unit->type_count,
                                    .field_count = unit->field_count,
                                    .strings_bytes = unit->strings.count};
    bytes_add(&sheet, &record, sizeof record);
    bytes_add(&sheet, unit->sites, unit->site_count * sizeof *unit->sites);
    bytes_add(&sheet, unit->types, unit->type_count * sizeof *unit->types);
    bytes_add(&sheet, unit->fields, unit->field_count * sizeof *unit->fields);
    bytes_add(&sheet, unit->strings.bytes, unit->strings.count);
  }
  uint64_t offset = record_add(book, (struct ms_record){.kind = MS_RECORD_MODULE, .fill = sheet.count * 8},
                               sheet.words, sheet.count * 8);
  sheet_free(&sheet);
  return offset;
}

bool book_save(const struct book *book, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return false;
  bool written = fwrite(book->bytes, 1, book->size, file) == book->size;
  return fclose(file) == 0 && written;
}
