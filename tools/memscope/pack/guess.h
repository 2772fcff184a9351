/* SPDX-License-Identifier: MIT
 *
 * What a row most likely says, from the rows before it. Packing and unpacking
 * keep the same state, so only what differs from the guess is stored. Fixed
 * memory; a forgotten block costs bytes, never a wrong one.
 *
 *   generation  the address's next one
 *   address     the block of that size the thread freed last (allocators keep
 *               such lists), or the one behind its last block
 *   freed       blocks die in the order they were born in, or the other way round
 *   size        as the last of that name
 */
#ifndef MS_PACK_GUESS_H
#define MS_PACK_GUESS_H

#include "base/arena.h"

#include <stdint.h>

enum { KNOWN_BITS = 19, RING_BITS = 21, LANES = 256, LISTS = 4096, LIST_DEPTH = 16, NAMES = 4096 };

struct known { /* the newest block at an address */
  uint64_t addr8;
  uint32_t index; /* in order of allocation */
  uint32_t size;
  uint32_t gen;
};

struct lane {
  uint64_t last8; /* the newest block */
  uint32_t last_size, last_freed;
};

struct freed_list {
  uint64_t addr8[LIST_DEPTH]; /* a ring, the newest at `top` - 1 */
  uint32_t top;
};

struct guess {
  struct known *known;
  uint64_t *ring; /* addresses by index */
  struct lane *lanes;
  struct freed_list *lists;
  uint32_t *sizes; /* by name */
  uint32_t allocations;
};

void ms_guess_init(struct guess *guess, struct ms_arena *arena);

struct known *ms_guess_known(struct guess *guess, uint64_t addr8); /* the place for it; whose it is: ->addr8 */
struct lane *ms_guess_lane(struct guess *guess, uint32_t thread);
struct freed_list *ms_guess_list(struct guess *guess, uint32_t thread, uint32_t size);
uint32_t *ms_guess_size(struct guess *guess, uint32_t name);

/* Where the next block would lie that the allocator cuts off behind the last one. */
uint64_t ms_guess_behind(const struct lane *lane);

/* The block of that index, 0 when it is too long ago. */
uint64_t ms_guess_address(const struct guess *guess, uint32_t index);

/* What happened. */
void ms_guess_given(struct guess *guess, uint32_t thread, uint64_t addr8, uint32_t gen, uint32_t size);
void ms_guess_taken(struct guess *guess, uint32_t thread, uint64_t addr8, uint32_t gen);

#endif
