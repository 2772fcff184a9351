/* SPDX-License-Identifier: MIT
 *
 * Hot rows that may happen now, to events: the inner half of the merge, inline
 * in it. A row is accepted in whatever state its cell is: when that is not the
 * one it asks for (events lost, serials that contradict one another), what must
 * have happened between is given as an event of its own, and nothing is invented
 * beyond that.
 */
#ifndef MS_READER_ACCEPT_H
#define MS_READER_ACCEPT_H

#include "reader/merge.h"

static inline uint32_t block_get(struct ms_merge *merge) {
  return merge->free_count ? merge->free_blocks[--merge->free_count] : ++merge->block_count;
}

static inline void block_put(struct ms_merge *merge, uint32_t block) {
  if (merge->free_count == merge->free_room) ms_blocks_grow(merge);
  merge->free_blocks[merge->free_count++] = block;
}

static inline struct ms_event *event_put(struct ms_merge *merge, const struct run *run,
                                         enum ms_event_kind kind, uint64_t word) {
  struct ms_event *event = merge->out++;
  *event = (struct ms_event){.kind = (uint8_t)kind,
                             .fn = (uint8_t)word & (word & MS_HOT_TAKES ? MS_FREE_FN : 31),
                             .gen = (uint16_t)ms_word_gen(word),
                             .thread = run->thread,
                             .lane = run->index,
                             .ns = run->stamp_ns ? run->stamp_ns : run->lo,
                             .address = word >> 20 << 3,
                             .offset = ms_run_offset(run)};
  return event;
}

/* The block that is still live there cannot be any more. */
static inline void cell_vacate(struct ms_merge *merge, const struct run *run, struct ms_cell *cell) {
  if (!(cell->key & MS_CELL_LIVE) || !cell->block) return;
  event_put(merge, run, MS_EVENT_VANISHED, cell->key & ~UINT64_C(0xff))->block = cell->block;
  block_put(merge, cell->block);
}

static inline void cell_set(struct ms_cell *cell, const struct run *run, uint64_t word, uint32_t block) {
  cell->key =
      (word & ~UINT64_C(0xff)) | MS_CELL_SEEN | (cell->key & MS_CELL_WAITED) | (block ? MS_CELL_LIVE : 0);
  cell->block = block;
  cell->lane = run->index;
}

/* The block's number, address, size and name, for an ALLOC or a REALLOC_END. */
static inline void block_give(struct run *run, struct ms_cell *cell, struct ms_event *event) {
  const uint64_t *row = run->at;
  event->size = (uint32_t)row[1] | (uint64_t)run->size_high << 32;
  event->name = (uint32_t)(row[1] >> 32);
  if (run->end - row <= 2 + MS_LATE_ROWS) event->name = ms_run_late_name(run, row + 2, row[0], event->name);
  event->stack = run->stack;
  run->size_high = 0;
  cell_set(cell, run, row[0], event->block);
}

static inline void alloc_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell, bool due) {
  if (!due) cell_vacate(merge, run, cell);
  struct ms_event *event = event_put(merge, run, MS_EVENT_ALLOC, run->at[0]);
  event->block = block_get(merge);
  block_give(run, cell, event);
}

/* Ends what is not the block of the row's generation. A row that comes after its
 * address went on (a wrong order in the stream) changes nothing. */
static inline void other_take(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint64_t word = run->at[0];
  uint32_t ahead = (ms_word_gen(word) - ms_word_gen(cell->key)) & MS_GEN_MASK;
  if (cell->key & MS_CELL_SEEN && ahead > MS_GEN_MASK / 2) return;
  cell_vacate(merge, run, cell);
  cell_set(cell, run, word, 0);
}

/* Ends the block of the row's generation; 0 when it is not the live one. */
static inline uint32_t block_take(struct ms_merge *merge, struct run *run, struct ms_cell *cell, bool due) {
  if (!due && !ms_word_due(run->at[0], cell)) {
    other_take(merge, run, cell);
    return 0;
  }
  uint32_t block = cell->block;
  cell_set(cell, run, run->at[0], 0);
  return block;
}

/* The place of the free at hand: mostly the next row is hot, so the slot's holds. */
static inline uint32_t place_take(const struct run *run) {
  const uint64_t *behind = run->at + 1;
  uint32_t slot = *run->at >> 4 & (MS_PLACE_SLOTS - 1);
  return behind < run->end && *behind & MS_HOT ? run->places[slot] : ms_run_place(run, slot);
}

static inline void free_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell, bool due) {
  uint32_t block = block_take(merge, run, cell, due);
  struct ms_event *event = event_put(merge, run, block ? MS_EVENT_FREE : MS_EVENT_UNBORN_FREE, run->at[0]);
  event->block = block;
  event->place = place_take(run);
  if (block) block_put(merge, block);
}

static inline void ended_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  uint32_t block = block_take(merge, run, cell, false);
  if (!block) return;
  event_put(merge, run, MS_EVENT_ENDED, run->at[0])->block = block;
  block_put(merge, block);
}

static inline void begin_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  ms_open_add(merge, run, block_take(merge, run, cell, false));
}

static inline struct open_realloc open_take(struct run *run) {
  return run->open_count ? run->opens[--run->open_count] : (struct open_realloc){0};
}

static inline void end_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  struct open_realloc open = open_take(run);
  cell_vacate(merge, run, cell);
  struct ms_event *event =
      event_put(merge, run, open.block ? MS_EVENT_REALLOC : MS_EVENT_UNBORN_REALLOC, run->at[0]);
  event->block = open.block ? open.block : block_get(merge);
  block_give(run, cell, event);
}

/* Any hot row with a cell. due: the caller knows that it is, else the cell is in whatever state. */
static inline void hot_accept(struct ms_merge *merge, struct run *run, struct ms_cell *cell, bool due) {
  enum ms_op op = ms_word_op(run->at[0]);
  uint32_t words = 1;
  if (run->denied) {
    ms_accept_denied(merge, run, cell);
    return;
  }
  if (op == MS_OP_ALLOC)
    alloc_accept(merge, run, cell, due), words = 2;
  else if (op == MS_OP_FREE)
    free_accept(merge, run, cell, due);
  else if (op == MS_OP_REALLOC_END)
    end_accept(merge, run, cell), words = 2;
  else if (op == MS_OP_REALLOC_BEGIN)
    begin_accept(merge, run, cell);
  else
    ended_accept(merge, run, cell);
  merge->counts.events += op < MS_OP_REALLOC_BEGIN || op == MS_OP_REALLOC_END; /* a begin is one when it ends */
  run->stamp_ns = 0;
  run->at += words;
}

/* Rows that need no cell; most are told apart by one look. */
static inline bool cell_less(struct ms_merge *merge, struct run *run) {
  uint64_t word = *run->at;
  return (!(word >> 20) || ms_word_op(word) == MS_OP_REALLOC_BEGIN) && ms_accept_cell_less(merge, run);
}

#endif
