/* SPDX-License-Identifier: MIT
 *
 * The sample streams.
 */
#include "sample.h"

#include <string.h>

enum { MS = 1000000 }; /* ns */

/* Names of the sample program's sites, which have ids from 1. */
enum { CONN = MS_NAMES_HEADER, RBUF, XMALLOC, TEXT, ANY, CLOSE, BAD_UTF8, RETURNED };
#define SITE(name) ((name)-CONN + 1)

static void sites_write(struct unit *unit) {
  unit_init(unit);
  uint32_t type_char = unit_type(unit, "char", MS_TYPE_SCALAR, 1);
  uint32_t conn = unit_type(unit, "struct conn", MS_TYPE_STRUCT, 32);
  uint32_t pointer = unit_type(unit, "char *", MS_TYPE_POINTER, 8);
  unit->types[conn - 1].first_field = unit->field_count;
  unit_field(unit, conn, "fd", 0, 0, 4);
  unit_field(unit, conn, "rbuf", pointer, 8, 8);
  unit_field(unit, conn, "kind", type_char, 16, 1);
  unit_field(unit, conn, "next", 0, 24, 8);
  unit_site(unit, "c", conn, "/src/net.c", 80, "conn_new", MS_SITE_INIT, 0);
  unit_site(unit, "c->rbuf", type_char, "/src/net.c", 88, "conn_new", MS_SITE_ASSIGN, MS_SITE_ARRAY);
  unit_site(unit, "p", 0, "/src/mem.c", 12, "xmalloc", MS_SITE_INIT, MS_SITE_WRAPPER | MS_SITE_UP);
  unit_site(unit, "line", type_char, "/src/read.c", 7, "read_line", MS_SITE_ASSIGN, MS_SITE_ARRAY);
  unit_site(unit, "any", 0, "/src/main.c", 3, "main", MS_SITE_INIT, 0);
  unit_site(unit, "c", conn, "/src/net.c", 120, "conn_close", MS_SITE_FREE, 0);
  unit_site(unit, "b\xff\x1b[31m\xc3\xa4", type_char, "/src/\x80.c", 1, "f\xc3", MS_SITE_ASSIGN, 0);
  unit_site(unit, "return", 0, "/src/net.c", 81, "conn_get", MS_SITE_RETURN, MS_SITE_UP);
}

static void head_write(struct book *book, struct names *names) {
  static const char *const argv[] = {"server", "--port", "80 80", "it's"};
  static struct unit unit;
  names_init(names, SITE(RETURNED));
  book_open(book);
  book_process(book, "/opt/server", "/home/user", 4, argv);
  sites_write(&unit);
  book_module(book, 1, "/opt/server", 0x400000, 0x500000, 1, &unit);
  book_module(book, 2, "/lib/libc.so.6", 0x7f0000000000, 0x7f0000200000, 0, NULL);
}

static void end_write(struct sheet *sheet) {
  put_end(sheet, (struct ms_row_end){.how = MS_END_EXIT, .status = 3});
}

/* One thread: names in the row, chains through wrappers, reallocations, places
 * of frees, a large block, a name that comes with the next chunk. */
