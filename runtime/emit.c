/* SPDX-License-Identifier: MIT
 *
 * The slow path of every event: first ones, full windows, exact mode, sizes of
 * 4 GiB, cells in an unexpected state, events inside a row or after the
 * thread's end. Every thread, also in signal handlers.
 */
#include "count.h"
#include "sample.h"

uint16_t *ms_cells;

/* ---- cells ---- */

/* Without a plane it is not known; counters have one of their own. */
static int cell_is_live(uintptr_t p) { return ms_cells ? ms_cell_get(ms_cell(p)) & MS_CELL_LIVE : ms_on_again != MS_COUNTING; }

static uint32_t cell_birth(uintptr_t p) {
  if (!ms_cells) return 0;
  uint32_t cell = ms_cell_born(ms_cell_get(ms_cell(p)) & ~(uint32_t)MS_CELL_LIVE);
  ms_cell_put(ms_cell(p), cell);
  return ms_cell_gen(cell);
}

static uint32_t cell_death(uintptr_t p) {
  if (!ms_cells) return 0;
  uint32_t cell = ms_cell_get(ms_cell(p)) & ~MS_CELL_LIVE;
  ms_cell_put(ms_cell(p), cell);
  return ms_cell_gen(cell);
}

/* ---- rows of one event, built aside: the same for a thread's own window and a shared one ---- */

struct rows {
  uint64_t word[MS_SLOT_WORDS];
  uint32_t used;
};

/* In exact mode: what stands before each event, and before the process's end. Its words. */
static uint32_t stamp_put(uint64_t *row) {
  if (!ms_process->exact) return 0;
  uint64_t serial = 1 + __atomic_fetch_add(&ms_process->serial, 1, __ATOMIC_RELAXED);
  ms_put_stamp(row, (struct ms_row_stamp){.serial = serial, .ns = ms_process_ns(ms_os_now())});
  return 2;
}

static void rows_stamp(struct rows *rows) { rows->used += stamp_put(rows->word + rows->used); }

uint32_t ms_end_put(uint64_t *row, enum ms_end_how how, int32_t status) {
  uint32_t words = stamp_put(row);
  ms_put_end(row + words, (struct ms_row_end){.how = how, .status = (uint32_t)status});
  return words + 1;
}

static void rows_birth(struct rows *rows, enum ms_op op, uintptr_t p, uint32_t gen, size_t size, unsigned fn) {
  rows_stamp(rows);
  if (size >> 32) ms_put_size_high(rows->word + rows->used++, (struct ms_row_size_high){.high = size >> 32});
  rows->word[rows->used++] = ms_hot_word(op, fn, gen, p);
  rows->word[rows->used++] = (uint32_t)size;
}

static void rows_death(struct rows *rows, enum ms_op op, uintptr_t p, uint32_t gen, unsigned fn) {
  rows_stamp(rows);
  rows->word[rows->used++] = ms_hot_word(op, fn, gen, p);
}

/* Into the shared window, for a thread that may not use its own. */
static uint64_t *rows_share(const struct rows *rows, uint32_t events) {
  struct ms_slot slot;
  if (!ms_slot_begin(&slot)) return ms_lost(MS_LOST_NESTED, events), NULL;
  uint32_t first = slot.used;
  ms_slot_put(&slot, rows->word, rows->used);
  uint64_t *to = ms_slot_end(&slot, events);
  return to ? to + first : NULL;
}

/* ---- lost events ---- */

/* Behind the inner function comes the outer one, as another function; the same one twice
 * is two events, and another thread has freed between. */
void ms_lost_birth(enum ms_op op, uintptr_t p, unsigned fn) {
  uint32_t tag = ms_hot_tag(op, fn);
  if (ms_tls.lost == p && ms_tls.lost_tag != tag) return;
  ms_tls.lost = p;
  ms_tls.lost_tag = tag;
  ms_lost(MS_LOST_NONE, 1);
}

void ms_lost_ends(uintptr_t p) {
  if (ms_tls.lost == p) ms_tls.lost = 0;
}

