/* SPDX-License-Identifier: MIT
 *
 * Events of all threads in one order: by generations (see merge.h for the
 * words), or by the serials of exact mode (serial.c). This file decides whose turn
 * it is by generations, in order of preference:
 *   1. a lane that can run on by itself, the one with the lowest time, unless
 *      that would take it beyond the time at which a waiting lane is due;
 *   2. the cross event whose patience ends first;
 *   3. nobody can move: the parked event that must have happened first is
 *      passed over, and counted.
 */
#include "reader/accept.h"

#include "base/arena.h"
#include "reader/freed.h"

#include <stddef.h>

enum { AHEAD_WORDS = 28, PLAIN_LEFT = 2 + MS_LATE_ROWS, AWAITED_ROWS = 1 << 17, AWAITED_RUNS = 16, LOOKS_MOST = 1 << 28, LOOKS_A_WORD = 64 };

enum turn { AGAIN, SWITCH, FULL };

/* ---- waiting ---- */

static struct run **wait_list(struct ms_merge *merge, uint64_t addr8) {
  return &merge->waits[(addr8 * UINT64_C(0x9e3779b97f4a7c15) >> 32) & merge->wait_mask];
}

static void wait_add(struct ms_merge *merge, struct run *run, struct ms_cell *cell, enum run_state state,
                     uint64_t key) {
  struct run **list = wait_list(merge, *run->at >> 20);
  run->wait_next = *list;
  *list = run;
  cell->key |= MS_CELL_WAITED;
  run->state = (uint8_t)state;
  ms_heap_add(&merge->heaps[state], run, key);
}

static void wait_remove(struct ms_merge *merge, struct run *run) {
  struct run **at = wait_list(merge, *run->at >> 20);
  while (*at != run) at = &(*at)->wait_next;
  *at = run->wait_next;
  ms_heap_remove(&merge->heaps[run->state], run);
}

static void ready_add(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  wait_add(merge, run, cell, READY, ms_later(run->lo, merge->step_ns));
}

/* What is damaged would wait in vain: its lane goes on before those that wait for that. */
static void park(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  merge->counts.parked++;
  uint64_t hi = ms_run_hi(merge, run);
  wait_add(merge, run, cell, PARKED, run->denied ? hi : ms_later(hi, merge->step_ns));
}

/* The cell has changed: who waited for just that is ready. What happened last
 * happened before it, so its time is not lower. */
void ms_merge_wake(struct ms_merge *merge, struct ms_cell *cell, uint64_t ns) {
  uint64_t addr8 = cell->key >> 20;
  cell->key &= ~(uint64_t)MS_CELL_WAITED;
  for (struct run *run = *wait_list(merge, addr8), *next; run; run = next) {
    next = run->wait_next;
    if (*run->at >> 20 != addr8) continue;
    cell->key |= MS_CELL_WAITED;
    if (run->state != PARKED || !ms_word_due(*run->at, cell)) continue;
    wait_remove(merge, run);
    if (ns > run->lo) run->lo = ns;
    ready_add(merge, run, cell);
    if (run->key < merge->limit) merge->limit = run->key;
  }
}

/* Another lane waits to do the very same: one of both means a later coming round
 * of the generations. First goes who must have done it earlier, or else who meets
 * the address often and so is the one that brings it round. */
static bool goes_before(struct ms_merge *merge, struct run *other, struct run *run) {
  uint64_t other_hi = ms_run_hi(merge, other), hi = ms_run_hi(merge, run);
  if (other_hi != hi) return other_hi < hi;
  uint32_t other_meets = ms_run_meets(other), meets = ms_run_meets(run);
  return other_meets != meets ? other_meets > meets : other->index < run->index;
}

static bool rival_exists(struct ms_merge *merge, struct run *run) {
  for (struct run *other = *wait_list(merge, *run->at >> 20); other; other = other->wait_next) {
    if (other == run || (*other->at ^ *run->at) >> 8 || ms_word_gives(*other->at) != ms_word_gives(*run->at))
      continue;
    if (goes_before(merge, other, run)) return true;
  }
  return false;
}

/* The cell's state is there, but is it the one meant, or does it come back
 * thousands of generations later? */