static void plain_write(struct book *book) {
  struct sheet one = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_thread_start(&one, (struct ms_row_thread_start){.tid = 1234});
  put_text(&one, MS_TAG_THREAD_NAME, "main");
  put_clock(&one, 4 * MS);
  put_malloc(&one, 0x1000, 1, 32, CONN);
  put_malloc(&one, 0x1040, 1, 16384, name_site(&names, XMALLOC, SITE(RBUF)));
  put_malloc(&one, 0x5080, 1, 100, name_site(&names, XMALLOC, SITE(TEXT)));
  put_malloc(&one, 0x6000, 1, 10, XMALLOC); /* stays inside the wrapper */
  put_malloc(&one, 0x6020, 1, UINT64_C(5) << 32, ANY);
  put_clock(&one, 8 * MS);
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x5080);
  put_realloc_end(&one,
                  (struct ms_row_realloc_end){.fn = 1, .gen = 1, .addr8 = 0x7000 >> 3, .size_low = 200});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x6000);
  put_realloc_fail(&one, (struct ms_row_realloc_fail){0});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 2, 1, 0x6000);
  put_realloc_end(&one, (struct ms_row_realloc_end){.fn = 2, .name = CLOSE}); /* freed */
  put_clock(&one, 20 * MS);
  put_drop(&one, 0x1040, 1);
  put_place(&one, (struct ms_row_place){.name = CLOSE});
  put_drop(&one, 0x1000, 1);
  put_malloc(&one, 0x1000, 2, 40, 0);
  put_drop(&two, 0x1000, 2); /* temporary; its place is not known: a new chunk */
  put_malloc(&two, 0x1000, 3, 48, 0);
  put_alloc(
      &two,
      (struct ms_row_alloc){
          .fn = MS_FN_REALLOC_NULL + 1, .gen = 1, .addr8 = 0x9000 >> 3, .size_low = 64, .name = BAD_UTF8});
  put_malloc(&two, 0x9100, 1, 32, name_site(&names, CONN, SITE(RETURNED)));
  put_thread_exit(&two, (struct ms_row_thread_exit){0});
  end_write(&two);
  book_chunk(book, 1, 0, 1 * MS, &one);
  book_window(book, 1, 1, 20 * MS, &two);
  book_header(book)->end_how = MS_END_EXIT;
  book_header(book)->end_status = 3;
  book_header(book)->end_ns = 25 * MS;
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&two);
}

/* Blocks handed from thread to thread; a name in a BIND row; foreign callers. */
static void threads_write(struct book *book) {
  struct sheet one = {0}, again = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_malloc(&one, 0x1000, 1, 8, name_caller(&names, 0x7f0000001234, 0));
  put_drop(&one, 0x1000, 1);
  put_malloc(&one, 0x1000, 2, 24, TEXT);
  put_malloc(&one, 0x2000, 1, 32, 0);
  put_bind(&again, (struct ms_row_bind){.gen = 1, .addr8 = 0x2000 >> 3, .name = CONN});
  put_drop(&again, 0x2000, 2);
  end_write(&again);
  put_thread_start(&two, (struct ms_row_thread_start){.tid = 1235, .creator = 1});
  put_text(&two, MS_TAG_THREAD_NAME, "worker \xe2\x82\xac");
  put_drop(&two, 0x1000, 2);
  uint32_t nowhere = name_caller(&names, 0x123, 0);
  put_place(&two, (struct ms_row_place){.name = nowhere});
  put_free(&two, (struct ms_row_free){.fn = 1, .slot = 3, .gen = 1, .addr8 = 0x2000 >> 3});
  put_place(&two, (struct ms_row_place){.slot = 3, .name = CLOSE});
  put_malloc(&two, 0x2000, 2, 9, nowhere);
  put_thread_exit(&two, (struct ms_row_thread_exit){0});
  book_window(book, 2, 0, 0, &two);
  book_chunk(book, 1, 0, 0, &one);
  book_window(book, 1, 1, 0, &again);
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&again);
  sheet_free(&two);
}

/* What kills and newer writers leave: holes, copies, partial copies, unknown
 * records and rows, an unfinished tail. */
