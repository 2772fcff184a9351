/* SPDX-License-Identifier: MIT
 *
 * Guesses: see guess.h.
 */
#include "pack/guess.h"

#include <string.h>

void ms_guess_init(struct guess *guess, struct ms_arena *arena) {
  *guess = (struct guess){.known = ms_arena_array(arena, (size_t)1 << KNOWN_BITS, sizeof *guess->known),
                          .ring = ms_arena_array(arena, (size_t)1 << RING_BITS, sizeof *guess->ring),
                          .lanes = ms_arena_array(arena, LANES, sizeof *guess->lanes),
                          .lists = ms_arena_array(arena, LISTS, sizeof *guess->lists),
                          .sizes = ms_arena_array(arena, NAMES, sizeof *guess->sizes)};
}

/* The large tables need no clearing: entries of other rounds, and those of the ring that
 * were not written yet, are not looked at. */
void ms_guess_reset(struct guess *guess) {
  if (guess->round++ == ROUND_MOST) {
    memset(guess->known, 0, ((size_t)1 << KNOWN_BITS) * sizeof *guess->known);
    guess->round = 1;
  }
  guess->allocations = 0;
  memset(guess->lanes, 0, LANES * sizeof *guess->lanes);
  memset(guess->lists, 0, LISTS * sizeof *guess->lists);
  memset(guess->sizes, 0, NAMES * sizeof *guess->sizes);
}
