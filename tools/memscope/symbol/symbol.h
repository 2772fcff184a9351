/* SPDX-License-Identifier: MIT
 *
 * What stands at the places of call stacks: function, file and line, from the
 * binaries that ran and their debug information. They are looked for where they
 * were, and where the options say; one with another build-id than the recorded one
 * is not believed.
 */
#ifndef MS_SYMBOL_SYMBOL_H
#define MS_SYMBOL_SYMBOL_H

#include "base/arena.h"
#include "model/model.h"

#include <stdbool.h>
#include <stdint.h>

struct ms_symbol_options {
  const char *debug_dir; /* with .build-id/xx/yyyy.debug, or copies of binaries by name or path; NULL: none */
  const char *sysroot;   /* in front of recorded paths, which are another machine's; NULL: they are this one's */
};

/* A function that was active at a place. */
struct ms_symbol {
  const char *function; /* demangled, "" = not known */
  const char *file;     /* "" = not known */
  uint32_t line;
  bool inlined; /* into the next one */
};

/* Innermost first; none: count 0. */
struct ms_symbol_rows {
  const struct ms_symbol *rows;
  uint32_t count;
};

struct ms_symbols {
  const struct ms_symbol_rows *places; /* by place id - 1 */
  const char *const *problems;         /* sentences, one a binary that could not be used */
  uint32_t problem_count;
};

/* Of the places of the model's first `stacks` call stacks. Everything lives in the arena. */
const struct ms_symbols *ms_symbols_of(struct ms_arena *arena, const struct ms_model *model, uint32_t stacks,
                                       const struct ms_symbol_options *options);

/* ---- one address, for whoever has no model ---- */

struct ms_symbol_finder;
struct ms_symbol_finder *ms_symbol_finder_new(struct ms_arena *arena, const struct ms_symbol_options *options);

/* The return address as the file counts it. Binaries are opened once for each build-id. */
struct ms_symbol_rows ms_symbol_find(struct ms_symbol_finder *finder, const char *path, const char *build_id,
                                     uint64_t address);
void ms_symbol_finder_free(struct ms_symbol_finder *finder);

#endif