/* The cell must not stay live, or the next block there is taken for the same one. */
static void block_ends(uintptr_t p) {
  cell_death(p);
  ms_lost_ends(p);
}

static void death_lost(uintptr_t p) {
  block_ends(p);
  ms_lost(MS_LOST_NONE, 1);
}

/* ---- allocation ---- */

/* The block the thread has just recorded comes out of an outer function: one
 * event, and its function is the outer one. */
static int birth_is_outer(const struct ms_thread *t, uintptr_t p, enum ms_op op, unsigned fn) {
  if (ms_newest(t) != p) return 0;
  if (ms_cells) return ms_cell_get(ms_cell(p)) & MS_CELL_LIVE;
  /* No plane to tell: only those that always have an inner one. */
  if (ms_is_straight) return op == MS_OP_ALLOC && fn > 7 && fn != MS_FN_REALLOC_NULL + 1;
  return op == MS_OP_ALLOC ? fn > 7 : fn > 1;
}

static void birth_own(struct ms_thread *t, enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  struct rows rows = {.used = 0};
  rows_birth(&rows, op, p, cell_birth(p), size, fn);
  ms_own_put(t, rows.word, rows.used);
  ms_born(t, t->pos - 2, p, ra);
}

/* As ms_rename, for a row in the shared window. */
static int birth_shared_outer(enum ms_op op, uintptr_t p, size_t size, unsigned fn) {
  uint64_t *row = ms_tls.shared_row;
  if (!row || ms_tls.epoch != ms_epoch || *row >> 20 != p >> 3 || !ms_cells) return 0;
  uint32_t cell = ms_cell_get(ms_cell(p));
  if (!(cell & MS_CELL_LIVE) || (*row >> 8 & MS_GEN_MASK) != ms_cell_gen(cell)) return 0;
  *(uint8_t *)row = ms_hot_tag(op, fn);
  ms_row_shrink(row, size);
  return 1;
}

static void birth_shared(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  if (!ms_process_ready()) return ms_lost_birth(op, p, fn);
  if (birth_shared_outer(op, p, size, fn)) return;
  struct rows rows = {.used = 0};
  rows_birth(&rows, op, p, cell_birth(p), size, fn);
  rows.word[rows.used - 1] |= (uint64_t)ms_name_caller(NULL, ra) << 32;
  uint64_t *to = rows_share(&rows, 1);
  ms_tls.shared_row = to ? to + rows.used - 2 : NULL;
}

/* The process's first event: only now we know what is to be recorded. */
static MS_COLD int first_is_apart(void) { return ms_process_ready() && ms_on != MS_ON; }

static void birth(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(!ms_process) && first_is_apart()) return (void)ms_born_not_on((void *)p, size, fn, ra);
  if (birth_is_outer(t, p, op, fn)) return ms_rename(t, op, size, fn, ra);
  t = ms_own_begin();
  if (!t) return birth_shared(op, p, size, fn, ra);
  if (t->stacks) ms_stack_put(t, ra);
  birth_own(t, op, p, size, fn, ra);
  ms_own_end(t);
}

/* Most that come here are as plain as any, only something before them is to be settled. */
__attribute__((noinline)) void *ms_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_is_plain(p, size, 8) && ms_tls.last.last_block != p ? ms_begin() : NULL;
  if (t && t->stacks) ms_stack_put(t, ra);
  if (t && ms_born_put(t, ms_cell(p), op, p, size, fn, ra)) return block;
  if (op != MS_OP_ALLOC || !ms_real_is_early(block)) birth(op, p, size, fn, ra);
  return block;
}

/* ---- free ---- */

void ms_emit_row(const uint64_t *row, uint32_t words) {
  struct ms_thread *t = ms_own_begin();
  if (t) {
    ms_own_put(t, row, words);
    ms_own_end(t);
  } else if (ms_process_ready()) {
    struct rows rows = {.used = 0};
    while (rows.used < words) rows.word[rows.used] = row[rows.used], rows.used++;
    rows_share(&rows, 0);
  }
}