static void survival_write(struct book *book) {
  struct sheet first = {0}, second = {0}, third = {0};
  static struct names names;
  head_write(book, &names);
  put_malloc(&first, 0x1000, 1, 1, CONN);
  put_malloc(&first, 0x2000, 1, 2, CONN);
  put_malloc(&second, 0x3000, 1, 3, CONN);
  put_malloc(&second, 0x4000, 1, 4, CONN);
  *sheet_room(&third, 1) = 0x2f;                      /* unknown rows of one, */
  sheet_room(&third, 2)[0] = 0x4f;                    /* two, */
  sheet_room(&third, 3)[0] = 0x5f;                    /* three, */
  sheet_room(&third, 4)[0] = 0x6f;                    /* four */
  sheet_room(&third, 6)[0] = 0x7f | UINT64_C(5) << 8; /* and six words */
  put_malloc(&third, 0x5000, 1, 5, CONN);
  *sheet_room(&third, 1) = 0; /* from here on unwritten */
  put_malloc(&third, 0x6000, 1, 6, CONN);
  book_hole(book, 2);
  uint64_t window = book_window(book, 1, 1, 0, &second); /* its chunk is there, but was not finished */
  book_unknown(book, 99, 10000);
  book_chunk(book, 1, 0, 0, &first);
  book_window(book, 2, 0, 0, &third);
  uint64_t partial = book_chunk(book, 1, 1, 0, &second);
  memset(book->bytes + partial + sizeof(struct ms_record) + 16, 0, 16);
  book_chunk(book, 1, 0, 0, &first); /* written twice */
  book_hole(book, 3);
  (void)window;
  book_names(book, &names);
  sheet_free(&first);
  sheet_free(&second);
  sheet_free(&third);
}

/* Rows that are missing, and what the writer says it lost. */
static void losses_write(struct book *book) {
  struct sheet one = {0};
  static struct names names;
  head_write(book, &names);
  put_malloc(&one, 0x1000, 1, 1, CONN);
  put_malloc(&one, 0x1000, 2, 2, RBUF); /* the free between is missing */
  put_drop(&one, 0x3000, 1);            /* its allocation is missing */
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 4, 0x4000);
  put_realloc_end(&one, (struct ms_row_realloc_end){
                            .fn = 1, .gen = 5, .addr8 = 0x4000 >> 3, .size_low = 50, .name = TEXT});
  put_bad_free(&one, (struct ms_row_bad_free){.fn = 1, .address = 0x1000});
  put_lost(&one, (struct ms_row_lost){.reason = MS_LOST_SPACE, .events = 12});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 5, 0x4000); /* never ends */
  book_header(book)->lost_events = 12;
  book_header(book)->lost_reason = MS_LOST_SPACE;
  book_window(book, 1, 0, 0, &one);
  book_names(book, &names);
  sheet_free(&one);
}

/* Two plugins, one after the other, at the same address. */
static void modules_write(struct book *book) {
  static struct unit first, second;
  struct sheet one = {0};
  static struct names names;
  head_write(book, &names);
  unit_init(&first);
  unit_site(&first, "first", 0, "/src/first.c", 1, "init", MS_SITE_INIT, 0);
  unit_init(&second);
  unit_site(&second, "second", 0, "/src/second.c", 1, "init", MS_SITE_INIT, 0);
  put_clock(&one, 1 * MS);
  put_module_load(&one, (struct ms_row_module_load){.module = 3, .record = book->size});
  uint64_t record = book_module(book, 3, "/opt/first.so", 0x7f1000000000, 0x7f1000010000, 100, &first);
  put_malloc(&one, 0x1000, 1, 10, name_site(&names, 0, 100));
  put_malloc(&one, 0x1020, 1, 11, name_caller(&names, 0x7f1000000010, 1 * MS));
  put_clock(&one, 10 * MS);
  put_module_unload(&one, (struct ms_row_module_unload){.module = 3, .record = record});
  put_clock(&one, 20 * MS);
  record = book->size;
  book_module(book, 4, "/opt/second.so", 0x7f1000000000, 0x7f1000010000, 101, &second);
  ((struct ms_module_record *)(book->bytes + record + sizeof(struct ms_record)))->loaded_ns = 20 * MS;
  book_reseal(book, record);
  put_module_load(&one, (struct ms_row_module_load){.module = 4, .record = record});
  put_malloc(&one, 0x1040, 1, 20, name_site(&names, 0, 101));
  put_malloc(&one, 0x1060, 1, 21, name_caller(&names, 0x7f1000000010, 20 * MS));
  put_fork(&one, (struct ms_row_fork){.pid = 4321});
  put_text(&one, MS_TAG_EXEC, "/bin/other");
  book_window(book, 1, 0, 0, &one);
  book_names(book, &names);
  sheet_free(&one);
}

