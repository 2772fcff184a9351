/* SPDX-License-Identifier: MIT
 *
 * Rows that may happen now, to events. A hot row is accepted in whatever state
 * its cell is: when that is not the one it asks for (events lost, serials that
 * contradict one another), what must have happened between is given as events
 * of its own and nothing is invented beyond that.
 */
#include "reader/merge.h"

#include "base/arena.h"

static uint32_t block_get(struct ms_merge *merge) {
  return merge->free_count ? merge->free_blocks[--merge->free_count] : ++merge->block_count;
}

static void block_put(struct ms_merge *merge, uint32_t block) {
  if (merge->free_count == merge->free_room) {
    uint32_t room = merge->free_room ? merge->free_room * 2 : 4096;
    merge->free_blocks = ms_arena_grow(merge->stream->arena, merge->free_blocks, merge->free_room * sizeof block, room * sizeof block);
    merge->free_room = room;
  }
  merge->free_blocks[merge->free_count++] = block;
}

static struct ms_event *event_put(struct ms_merge *merge, const struct run *run, enum ms_event_kind kind, uint64_t word) {
  struct ms_event *event = merge->out++;
  *event = (struct ms_event){.kind = (uint8_t)kind,
                             .fn = (uint8_t)word & 31,
                             .gen = (uint16_t)ms_word_gen(word),
                             .thread = run->thread,
                             .lane = run->index,
                             .ns = run->stamp_ns ? run->stamp_ns : run->lo,
                             .address = word >> 20 << 3,
                             .offset = ms_run_offset(run)};
  return event;
}

/* The block that is still live there cannot be any more. */
static void cell_vacate(struct ms_merge *merge, const struct run *run, struct ms_cell *cell) {
  if (!(cell->key & MS_CELL_LIVE)) return;
  event_put(merge, run, MS_EVENT_VANISHED, cell->key & ~UINT64_C(0xff))->block = cell->block;
  block_put(merge, cell->block);
}

static void cell_set(struct ms_cell *cell, const struct run *run, uint64_t word, uint32_t block) {
  cell->key = (word & ~UINT64_C(0xff)) | MS_CELL_SEEN | (cell->key & MS_CELL_WAITED) | (block ? MS_CELL_LIVE : 0);
  cell->block = block;
  cell->lane = run->index;
}

static void alloc_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  cell_vacate(merge, run, cell);
  struct ms_event *event = event_put(merge, run, MS_EVENT_ALLOC, word);
  event->block = block_get(merge);
  event->size = (uint32_t)run->at[1] | (uint64_t)run->size_high << 32;
  event->name = ms_run_late_name(run, run->at + 2, word, (uint32_t)(run->at[1] >> 32));
  run->size_high = 0;
  cell_set(cell, run, word, event->block);
}

/* Ends the block of the row's generation; 0 when it is not the live one. A row
 * that comes after its address went on (a wrong order in the stream) changes nothing. */
static uint32_t block_take(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  if (!((word ^ cell->key) >> 8) && cell->key & MS_CELL_LIVE) {
    uint32_t block = cell->block;
    cell_set(cell, run, word, 0);
    return block;
  }
  uint32_t ahead = (ms_word_gen(word) - ms_word_gen(cell->key)) & MS_GEN_MASK;
  if (cell->key & MS_CELL_SEEN && ahead > MS_GEN_MASK / 2) return 0;
  cell_vacate(merge, run, cell);
  cell_set(cell, run, word, 0);
  return 0;
}

static void free_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint32_t block = block_take(merge, run, cell);
  struct ms_event *event = event_put(merge, run, block ? MS_EVENT_FREE : MS_EVENT_UNBORN_FREE, run->at[0]);
  event->block = block;
  event->place = run->place = ms_run_place(run, run->at + 1);
  if (block) block_put(merge, block);
}

/* cell NULL: it fails */
static void begin_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  if (run->open_count == run->open_room) {
    uint32_t room = run->open_room ? run->open_room * 2 : 4;
    run->opens = ms_arena_grow(merge->stream->arena, run->opens, run->open_room * sizeof *run->opens, room * sizeof *run->opens);
    run->open_room = room;
  }
  uint32_t block = cell ? block_take(merge, run, cell) : 0;
  run->place = ms_run_place(run, run->at + 1);
  run->opens[run->open_count++] = (struct open_realloc){.block = block, .place = run->place, .word = run->at[0]};
}