/* The newest row is of an end whose place is named in it. */
static void dead_named(struct ms_thread *t, ms_half *name, uintptr_t p, uintptr_t ra) {
  ms_dead(t, NULL, p, ra);
  t->freed_here = name;
  t->place_name = MS_NAME_TOLD; /* so that it is looked at when it is settled */
}

/* AddressSanitizer tells of all blocks but those from before we asked: where one was, and
 * has been freed, none has come since. The others leave some out. */
static int heard_partly(uintptr_t p) {
  int knows_all = ms_heard == MS_HEARD_ADDRESS && ms_cells && ms_cell_gen(ms_cell_get(ms_cell(p)));
  return ms_heard && !knows_all;
}

/* Once paused, nobody can say any more whether such a block was there. */
void ms_bad_free(uintptr_t p, unsigned fn, uintptr_t ra) {
  uint64_t row[2];
  if (ms_on == MS_SAMPLING) return; /* most likely of a block that was not drawn */
  if (heard_partly(p) || __atomic_load_n(&ms_process->header->pauses, __ATOMIC_RELAXED)) ms_put_unseen_free(row, (struct ms_row_unseen_free){.fn = fn, .address = p});
  else ms_put_bad_free(row, (struct ms_row_bad_free){.fn = fn, .address = p});
  struct ms_thread *t = ms_own_begin();
  if (!t) return ms_emit_row(row, 2);
  ms_own_put(t, row, 2);
  dead_named(t, (ms_half *)(t->pos - 2) + 1, p, ra);
  ms_own_end(t);
}

/* Into whichever window; the own one when it is not NULL. A free before it has been told
 * with its place: a PLACE row would come too late for it. */
static void death(struct ms_thread *t, enum ms_op op, uintptr_t p, unsigned fn) {
  struct rows rows = {.used = 0};
  rows_death(&rows, op, p, cell_death(p), fn);
  if (!t) {
    rows_share(&rows, 1);
    return;
  }
  ms_own_put(t, rows.word, rows.used);
  t->freed = NULL;
  ms_last_ends(p); /* before a handler can come between: its name is what was settled */
  if (ms_newest(t) != p) return;
  t->newest.name = NULL;
  t->left_p = 0;
}

/* Is an outer function of ours giving it back, which has told of that? Then it has ended:
 * one that is live was given since somebody jumped out of that function. */
int ms_is_passing(uintptr_t p) {
  if (MS_LIKELY(ms_tls.passing != p)) return 0;
  return ms_on_again == MS_COUNTING ? ms_count_is_passing(p) : !ms_cells || !cell_is_live(p);
}

static MS_COLD void free_slower(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (ms_real_is_early((void *)p)) return;
  if (MS_UNLIKELY(!ms_process) && first_is_apart()) return ms_dying_not_on((void *)p, fn, ra);
  if (!ms_process_ready()) return death_lost(p);
  if (!cell_is_live(p)) return ms_bad_free(p, fn, ra);
  struct ms_thread *t = ms_own_begin();
  if (t) {
    death(t, MS_OP_FREE, p, fn);
    *(uint8_t *)(t->pos - 1) |= (uint8_t)t->slot;
    ms_dead(t, t->pos - 1, p, ra);
    ms_own_end(t);
  } else if (ms_process_ready()) {
    death(NULL, MS_OP_FREE, p, fn);
  } else {
    death_lost(p);
  }
}

__attribute__((noinline)) void ms_free_slow(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (ms_is_passing(p)) return; /* no event of its own: settles nothing */
  struct ms_thread *t = p & 7 ? NULL : ms_begin();
  if (!t || !ms_free_put(t, ms_cell(p), p, fn, ra)) free_slower(p, fn, ra);
  ms_last_ends(p);
}

