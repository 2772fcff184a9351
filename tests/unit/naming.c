/* SPDX-License-Identifier: MIT
 *
 * Whose name a block has: chains, wrappers, types from the chain, names that come late.
 */
#include "fixture.h"

enum { VAR = 1, WRAP, WRAP2, ARG, SYSTEM, TYPED, TEMP, PASSING, HEADER };

static void sites_make(struct unit *u) {
  uint32_t conn = unit_type(u, "struct conn", MS_TYPE_STRUCT, 64);
  uint32_t none = unit_type(u, "void", MS_TYPE_OTHER, 0);
  unit_site(u, "var", none, "a.c", 1, "f", MS_SITE_ASSIGN, 0);
  unit_site(u, "w", 0, "m.c", 2, "xmalloc", MS_SITE_INIT, MS_SITE_WRAPPER);
  unit_site(u, "return", 0, "m.c", 3, "xmalloc2", MS_SITE_RETURN, MS_SITE_WRAPPER);
  unit_site(u, "use(…, #1)", 0, "a.c", 4, "g", MS_SITE_ARG, 0);
  unit_site(u, "_M_p", 0, "string.h", 5, "std::string", MS_SITE_ASSIGN, MS_SITE_SYSTEM);
  unit_site(u, "typed", conn, "a.c", 6, "h", MS_SITE_INIT, 0);
  unit_site(u, "*call", 0, "a.c", 7, "i", MS_SITE_TEMP, 0);
  unit_site(u, "made", conn, "a.c", 8, "j", MS_SITE_ASSIGN, MS_SITE_UP | MS_SITE_PASSING);
  unit_site(u, "head", conn, "m.c", 9, "k", MS_SITE_ASSIGN, MS_SITE_UP | MS_SITE_WRAPPER);
}

static const struct {
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

/* A block for each, larger and larger: found again by size. And three more. */
static void blocks_make(struct fixture *f) {
  struct sheet *rows = &f->rows[0];
  for (uint32_t i = 0; i < CASES; i++) {
    uint32_t name = 0;
    for (int n = 0; n < 3 && cases[i].names[n]; n++) name = name_site(&f->names, name, cases[i].names[n]);
    put_malloc(rows, 0x1000 + i * 0x1000, 1, (i + 1) * 10000, name);
  }
  put_malloc(rows, 0x900000, 1, 3, name_caller(&f->names, 0x701234, 0));
  put_malloc(rows, 0x900020, 1, 2, 0);
  put_malloc(rows, 0x900040, 1, 1, name_site(&f->names, f->names.count, VAR)); /* leads to itself */
}

static void site_is(const struct fixture *f, const struct ms_model_site *site, uint32_t i) {
  const struct unit *u = &f->unit;
  assert_int_equal(site->allocated_bytes, (i + 1) * 10000);
  assert_string_equal(site->holder, cases[i].holder);
  assert_string_equal(site->type, cases[i].type);
  assert_int_equal(site->naming, cases[i].naming);
  assert_int_equal(site->provenance, cases[i].provenance);
  assert_string_equal(site->chain[0]->holder, u->strings.bytes + u->sites[cases[i].names[0] - 1].holder);
}

static void foreign_is(const struct ms_model *model, const struct ms_model_site *foreign) {
  assert_int_equal(foreign->naming, MS_UNNAMED);
  assert_int_equal(foreign->provenance, MS_INFERRED);
  assert_string_equal(foreign->place->text, "libc.so+0x1234");
  assert_string_equal(model->modules[foreign->module_id - 1].name, "libc.so");
}

static void test_naming(void **state) {
  struct fixture *f = *state;
  sites_make(&f->unit);
  blocks_make(f);
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->site_count, CASES + 3);
  for (uint32_t i = 0; i < CASES; i++) site_is(f, &model->sites[CASES - 1 - i], i);
  foreign_is(model, &model->sites[CASES]);
  assert_string_equal(model->sites[CASES + 1].place->text, "unknown");
  assert_int_equal(model->coverage.named_allocations, CASES); /* one of them stays in its wrapper, the loop is named */
  assert_int_equal(model->coverage.wrapper_only_allocations, 1);
  assert_int_equal(model->coverage.unnamed_allocations, 2);
  assert_int_equal(model->coverage.typed_bytes, (2 + 3 + 6 + 7 + 8 + 9 + 11) * 10000);
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
  put_malloc(one, 0x1000, 1, 100, site_name(1));
  put_malloc(one, 0x1100, 1, 50, site_name(3)); /* the peak: 150 */
  put_drop(one, 0x1100, 1);
  put_malloc(one, 0x1200, 1, 7, site_name(1)); /* behind the peak */
  bind_row(one, 0x1000, 1, site_name(2));
  bind_row(one, 0x1200, 1, site_name(2));
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
  put_malloc(one, 0x1000, 1, 100, site_name(1));
  *sheet_room(one, 1) = ms_hot_word(MS_OP_REALLOC_BEGIN, 1, 1, 0x1000);
  put_realloc_end(one, (struct ms_row_realloc_end){.fn = 1, .gen = 2, .addr8 = 0x1000 >> 3, .size_low = 30, .name = site_name(1)});
  bind_row(one, 0x1000, 2, site_name(2));
  const struct ms_model *model = model_of(f);
  assert_int_equal(site_of(model, "a")->bytes_at_peak, 100);
  assert_int_equal(site_of(model, "b")->bytes_at_peak, 0);
  assert_int_equal(site_of(model, "b")->live_bytes, 30);
}

/* A library that is opened again is another module; its variables are the same ones. */
static void test_opened_again(void **state) {
  struct fixture *f = *state;
  struct unit unit;
  unit_init(&unit);
  unit_site(&unit, "cache", 0, "/addon.c", 3, "fill", MS_SITE_ASSIGN, 0);
  for (uint32_t i = 0; i < 3; i++) {
    book_module(&f->book, 9, "/lib/addon.so", 0x900000 + i * 0x10000, 0x908000 + i * 0x10000, 100 + i, &unit);
    put_malloc(&f->rows[0], 0x10000 + i * 64, 1, 10, site_name(100 + i));
    put_malloc(&f->rows[0], 0x20000 + i * 64, 1, 1, name_caller(&f->names, 0x900010 + i * 0x10000, 0));
  }
  book_module(&f->book, 8, "/lib/addon.so", 0xa00000, 0xa08000, 103, &unit); /* another build */
  put_malloc(&f->rows[0], 0x30000, 1, 500, site_name(103));
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->site_count, 3);
  assert_int_equal(model->sites[0].allocated_bytes, 500);
  assert_string_equal(model->sites[1].holder, "cache");
  assert_int_equal(model->sites[1].allocations, 3);
  assert_int_equal(model->sites[1].bytes_at_peak, 30);
  assert_int_equal(model->sites[2].allocations, 3);
  assert_string_equal(model->sites[2].place->text, "addon.so+0x10");
  assert_int_equal(model->modules[0].allocated_bytes, 33);
  assert_int_equal(model->modules[0].site_count, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_naming, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_late_names, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_late_names_resized, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_opened_again, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
