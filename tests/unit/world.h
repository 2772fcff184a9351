/* SPDX-License-Identifier: MIT
 *
 * A simulated program whose threads hand blocks to one another. It writes both its
 * serials and its generations, with clocks as coarse and as seldom read as one likes.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "test.h"

#include "scribe.h"

enum { WORLD_THREADS_MOST = 16, WORLD_ADDRESSES_MOST = 4096, WORLD_SLOTS_MOST = 256 };

struct world {
  struct book book;
  struct sheet sheets[WORLD_THREADS_MOST];
  uint64_t seen_ns[WORLD_THREADS_MOST]; /* last time row */
  uint32_t since[WORLD_THREADS_MOST];   /* events since the clock was read */
  uint32_t gens[WORLD_ADDRESSES_MOST];
  uint64_t serial, ns, random;
  uint32_t threads, look; /* the clock is looked at every `look` events */
  uint64_t step_ns, event_ns;
  uint32_t sites; /* a block has the name of one of so many; 0 at first: none has a name */
};

void world_init(struct world *world, uint32_t threads, uint32_t look, uint64_t step_ns, uint64_t event_ns, uint64_t seed);

/* Its rows go into the book, one chunk for each thread. */
void world_close(struct world *world);

/* One event each, of the address with that index. */
void world_born(struct world *world, uint32_t thread, uint32_t address);
void world_dies(struct world *world, uint32_t thread, uint32_t address);
void world_moves(struct world *world, uint32_t thread, uint32_t from, uint32_t to, bool fails);

uint32_t world_dice(struct world *world, uint32_t sides);

/* Blocks wander through slots; `quantum` events of one thread run together. The allocator
 * keeps up to `cache` of what each thread frees for that thread. */
void world_storm(struct world *world, uint32_t slots, uint32_t cache, uint32_t quantum, uint32_t events);

#endif
