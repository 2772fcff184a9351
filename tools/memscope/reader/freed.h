/* SPDX-License-Identifier: MIT
 *
 * The merge's memory of addresses that hold no block: which generation each was left in,
 * and by which lane. They are many times the live ones, so they lie close together, in
 * leaves of 1 KiB of addresses: 256 bytes each, and 32 to 64 more to find it, however long
 * the stream is. So of a dense heap a bit more than a quarter of its span is taken; where
 * it is sparse, that much for each address.
 */
#ifndef MS_READER_FREED_H
#define MS_READER_FREED_H

#include "base/map.h"
#include "reader/cell.h"

struct ms_freed;

/* All of it is the arena's. */
struct ms_freed *ms_freed_new(struct ms_arena *arena);

/* False: what the cell says is too large to be kept here. */
bool ms_freed_put(struct ms_freed *freed, const struct ms_cell *cell);

/* A cell that says nothing but its address yet is told what is known of that. */
void ms_freed_get(const struct ms_freed *freed, struct ms_cell *cell);

#endif