static bool cross_allowed(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  if (cell->key & MS_CELL_SEEN && ms_run_continues(&merge->runs[cell->lane], cell)) return false;
  return !(cell->key & MS_CELL_WAITED) || !rival_exists(merge, run);
}

/* ---- one row ---- */

static inline void hot_take(struct ms_merge *merge, struct run *run, struct ms_cell *cell, bool due) {
  hot_accept(merge, run, cell, due);
  if (cell->key & MS_CELL_WAITED) ms_merge_wake(merge, cell, run->lo);
}

/* Nothing can come that would make it due: it happens now, whatever the state. */
static void hot_force(struct ms_merge *merge, struct run *run, struct ms_cell *cell) {
  if (!ms_word_due(*run->at, cell) && !run->denied) {
    if (merge->forked && !(cell->key & MS_CELL_SEEN))
      merge->counts.inherited++;
    else if (merge->cells.freed || cell->key & MS_CELL_SEEN || !ms_word_gives(*run->at))
      merge->counts.forced++;
  }
  hot_take(merge, run, cell, false);
}

/* A cross event of the lane that runs: would it be chosen again if it waited? */
static bool others_done(struct ms_merge *merge, const struct run *run) {
  uint64_t soft = ms_later(run->lo, merge->step_ns);
  const struct run *first = ms_heap_top(&merge->heaps[RUN]), *ready = ms_heap_top(&merge->heaps[READY]);
  return (!first || first->lo > soft) && (!ready || ready->key >= soft);
}

static inline enum turn hot_turn(struct ms_merge *merge, struct run *run) {
  uint64_t word = *run->at, addr8 = word >> 20;
  if (cell_less(merge, run)) return AGAIN;
  if (!ms_cells_room(&merge->cells)) {
    merge->failed = true;
    return FULL;
  }
  struct ms_cell *cell = ms_cell_at(&merge->cells, addr8);
  if (ms_word_due(word, cell)) {
    if (merge->alive == 1 || (cell->key & MS_CELL_SEEN && cell->lane == run->index) ||
        (others_done(merge, run) && cross_allowed(merge, run, cell))) {
      hot_take(merge, run, cell, true);
      return AGAIN;
    }
    ready_add(merge, run, cell);
    return SWITCH;
  }
  if (merge->alive == 1 && !merge->stream->live) {
    hot_force(merge, run, cell);
    return AGAIN;
  }
  park(merge, run, cell);
  return SWITCH;
}

/* Cells lie anywhere in memory: they are fetched some rows ahead of their use. A
 * word that far ahead is taken for a row's first, without a look whether it is:
 * fetching a line too many costs less than finding out. */
MS_FETCH void cells_fetch(const struct ms_cells *cells, const uint64_t *at, const uint64_t *end, uint32_t length) {
  const uint64_t *ahead = at + AHEAD_WORDS;
  if (ahead + 1 >= end) return;
  ms_cell_prefetch(cells, ahead[0] >> 20);
  if (length == 2) ms_cell_prefetch(cells, ahead[1] >> 20);
}

/* ---- plain rows ---- */

/* Is it an allocation, or a free at a place that holds from before? */
static inline bool word_plain(const uint64_t *at) {
  enum ms_op op = ms_word_op(*at);
  return *at & MS_HOT && (op == MS_OP_ALLOC || (op == MS_OP_FREE && at[1] & MS_HOT));
}

/* May it happen now, whatever other lanes do, and does nobody wait for it? */
static inline bool cell_plain(uint64_t word, const struct ms_cell *cell, uint32_t lane, bool alone) {
  if (!ms_word_due(word, cell) || cell->key & (MS_CELL_WAITED | MS_CELL_DENIED)) return false;
  return alone || (cell->key & MS_CELL_SEEN && cell->lane == lane);
}

