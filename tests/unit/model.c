/* SPDX-License-Identifier: MIT
 *
 * The model's figures against ones reckoned by hand, or the slow plain way.
 */
#include "test.h"

#include "base/arena.h"
#include "model/build.h"
#include "scribe.h"

#include <stdlib.h>
#include <string.h>

enum { MS = 1000000 };

struct fixture {
  struct book book;
  struct unit unit;
  struct sheet rows[4];
  struct ms_arena *arena;
  struct ms_stream *stream;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  book_open(&f->book);
  book_header(&f->book)->end_how = MS_END_EXIT;
  unit_init(&f->unit);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  ms_stream_close(f->stream);
  if (f->arena) ms_arena_free(f->arena);
  for (int i = 0; i < 4; i++) sheet_free(&f->rows[i]);
  book_free(&f->book);
  free(f);
  return 0;
}

static const struct ms_model *model_of(struct fixture *f) {
  struct ms_error error = {0};
  if (f->unit.site_count) book_module(&f->book, 1, "/bin/p", 0x400000, 0x500000, 1, &f->unit);
  book_module(&f->book, 2, "/lib/libc.so", 0x700000, 0x800000, 0, NULL);
  for (uint32_t i = 0; i < 4; i++)
    if (f->rows[i].count) book_chunk(&f->book, i + 1, 0, 0, &f->rows[i]);
  book_close(&f->book);
  f->arena = ms_arena_new();
  f->stream = ms_stream_open_memory(f->arena, f->book.bytes, f->book.size, &error);
  assert_non_null(f->stream);
  const struct ms_model *model = ms_model_build(f->arena, f->stream, &error);
  assert_non_null(model);
  assert_string_equal(error.text, "");
  return model;
}

static const struct ms_model_site *site_of(const struct ms_model *model, const char *holder) {
  for (uint32_t i = 0; i < model->site_count; i++)
    if (strcmp(model->sites[i].holder, holder) == 0) return &model->sites[i];
  fail_msg("no site %s", holder);
  return NULL;
}

/* ---- whose name it is ---- */

static void chain_row(struct sheet *sheet, uint32_t id, uint32_t parent, uint32_t site) {
  put_chain(sheet, (struct ms_row_chain){.id = id, .parent = parent, .site = site});
}

