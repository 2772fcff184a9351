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
#include "base/map.h"

#include <stdbool.h>
#include <stdint.h>

enum { KNOWN_BITS = 19, RING_BITS = 21, RING_MASK = (1 << RING_BITS) - 1, LANES = 256, LISTS = 4096, LIST_DEPTH = 16, NAMES = 4096 };
enum { ROUND_BITS = 8, ROUND_MOST = (1 << ROUND_BITS) - 1, GEN_BITS = 12 };

struct known { /* the newest block at an address: four to a cache line, for each row meets another one */
  uint64_t key;   /* addr8, round, gen: one of a round before is none */
  uint32_t index; /* in order of allocation */
  uint32_t size;
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
  uint32_t round;
};

void ms_guess_init(struct guess *guess, struct ms_arena *arena);

/* Forgets all: what is decoded next rests on nothing before it. */
void ms_guess_reset(struct guess *guess);

static inline struct known *ms_guess_known(struct guess *guess, uint64_t addr8) { /* the place for it */
  return &guess->known[addr8 * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_BITS)];
}

static inline bool ms_guess_is(const struct guess *guess, const struct known *known, uint64_t addr8) {
  return known->key >> GEN_BITS == (addr8 << ROUND_BITS | guess->round);
}

static inline uint32_t ms_known_gen(const struct known *known) { return known->key & ((1 << GEN_BITS) - 1); }

static inline struct lane *ms_guess_lane(struct guess *guess, uint32_t thread) { return &guess->lanes[thread % LANES]; }

/* Chunks of glibc: a word in front, multiples of 16, at least 32. */
static inline uint32_t ms_chunk_words(uint32_t size) { return size <= 24 ? 4 : (uint32_t)(((uint64_t)size + 8 + 15) / 16 * 2); }

static inline struct freed_list *ms_guess_list(struct guess *guess, uint32_t thread, uint32_t size) {
  return &guess->lists[ms_mix((uint64_t)thread << 32 | ms_chunk_words(size)) % LISTS];
}

static inline uint32_t *ms_guess_size(struct guess *guess, uint32_t name) { return &guess->sizes[ms_mix(name) % NAMES]; }

/* Where the next block would lie that the allocator cuts off behind the last one. */
static inline uint64_t ms_guess_behind(const struct lane *lane) { return lane->last8 + ms_chunk_words(lane->last_size); }

/* The block of that index, 0 when it is too long ago, or none was. */
static inline uint64_t ms_guess_address(const struct guess *guess, uint32_t index) {
  return guess->allocations - index - 1 > RING_MASK ? 0 : guess->ring[index & RING_MASK];
}

/* What happened. */
static inline void ms_guess_given(struct guess *guess, struct known *known, struct lane *lane, uint64_t addr8, uint32_t gen, uint32_t size) {
  uint32_t index = guess->allocations++;
  *known = (struct known){.key = (addr8 << ROUND_BITS | guess->round) << GEN_BITS | gen, .index = index, .size = size};
  guess->ring[index & RING_MASK] = addr8;
  lane->last8 = addr8;
  lane->last_size = size;
}

static inline void ms_guess_taken(struct guess *guess, struct known *known, struct lane *lane, uint32_t thread, uint64_t addr8, uint32_t gen) {
  if (!ms_guess_is(guess, known, addr8)) return;
  known->key = (addr8 << ROUND_BITS | guess->round) << GEN_BITS | gen;
  struct freed_list *list = ms_guess_list(guess, thread, known->size);
  list->addr8[list->top++ % LIST_DEPTH] = addr8;
  lane->last_freed = known->index;
}

#endif
