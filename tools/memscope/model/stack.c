/* SPDX-License-Identifier: MIT
 *
 * Call stacks: the same frames are one stack, whichever thread they were seen in,
 * and each stack keeps a sum for each site its blocks go to. Only of a stream that
 * has some. Memory: 4 bytes a frame, some 100 a stack and 100 a sum.
 *
 * The peak is noted as sites note it: see replay.c.
 */
#include "model/build.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

/* ---- the same frames ---- */

static uint32_t stack_intern(struct build *build, const uint32_t *places, uint32_t count) {
  size_t bytes = count * sizeof *places;
  for (uint64_t key = XXH64(places, bytes, build->seed) | 1;; key += 2) {
    uint32_t *at = ms_map_at(&build->stack_index, key);
    if (*at && build->stacks[*at].count == count && memcmp(build->stacks[*at].places, places, bytes) == 0) return *at;
    if (*at) continue;
    uint32_t id = *at = ++build->stack_count;
    MS_TABLE_ROOM(build, build->stacks, id, build->stack_room);
    uint32_t *kept = ms_arena_array(build->arena, count, sizeof *kept);
    memcpy(kept, places, bytes);
    build->stacks[id] = (struct stack){.places = kept, .count = count};
    return id;
  }
}

/* 0: the stream does not say what the id means. */
static uint32_t stack_resolve(struct build *build, uint32_t thread, uint32_t name) {
  struct ms_frames frames = ms_stream_stack(build->stream, build->threads[thread].out.stream_id, name);
  uint32_t places[MS_STACK_FRAMES], count = frames.count < MS_STACK_FRAMES ? frames.count : MS_STACK_FRAMES;
  for (uint32_t i = 0; i < count; i++) places[i] = ms_place_of_caller(build, frames.addresses[i], frames.ns);
  return count ? stack_intern(build, places, count) : 0;
}

static uint32_t stack_named(struct build *build, uint32_t thread, uint32_t name) {
  struct thread *of = &build->threads[thread];
  if (name == of->stack_name) return of->stack;
  uint64_t key = (uint64_t)thread << 32 | name;
  uint32_t stack = ms_map_find(&build->stack_names, key);
  if (!stack) {
    stack = stack_resolve(build, thread, name);
    if (stack) *ms_map_at(&build->stack_names, key) = stack;
  }
  of->stack_name = name;
  return of->stack = stack;
}

/* ---- sums ---- */

/* The stack's sum for that site. */
static uint32_t pair_of(struct build *build, uint32_t stack, uint32_t site) {
  uint32_t *at = &build->stacks[stack].pair;
  if (*at && build->pairs[*at].site == site) return *at; /* mostly the one before again */
  uint32_t *found = ms_map_at(&build->pair_index, (uint64_t)stack << 32 | site);
  if (!*found) {
    *found = ++build->pair_count;
    MS_TABLE_ROOM(build, build->pairs, *found, build->pair_room);
    build->pairs[*found] = (struct pair){.stack = stack, .site = site};
  }
  return *at = *found;
}

static void pair_before_change(const struct build *build, struct pair *pair) {
  if (pair->peak_serial == build->peak_serial) return;
  pair->peak_serial = build->peak_serial;
  pair->out.bytes_at_peak = pair->out.live_bytes;
  pair->out.blocks_at_peak = pair->out.live_blocks;
}

static void pair_gain(struct build *build, struct pair *pair, struct worth worth) {
  pair_before_change(build, pair);
  pair->out.live_blocks += worth.blocks;
  pair->out.live_bytes += worth.bytes;
  pair->out.allocated_bytes += worth.bytes;
}

static void pair_lose(struct build *build, struct pair *pair, struct worth worth) {
  pair_before_change(build, pair);
  pair->out.live_blocks -= worth.blocks;
  pair->out.live_bytes -= worth.bytes;
}

void ms_stack_born(struct build *build, const struct ms_event *event, uint32_t thread, uint32_t site, uint64_t blocks, uint64_t bytes) {
  uint32_t stack = stack_named(build, thread, event->stack);
  if (!stack) return;
  uint32_t id = pair_of(build, stack, site);
  MS_TABLE_ROOM(build, build->block_pairs, event->block, build->block_pair_room);
  build->block_pairs[event->block] = id;
  pair_gain(build, &build->pairs[id], (struct worth){.blocks = blocks, .bytes = bytes});
  if (event->kind == MS_EVENT_ALLOC) build->pairs[id].out.allocations += blocks;
}

static uint32_t *block_pair(struct build *build, const struct block *block) {
  uint64_t id = (uint64_t)(block - build->blocks);
  return id < build->block_pair_room && build->block_pairs[id] ? &build->block_pairs[id] : NULL;
}