static struct open_realloc open_take(struct run *run) {
  return run->open_count ? run->opens[--run->open_count] : (struct open_realloc){0};
}

static void end_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  struct open_realloc open = open_take(run);
  cell_vacate(merge, run, cell);
  struct ms_event *event = event_put(merge, run, open.block ? MS_EVENT_REALLOC : MS_EVENT_UNBORN_REALLOC, word);
  event->block = open.block ? open.block : block_get(merge);
  event->place = open.place;
  event->size = (uint32_t)run->at[1] | (uint64_t)run->size_high << 32;
  event->name = ms_run_late_name(run, run->at + 2, word, (uint32_t)(run->at[1] >> 32));
  run->size_high = 0;
  cell_set(cell, run, word, event->block);
}

/* realloc(p, 0) that freed: its row has no address and no cell. */
static void end_free_accept(struct ms_merge *merge, struct run *run) {
  struct open_realloc open = open_take(run);
  struct ms_event *event = event_put(merge, run, open.block ? MS_EVENT_REALLOC_FREE : MS_EVENT_UNBORN_FREE, open.word);
  event->block = open.block;
  event->place = open.place;
  run->size_high = 0;
  if (open.block) block_put(merge, open.block);
}

void ms_accept_hot(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  switch (ms_word_op(run->at[0])) {
  case MS_OP_ALLOC: alloc_accept(merge, run, cell); break;
  case MS_OP_FREE: free_accept(merge, run, cell); break;
  case MS_OP_REALLOC_BEGIN:
    begin_accept(merge, run, cell);
    run->stamp_ns = 0;
    run->at += 1;
    return; /* an event when it ends */
  default:
    if (cell) end_accept(merge, run, cell);
    else end_free_accept(merge, run);
  }
  merge->counts.events++;
  run->stamp_ns = 0;
  run->at += ms_row_words(run->at[0]);
}

/* ---- the other rows ---- */

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

/* A name for a block that has died meanwhile comes too late to matter. */
static void bind_accept(struct ms_merge *merge, struct run *run) {
  struct ms_row_bind bind = ms_get_bind(run->at);
  struct ms_cell *cell = bind.addr8 ? ms_cell_find(&merge->cells, bind.addr8) : NULL;
  if (!cell || (cell->key ^ run->at[0]) >> 8 || !(cell->key & MS_CELL_LIVE)) return;
  struct ms_event *event = event_put(merge, run, MS_EVENT_BIND, run->at[0] & ~UINT64_C(0xff));
  event->block = cell->block;
  event->name = (uint32_t)bind.name;
}

static void bad_free_accept(struct ms_merge *merge, struct run *run) {
  struct ms_row_bad_free bad = ms_get_bad_free(run->at);
  struct ms_event *event = event_put(merge, run, MS_EVENT_BAD_FREE, 0);
  event->fn = (uint8_t)bad.fn;
  event->address = bad.address;
  event->place = ms_run_place(run, run->at + 2);
}

void ms_accept_cold(struct ms_merge *merge, struct run *run, uint32_t length) {
  switch ((uint8_t)run->at[0]) {
  case MS_TAG_TIME:
    if (ms_get_time(run->at).ns > run->lo) run->lo = ms_get_time(run->at).ns;
    break;
  case MS_TAG_PLACE: run->place = (uint32_t)ms_get_place(run->at).name; break;
  case MS_TAG_SIZE_HIGH: run->size_high = (uint32_t)ms_get_size_high(run->at).high; break;
  case MS_TAG_STAMP:
    run->serial = ms_get_stamp(run->at).serial;
    run->stamp_ns = ms_get_stamp(run->at).ns;
    break;
  case MS_TAG_CHAIN:
  case MS_TAG_CALLER:
  case MS_TAG_OF_THREAD: break; /* name.c and index.c have seen them */
  case MS_TAG_REALLOC_FAIL: fail_accept(merge, run); break;
  case MS_TAG_BIND: bind_accept(merge, run); break;
  case MS_TAG_BAD_FREE: bad_free_accept(merge, run); break;
  default: event_put(merge, run, MS_EVENT_ROW, 0)->words = run->at;
  }
  run->at += length;
}
