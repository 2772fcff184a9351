/* SPDX-License-Identifier: MIT
 *
 * Deterministic: all chance comes from the seed.
 */
#include "world.h"

#include <string.h>

uint32_t world_dice(struct world *world, uint32_t sides) {
  world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(world->random >> 33) % sides;
}

static uint64_t address_of(uint32_t index) { return UINT64_C(0x7f0000001000) + (uint64_t)index * 16; }

void world_init(struct world *world, uint32_t threads, uint32_t look, uint64_t step_ns, uint64_t event_ns, uint64_t seed) {
  memset(world, 0, sizeof *world);
  book_open(&world->book);
  book_header(&world->book)->mode = MS_MODE_EXACT;
  book_header(&world->book)->clock_step_ns = (uint32_t)step_ns;
  world->threads = threads;
  world->look = look;
  world->step_ns = step_ns;
  world->event_ns = event_ns;
  world->random = seed;
}

void world_close(struct world *world) {
  for (uint32_t i = 0; i < world->threads; i++) {
    if (world->sheets[i].count) book_chunk(&world->book, i + 1, 0, 0, &world->sheets[i]);
    sheet_free(&world->sheets[i]);
  }
  book_close(&world->book);
}

/* Before each event: time goes on, and the thread may look at the coarse clock. */
static void event_begin(struct world *world, uint32_t thread) {
  world->ns += world->event_ns;
  uint64_t coarse = world->ns / world->step_ns * world->step_ns;
  if (world->since[thread]++ % world->look == 0 && coarse != world->seen_ns[thread]) {
    put_clock(&world->sheets[thread], coarse);
    world->seen_ns[thread] = coarse;
  }
  put_serial(&world->sheets[thread], ++world->serial, world->ns);
}

void world_born(struct world *world, uint32_t thread, uint32_t address) {
  event_begin(world, thread);
  put_malloc(&world->sheets[thread], address_of(address), ++world->gens[address] & MS_GEN_MASK, 32, world->sites ? site_name(1 + address % world->sites) : 0);
}

void world_dies(struct world *world, uint32_t thread, uint32_t address) {
  event_begin(world, thread);
  put_drop(&world->sheets[thread], address_of(address), world->gens[address] & MS_GEN_MASK);
}

void world_moves(struct world *world, uint32_t thread, uint32_t from, uint32_t to, bool fails) {
  event_begin(world, thread);
  *sheet_room(&world->sheets[thread], 1) =
      ms_hot_word(MS_OP_REALLOC_BEGIN, 1, world->gens[from] & MS_GEN_MASK, address_of(from));
  if (fails) {
    put_realloc_fail(&world->sheets[thread], (struct ms_row_realloc_fail){0});
    return;
  }
  event_begin(world, thread);
  put_realloc_end(&world->sheets[thread], (struct ms_row_realloc_end){.fn = 1,
                                                                      .gen = ++world->gens[to] & MS_GEN_MASK,
                                                                      .addr8 = address_of(to) >> 3,
                                                                      .size_low = 64});
}

/* A thread-caching allocator: each thread's last frees first, then a common heap. */
struct heap_model {
  uint32_t caches[WORLD_THREADS_MOST][64], cached[WORLD_THREADS_MOST];
  uint32_t common[WORLD_ADDRESSES_MOST], free_count, fresh;
};

static uint32_t heap_get(struct heap_model *heap, uint32_t thread) {
  if (heap->cached[thread]) return heap->caches[thread][--heap->cached[thread]];
  if (heap->free_count) return heap->common[--heap->free_count];
  assert_true(heap->fresh < WORLD_ADDRESSES_MOST);
  return heap->fresh++;
}

static void heap_put(struct heap_model *heap, uint32_t thread, uint32_t address, uint32_t cache) {
  if (heap->cached[thread] < cache)
    heap->caches[thread][heap->cached[thread]++] = address;
  else
    heap->common[heap->free_count++] = address;
}

struct storm {
  struct heap_model heap;
  uint32_t held[WORLD_SLOTS_MOST]; /* address + 1 */
  uint32_t slots, cache;
};

static void block_new(struct world *world, struct storm *storm, uint32_t thread, uint32_t *slot) {
  uint32_t address = heap_get(&storm->heap, thread);
  world_born(world, thread, address);
  *slot = address + 1;
}

static void block_move(struct world *world, struct storm *storm, uint32_t thread, uint32_t *slot) {
  uint32_t to = heap_get(&storm->heap, thread), from = *slot - 1;
  world_moves(world, thread, from, to, false);
  heap_put(&storm->heap, thread, from, storm->cache);
  *slot = to + 1;
}

static void block_drop(struct world *world, struct storm *storm, uint32_t thread, uint32_t *slot) {
  world_dies(world, thread, *slot - 1);
  heap_put(&storm->heap, thread, *slot - 1, storm->cache);
  *slot = 0;
}

static void storm_step(struct world *world, struct storm *storm, uint32_t thread) {
  uint32_t *slot = &storm->held[world_dice(world, storm->slots)], what = world_dice(world, 16);
  if (!*slot) block_new(world, storm, thread, slot);
  else if (what == 0) world_moves(world, thread, *slot - 1, *slot - 1, world_dice(world, 4) == 0);
  else if (what == 1) block_move(world, storm, thread, slot);
  else block_drop(world, storm, thread, slot);
}

void world_storm(struct world *world, uint32_t slots, uint32_t cache, uint32_t quantum, uint32_t events) {
  static struct storm storm;
  memset(&storm, 0, sizeof storm);
  storm.slots = slots;
  storm.cache = cache;
  while (events) {
    uint32_t thread = world_dice(world, world->threads), run = 1 + world_dice(world, quantum);
    for (; run && events; run--, events--) storm_step(world, &storm, thread);
  }
}