/* All of a plain row's event but its block; takes: known where it is called. */
static inline void plain_put(struct ms_event *event, const struct run *run, const uint64_t *at, bool takes) {
  uint64_t word = *at;
  event->kind = takes ? MS_EVENT_FREE : MS_EVENT_ALLOC;
  event->fn = word & (takes ? MS_FREE_FN : 31);
  event->gen = (uint16_t)ms_word_gen(word);
  event->thread = run->thread;
  event->lane = run->index;
  event->name = takes ? 0 : (uint32_t)(at[1] >> 32);
  event->place = takes ? run->places[word >> 4 & (MS_PLACE_SLOTS - 1)] : 0;
  event->ns = run->lo;
  event->address = word >> 20 << 3;
  event->size = takes ? 0 : (uint32_t)at[1];
  event->offset = (uintptr_t)at + run->bias;
  event->words = NULL;
  event->stack = takes ? 0 : run->stack;
}

/* Nearly all rows are of this kind, and taken here: as hot_turn and hot_accept do
 * it, without what these must ask and with everything at hand. The first row that
 * is another one ends it; so does a chunk's end, as what follows may say more of a row. */
static void plain_run(struct ms_merge *merge, struct run *run) {
  struct ms_cells cells = merge->cells;
  const uint64_t *at = run->at, *end = run->end - PLAIN_LEFT;
  struct ms_event *out = merge->out, *last = merge->out_end - MS_EVENTS_OF_ROW;
  bool alone = merge->alive == 1;
  if (run->stamp_ns || run->size_high || run->denied) return;
  for (; at < end && out < last && cells.count < cells.most && word_plain(at) && *at >> 20; out++) {
    uint64_t word = *at;
    bool takes = word & MS_HOT_TAKES;
    cells_fetch(&cells, at, run->end, 2 - takes);
    struct ms_cell *cell = ms_cell_at(&cells, word >> 20);
    if (!cell_plain(word, cell, run->index, alone)) break;
    if (takes) {
      plain_put(out, run, at, true);
      block_put(merge, out->block = cell->block);
      cell_set(cell, run, word, 0);
    } else {
      plain_put(out, run, at, false);
      out->block = block_get(merge);
      cell_set(cell, run, word, out->block);
    }
    at += 2 - takes;
  }
  merge->counts.events += (uint64_t)(out - merge->out);
  merge->cells.count = cells.count;
  merge->out = out;
  run->at = at;
}

void ms_run_end(struct ms_merge *merge, struct run *run) {
  run->state = DONE;
  merge->alive--;
  merge->counts.open_reallocs += run->open_count;
}

/* Runs the current lane until it has to wait, has used its time, or the buffer is full. */
static enum turn current_run(struct ms_merge *merge) {
  struct run *run = merge->current;
  while (merge->out_end - merge->out >= MS_EVENTS_OF_ROW) {
    if (run->end - run->at > PLAIN_LEFT && word_plain(run->at)) plain_run(merge, run);
    uint32_t length = ms_row_fits(run->at, 0, (uint32_t)(run->end - run->at));
    cells_fetch(&merge->cells, run->at, run->end, length);
    if (!length) {
      if (!ms_run_next_piece(merge, run)) {
        ms_run_end(merge, run);
        return SWITCH;
      }
    } else if (*run->at & MS_HOT) {
      enum turn turn = hot_turn(merge, run);
      if (turn != AGAIN) return turn;
      continue;
    } else {
      ms_accept_cold(merge, run, length);
    }
    if (run->lo > merge->limit) {
      run->state = RUN;
      ms_heap_add(&merge->heaps[RUN], run, run->lo);
      return SWITCH;
    }
  }
  return FULL;
}

/* ---- whose turn ---- */

static struct ms_cell *front_cell(struct ms_merge *merge, const struct run *run) {
  if (ms_cells_room(&merge->cells)) return ms_cell_at(&merge->cells, *run->at >> 20);
  merge->failed = true;
  return NULL;
}

/* A lane that may run up to where the next one takes over. */
static void current_set(struct ms_merge *merge, struct run *run) {
  const struct run *first = ms_heap_top(&merge->heaps[RUN]), *ready = ms_heap_top(&merge->heaps[READY]);
  const struct run *parked = ms_heap_top(&merge->heaps[PARKED]);
  merge->limit = first ? first->lo : UINT64_MAX;
  if (ready && ready->key < merge->limit) merge->limit = ready->key;
  if (parked && parked->key < merge->limit) merge->limit = parked->key;
  if (run->lo > merge->limit) merge->limit = run->lo;
  merge->current = run;
}