static void test_naming(void **state) {
  struct fixture *f = *state;
  struct unit *u = &f->unit;
  uint32_t conn = unit_type(u, "struct conn", MS_TYPE_STRUCT, 64);
  uint32_t none = unit_type(u, "void", MS_TYPE_OTHER, 0);
  enum { VAR = 1, WRAP, WRAP2, ARG, SYSTEM, TYPED, TEMP, PASSING, HEADER };
  unit_site(u, "var", none, "a.c", 1, "f", MS_SITE_ASSIGN, 0);
  unit_site(u, "w", 0, "m.c", 2, "xmalloc", MS_SITE_INIT, MS_SITE_WRAPPER);
  unit_site(u, "return", 0, "m.c", 3, "xmalloc2", MS_SITE_RETURN, MS_SITE_WRAPPER);
  unit_site(u, "use(…, #1)", 0, "a.c", 4, "g", MS_SITE_ARG, 0);
  unit_site(u, "_M_p", 0, "string.h", 5, "std::string", MS_SITE_ASSIGN, MS_SITE_SYSTEM);
  unit_site(u, "typed", conn, "a.c", 6, "h", MS_SITE_INIT, 0);
  unit_site(u, "*call", 0, "a.c", 7, "i", MS_SITE_TEMP, 0);
  unit_site(u, "made", conn, "a.c", 8, "j", MS_SITE_ASSIGN, MS_SITE_UP | MS_SITE_PASSING);
  unit_site(u, "head", conn, "m.c", 9, "k", MS_SITE_ASSIGN, MS_SITE_UP | MS_SITE_WRAPPER);
  struct sheet *rows = &f->rows[0];
  const struct {
    uint32_t names[3]; /* innermost first */
    const char *holder, *type;
    enum ms_naming naming;
    enum ms_provenance provenance;
  } cases[] = {
      {{VAR}, "var", "", MS_NAMED, MS_EXACT}, /* void says nothing about the type */
      {{TYPED}, "typed", "struct conn", MS_NAMED, MS_EXACT},
      {{WRAP, TYPED}, "typed", "struct conn", MS_NAMED, MS_EXACT}, /* wrappers are seen through */
      {{WRAP, WRAP2}, "return", "", MS_WRAPPER_ONLY, MS_EXACT},
      {{WRAP, ARG}, "use(…, #1)", "", MS_NAMED, MS_EXACT},
      {{TYPED, ARG}, "typed", "struct conn", MS_NAMED, MS_DERIVED}, /* an argument only passes it on */
      {{TYPED, TEMP}, "typed", "struct conn", MS_NAMED, MS_DERIVED},
      {{PASSING, ARG}, "use(…, #1)", "struct conn", MS_NAMED, MS_DERIVED}, /* a local that returned it holds nothing */
      {{PASSING, TEMP}, "made", "struct conn", MS_NAMED, MS_DERIVED},
      {{HEADER, VAR}, "var", "", MS_NAMED, MS_EXACT}, /* a wrapper's own type is not the block's */
      {{TYPED, VAR}, "var", "struct conn", MS_NAMED, MS_DERIVED}, /* the type comes from the chain */
      {{VAR, WRAP}, "var", "", MS_NAMED, MS_DERIVED},
      {{VAR, SYSTEM}, "var", "", MS_NAMED, MS_DERIVED}, /* user code before system headers */
      {{SYSTEM}, "_M_p", "", MS_NAMED, MS_EXACT},
      {{WRAP2, WRAP, VAR}, "var", "", MS_NAMED, MS_EXACT},
  };
  enum { CASES = sizeof cases / sizeof *cases };
  for (uint32_t i = 0, id = 1; i < CASES; i++) {
    uint32_t name = cases[i].names[0];
    for (int n = 1; n < 3 && cases[i].names[n]; n++, id++) {
      chain_row(rows, id, name, cases[i].names[n]);
      name = MS_NAME_CHAIN | id;
    }
    put_malloc(rows, 0x1000 + i * 0x1000, 1, (i + 1) * 10000,
               name); /* larger and larger: found again by size */
  }
  put_caller(rows, (struct ms_row_caller){.id = 1, .address = 0x701234});
  put_malloc(rows, 0x900000, 1, 3, MS_NAME_CALLER | 1);
  put_malloc(rows, 0x900020, 1, 2, 0);
  chain_row(rows, 77, MS_NAME_CHAIN | 77, VAR); /* leads to itself */
  put_malloc(rows, 0x900040, 1, 1, MS_NAME_CHAIN | 77);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->site_count, CASES + 3);
  for (uint32_t i = 0; i < CASES; i++) {
    const struct ms_model_site *site = &model->sites[CASES - 1 - i];
    assert_int_equal(site->allocated_bytes, (i + 1) * 10000);
    assert_string_equal(site->holder, cases[i].holder);
    assert_string_equal(site->type, cases[i].type);
    assert_int_equal(site->naming, cases[i].naming);
    assert_int_equal(site->provenance, cases[i].provenance);
    assert_string_equal(site->chain[0]->holder, u->strings.bytes + u->sites[cases[i].names[0] - 1].holder);
  }
  const struct ms_model_site *foreign = &model->sites[CASES];
  assert_int_equal(foreign->naming, MS_UNNAMED);
  assert_int_equal(foreign->provenance, MS_INFERRED);
  assert_string_equal(foreign->place->text, "libc.so+0x1234");
  assert_string_equal(model->modules[foreign->module_id - 1].name, "libc.so");
  assert_string_equal(model->sites[CASES + 1].place->text, "unknown");
  assert_int_equal(model->coverage.named_allocations,
                   CASES); /* one of them stays in its wrapper, the loop is named */
  assert_int_equal(model->coverage.wrapper_only_allocations, 1);
  assert_int_equal(model->coverage.unnamed_allocations, 2);
  assert_int_equal(model->coverage.typed_bytes, (2 + 3 + 6 + 7 + 8 + 9 + 11) * 10000);
}

/* ---- types ---- */

