/* SPDX-License-Identifier: MIT
 *
 * A stream of a few threads and one unit of sites, and the model made of it.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "test.h"

#include "base/arena.h"
#include "model/build.h"
#include "scribe.h"

enum { MS = 1000000, FIXTURE_THREADS = 4 };

struct fixture {
  struct book book; /* ends by exit, unless the test says otherwise */
  struct unit unit; /* of the program, whose first site is 1 */
  struct names names; /* site_name(1) .. site_name(200), and what the test adds */
  struct sheet rows[FIXTURE_THREADS]; /* of thread index + 1 */
  struct ms_arena *arena;
  struct ms_stream *stream;
};

/* For cmocka_unit_test_setup_teardown: *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The book with the rows in it, closed, opened and replayed. Without a problem; the
 * other one may have some, which are in *error. */
const struct ms_model *model_of(struct fixture *f);
const struct ms_model *model_with_problems(struct fixture *f, struct ms_error *error);

const struct ms_model_site *site_of(const struct ms_model *model, const char *holder);

#endif