void ms_stack_gone(struct build *build, const struct block *block, uint64_t blocks, uint64_t bytes) {
  uint32_t *pair = block_pair(build, block);
  if (!pair) return;
  pair_lose(build, &build->pairs[*pair], (struct worth){.blocks = blocks, .bytes = bytes});
  *pair = 0;
}

/* As the sites do it: see on_bind in replay.c. */
void ms_stack_bind(struct build *build, const struct block *block, uint32_t site, struct worth worth, bool at_peak) {
  uint32_t *at = block_pair(build, block);
  if (!at) return;
  uint32_t id = pair_of(build, build->pairs[*at].stack, site);
  struct pair *from = &build->pairs[*at], *to = &build->pairs[id];
  pair_lose(build, from, worth);
  from->out.allocated_bytes -= worth.bytes;
  pair_gain(build, to, worth);
  if (!block->reallocations) from->out.allocations -= worth.blocks, to->out.allocations += worth.blocks;
  if (at_peak) {
    from->out.bytes_at_peak -= worth.bytes;
    from->out.blocks_at_peak -= worth.blocks;
    to->out.bytes_at_peak += worth.bytes;
    to->out.blocks_at_peak += worth.blocks;
  }
  *at = id;
}

/* ---- the end ---- */

#define ORDER(a, b, field)                                                                                   \
  if ((a)->field != (b)->field) return (a)->field > (b)->field ? -1 : 1;

static int site_order(const void *a, const void *b) {
  const struct ms_model_stack_site *x = a, *y = b;
  ORDER(x, y, bytes_at_peak)
  ORDER(x, y, allocated_bytes)
  return x->site_id < y->site_id ? -1 : x->site_id > y->site_id;
}

static int stack_order(const void *a, const void *b) {
  const struct ms_model_stack *x = a, *y = b;
  ORDER(x, y, bytes_at_peak)
  ORDER(x, y, allocated_bytes)
  return x->id < y->id ? -1 : 1; /* by first sight, until they get their final ids */
}

static void stack_sum(struct ms_model_stack *to, const struct ms_model_stack_site *site) {
  to->allocations += site->allocations;
  to->allocated_bytes += site->allocated_bytes;
  to->live_bytes += site->live_bytes;
  to->live_blocks += site->live_blocks;
  to->bytes_at_peak += site->bytes_at_peak;
  to->blocks_at_peak += site->blocks_at_peak;
  to->site_count++;
}

static bool pair_took_part(const struct pair *pair) { return pair->out.allocated_bytes || pair->out.allocations || pair->out.blocks_at_peak; }

static void pairs_sum(struct build *build, struct ms_model_stack *stacks, const uint32_t *site_ids) {
  for (uint32_t i = 1; i <= build->pair_count; i++) {
    struct pair *pair = &build->pairs[i];
    pair_before_change(build, pair);
    pair->out.site_id = site_ids[pair->site];
    if (pair_took_part(pair)) stack_sum(&stacks[pair->stack - 1], &pair->out);
  }
}

/* Each stack's sites lie one behind the other. */
static void sites_take(struct build *build, struct ms_model_stack *stacks) {
  struct ms_model_stack_site *rows = ms_arena_array(build->arena, build->pair_count, sizeof *rows), *next = rows;
  for (uint32_t i = 0; i < build->stack_count; i++) {
    stacks[i].sites = next;
    next += stacks[i].site_count;
    stacks[i].site_count = 0;
  }
  for (uint32_t i = 1; i <= build->pair_count; i++) {
    const struct pair *pair = &build->pairs[i];
    struct ms_model_stack *stack = &stacks[pair->stack - 1];
    if (pair_took_part(pair)) ((struct ms_model_stack_site *)stack->sites)[stack->site_count++] = pair->out;
  }
  for (uint32_t i = 0; i < build->stack_count; i++)
    if (stacks[i].site_count) qsort((void *)stacks[i].sites, stacks[i].site_count, sizeof *rows, site_order);
}

void ms_stacks_take(struct build *build, struct ms_model *model, const uint32_t *site_ids) {
  uint32_t count = build->stack_count;
  if (!count) return;
  struct ms_model_stack *stacks = ms_arena_array(build->arena, count, sizeof *stacks);
  for (uint32_t i = 0; i < count; i++)
    stacks[i] = (struct ms_model_stack){.id = i + 1, .places = build->stacks[i + 1].places, .place_count = build->stacks[i + 1].count};
  pairs_sum(build, stacks, site_ids);
  sites_take(build, stacks);
  qsort(stacks, count, sizeof *stacks, stack_order);
  for (uint32_t i = 0; i < count; i++) stacks[i].id = i + 1;
  model->stacks = stacks;
  model->stack_count = count;
}