static void test_padding(void **state) {
  struct fixture *f = *state;
  struct unit *u = &f->unit;
  uint32_t type_char = unit_type(u, "char", MS_TYPE_SCALAR, 1);
  uint32_t inner = unit_type(u, "struct inner", MS_TYPE_STRUCT, 16);
  u->types[inner - 1].first_field = 0;
  unit_field(u, inner, "a", type_char, 0, 1); /* 7 B behind it */
  unit_field(u, inner, "b", 0, 8, 8);
  uint32_t outer = unit_type(u, "struct outer", MS_TYPE_STRUCT, 40);
  unit_field(u, outer, "flag", 0, 0, 3);
  u->fields[u->field_count - 1].flags = MS_FIELD_BITS;
  unit_field(u, outer, "more", 0, 0, 10);
  u->fields[u->field_count - 1].flags = MS_FIELD_BITS;
  u->fields[u->field_count - 1].offset_bits = 3; /* bits 3..12: bytes 0 and 1; 6 B behind */
  unit_field(u, outer, "inner", inner, 8, 16);
  unit_field(u, outer, "tail", type_char, 24, 5); /* 11 B behind */
  unit_site(u, "o", outer, "a.c", 1, "f", MS_SITE_INIT, 0);
  put_malloc(&f->rows[0], 0x1000, 1, 80, 1);
  const struct ms_model *model = model_of(f);
  const struct ms_model_type *type = &model->types[site_of(model, "o")->type_id - 1];
  assert_string_equal(type->name, "struct outer");
  assert_int_equal(type->padding_bytes, 6 + 11);
  assert_int_equal(type->elements, 2);
  assert_int_equal(type->field_count, 4);
  assert_int_equal(type->fields[1].padding_bytes, 6);
  assert_int_equal(type->fields[2].padding_bytes, 0);
  assert_int_equal(type->fields[3].padding_bytes, 11);
  assert_int_equal(type->fields[0].bits, 3);
  const struct ms_model_type *embedded = &model->types[type->fields[2].type_id - 1];
  assert_string_equal(embedded->name, "struct inner");
  assert_int_equal(embedded->padding_bytes, 7);
}

/* Two units see the same type, a third only its declaration. */
static void test_types_merge(void **state) {
  struct fixture *f = *state;
  static struct unit other, third;
  struct unit *units[] = {&f->unit, &other, &third};
  for (int i = 0; i < 3; i++) {
    struct unit *u = units[i];
    if (i) unit_init(u);
    unit_text(u, &"makes offsets differ"[i]);
    uint32_t type = unit_type(u, "struct s", MS_TYPE_STRUCT, i < 2 ? 8 : 0);
    if (i < 2) unit_field(u, type, "x", 0, 0, 8);
    unit_site(u, i == 0 ? "a" : i == 1 ? "b" : "c", type, "a.c", 1, "f", MS_SITE_INIT, 0);
  }
  book_module(&f->book, 5, "/lib/other.so", 0x10000, 0x20000, 100, &other);
  book_module(&f->book, 6, "/lib/third.so", 0x20000, 0x30000, 200, &third);
  put_malloc(&f->rows[0], 0x1000, 1, 8, 1);
  put_malloc(&f->rows[0], 0x1020, 1, 8, 100);
  put_malloc(&f->rows[0], 0x1040, 1, 8, 200);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->type_count, 1);
  assert_int_equal(model->types[0].allocations, 3);
  assert_int_equal(model->types[0].site_count, 3);
  assert_int_equal(model->types[0].size_bytes, 8);
}

/* ---- threads, lives, places ---- */