/* Takes the ready lane's event if its state still holds, else lets it wait on. */
static bool ready_try(struct ms_merge *merge, struct run *run, bool must) {
  struct ms_cell *cell = front_cell(merge, run);
  if (!cell) return false;
  if (!ms_word_due(*run->at, cell)) {
    wait_remove(merge, run);
    park(merge, run, cell);
    return false;
  }
  if (!must && !cross_allowed(merge, run, cell)) return false;
  wait_remove(merge, run);
  hot_take(merge, run, cell, true);
  current_set(merge, run);
  return true;
}

/* The first of the ready ones, in their order, that is allowed to act. When all
 * contradict one another the first acts all the same. */
static bool ready_choose(struct ms_merge *merge) {
  struct heap *ready = &merge->heaps[READY];
  for (;;) {
    struct run *top = ms_heap_top(ready);
    if (!top) return false;
    uint32_t before = ready->count;
    if (ready_try(merge, top, false)) return true;
    if (ready->count < before) continue; /* it was parked */
    for (uint32_t i = 1; i < ready->count; i++) {
      before = ready->count;
      if (ready_try(merge, ready->runs[i], false)) return true;
      if (ready->count < before) break;
    }
    if (ready->count == before) return ready_try(merge, top, true);
  }
}

/* Does another lane come to the address, so that it is no wonder that this one waits? */
static bool is_awaited(struct ms_merge *merge, const struct run *run) {
  for (uint32_t i = 0, rows = AWAITED_ROWS / merge->alive; i < merge->stream->lane_count; i++) {
    const struct run *other = &merge->runs[i];
    if (other == run || other->state == DONE) continue;
    merge->looks -= merge->looks < rows ? merge->looks : rows;
    if (ms_run_comes(other, *run->at >> 20, rows)) return true;
  }
  return false;
}

/* Who is passed over: the first, but where rows are known to be missing the first that waits
 * for one of them, and not for a lane that waits for it in turn. Not one whose time has not
 * come. Looking costs as much as reading the stream some ten times, and a second at most. */
static struct run *parked_choose(struct ms_merge *merge, uint64_t before) {
  const struct heap *parked = &merge->heaps[PARKED];
  struct run *first = ms_heap_top(parked), *chosen = NULL;
  if (!merge->stream->denied_chunks && !merge->stream->missing_chunks && !merge->stream->lost_parts) return first;
  if (!merge->looks) return first;
  for (uint32_t i = 0; i < parked->count && i < AWAITED_RUNS; i++) {
    struct run *run = parked->runs[i];
    if (run->key < (chosen ? chosen->key : before) && !is_awaited(merge, run)) chosen = run;
  }
  return chosen ? chosen : first;
}

static void parked_force(struct ms_merge *merge, struct run *run) {
  struct ms_cell *cell = front_cell(merge, run);
  if (!cell) return;
  wait_remove(merge, run);
  hot_force(merge, run, cell);
  current_set(merge, run);
}

/* Sets the current lane; false at the end. */
static bool lane_choose(struct ms_merge *merge) {
  while (!merge->failed) {
    struct run *first = ms_heap_top(&merge->heaps[RUN]), *ready = ms_heap_top(&merge->heaps[READY]);
    struct run *parked = ms_heap_top(&merge->heaps[PARKED]);
    uint64_t bound = ready ? ready->key : UINT64_MAX;
    if (parked && parked->key < bound) bound = parked->key;
    if (first && first->lo <= bound) {
      ms_heap_remove(&merge->heaps[RUN], first);
      current_set(merge, first);
      return true;
    }
    if (ready && (!parked || ready->lo <= parked->key)) {
      if (ready_choose(merge)) return true;
      continue; /* they have been parked */
    }
    if (!parked) return false;
    if (merge->stream->live && parked->key >= merge->stream->live_ns) {
      wait_remove(merge, parked); /* what it waits for is still to come */
      ms_run_end(merge, parked);
      continue;
    }
    uint64_t before = merge->stream->live ? merge->stream->live_ns : UINT64_MAX;
    if (first && first->lo < before) before = first->lo;
    if (ready && ready->key < before) before = ready->key;
    parked_force(merge, parked_choose(merge, before));
    return !merge->failed;
  }
  return false;
}

