/* SPDX-License-Identifier: MIT
 *
 * Types: padding, and one type seen by several units.
 */
#include "fixture.h"

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
  put_malloc(&f->rows[0], 0x1000, 1, 80, site_name(1));
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
  put_malloc(&f->rows[0], 0x1000, 1, 8, site_name(1));
  put_malloc(&f->rows[0], 0x1020, 1, 8, site_name(100));
  put_malloc(&f->rows[0], 0x1040, 1, 8, site_name(200));
  const struct ms_model *model = model_of(f);
  assert_int_equal(model->type_count, 1);
  assert_int_equal(model->types[0].allocations, 3);
  assert_int_equal(model->types[0].site_count, 3);
  assert_int_equal(model->types[0].size_bytes, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_padding, fixture_setup, fixture_teardown),
      cmocka_unit_test_setup_teardown(test_types_merge, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