static void test_lives(void **state) {
  struct fixture *f = *state;
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "x", 0, "a.c", 9, "done", MS_SITE_FREE, 0);
  struct sheet *one = &f->rows[0], *two = &f->rows[1];
  put_clock(one, 100 * MS);
  put_malloc(one, 0x1000, 1, 10, 1); /* 100 ms until thread 2 frees it */
  put_clock(one, 101 * MS);
  put_malloc(one, 0x1020, 1, 20, 1); /* temporary: 1 ms */
  put_clock(one, 102 * MS);
  put_drop(one, 0x1020, 1);
  put_place(one, (struct ms_row_place){.name = 2});
  put_malloc(one, 0x1040, 1, 30, 1); /* resized, lives on */
  put_clock(one, 110 * MS);
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1040);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1040 >> 3, .size_low = 300});
  put_clock(one, 122 * MS);
  put_drop(one, 0x1040, 2); /* 20 ms from its birth; temporary, too: no allocation since it was resized */
  put_clock(two, 200 * MS);
  put_drop(two, 0x1000, 1);
  const struct ms_model *model = model_of(f);
  const struct ms_model_site *site = site_of(model, "a");
  assert_int_equal(model->site_count, 1);
  assert_int_equal(site->allocations, 3);
  assert_int_equal(site->frees, 3);
  assert_int_equal(site->reallocations, 1);
  assert_int_equal(site->allocated_bytes, 10 + 20 + 30 + 300);
  assert_int_equal(site->temporary, 2);
  assert_int_equal(site->smallest_bytes, 10);
  assert_int_equal(site->largest_bytes, 300);
  assert_int_equal(site->lifetime.count, 3);
  assert_int_equal(site->lifetime.min_ns, 1 * MS);
  assert_int_equal(site->lifetime.max_ns, 100 * MS);
  assert_in_range(site->lifetime.median_ns, 16777216, 33554432); /* 20 ms is in 2^24..2^25 */
  assert_int_equal(site->alloc_threads.count, 1);
  assert_int_equal(site->alloc_threads.rows[0].count, 3);
  assert_int_equal(site->free_threads.count, 2);
  assert_int_equal(site->free_threads.rows[0].count, 2);
  assert_int_equal(site->free_places.count, 2);
  assert_string_equal(model->places[site->free_places.rows[0].id - 1].text, "a.c:9 done");
  assert_int_equal(site->free_places.rows[1].id, 0); /* thread 2 said no place */
  assert_string_equal(ms_model_function(site->functions.rows[0].id), "malloc");
  assert_int_equal(model->threads[1].foreign_frees, 1);
  assert_int_equal(model->threads[0].foreign_frees, 0);
  assert_int_equal(model->totals.live_blocks, 0);
  assert_int_equal(model->totals.peak_bytes, 310);
  assert_int_equal(model->totals.peak_time_ns, 110 * MS);
}

static void bind_row(struct sheet *sheet, uintptr_t address, uint32_t gen, uint32_t name) {
  put_bind(sheet, (struct ms_row_bind){.gen = gen, .addr8 = address >> 3, .name = name});
}

/* A name that comes when the peak is over takes the block's part of the peak
 * along, if the block was there. */
static void test_late_names(void **state) {
  struct fixture *f = *state;
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "c", 0, "a.c", 3, "f", MS_SITE_INIT, 0);
  struct sheet *one = &f->rows[0];
  put_malloc(one, 0x1000, 1, 100, 1);
  put_malloc(one, 0x1100, 1, 50, 3); /* the peak: 150 */
  put_drop(one, 0x1100, 1);
  put_malloc(one, 0x1200, 1, 7, 1); /* behind the peak */
  bind_row(one, 0x1000, 1, 2);
  bind_row(one, 0x1200, 1, 2);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.peak_bytes, 150);
  assert_int_equal(model->site_count, 2); /* nothing is left of a */
  assert_int_equal(site_of(model, "b")->allocations, 2);
  assert_int_equal(site_of(model, "b")->live_bytes, 107);
  assert_int_equal(site_of(model, "b")->bytes_at_peak, 100);
  assert_int_equal(site_of(model, "b")->blocks_at_peak, 1);
  assert_int_equal(site_of(model, "c")->bytes_at_peak, 50);
}

/* A block resized since the peak is not the one that was there: its part stays. */
static void test_late_names_resized(void **state) {
  struct fixture *f = *state;
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  struct sheet *one = &f->rows[0];
  put_malloc(one, 0x1000, 1, 100, 1);
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1000);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1000 >> 3, .size_low = 30, .name = 1});
  bind_row(one, 0x1000, 2, 2);
  const struct ms_model *model = model_of(f);
  assert_int_equal(site_of(model, "a")->bytes_at_peak, 100);
  assert_int_equal(site_of(model, "b")->bytes_at_peak, 0);
  assert_int_equal(site_of(model, "b")->live_bytes, 30);
}