/* Without the plane nobody knows the block: it ends when its address is given out again. */
MS_COLD void ms_paused_end(uintptr_t p) {
  if (ms_is_passing(p) || ms_real_is_early((void *)p) || !ms_process_ready()) return;
  ms_paused_look();
  if (ms_on_again == MS_COUNTING) return ms_count_ended(p);
  if (!ms_cells || !cell_is_live(p)) return;
  struct ms_thread *t = ms_own_begin();
  if (t || ms_process_ready()) death(t, MS_OP_ENDED, p, 0);
  else death_lost(p);
  ms_last_ends(p);
  if (ms_on_again == MS_SAMPLING) ms_sample_gone(p);
  if (t) ms_own_end(t);
}

/* ---- realloc ---- */

MS_COLD enum ms_realloc ms_realloc_begin_slow(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (ms_is_passing(p)) return MS_REALLOC_SILENT;
  if (ms_real_is_early((void *)p)) return MS_REALLOC_UNBORN;
  if (MS_UNLIKELY(!ms_process) && first_is_apart() && ms_on == MS_PAUSED) return ms_paused_end(p), MS_REALLOC_SILENT;
  if (!ms_process_ready()) return block_ends(p), MS_REALLOC_LOST;
  if (!cell_is_live(p)) return ms_bad_free(p, MS_FN_REALLOC_NULL + fn, ra), MS_REALLOC_UNBORN;
  struct ms_thread *t = ms_own_begin();
  if (t) {
    death(t, MS_OP_REALLOC_BEGIN, p, fn);
    ms_own_end(t);
  } else if (ms_process_ready()) {
    death(NULL, MS_OP_REALLOC_BEGIN, p, fn);
  } else {
    return block_ends(p), MS_REALLOC_LOST;
  }
  return MS_REALLOC_OPEN;
}

MS_COLD void ms_realloc_freed(uintptr_t p, unsigned fn, uintptr_t ra) {
  struct rows rows = {.used = 0};
  struct ms_thread *t = ms_own_begin();
  if (!t && !ms_process_ready()) return;
  rows_stamp(&rows);
  rows.word[rows.used++] = ms_hot_word(MS_OP_REALLOC_END, fn, 0, 0);
  rows.word[rows.used++] = 0;
  if (!t) {
    rows_share(&rows, 0);
    return;
  }
  ms_own_put(t, rows.word, rows.used);
  dead_named(t, ms_row_name(t->pos - 2), p, ra);
  ms_own_end(t);
}

MS_COLD void ms_realloc_lost(void *q, size_t size, unsigned fn) {
  if (q && ms_cells && ms_newest(ms_tls.self) == (uintptr_t)q && cell_is_live((uintptr_t)q)) return; /* the malloc it came back to has a row */
  if (q) ms_lost_birth(MS_OP_REALLOC_END, (uintptr_t)q, fn);
  else if (!size) ms_lost(MS_LOST_NONE, 1);
}

MS_COLD void ms_realloc_from_unsampled(unsigned fn) {
  uint64_t row = ms_hot_word(MS_OP_REALLOC_BEGIN, fn, 0, 0);
  ms_emit_row(&row, 1);
}

MS_COLD void ms_realloc_to_unsampled(void) {
  uint64_t row;
  ms_put_realloc_unsampled(&row, (struct ms_row_realloc_unsampled){.unused_ = 0});
  ms_emit_row(&row, 1);
}

MS_COLD void ms_realloc_fail(uintptr_t p) {
  if (ms_cells) ms_cell_put(ms_cell(p), ms_cell_get(ms_cell(p)) | MS_CELL_LIVE);
  struct rows rows = {.used = 1};
  ms_put_realloc_fail(rows.word, (struct ms_row_realloc_fail){.unused_ = 0});
  struct ms_thread *t = ms_own_begin();
  if (t) {
    ms_own_put(t, rows.word, rows.used);
    t->freed = NULL; /* as in death, for a begin row on the hot path */
    ms_own_end(t);
  } else if (ms_process_ready()) {
    rows_share(&rows, 0);
  }
}

/* ---- places ---- */

