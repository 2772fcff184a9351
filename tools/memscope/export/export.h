/* SPDX-License-Identifier: MIT
 *
 * Writers of the const model. They compute nothing; they choose, order and print.
 */
#ifndef MS_EXPORT_EXPORT_H
#define MS_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/model.h"
#include "symbol/symbol.h"

enum { MS_JSON_SCHEMA = 1 };

/* The whole model, schema 1 (json.c says how it is to be read); of sites, types,
 * holders and call stacks the first `top`, 0 = all. symbols NULL: no call stacks.
 * False: out of memory. */
bool ms_export_json(const struct ms_model *model, const char *version, unsigned top, const struct ms_symbols *symbols,
                    FILE *out);

struct ms_text_options {
  const char *path; /* of the stream, for the next command */
  unsigned top;     /* rows in each table, 0 = 10 */
  bool colour;
  unsigned columns; /* of the terminal; 0: it is none, names are not cut */
  const struct ms_symbols *symbols; /* NULL: no call stacks */
};

/* The figures for people. */
void ms_export_text(const struct ms_model *model, const struct ms_text_options *options, FILE *out);

/* The part of it about call stacks. */
void ms_export_stacks(const struct ms_model *model, const struct ms_text_options *options, FILE *out);

/* Should output there be coloured? `how`: "auto", "always", "never", NULL = auto. */
bool ms_colour_wanted(FILE *out, const char *how);

/* 0: it is no terminal. */
unsigned ms_terminal_columns(FILE *out);

#endif