/* ---- peak, curve and sums against the plain way ---- */

static void test_random(void **state) {
  struct fixture *f = *state;
  enum { SITES = 7, BLOCKS = 300, EVENTS = 60000 };
  static const char *const names[SITES] = {"a", "b", "c", "d", "e", "f", "g"};
  for (int i = 0; i < SITES; i++) unit_site(&f->unit, names[i], 0, "a.c", (uint32_t)i, "f", MS_SITE_INIT, 0);
  static struct { uint32_t gen, size, site; } blocks[BLOCKS];
  uint64_t live[SITES] = {0}, peaks[SITES] = {0}, at_peak[SITES] = {0}, all = 0, peak = 0, random = 42,
           ns = 0;
  static uint64_t curve[EVENTS][SITES + 1];
  memset(blocks, 0, sizeof blocks);
  for (int event = 0; event < EVENTS; event++) {
    random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint32_t index = (uint32_t)(random >> 33) % BLOCKS;
    if (event % 100 == 0) put_clock(&f->rows[0], ns += event < 1000 ? 400 * MS : MS); /* slow, then busy */
    uint64_t address = 0x10000 + index * 32;
    if (blocks[index].size) {
      put_drop(&f->rows[0], address, blocks[index].gen);
      live[blocks[index].site] -= blocks[index].size;
      all -= blocks[index].size;
      blocks[index].size = 0;
    } else {
      uint32_t site = (uint32_t)(random >> 50) % SITES, size = 1 + (uint32_t)(random >> 40) % 5000;
      blocks[index].gen = (blocks[index].gen + 1) & MS_GEN_MASK;
      blocks[index].size = size;
      blocks[index].site = site;
      put_malloc(&f->rows[0], address, blocks[index].gen, size, site + 1);
      live[site] += size;
      all += size;
      if (live[site] > peaks[site]) peaks[site] = live[site];
      if (all > peak) peak = all, memcpy(at_peak, live, sizeof live);
    }
    memcpy(curve[event], live, sizeof live);
    curve[event][SITES] = all;
  }
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->totals.peak_bytes, peak);
  assert_int_equal(model->totals.live_bytes, all);
  assert_int_equal(model->totals.events, EVENTS);
  const struct ms_model_timeline *t = &model->timeline;
  assert_in_range(t->sample_count, MS_TIMELINE_MAX / 6, MS_TIMELINE_MAX);
  assert_int_equal(t->end_event[t->sample_count - 1], EVENTS);
  assert_int_equal(t->most_bytes[t->peak_sample], peak);
  uint64_t allocations = 0, frees = 0;
  for (uint32_t i = 0; i < t->sample_count; i++) {
    if (i) assert_true(t->end_event[i] > t->end_event[i - 1] && t->end_ns[i] >= t->end_ns[i - 1]);
    assert_int_equal(t->live_bytes[i], curve[t->end_event[i] - 1][SITES]);
    assert_true(t->most_bytes[i] >= t->live_bytes[i]);
    allocations += t->allocations[i];
    frees += t->frees[i];
  }
  assert_int_equal(allocations, model->totals.allocations);
  assert_int_equal(frees, model->totals.frees);
  for (int i = 0; i < SITES; i++) {
    const struct ms_model_site *site = site_of(model, names[i]);
    assert_int_equal(site->peak_bytes, peaks[i]);
    assert_int_equal(site->bytes_at_peak, at_peak[i]);
    assert_int_equal(site->live_bytes, live[i]);
    uint32_t point = 0;
    uint64_t value = 0;
    for (uint32_t s = 0; s < t->sample_count; s++) {
      if (point < site->points.count && site->points.rows[point].sample == s)
        value = site->points.rows[point++].live_bytes;
      assert_int_equal(value, curve[t->end_event[s] - 1][i]);
    }
  }
  assert_int_equal(t->holder_count, SITES + 1); /* and all others */
  for (uint32_t s = 0; s < t->sample_count; s += 17) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < t->holder_count; i++) sum += t->holders[i].live_bytes[s];
    assert_int_equal(sum, t->live_bytes[s]);
  }
}