uint64_t ms_place_callers = MS_PLACE_CALLER;

void ms_places_unload(void) {
  __atomic_store_n(&ms_place_callers, (ms_place_callers + MS_PLACE_UNLOAD) | MS_PLACE_CALLER, __ATOMIC_RELAXED);
}

/* The next slot means that place from here on; `told`: its name in the stream. */
static uint32_t place_put(struct ms_thread *t, uint64_t place, uint32_t told) {
  uint32_t slot = t->place_next++ % MS_PLACE_SLOTS;
  t->places[slot] = place;
  uint64_t row;
  ms_put_place(&row, (struct ms_row_place){.slot = slot, .name = told});
  ms_own_put(t, &row, 1);
  return slot;
}

/* May look for modules, whose rows may fill the window. */
static uint32_t freed_name(struct ms_thread *t) {
  uint32_t name = ms_tls.last.freed_name;
  return name == MS_NAME_NONE ? ms_name_caller(t, t->freed_ra) : name;
}

static MS_COLD void freed_tell_new(struct ms_thread *t) {
  uint64_t place = ms_freed_place(t);
  uint32_t told = freed_name(t);
  if (t->freed) ms_freed_tell(t, place_put(t, place, told), place);
}

static void freed_done(struct ms_thread *t) {
  t->freed = NULL;
  t->freed_here = NULL;
  t->place_name = ms_tls.last.freed_name = MS_NAME_TOLD;
  ms_tls.last.last_freed = MS_NO_BLOCK;
}

/* The row is of a free at another place than the slot in it means, or one that
 * names its place itself. */
static void settle_freed(struct ms_thread *t) {
  if (ms_freed_settle(t)) return;
  if (ms_freed_is_open(t)) return freed_tell_new(t);
  uint32_t name = t->freed_here ? freed_name(t) : 0;
  if (t->freed_here) *t->freed_here = name; /* the row has not left meanwhile */
  freed_done(t); /* else a site came when a block had been given since: the place has been told */
}

/* The row goes before its place is found: it shall name none rather than another's. */
static MS_COLD void freed_leaves(struct ms_thread *t) {
  int is_told = ms_tls.last.freed_name == t->place_name || ms_freed_settle(t);
  if (!is_told && ms_freed_is_open(t)) ms_freed_tell(t, place_put(t, 0, 0), 0);
  freed_done(t);
}

/* ---- the newest block ---- */

/* Its row has left the window, without this name. */
static MS_COLD void name_late(struct ms_thread *t, uint32_t name) {
  uint64_t row[2];
  uint32_t gen = ms_cells ? ms_cell_gen(ms_cell_get(ms_cell(t->left_p))) : 0;
  ms_put_bind(row, (struct ms_row_bind){.gen = gen, .addr8 = t->left_p >> 3, .name = name});
  ms_own_put(t, row, 2);
  t->left_name = name;
}

/* Whatever name it has so far. The caller is busy. */
void ms_newest_settle(struct ms_thread *t) {
  uint32_t name = ms_tls.last.name;
  if (ms_name_is_final() || ms_newest_told(t) == name) return;
  if (name == MS_NAME_NONE) ms_tls.last.name = name = ms_name_caller(t, t->given_ra);
  if (t->newest.name) *(ms_half *)t->newest.name = name;
  else name_late(t, name);
}

/* The window's rows are about to go: what they hold of the newest block is kept. */
void ms_newest_leaves(struct ms_thread *t) {
  uint64_t *row = ms_newest_row(t);
  freed_leaves(t);
  if (!row || t->head) return; /* counters: it lies in no window */
  t->left_p = ms_newest(t);
  t->left_size = *ms_row_size(row);
  t->left_name = *ms_row_name(row);
  t->newest.name = NULL;
}

/* Names what has no name yet. The caller is busy. */
void ms_settle(struct ms_thread *t) {
  ms_newest_settle(t);
  if (ms_tls.last.freed_name != t->place_name) settle_freed(t);
}
