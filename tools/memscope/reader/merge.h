/* SPDX-License-Identifier: MIT
 *
 * The merge's inside: what its files share. Nobody outside reader/ includes it.
 *
 * A lane's rows are in exact order; between lanes only the same address needs
 * an order. An event is *due* when its address's cell is in the state just
 * before it. Generations are counted modulo 4096, so a state may look right by
 * coincidence; who may act when (merge.c) keeps that from happening:
 *
 *   own     due, and this lane itself made the state: nobody else can come
 *           between; taken at once.
 *   cross   due, but another lane made the state: taken when the other lanes
 *           have gone as far as time allows, and the maker of the state is not
 *           itself about to change it.
 *   parked  not due: waits for its address.
 *
 *   soft    a lane's time + one clock step: how long a cross event lets others go first
 *   hi      the latest time its next event can have happened: the next time
 *           row behind it + one step
 */
#ifndef MS_READER_MERGE_H
#define MS_READER_MERGE_H

#include "reader/cell.h"
#include "reader/reader.h"

struct open_realloc {
  uint32_t block; /* 0: never seen allocated, or it will fail */
  uint64_t word; /* of the begin row */
};

enum {
  MS_SKETCH_WORDS = 16,
  MS_LATE_ROWS = 64, /* BIND rows stand at a chunk's beginning */
  MS_EVENTS_OF_ROW = 2, /* that one gives at most */
};

enum run_state { RUN, READY, PARKED, DONE };

struct run {                /* a lane being read */
  const uint64_t *at, *end; /* in the current piece */
  uint64_t bias;            /* file offset of a row minus its address here */
  uint64_t lo;              /* coarse time now */
  uint32_t index, thread;
  uint32_t places[MS_PLACE_SLOTS]; /* of frees from here on */
  uint32_t size_high, stack;
  bool denied; /* the current piece */
  uint64_t serial_most; /* denied: how far they go in it */
  uint64_t stamp_ns; /* exact: of the next row that has a stamp; 0 = none */
  uint64_t serial;
  uint64_t ahead_serial, ahead_ns; /* by serials: of that row; the largest numbers when there is none */
  bool ahead_known;
  const struct ms_lane *lane;
  uint32_t piece; /* the current one + 1 */
  /* what was found out about rows ahead */
  uint32_t hi_piece; /* where the next time row is (piece + 1) */
  const uint64_t *hi_at;
  uint64_t hi;
  const uint64_t *sketch_from,
      *sketch_to;                   /* rows of the current piece from which `sketch` looks far enough */
  uint64_t sketch[MS_SKETCH_WORDS]; /* addresses that come */
  /* waiting */
  uint8_t state; /* enum run_state */
  uint32_t heap_at;
  uint64_t key; /* in its heap */
  struct run *wait_next;
  /* reallocations begun, innermost last */
  struct open_realloc *opens;
  uint32_t open_count, open_room;
};

struct heap {
  struct run **runs;
  uint32_t count;
};

struct ms_merge {
  struct ms_stream *stream;
  struct ms_arena *arena; /* its own: it may run beside who uses the stream's */
  struct ms_merge_counts counts;
  struct ms_cells cells;
  uint32_t *free_blocks; /* numbers to use again */
  uint32_t free_count, free_room, block_count;
  struct run *runs;
  uint32_t alive; /* lanes not at their end */
  uint64_t looks; /* rows that may still be looked through for who is passed over */
  bool serials, failed, forked;
  uint64_t step_ns;
  struct heap heaps[PARKED + 1];
  struct run **waits; /* by address: READY and PARKED lanes */
  uint32_t wait_mask;
  struct run *current; /* the lane being run, NULL = choose one */
  uint64_t limit;      /* current may run while its time is not beyond it */
  uint64_t now_ns, due_ns; /* by serials: of the last event given; when the first row without a stamp is due */
  struct ms_event *out, *out_end;
};

/* lane.c: a lane's rows, also those ahead */
bool ms_run_next_piece(struct ms_merge *merge, struct run *run);
uint64_t ms_run_hi(struct ms_merge *merge, struct run *run);
uint32_t ms_run_place(const struct run *run, uint32_t slot);
uint32_t ms_run_late_name(const struct run *run, const uint64_t *behind, uint64_t word, uint32_t name);
bool ms_run_continues(struct run *run, const struct ms_cell *cell);
bool ms_run_comes(const struct run *run, uint64_t addr8, uint32_t rows);
uint32_t ms_run_meets(const struct run *run);
bool ms_run_fails(const struct run *run);
void ms_run_look_ahead(struct run *run);

/* In exact mode: events have stamps, and so has the process's end (not in older streams). */
static inline bool ms_row_has_stamp(uint64_t word, bool stamp_before) {
  return word & MS_HOT || (stamp_before && (uint8_t)word == MS_TAG_END);
}
static inline uint64_t ms_run_offset(const struct run *run) { return (uintptr_t)run->at + run->bias; }

/* accept.c: state changes to events (the hot ones: accept.h) */
void ms_blocks_grow(struct ms_merge *merge);
void ms_open_add(struct ms_merge *merge, struct run *run, uint32_t block);
bool ms_accept_cell_less(struct ms_merge *merge, struct run *run);
void ms_accept_cold(struct ms_merge *merge, struct run *run, uint32_t length);

/* denied.c: rows of a piece that its checksum denies */
void ms_accept_denied(struct ms_merge *merge, struct run *run, struct ms_cell *cell);
void ms_accept_denied_cell_less(struct ms_merge *merge, struct run *run);
void ms_accept_denied_cold(struct ms_merge *merge, struct run *run, uint32_t length);
bool ms_run_denied_step(struct ms_merge *merge, struct run *run); /* over a word that begins no row; false at the piece's end */
uint64_t ms_denied_ns(const struct ms_merge *merge, const struct ms_lane *lane, uint32_t piece, const uint64_t *row); /* a TIME row's, 0: not to be believed */
void ms_run_bound(const struct ms_merge *merge, struct run *run);

/* merge.c: somebody may wait for what the cell has become; a lane is at its end */
void ms_merge_wake(struct ms_merge *merge, struct ms_cell *cell, uint64_t ns);
void ms_run_end(struct ms_merge *merge, struct run *run);

/* serial.c: fills the buffer by the serials of exact mode */
void ms_order_serials(struct ms_merge *merge);

/* heap.c */
void ms_heap_add(struct heap *heap, struct run *run, uint64_t key);
void ms_heap_remove(struct heap *heap, struct run *run);
static inline struct run *ms_heap_top(const struct heap *heap) { return heap->count ? heap->runs[0] : NULL; }

static inline uint64_t ms_later(uint64_t ns, uint64_t step) { return ns > UINT64_MAX - step ? UINT64_MAX : ns + step; }

static inline uint32_t ms_word_gen(uint64_t word) { return word >> 8 & MS_GEN_MASK; }
static inline bool ms_word_gives(uint64_t word) { return !(word & MS_HOT_TAKES); }

/* Is the row with that word the next that can happen to its address? */
static inline bool ms_word_due(uint64_t word, const struct ms_cell *cell) {
  if (!ms_word_gives(word)) return !((word ^ cell->key) >> 8) && cell->key & MS_CELL_LIVE;
  if (cell->key & MS_CELL_LIVE) return false;
  uint32_t gen = ms_word_gen(word);
  return cell->key & MS_CELL_SEEN ? gen == ((ms_word_gen(cell->key) + 1) & MS_GEN_MASK) : gen == 1;
}

#endif