/* ---- the end ---- */

/* The stream as it stands, `size` bytes of it. */
static const struct ms_model_process *process_of(struct fixture *f, enum ms_end_how how, uint64_t size) {
  struct ms_error error = {0};
  book_header(&f->book)->end_how = how;
  if (f->arena) ms_stream_close(f->stream), ms_arena_free(f->arena);
  f->arena = ms_arena_new();
  f->stream = ms_stream_open_memory(f->arena, f->book.bytes, size, &error);
  assert_non_null(f->stream);
  return &ms_model_build(f->arena, f->stream, &error)->process;
}

static void test_end(void **state) {
  struct fixture *f = *state;
  static const struct { enum ms_end_how how; const char *when; } cases[] = {
      {MS_END_NONE, "where the stream ends"},   {MS_END_EXIT, "at exit"},
      {MS_END_QUICK, "at exit"},                {MS_END_EXEC, "when it became another program"},
      {MS_END_SIGNAL, "when it was killed"},    {MS_END_STOPPED, "when recording stopped"},
  };
  put_malloc(&f->rows[0], 0x1000, 1, 10, 0);
  book_chunk(&f->book, 1, 0, 0, &f->rows[0]);
  book_chunk(&f->book, 2, 0, 0, &f->rows[0]);
  book_close(&f->book);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ms_model_process *process = process_of(f, cases[i].how, f->book.size);
    assert_string_equal(process->end_when, cases[i].when);
    assert_false(process->cut);
  }
  for (uint64_t less = MS_RECORD_ALIGN - 80; less <= MS_RECORD_ALIGN; less += 80) { /* inside the last record, and before it */
    const struct ms_model_process *process = process_of(f, MS_END_EXIT, f->book.size - less);
    assert_string_equal(process->end_when, "where the stream is cut");
    assert_true(process->cut && !process->complete);
  }
}

/* ---- call stacks ---- */

static const struct ms_model_stack *stack_of(const struct ms_model *model, const char *second) {
  for (uint32_t i = 0; i < model->stack_count; i++)
    if (strcmp(model->places[model->stacks[i].places[1] - 1].text, second) == 0) return &model->stacks[i];
  fail_msg("no stack with %s", second);
  return NULL;
}

static void sites_check(const struct ms_model_stack *stack, const struct ms_model_stack_site *wanted, uint32_t count) {
  assert_int_equal(stack->site_count, count);
  for (uint32_t i = 0; i < count; i++) assert_memory_equal(&stack->sites[i], &wanted[i], sizeof wanted[i]);
}

/* The same frames in two threads are one stack; a new chunk says none; a resize and a
 * later name move a block, in the peak too. */
