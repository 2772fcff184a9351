/* SPDX-License-Identifier: MIT
 *
 * The seldom half of accept.h: rows that are not hot, and hot ones without a cell.
 */
#include "reader/accept.h"

#include "base/arena.h"

void ms_blocks_grow(struct ms_merge *merge) {
  uint32_t room = merge->free_room ? merge->free_room * 2 : 4096;
  merge->free_blocks =
      ms_arena_grow(merge->arena, merge->free_blocks, merge->free_room * sizeof *merge->free_blocks,
                    room * sizeof *merge->free_blocks);
  merge->free_room = room;
}

void ms_open_add(struct ms_merge *merge, struct run *run, uint32_t block) {
  if (run->open_count == run->open_room) {
    uint32_t room = run->open_room ? run->open_room * 2 : 4;
    run->opens = ms_arena_grow(merge->arena, run->opens, run->open_room * sizeof *run->opens,
                               room * sizeof *run->opens);
    run->open_room = room;
  }
  run->opens[run->open_count++] = (struct open_realloc){.block = block, .word = run->at[0]};
}

/* realloc(p, 0) that freed. */
static void end_free_accept(struct ms_merge *merge, struct run *run) {
  struct open_realloc open = open_take(run);
  struct ms_event *event =
      event_put(merge, run, open.block ? MS_EVENT_REALLOC_FREE : MS_EVENT_UNBORN_FREE, open.word);
  event->block = open.block;
  event->place = (uint32_t)ms_get_realloc_end(run->at).name;
  run->size_high = 0;
  if (open.block) block_put(merge, open.block);
  merge->counts.events++;
}

/* A realloc that freed, one that will fail, one of a block that was not drawn; and at
 * address 0 what no writer makes. */
bool ms_accept_cell_less(struct ms_merge *merge, struct run *run) {
  uint64_t word = *run->at;
  bool fails = ms_word_op(word) == MS_OP_REALLOC_BEGIN && ms_run_fails(run);
  if (word >> 20 && !fails) return false;
  if (run->denied) {
    ms_accept_denied_cell_less(merge, run);
    return true;
  }
  if (ms_word_op(word) == MS_OP_REALLOC_BEGIN)
    ms_open_add(merge, run, 0);
  else if (ms_word_op(word) == MS_OP_REALLOC_END)
    end_free_accept(merge, run);
  run->stamp_ns = 0;
  run->at += ms_row_words(word);
  return true;
}

/* When other hot rows stood between begin and failure, the begin has ended the block. */
static void fail_accept(struct ms_merge *merge, struct run *run) {
  struct open_realloc open = open_take(run);
  struct ms_event *event = event_put(merge, run, MS_EVENT_REALLOC_FAIL, open.word);
  if (!open.block) return;
  if (!ms_cells_room(&merge->cells)) {
    merge->failed = true;
    return;
  }
  struct ms_cell *cell = ms_cell_at(&merge->cells, open.word >> 20);
  event->block = open.block;
  if (cell->key & MS_CELL_LIVE) { /* somebody got that address meanwhile: it cannot live on */
    event->kind = MS_EVENT_VANISHED;
    block_put(merge, open.block);
    return;
  }
  cell_set(cell, run, open.word, open.block);
  if (cell->key & MS_CELL_WAITED) ms_merge_wake(merge, cell, run->lo);
}

/* Sampling follows the block no further. */
static void unsampled_accept(struct ms_merge *merge, struct run *run) {
  struct open_realloc open = open_take(run);
  if (!open.block) return;
  event_put(merge, run, MS_EVENT_UNSAMPLED, open.word)->block = open.block;
  block_put(merge, open.block);
}

/* A name for a block that has died meanwhile comes too late to matter. */
static void bind_accept(struct ms_merge *merge, struct run *run) {
  struct ms_row_bind bind = ms_get_bind(run->at);
  struct ms_cell *cell = bind.addr8 ? ms_cell_find(&merge->cells, bind.addr8) : NULL;
  if (!cell || (cell->key ^ run->at[0]) >> 8 || !(cell->key & MS_CELL_LIVE) || !cell->block) return;
  struct ms_event *event = event_put(merge, run, MS_EVENT_BIND, run->at[0] & ~UINT64_C(0xff));
  event->block = cell->block;
  event->name = (uint32_t)bind.name;
}

/* A BAD_FREE, or an UNSEEN_FREE, which has the same fields. */
static void blockless_free_put(struct ms_merge *merge, struct run *run, enum ms_event_kind kind) {
  struct ms_row_bad_free row = ms_get_bad_free(run->at);
  struct ms_event *event = event_put(merge, run, kind, 0);
  event->fn = (uint8_t)row.fn;
  event->address = row.address;
  event->place = (uint32_t)row.name;
}

/* An event like any free: only its block is not known. */
static void unseen_free_accept(struct ms_merge *merge, struct run *run) {
  blockless_free_put(merge, run, MS_EVENT_UNBORN_FREE);
  run->stamp_ns = 0;
  merge->counts.events++;
}

void ms_accept_cold(struct ms_merge *merge, struct run *run, uint32_t length) {
  if (run->denied) {
    ms_accept_denied_cold(merge, run, length);
    return;
  }
  switch ((uint8_t)run->at[0]) {
  case MS_TAG_TIME:
    if (ms_get_time(run->at).ns > run->lo) run->lo = ms_get_time(run->at).ns;
    break;
  case MS_TAG_PLACE:
    run->places[ms_get_place(run->at).slot] = (uint32_t)ms_get_place(run->at).name;
    break;
  case MS_TAG_SIZE_HIGH:
    run->size_high = (uint32_t)ms_get_size_high(run->at).high;
    break;
  case MS_TAG_STAMP:
    run->serial = ms_get_stamp(run->at).serial;
    run->stamp_ns = ms_get_stamp(run->at).ns;
    break;
  case MS_TAG_STACK_OF:
    run->stack = (uint32_t)ms_get_stack_of(run->at).id;
    break;
  case MS_TAG_STACK:
  case MS_TAG_OF_THREAD:
    break; /* stack.c and index.c have seen them */
  case MS_TAG_REALLOC_FAIL:
    fail_accept(merge, run);
    break;
  case MS_TAG_REALLOC_UNSAMPLED:
    unsampled_accept(merge, run);
    break;
  case MS_TAG_BIND:
    bind_accept(merge, run);
    break;
  case MS_TAG_BAD_FREE:
    blockless_free_put(merge, run, MS_EVENT_BAD_FREE);
    break;
  case MS_TAG_UNSEEN_FREE:
    unseen_free_accept(merge, run);
    break;
  case MS_TAG_END:
    event_put(merge, run, MS_EVENT_ROW, 0)->words = run->at;
    run->stamp_ns = 0;
    break;
  default:
    event_put(merge, run, MS_EVENT_ROW, 0)->words = run->at;
  }
  run->at += length;
}
