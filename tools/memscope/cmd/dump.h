/* SPDX-License-Identifier: MIT
 *
 * The forms of `memscope dump`. Each returns the exit code.
 */
#ifndef MS_CMD_DUMP_H
#define MS_CMD_DUMP_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "reader/reader.h"
#include "symbol/symbol.h"

struct ms_dump_options {
  bool symbols; /* of call stacks */
  struct ms_symbol_options where;
};

/* dump_event.c: merged events with times and addresses, blocks numbered by first
 * sight; stable: neither, and threads and names numbered like blocks. */
int ms_dump_events(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error);
int ms_dump_stable(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error);

/* dump_raw.c: rows as they stand, with their offsets */
int ms_dump_raw(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error);

/* dump_check.c: pairs by generations against pairs by serials */
int ms_dump_check_merge(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error);

#endif