static void test_stacks(void **state) {
  struct fixture *f = *state;
  static const uint64_t frames[] = {0x701234, 0x704444, 0x705555};
  struct sheet *one = &f->rows[0], *two = &f->rows[1], later = {0};
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  put_frames(one, 1, frames, 2);
  put_stack_of(one, (struct ms_row_stack_of){.id = 1});
  put_malloc(one, 0x1000, 1, 100, 1);
  put_malloc(one, 0x1020, 1, 50, 2);
  put_frames(one, 2, (const uint64_t[]){frames[0], frames[2]}, 2);
  put_stack_of(one, (struct ms_row_stack_of){.id = 2});
  put_malloc(one, 0x1040, 1, 10, 1);
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1040);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1040 >> 3, .size_low = 30, .name = 1});
  put_drop(one, 0x1000, 1);
  put_malloc(one, 0x1060, 1, 7, 0);
  put_clock(two, 100 * MS);
  put_stack_of(two, (struct ms_row_stack_of){.id = 7});
  put_malloc(two, 0x2000, 1, 1000, 1); /* the peak */
  put_frames(two, 7, frames, 2);
  put_clock(two, 200 * MS);
  put_drop(two, 0x1020, 1);
  put_clock(&later, 150 * MS);
  put_malloc(&later, 0x1080, 1, 5, 1); /* no stack */
  put_drop(&later, 0x1080, 1);
  put_clock(&later, 300 * MS);
  put_bind(&later, (struct ms_row_bind){.gen = 1, .addr8 = 0x1060 >> 3, .name = 2});
  book_chunk(&f->book, 1, 1, 120 * MS, &later);
  const struct ms_model *model = model_of(f);
  uint32_t a = site_of(model, "a")->id, b = site_of(model, "b")->id;
  assert_int_equal(model->totals.peak_bytes, 1000 + 50 + 30 + 7 + 5);
  assert_int_equal(model->stack_count, 2);
  const struct ms_model_stack *first = stack_of(model, "libc.so+0x4444"), *second = stack_of(model, "libc.so+0x5555");
  assert_ptr_equal(first, &model->stacks[0]);
  assert_int_equal(first->id, 1);
  assert_string_equal(model->places[first->places[0] - 1].text, "libc.so+0x1234");
  sites_check(first,
              (const struct ms_model_stack_site[]){
                  {.site_id = a, .allocations = 2, .allocated_bytes = 1100, .live_bytes = 1000, .live_blocks = 1, .bytes_at_peak = 1000, .blocks_at_peak = 1},
                  {.site_id = b, .allocations = 1, .allocated_bytes = 50, .bytes_at_peak = 50, .blocks_at_peak = 1}},
              2);
  sites_check(second,
              (const struct ms_model_stack_site[]){
                  {.site_id = a, .allocations = 1, .allocated_bytes = 40, .live_bytes = 30, .live_blocks = 1, .bytes_at_peak = 30, .blocks_at_peak = 1},
                  {.site_id = b, .allocations = 1, .allocated_bytes = 7, .live_bytes = 7, .live_blocks = 1, .bytes_at_peak = 7, .blocks_at_peak = 1}},
              2);
  assert_int_equal(second->bytes_at_peak, 37);
  assert_int_equal(second->allocations, 2);
  sheet_free(&later);
}

/* Many events against plain arithmetic; memory is bounded by stacks and sums. */
static void test_stacks_random(void **state) {
  enum { STACKS = 40, PLACES = 2, STEPS = 20000, BLOCKS = 500 };
  struct fixture *f = *state;
  static struct {
    uint64_t allocations, allocated, live, at_peak;
  } wanted[STACKS][PLACES];
  static struct {
    uint32_t gen, stack, site;
    uint64_t size;
  } blocks[BLOCKS];
  memset(wanted, 0, sizeof wanted);
  memset(blocks, 0, sizeof blocks);
  struct sheet *rows = &f->rows[0];
  unit_site(&f->unit, "a", 0, "a.c", 1, "f", MS_SITE_INIT, 0);
  unit_site(&f->unit, "b", 0, "a.c", 2, "f", MS_SITE_INIT, 0);
  for (uint32_t i = 0; i < STACKS; i++) put_frames(rows, i + 1, (const uint64_t[]){0x700100, 0x701000 + i}, 2);
  uint64_t seed = 7, all = 0, peak = 0;
  for (uint32_t step = 0; step < STEPS; step++) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint32_t at = (uint32_t)(seed >> 33) % BLOCKS, stack = (uint32_t)(seed >> 43) % STACKS, site = seed >> 50 & 1;
    uint64_t address = 0x10000 + 16 * at, size = 1 + (seed >> 52);
    if (blocks[at].size) {
      put_drop(rows, address, blocks[at].gen);
      wanted[blocks[at].stack][blocks[at].site].live -= blocks[at].size;
      all -= blocks[at].size;
      blocks[at].size = 0;
      continue;
    }
    put_stack_of(rows, (struct ms_row_stack_of){.id = stack + 1});
    put_malloc(rows, address, blocks[at].gen = (blocks[at].gen + 1) & MS_GEN_MASK, size, site + 1);
    blocks[at].stack = stack, blocks[at].site = site, blocks[at].size = size;
    wanted[stack][site].allocations++;
    wanted[stack][site].allocated += size;
    wanted[stack][site].live += size;
    all += size;
    if (all <= peak) continue;
    peak = all;
    for (int i = 0; i < STACKS * PLACES; i++) wanted[i / PLACES][i % PLACES].at_peak = wanted[i / PLACES][i % PLACES].live;
  }
  const struct ms_model *model = model_of(f);
  uint32_t a = site_of(model, "a")->id;
  uint64_t at_peak = 0;
  assert_int_equal(model->stack_count, STACKS);
  assert_int_equal(model->totals.peak_bytes, peak);
  for (uint32_t i = 0; i < STACKS; i++) {
    const struct ms_model_stack *stack = &model->stacks[i];
    uint64_t number = model->places[stack->places[1] - 1].address - 0x1000;
    if (i) assert_true(stack->bytes_at_peak <= stack[-1].bytes_at_peak);
    at_peak += stack->bytes_at_peak;
    for (uint32_t n = 0; n < stack->site_count; n++) {
      const struct ms_model_stack_site *got = &stack->sites[n];
      int site = got->site_id != a;
      assert_int_equal(got->allocations, wanted[number][site].allocations);
      assert_int_equal(got->allocated_bytes, wanted[number][site].allocated);
      assert_int_equal(got->live_bytes, wanted[number][site].live);
      assert_int_equal(got->bytes_at_peak, wanted[number][site].at_peak);
    }
  }
  assert_int_equal(at_peak, peak);
}