/* Recording that pauses, goes on, pauses and never goes on; marks and a snapshot. */
static void moments_write(struct book *book) {
  struct sheet one = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_malloc(&one, 0x1000, 1, 100, CONN);
  put_malloc(&one, 0x2000, 1, 200, TEXT);
  put_text(&one, MS_TAG_MARK, "warm \xe2\x82\xac");
  put_clock(&one, 10 * MS);
  put_recording(&one, (struct ms_row_recording){.on = 0, .ns = 10 * MS + 5});
  put_ended(&one, (struct ms_row_ended){.gen = 1, .addr8 = 0x1000 >> 3});
  put_ended(&one, (struct ms_row_ended){.gen = 1, .addr8 = 0x7000 >> 3}); /* nobody knows it */
  put_clock(&one, 30 * MS);
  put_recording(&one, (struct ms_row_recording){.on = 1, .ns = 30 * MS});
  put_unseen_free(&one, (struct ms_row_unseen_free){.fn = 1, .name = CLOSE, .address = 0x9000});
  put_malloc(&one, 0x1000, 2, 50, RBUF);
  put_text(&one, MS_TAG_SNAPSHOT, "before the end");
  put_drop(&two, 0x2000, 1); /* by another thread, which came to know late */
  put_clock(&one, 40 * MS);
  put_recording(&one, (struct ms_row_recording){.on = 0, .ns = 40 * MS});
  end_write(&one);
  book_header(book)->pauses = 2;
  book_window(book, 1, 0, 0, &one);
  book_window(book, 2, 0, 35 * MS, &two);
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&two);
}

/* Call stacks: the same one by two threads under other ids, one of three frames, one
 * that nobody defined, and a chunk that says none. */
static void stacks_write(struct book *book) {
  static const uint64_t frames[] = {0x400123, 0x400456, 0x7f0000000010};
  struct sheet one = {0}, later = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_frames(&one, 1, frames, 2);
  put_stack_of(&one, (struct ms_row_stack_of){.id = 1});
  put_malloc(&one, 0x1000, 1, 100, CONN);
  put_malloc(&one, 0x2000, 1, 10, RBUF);
  put_frames(&one, 2, frames, 3);
  put_stack_of(&one, (struct ms_row_stack_of){.id = 2});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x2000);
  put_realloc_end(&one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x2000 >> 3, .size_low = 2000, .name = RBUF});
  put_malloc(&later, 0x3000, 1, 7, TEXT);
  put_stack_of(&later, (struct ms_row_stack_of){.id = 99});
  put_malloc(&later, 0x3010, 1, 8, TEXT);
  end_write(&later);
  put_stack_of(&two, (struct ms_row_stack_of){.id = 5});
  put_malloc(&two, 0x4000, 1, 400, CONN);
  put_frames(&two, 5, frames, 2);
  book_chunk(book, 1, 0, 0, &one);
  book_window(book, 1, 1, 20 * MS, &later);
  book_window(book, 2, 0, 10 * MS, &two);
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&later);
  sheet_free(&two);
}

/* One allocation in twenty: names, two sizes, a free, and reallocations to and from
 * blocks that were not drawn. */