static void order_generations(struct ms_merge *merge) {
  while (merge->out_end - merge->out >= MS_EVENTS_OF_ROW && !merge->failed) {
    if (!merge->current && !lane_choose(merge)) return;
    if (current_run(merge) == SWITCH) merge->current = NULL;
  }
}

/* ---- open, next, close ---- */

static bool stream_has_serials(const struct ms_stream *stream) {
  return stream->header.mode == MS_MODE_EXACT;
}

static uint64_t looks_most(const struct ms_stream *stream) {
  uint64_t words = 0;
  for (uint32_t i = 0; i < stream->lane_count; i++)
    for (uint32_t piece = 0; piece < stream->lanes[i].piece_count; piece++) words += stream->lanes[i].pieces[piece].words;
  return words < LOOKS_MOST / LOOKS_A_WORD ? words * LOOKS_A_WORD : LOOKS_MOST;
}

static void runs_open(struct ms_merge *merge) {
  struct ms_stream *stream = merge->stream;
  merge->looks = looks_most(stream);
  merge->runs = ms_arena_array(stream->arena, stream->lane_count + 1, sizeof *merge->runs);
  for (int i = 0; i <= PARKED; i++)
    merge->heaps[i].runs = ms_arena_array(stream->arena, stream->lane_count + 1, sizeof(struct run *));
  uint32_t lists = 1;
  while (lists < stream->lane_count) lists *= 2;
  merge->waits = ms_arena_array(stream->arena, lists, sizeof *merge->waits);
  merge->wait_mask = lists - 1;
  for (uint32_t i = 0; i < stream->lane_count; i++) {
    struct run *run = &merge->runs[i];
    *run = (struct run){.index = i, .thread = stream->lanes[i].thread, .lane = &stream->lanes[i]};
    if (!ms_run_next_piece(merge, run)) {
      run->state = DONE;
      continue;
    }
    merge->alive++;
    ms_heap_add(&merge->heaps[RUN], run, merge->serials ? 0 : run->lo);
  }
}

struct ms_merge *ms_merge_open(struct ms_stream *stream, enum ms_merge_order order) {
  struct ms_merge *merge = ms_arena_get(stream->arena, sizeof *merge);
  merge->stream = stream;
  merge->serials = order == MS_ORDER_SERIALS || (order == MS_ORDER_AUTO && stream_has_serials(stream));
  merge->forked = stream->header.parent[0] != 0;
  merge->due_ns = UINT64_MAX;
  merge->step_ns = stream->header.clock_step_ns ? stream->header.clock_step_ns : 1000000;
  merge->arena = ms_arena_new();
  if (!ms_cells_init(&merge->cells, stream->lane_count == 1 ? NULL : ms_freed_new(merge->arena))) {
    ms_merge_close(merge);
    return NULL;
  }
  runs_open(merge);
  return merge;
}

uint32_t ms_merge_next(struct ms_merge *merge, struct ms_event *events, uint32_t most) {
  merge->out = events;
  merge->out_end = events + most;
  if (merge->serials)
    ms_order_serials(merge);
  else
    order_generations(merge);
  merge->counts.no_memory = merge->failed;
  if (merge->failed && merge->out == events)
    ms_stream_problem(merge->stream, 0, "no memory for the table of addresses: the rest was not read");
  return (uint32_t)(merge->out - events);
}

const struct ms_merge_counts *ms_merge_counts(const struct ms_merge *merge) { return &merge->counts; }

void ms_merge_each_live(const struct ms_merge *merge, ms_live_fn *on_live, void *context) {
  for (uint64_t i = 0; i <= merge->cells.mask; i++) {
    const struct ms_cell *cell = &merge->cells.cells[i];
    if (cell->key & MS_CELL_LIVE && cell->block) on_live(context, cell->block, cell->key >> 20 << 3);
  }
}

void ms_merge_close(struct ms_merge *merge) {
  if (!merge) return;
  ms_cells_fini(&merge->cells);
  ms_arena_free(merge->arena);
}