/* ---- lifetimes ---- */

static void test_histogram(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct build build = {.arena = arena};
  struct site site = {0};
  struct ms_model_lifetime none = ms_lifetime_take(&build, &site);
  assert_int_equal(none.count, 0);
  assert_int_equal(none.buckets[0], 0);
  ms_lifetime_count(&build, &site, 0, 1);
  ms_lifetime_count(&build, &site, 1, 1);
  ms_lifetime_count(&build, &site, UINT64_MAX, 1);
  struct ms_model_lifetime ends = ms_lifetime_take(&build, &site);
  assert_int_equal(ends.buckets[0], 1);
  assert_int_equal(ends.buckets[1], 1);
  assert_int_equal(ends.buckets[63], 1);
  assert_int_equal(ends.min_ns, 0);
  assert_true(ends.max_ns == UINT64_MAX);
  struct site even = {0};
  for (uint64_t i = 1; i <= 100000; i++) ms_lifetime_count(&build, &even, i * 1000, 1);
  struct ms_model_lifetime lifetime = ms_lifetime_take(&build, &even);
  assert_int_equal(lifetime.count, 100000);
  assert_in_range(lifetime.median_ns, 50000000 - 50000000 / 32, 50000000 + 50000000 / 32);
  assert_in_range(lifetime.p99_ns, 99000000 - 99000000 / 32, 99000000 + 99000000 / 32);
  ms_arena_free(arena);
}

/* The worst for a histogram: all at one age but a few far away at both ends. */
static void test_ranks(void **state) {
  (void)state;
  struct ms_arena *arena = ms_arena_new();
  struct build build = {.arena = arena};
  for (uint64_t age = 1; age < UINT64_C(4000000000); age += 1 + age / 7) {
    struct site site = {0};
    ms_lifetime_count(&build, &site, 0, 1);
    for (int i = 0; i < 200; i++) ms_lifetime_count(&build, &site, age, 1);
    ms_lifetime_count(&build, &site, UINT64_C(1) << 40, 1);
    struct ms_model_lifetime lifetime = ms_lifetime_take(&build, &site);
    assert_in_range(lifetime.median_ns, age - age / 32, age + age / 32);
    assert_in_range(lifetime.p99_ns, age - age / 32, age + age / 32);
  }
  ms_arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_naming, setup, teardown),
      cmocka_unit_test_setup_teardown(test_padding, setup, teardown),
      cmocka_unit_test_setup_teardown(test_types_merge, setup, teardown),
      cmocka_unit_test_setup_teardown(test_lives, setup, teardown),
      cmocka_unit_test_setup_teardown(test_late_names, setup, teardown),
      cmocka_unit_test_setup_teardown(test_late_names_resized, setup, teardown),
      cmocka_unit_test_setup_teardown(test_random, setup, teardown),
      cmocka_unit_test_setup_teardown(test_end, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stacks, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stacks_random, setup, teardown),
      cmocka_unit_test(test_histogram),
      cmocka_unit_test(test_ranks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
