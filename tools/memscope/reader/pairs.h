/* SPDX-License-Identifier: MIT
 *
 * Which row gave the block that a row ends: the merge's result in a form that
 * can be compared, whatever order made it.
 */
#ifndef MS_READER_PAIRS_H
#define MS_READER_PAIRS_H

#include "reader/reader.h"

/* Called for every event that ends or resizes a block: the file offset of its
 * row, and of the row that gave the block this address (0 = none in the stream). */
typedef void ms_pair_fn(void *context, const struct ms_event *event, uint64_t birth);

/* False: no memory. */
bool ms_pairs_walk(struct ms_stream *stream, enum ms_merge_order order, ms_pair_fn *on_pair, void *context,
                   struct ms_merge_counts *counts);

struct ms_pairs_check {
  uint64_t events, oracle_events, pairs, mismatches, forced, parked;
};

/* Pairs by generations against pairs by serials. */
bool ms_pairs_compare(struct ms_stream *stream, struct ms_pairs_check *check);

#endif
