/* SPDX-License-Identifier: MIT
 *
 * What the tests of the model share.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

int fixture_setup(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  book_open(&f->book);
  book_header(&f->book)->end_how = MS_END_EXIT;
  unit_init(&f->unit);
  names_init(&f->names, 200);
  *state = f;
  return 0;
}

int fixture_teardown(void **state) {
  struct fixture *f = *state;
  ms_stream_close(f->stream);
  if (f->arena) ms_arena_free(f->arena);
  for (int i = 0; i < FIXTURE_THREADS; i++) sheet_free(&f->rows[i]);
  book_free(&f->book);
  free(f);
  return 0;
}

const struct ms_model *model_with_problems(struct fixture *f, struct ms_error *error) {
  if (f->unit.site_count) book_module(&f->book, 1, "/bin/p", 0x400000, 0x500000, 1, &f->unit);
  book_names(&f->book, &f->names);
  book_module(&f->book, 2, "/lib/libc.so", 0x700000, 0x800000, 0, NULL);
  for (uint32_t i = 0; i < FIXTURE_THREADS; i++)
    if (f->rows[i].count) book_chunk(&f->book, i + 1, 0, 0, &f->rows[i]);
  book_close(&f->book);
  f->arena = ms_arena_new();
  f->stream = ms_stream_open_memory(f->arena, f->book.bytes, f->book.size, error);
  assert_non_null(f->stream);
  const struct ms_model *model = ms_model_build(f->arena, f->stream, error);
  assert_non_null(model);
  return model;
}

const struct ms_model *model_of(struct fixture *f) {
  struct ms_error error = {0};
  const struct ms_model *model = model_with_problems(f, &error);
  assert_string_equal(error.text, "");
  return model;
}

const struct ms_model_site *site_of(const struct ms_model *model, const char *holder) {
  for (uint32_t i = 0; i < model->site_count; i++)
    if (strcmp(model->sites[i].holder, holder) == 0) return &model->sites[i];
  fail_msg("no site %s", holder);
  return NULL;
}
