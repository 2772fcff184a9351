/* SPDX-License-Identifier: MIT
 *
 * Guesses: see guess.h.
 */
#include "pack/guess.h"

#include "base/map.h"

void ms_guess_init(struct guess *guess, struct ms_arena *arena) {
  *guess = (struct guess){.known = ms_arena_array(arena, (size_t)1 << KNOWN_BITS, sizeof *guess->known),
                          .ring = ms_arena_array(arena, (size_t)1 << RING_BITS, sizeof *guess->ring),
                          .lanes = ms_arena_array(arena, LANES, sizeof *guess->lanes),
                          .lists = ms_arena_array(arena, LISTS, sizeof *guess->lists),
                          .sizes = ms_arena_array(arena, NAMES, sizeof *guess->sizes)};
}

struct known *ms_guess_known(struct guess *guess, uint64_t addr8) {
  return &guess->known[addr8 * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_BITS)];
}

struct lane *ms_guess_lane(struct guess *guess, uint32_t thread) { return &guess->lanes[thread % LANES]; }

/* Chunks of glibc: a word in front, multiples of 16, at least 32. */
static uint32_t chunk_words(uint32_t size) { return size <= 24 ? 4 : (uint32_t)(((uint64_t)size + 8 + 15) / 16 * 2); }

struct freed_list *ms_guess_list(struct guess *guess, uint32_t thread, uint32_t size) {
  return &guess->lists[ms_mix((uint64_t)thread << 32 | chunk_words(size)) % LISTS];
}

uint32_t *ms_guess_size(struct guess *guess, uint32_t name) { return &guess->sizes[ms_mix(name) % NAMES]; }

uint64_t ms_guess_behind(const struct lane *lane) { return lane->last8 + chunk_words(lane->last_size); }

uint64_t ms_guess_address(const struct guess *guess, uint32_t index) {
  return guess->allocations - index > 1u << RING_BITS ? 0 : guess->ring[index & ((1u << RING_BITS) - 1)];
}

void ms_guess_given(struct guess *guess, uint32_t thread, uint64_t addr8, uint32_t gen, uint32_t size) {
  uint32_t index = guess->allocations++;
  struct lane *lane = ms_guess_lane(guess, thread);
  *ms_guess_known(guess, addr8) = (struct known){.addr8 = addr8, .index = index, .size = size, .gen = gen};
  guess->ring[index & ((1u << RING_BITS) - 1)] = addr8;
  lane->last8 = addr8;
  lane->last_size = size;
}

void ms_guess_taken(struct guess *guess, uint32_t thread, uint64_t addr8, uint32_t gen) {
  struct known *known = ms_guess_known(guess, addr8);
  if (known->addr8 != addr8) return;
  known->gen = gen;
  struct freed_list *list = ms_guess_list(guess, thread, known->size);
  list->addr8[list->top++ % LIST_DEPTH] = addr8;
  ms_guess_lane(guess, thread)->last_freed = known->index;
}
