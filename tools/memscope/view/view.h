/* SPDX-License-Identifier: MIT
 *
 * The report: one HTML file that holds the page (tools/report, built into this
 * program) and a model's tables. Reads a const model and computes nothing
 * about memory; what it does compute is how much of it fits.
 */
#ifndef MS_VIEW_VIEW_H
#define MS_VIEW_VIEW_H

#include "view/columns.h"

#include <stdint.h>

struct ms_arena;
struct ms_error;
struct ms_model;

#define MS_VIEW(name, help) void ms_view_##name(struct ms_columns *columns, const struct ms_model *model);
#include "view/view.def"

/* Writes the report to `path`, whole or not at all; a path that is no plain
 * file (a pipe, /dev/stdout) is written to directly. Returns 0, or the error's
 * code. *size: bytes written. */
int ms_view_report(struct ms_arena *arena, const struct ms_model *model, const char *path, uint64_t *size,
                   struct ms_error *error);

#endif