static void sampled_write(struct book *book) {
  struct sheet one = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_malloc(&one, 0x1000, 1, 32, CONN);
  put_malloc(&one, 0x2000, 1, 4096, RBUF);
  put_malloc(&one, 0x4000, 1, 100, TEXT);
  put_clock(&one, 8 * MS);
  put_drop(&one, 0x1000, 1);
  put_place(&one, (struct ms_row_place){.name = CLOSE});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x4000);
  put_realloc_unsampled(&one, (struct ms_row_realloc_unsampled){0});
  *sheet_room(&one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 0, 0);
  put_realloc_end(&one, (struct ms_row_realloc_end){.fn = 1, .gen = 1, .addr8 = 0x5000 >> 3, .size_low = 64, .name = TEXT});
  put_text(&one, MS_TAG_SNAPSHOT, "half");
  end_write(&one);
  put_drop(&two, 0x2000, 1); /* by another thread */
  put_malloc(&two, 0x2000, 2, 16, 0);
  book_header(book)->version = MS_STREAM_VERSION_SAMPLED;
  book_header(book)->mode = MS_MODE_SAMPLE;
  book_header(book)->sampling = MS_SAMPLING_RATE;
  book_header(book)->sampling_period = 20 * MS_SAMPLING_ONE;
  book_window(book, 1, 0, 0, &one);
  book_window(book, 2, 0, 10 * MS, &two);
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&two);
}

/* Counters of two threads: blocks that the other one freed, resized, freed before they
 * had a name, not seen before; newest blocks, one of which is gone; a pause, a mark. */
static void counters_write(struct book *book) {
  struct sheet one = {0}, two = {0};
  static struct names names;
  head_write(book, &names);
  put_thread_start(&one, (struct ms_row_thread_start){.tid = 1234});
  put_recording(&one, (struct ms_row_recording){.on = 0, .ns = MS});
  put_recording(&one, (struct ms_row_recording){.on = 1, .ns = 2 * MS});
  put_clock(&one, 4 * MS);
  put_text(&one, MS_TAG_SNAPSHOT, "half");
  put_bad_free(&one, (struct ms_row_bad_free){.fn = 1, .address = 0x9000, .name = CLOSE});
  end_write(&one);
  put_thread_start(&two, (struct ms_row_thread_start){.tid = 1235, .creator = 1});
  uint32_t text = name_site(&names, XMALLOC, SITE(TEXT));
  const struct ms_counter first[] = {
      {.name = CONN, .allocations = 100, .allocated_bytes = 3200, .frees = 60, .gone_bytes = 1920},
      {.name = text, .allocations = 10, .allocated_bytes = 1000, .resized = 4, .ended = 1, .gone_bytes = 500},
      {.name = RBUF, .reallocations = 4, .allocated_bytes = 16384, .vanished = 1, .gone_bytes = 4096},
      {.name = name_caller(&names, 0x7f0000000123, 0), .allocations = 7, .allocated_bytes = 70, .frees = 7, .gone_bytes = 70},
      {.name = MS_NAMES_MOST + 1, .frees = (uint64_t)-2},
  };
  const struct ms_counter second[] = {
      {.name = CONN, .frees = 10, .gone_bytes = 320},
      {.name = MS_COUNTER_UNSEEN, .frees = 3},
      {.name = MS_NAMES_MOST + 1, .frees = 3},
  };
  struct ms_counters_head newest = {.newest = {ms_hot_word(MS_OP_ALLOC, 1, 0, 0x1000), (uint64_t)CONN << 32 | 32}, .bytes = 32, .seen_ns = 7 * MS};
  struct ms_counters_head grown = {.newest = {ms_hot_word(MS_OP_REALLOC_END, 1, 0, 0x2000), 50}, .bytes = 50, .from = text, .from_bytes = 100};
  book_header(book)->version = MS_STREAM_VERSION_COUNTERS;
  book_header(book)->mode = MS_MODE_COUNTERS;
  book_header(book)->pauses = 1;
  book_window(book, 1, 0, 0, &one);
  book_window(book, 2, 0, 2 * MS, &two);
  book_counters(book, 1, &newest, first, 3);
  book_counters(book, 1, NULL, first + 3, 2);
  book_counters(book, 2, &grown, second, 3);
  book_names(book, &names);
  sheet_free(&one);
  sheet_free(&two);
}

const struct sample samples[] = {
    {"plain", plain_write},   {"threads", threads_write}, {"survival", survival_write},
    {"losses", losses_write}, {"modules", modules_write}, {"moments", moments_write},
      {"stacks", stacks_write}, {"sampled", sampled_write},
      {"counters", counters_write},
    {0},
};
