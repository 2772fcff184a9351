/* SPDX-License-Identifier: MIT
 *
 * Counters, the seldom half: where they lie, large blocks, reallocations, blocks that
 * another thread took before they had a name, events that find their thread busy. Every
 * thread, also in signal handlers.
 */
#include "count.h"

#ifndef MS_COUNT_TABLES
#define MS_COUNT_TABLES (1 << 14) /* threads at one time; more count as one */
#endif

enum {
  TABLE_BYTES = 2 * MS_NAMES_MOST * sizeof(struct ms_counter *), /* of a thread: by name, then by thread */
  TABLES = MS_COUNT_TABLES,
  PIECE_FIRST = 4 << 10,
  PIECE_MOST = 64 << 10,
  PART_BITS = 20,
  PARTS = 3,
};
#define TABLES_BYTES ((size_t)(1 + TABLES) * TABLE_BYTES) /* the first is the one that all share */

uint32_t *ms_count_cells;
uint8_t ms_count_threads;
static char *tables;

/* Both are nothing again in a forked child: what it inherits is from before the fork. */
int ms_count_reserve(void) {
  ms_count_cells = ms_reserve(MS_COUNT_BYTES, MS_WIPED);
  tables = ms_count_cells ? ms_reserve(TABLES_BYTES, MS_WIPED) : NULL;
  if (!tables && ms_count_cells) ms_unreserve(ms_count_cells), ms_count_cells = NULL;
  return tables != NULL;
}

/* ---- pieces of the stream ---- */

static struct ms_counters_head *piece_map(uint32_t thread, uint32_t bytes, enum ms_need need) {
  struct ms_record record = {.kind = MS_RECORD_COUNTERS, .bytes = bytes, .thread = thread};
  ms_record_check(&record);
  struct ms_record *mapped = ms_room_map(NULL, bytes, &(struct ms_os_piece){&record, sizeof record}, 1, need);
  if (!mapped) return NULL;
  ms_record_stands(bytes);
  return (struct ms_counters_head *)(mapped + 1);
}

/* A piece of that thread, whose counters are its next ones. */
static struct ms_counters_head *piece_begin(struct ms_thread *t, uint32_t bytes, enum ms_need need) {
  struct ms_counters_head *head = piece_map(t->id, bytes, need);
  if (!head) return NULL;
  t->counter_next = (struct ms_counter *)(head + 1);
  t->counter_end = (struct ms_counter *)((char *)head - sizeof(struct ms_record) + bytes);
  t->counters_bytes = bytes;
  if (t->counter_pieces_count < MS_COUNT_PIECES) t->counter_pieces[t->counter_pieces_count++] = (struct ms_record *)head - 1;
  return head;
}

static struct ms_counter **table_at(uint32_t number) { return (struct ms_counter **)(void *)(tables + (size_t)number * TABLE_BYTES); }

static struct ms_counter **table_take(void) {
  uint32_t number = 1 + __atomic_fetch_add(&ms_process->count_tables, 1, __ATOMIC_RELAXED);
  if (number <= TABLES) return table_at(number);
  __atomic_store_n(&ms_process->count_tables, TABLES, __ATOMIC_RELAXED);
  return NULL;
}

int ms_count_attach(struct ms_thread *t, struct ms_counter **table) {
  t->counters = table && ms_os_pages_forget(table, TABLE_BYTES) ? table : table_take();
  t->head = t->counters ? piece_begin(t, PIECE_FIRST, MS_SPARED) : NULL; /* else all share one */
  if (!t->head) return 0;
  if (t->id > 1) ms_count_many();
  *ms_row_name(t->head->newest) = MS_NAME_NONE;
  t->newest.name = (uint32_t *)(void *)ms_row_name(t->head->newest);
  return 1;
}

/* Nobody else writes to it. One that stands for all when there is no room. */
static struct ms_counter *counter_make(struct ms_thread *t, uint32_t name) {
  uint32_t bytes = t->counters_bytes < PIECE_MOST ? 2 * t->counters_bytes : PIECE_MOST;
  if (t->counter_next == t->counter_end && (ms_process->state != MS_STATE_RECORDING || !piece_begin(t, bytes, MS_NEEDED))) return &t->counted_nowhere;
  struct ms_counter *counter = t->counter_next++;
  __atomic_store_n(&counter->name, name, __ATOMIC_RELEASE);
  return t->counters[name] = counter;
}

/* For what goes with an event that another one counts, or is none. */
static struct ms_counter *counter_aside(struct ms_thread *t, uint32_t name) {
  struct ms_counter *counter = t->counters[name];
  return counter ? counter : counter_make(t, name);
}

/* For an event, which is lost when there is no room for what counts it. */
static struct ms_counter *counter_of(struct ms_thread *t, uint32_t name) {
  struct ms_counter *counter = counter_aside(t, name);
  if (counter == &t->counted_nowhere) ms_lost(MS_LOST_NONE, 1);
  return counter;
}

/* ---- cells ---- */

/* What a cell says of its block. */
struct taken {
  uint32_t name; /* MS_NAMES_MOST + a thread: it is that one's newest, of a size it alone knows; 0: no block */
  uint64_t bytes;
  uint64_t large; /* such a newest one's, when it is large: only to put it back */
};

static uint32_t *part_at(uintptr_t p, uint32_t part) { return ms_count_cell(p + 16 * (part + 1)); }

/* Of a large block, whose size lies in it before anybody else can see it. */
static void parts_put(uintptr_t p, uint64_t bytes) {
  if (bytes <= MS_CELL_SIZE_MOST) return;
  for (uint32_t i = 0; i < PARTS; i++)
    ms_count_put(part_at(p, i), (uint32_t)(bytes >> (i * PART_BITS)) << MS_CELL_SIZE_BITS | MS_CELL_PART);
}

static uint64_t parts_get(uintptr_t p) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < PARTS; i++) bytes |= (uint64_t)(ms_count_get(part_at(p, i)) >> MS_CELL_SIZE_BITS) << (i * PART_BITS);
  return bytes;
}

static void parts_clear(uintptr_t p) {
  for (uint32_t i = 0; i < PARTS; i++) ms_count_put(part_at(p, i), 0);
}

/* Only one of two threads that come at once gets the block. */
static struct taken cell_take(uintptr_t p) {
  uint32_t *at = ms_count_cell(p), cell = p & 7 ? 0 : ms_count_get(at);
  for (;;) {
    uint32_t size = cell & MS_CELL_SIZE_MASK, name = cell >> MS_CELL_SIZE_BITS;
    if (!cell || size == MS_CELL_PART) return (struct taken){.name = 0};
    struct taken taken = {.name = name, .bytes = size == MS_CELL_LARGE ? parts_get(p) : size};
    if (size == MS_CELL_NEWEST || size == MS_CELL_NEWEST_LARGE)
      taken = (struct taken){.name = MS_NAMES_MOST + name, .large = size == MS_CELL_NEWEST_LARGE ? parts_get(p) : 0};
    if (!__atomic_compare_exchange_n(at, &cell, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
    if (size == MS_CELL_LARGE || size == MS_CELL_NEWEST_LARGE) parts_clear(p);
    return taken;
  }
}

/* ---- busy, or not at all ---- */

/* A tick of the clock: commands are heard, and the stream is told that its process lives. */
static struct ms_thread *own_ticks(void) {
  struct ms_thread *t = ms_tls.self;
  if (!t->head || t->freed_here || ms_control_is_asked() || ms_process->state != MS_STATE_RECORDING) return NULL;
  ms_enter();
  if (*ms_tick != t->tick) {
    t->tick = *ms_tick;
    t->head->seen_ns = ms_process_ns(ms_os_now_coarse());
  }
  ms_own_limit(t);
  return t;
}

static struct ms_thread *own_begin(void) {
  struct ms_thread *t = ms_tls.self;
  if (MS_LIKELY(!ms_is_due(t, t->limit))) return ms_enter(), t;
  if ((t = own_ticks()) || !(t = ms_own_begin())) return t;
  ms_own_limit(t);
  return t;
}

/* ---- the newest block ---- */

/* Another thread took it, and has said that it took this one's: which stands where there is
 * no room to say it better. */
static void newest_gone(struct ms_thread *t, struct ms_counter *counter) {
  struct ms_counter *claim = counter_aside(t, MS_NAMES_MOST + (t->id & (MS_NAMES_MOST - 1)));
  if (claim == &t->counted_nowhere || counter == &t->counted_nowhere) return;
  counter->frees++;
  counter->gone_bytes += t->head->bytes;
  claim->frees--;
}

/* Here the name is a place, or that of the block it was before. */
static uint32_t name_after(uint32_t name, uint32_t from) {
  return ms_name_is_given(name) || from < MS_NAMES_HEADER || from >= MS_NAMES_MOST ? name : from;
}

static void resized_count(struct ms_thread *t, uint32_t from, uint64_t bytes) {
  struct ms_counter *counter = counter_aside(t, from);
  counter->resized++;
  counter->gone_bytes += bytes;
}

/* Its name, which is the caller's when nobody gave it one. */
static uint32_t newest_name(struct ms_thread *t) {
  uint32_t name = ms_count_newest_name(t);
  return name == MS_NAME_NONE ? ms_tls.last.name = ms_name_caller(t, t->given_ra) : name;
}

static MS_COLD void newest_odd(struct ms_thread *t, uint32_t name) {
  struct ms_counters_head *head = t->head;
  uint32_t told = name, resized = head->newest[0] & 0x20;
  if (resized) name = name_after(name, head->from);
  struct ms_counter *counter = counter_of(t, name);
  counter->allocated_bytes += head->bytes;
  counter->allocations += !resized;
  counter->reallocations += !!resized;
  if (resized) resized_count(t, head->from, head->from_bytes);
  if (!ms_count_newest_put(t, name, head->bytes)) newest_gone(t, counter);
  ms_count_newest_ends(t, told);
}

/* Whatever it is. */
__attribute__((noinline)) void ms_count_newest(struct ms_thread *t) {
  uint32_t name = newest_name(t);
  if (!ms_count_newest_as(t, name)) newest_odd(t, name);
}

/* Given and taken by its own thread: nobody else comes to its cell, which needs no name.
 * False: nothing was done. */
static int newest_dead(struct ms_thread *t, uintptr_t p) {
  uint64_t bytes = t->head->bytes;
  uint32_t *cell = ms_count_cell(p);
  if (!ms_count_is_newest(t, p) || (t->head->newest[0] & 0x20) || ms_count_get(cell) != ms_count_unnamed_small(t)) return 0;
  uint32_t name = newest_name(t);
  struct ms_counter *counter = t->counters[name];
  if (!counter) return 0;
  ms_count_put(cell, 0);
  counter->allocations++;
  counter->allocated_bytes += bytes;
  counter->frees++;
  counter->gone_bytes += bytes;
  ms_count_newest_ends(t, name);
  ms_last_ends(p);
  return 1;
}

/* Its thread ends, and compiled code knows its newest block no more. What was counted stands
 * in the file; the mappings of threads that come and go would use up the process's. */
void ms_count_detach(struct ms_thread *t) {
  if (!t->head) return;
  t->head = NULL;
  t->newest.name = NULL;
  t->counter_next = t->counter_end = NULL;
  for (uint32_t i = 0; i < t->counter_pieces_count; i++) ms_os_unmap(t->counter_pieces[i], t->counter_pieces[i]->bytes);
  t->counter_pieces_count = 0;
}

/* The same, before that. */
void ms_count_end(struct ms_thread *t) {
  if (t->head && t->head->newest[0]) ms_count_newest(t);
}

/* ---- counted by threads that may not use their own counters ---- */

/* Of thread 0, added to by all: seldom, so that they may share its lines. In place of those
 * that are all used; another thread may be quicker. */
static int shared_renew(struct ms_thread *full) {
  if (!ms_process_ready()) return 0;
  struct ms_thread *shared = ms_process_alloc(sizeof *shared);
  if (!shared) return ms_lost(MS_LOST_MEMORY, 0), 0;
  if (!piece_begin(shared, PIECE_MOST, MS_NEEDED)) return 0;
  shared->counters = table_at(0);
  __atomic_compare_exchange_n(&ms_process->shared_counts, &full, shared, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return 1;
}

static struct ms_counter *shared_make(struct ms_thread *shared, uint32_t name) {
  struct ms_counter *counter = __atomic_fetch_add(&shared->counter_next, sizeof *counter, __ATOMIC_RELAXED);
  if (counter >= shared->counter_end) return NULL;
  __atomic_store_n(&counter->name, name, __ATOMIC_RELEASE);
  __atomic_store_n(&shared->counters[name], counter, __ATOMIC_RELEASE);
  return counter;
}

/* NULL: there is no room. Two threads may come with the same name at once: then both counters are of it. */
static struct ms_counter *shared_counter(uint32_t name) {
  struct ms_thread *shared;
  do {
    shared = __atomic_load_n(&ms_process->shared_counts, __ATOMIC_ACQUIRE);
    struct ms_counter *counter = shared ? __atomic_load_n(&shared->counters[name], __ATOMIC_ACQUIRE) : NULL;
    if (shared && !counter) counter = shared_make(shared, name);
    if (counter) return counter;
  } while (shared_renew(shared));
  return NULL;
}

#define SHARED_ADD(counter, field, value) (void)__atomic_fetch_add(&(counter)->field, (value), __ATOMIC_RELAXED)

/* The name by which an inner function has counted the block that this one hands out; 0: none has. */
static uint32_t shared_inner(uintptr_t p) {
  return ms_tls.counted == p && ms_tls.epoch == ms_epoch ? ms_count_get(ms_count_cell(p)) >> MS_CELL_SIZE_BITS : 0;
}

/* The outer one counts in its place. */
static void shared_uncount(uintptr_t p) {
  struct taken taken = cell_take(p);
  struct ms_counter *counter = taken.name ? shared_counter(taken.name) : NULL;
  if (counter) SHARED_ADD(counter, allocations, -1), SHARED_ADD(counter, allocated_bytes, -taken.bytes);
}

static void shared_resized(const struct ms_count_from *from) {
  struct ms_counter *was = shared_counter(from->name);
  if (was) SHARED_ADD(was, resized, 1), SHARED_ADD(was, gone_bytes, from->bytes);
}

/* Lost without room: once, and not when an inner function's event stands. */
static void shared_born(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra, const struct ms_count_from *from) {
  int ready = ms_process_ready() && ms_thread_id();
  uint32_t inner = shared_inner(p), name = ready ? name_after(inner ? inner : ms_name_caller(NULL, ra), from ? from->name : 0) : 0;
  struct ms_counter *counter = ready ? shared_counter(name) : NULL;
  if (!counter && !inner) ms_lost_birth(op, p, fn);
  if (!counter) return;
  if (inner) shared_uncount(p);
  if (op == MS_OP_ALLOC) SHARED_ADD(counter, allocations, 1);
  else SHARED_ADD(counter, reallocations, 1);
  SHARED_ADD(counter, allocated_bytes, size);
  if (from) shared_resized(from);
  parts_put(p, size);
  ms_count_put(ms_count_cell(p), ms_count_named(name, size));
  ms_tls.counted = p;
}

/* ---- a block is given ---- */

/* The block just recorded comes out of an outer function: one event, of that function's size. */
static int born_is_outer(const struct ms_thread *t, uintptr_t p) {
  return ms_count_is_newest(t, p) && ms_count_get(ms_count_cell(p)) == ms_count_unnamed(t, t->head->bytes);
}

static void vanished_count(struct ms_thread *t, uintptr_t p) {
  struct taken taken = cell_take(p);
  if (!taken.name) return ms_count_put(ms_count_cell(p), 0); /* a part of a size: its block was never freed */
  struct ms_counter *counter = counter_aside(t, taken.name);
  counter->vanished++;
  counter->gone_bytes += taken.bytes;
}

static void own_born(struct ms_thread *t, enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra, const struct ms_count_from *from) {
  uint32_t *cell = ms_count_cell(p);
  if (born_is_outer(t, p)) {
    if (t->head->bytes > MS_CELL_SIZE_MOST) parts_clear(p);
  } else {
    if (t->head->newest[0]) ms_count_newest(t);
    else if (shared_inner(p)) shared_uncount(p); /* its thread had no counters yet */
    if (ms_count_get(cell)) vanished_count(t, p);
  }
  t->head->from = from ? from->name : 0;
  t->head->from_bytes = from ? from->bytes : 0;
  parts_put(p, size);
  ms_count_put(cell, ms_count_unnamed(t, size));
  ms_count_newest_is(t, op, p, size, fn, ra);
}

/* Behind an inner function that counted the block this one counts too, whatever has ended meanwhile. */
static struct ms_thread *born_begin(uintptr_t p) {
  struct ms_thread *t = ms_tls.self;
  if (!t->head || !born_is_outer(t, p)) return own_begin();
  ms_enter();
  return t;
}

__attribute__((noinline)) void *ms_count_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra, const struct ms_count_from *from) {
  if (op == MS_OP_ALLOC && ms_real_is_early(block)) return block;
  struct ms_thread *t = born_begin((uintptr_t)block);
  if (!t) return shared_born(op, (uintptr_t)block, size, fn, ra, from), block;
  own_born(t, op, (uintptr_t)block, size, fn, ra, from);
  ms_leave(t);
  return block;
}

/* Behind a real function that as a rule allocates through one of ours. */
__attribute__((noinline)) void *ms_count_outer(void *block, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t p = (uintptr_t)block;
  if (!t->head || p & 15) return ms_count_born_slow(MS_OP_ALLOC, block, size, fn, ra, NULL);
  ms_enter();
  int outer = ms_count_is_newest(t, p) && t->head->bytes == size && ms_count_get(ms_count_cell_even(p)) == ms_count_unnamed_small(t);
  if (MS_LIKELY(outer)) {
    *(uint8_t *)t->head->newest = ms_hot_tag(MS_OP_ALLOC, fn);
    t->given_ra = ra; /* nobody can have named it yet */
  }
  ms_leave(t);
  return outer ? block : ms_count_born_slow(MS_OP_ALLOC, block, size, fn, ra, NULL);
}

/* ---- a block is taken ---- */

/* What was there, and the thread's newest block is counted when it is that one. */
static struct taken own_take(struct ms_thread *t, uintptr_t p) {
  if (ms_count_is_newest(t, p)) ms_count_newest(t);
  ms_last_ends(p);
  return cell_take(p);
}

/* Is a block that the stream does not know one from before? Of a forked child's nobody can
 * say, and a sanitizer does not tell of all. */
static int may_be_unseen(void) { return __atomic_load_n(&ms_process->header->pauses, __ATOMIC_RELAXED) || ms_process->header->parent[0] || ms_heard; }

/* The same for a thread that may not use its own counters, without t. */
static struct taken any_take(struct ms_thread *t, uintptr_t p) { return t ? own_take(t, p) : cell_take(p); }

static void frees_count(struct ms_thread *t, uint32_t name, uint64_t bytes) {
  struct ms_counter *counter = t ? counter_of(t, name) : shared_counter(name);
  if (!counter) ms_lost(MS_LOST_NONE, 1);
  else if (t) counter->frees++, counter->gone_bytes += bytes;
  else SHARED_ADD(counter, frees, 1), SHARED_ADD(counter, gone_bytes, bytes);
}

__attribute__((noinline)) void ms_count_dead_slow(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (ms_is_passing(p) || ms_real_is_early((void *)p)) return;
  struct ms_thread *t = own_begin();
  if (t && newest_dead(t, p)) return ms_leave(t);
  struct taken taken = any_take(t, p);
  if (!t && !ms_process_ready()) return ms_lost_ends(p), ms_lost(MS_LOST_NONE, 1);
  int bad = !taken.name && !may_be_unseen();
  if (!bad) frees_count(t, taken.name ? taken.name : MS_COUNTER_UNSEEN, taken.bytes);
  if (t) ms_leave(t);
  if (bad) ms_bad_free(p, fn, ra);
}

MS_COLD void ms_count_ended(uintptr_t p) {
  struct ms_thread *t = own_begin();
  struct taken taken = any_take(t, p);
  struct ms_counter *counter = !taken.name ? NULL : t ? counter_aside(t, taken.name) : shared_counter(taken.name);
  if (counter) SHARED_ADD(counter, ended, 1), SHARED_ADD(counter, gone_bytes, taken.bytes);
  if (t) ms_leave(t);
}

/* ---- realloc ---- */

struct ms_count_from ms_count_realloc_begin(uintptr_t p, unsigned fn, uintptr_t ra) {
  struct ms_count_from from = {.how = MS_REALLOC_UNBORN};
  if (ms_real_is_early((void *)p)) return from;
  struct ms_thread *t = own_begin();
  struct taken taken = any_take(t, p);
  if (t) ms_leave(t);
  else ms_lost_ends(p);
  if (!taken.name && !ms_process_ready()) return (struct ms_count_from){.how = MS_REALLOC_LOST};
  if (!taken.name && ms_process->header->parent[0]) taken.name = MS_COUNTER_UNSEEN;
  if (taken.name) return (struct ms_count_from){.how = MS_REALLOC_OPEN, .name = taken.name, .bytes = taken.bytes, .large = taken.large};
  if (!may_be_unseen()) return ms_bad_free(p, MS_FN_REALLOC_NULL + fn, ra), from;
  if (t) ms_enter();
  frees_count(t, MS_COUNTER_UNSEEN, 0);
  if (t) ms_leave(t);
  return from;
}

static uint32_t cell_back(const struct ms_count_from *from) {
  if (from->name < MS_NAMES_MOST) return ms_count_named(from->name, from->bytes);
  return (from->name - MS_NAMES_MOST) << MS_CELL_SIZE_BITS | (from->large ? MS_CELL_NEWEST_LARGE : MS_CELL_NEWEST);
}

/* It failed: the block lives on. Where its thread has found its newest one gone meanwhile,
 * it has counted an end that is claimed when the block ends. */
static void grown_not(const struct ms_count_from *from, uintptr_t p) {
  if (from->name == MS_COUNTER_UNSEEN) return;
  parts_put(p, from->bytes | from->large);
  ms_count_put(ms_count_cell(p), cell_back(from));
}

/* It gave NULL for a size of 0. */
static void grown_freed(const struct ms_count_from *from) {
  struct ms_thread *t = own_begin();
  frees_count(t, from->name, from->bytes);
  if (t) ms_leave(t);
}

/* Says how a realloc of p ended. */
__attribute__((noinline)) void *ms_count_regrown(const struct ms_count_from *from, void *p, void *q, size_t size, unsigned fn, uintptr_t ra) {
  int open = from->how == MS_REALLOC_OPEN;
  if (q && open) ms_count_born_slow(MS_OP_REALLOC_END, q, size, fn, ra, from);
  else if (q && from->how == MS_REALLOC_UNBORN) ms_count_born_slow(MS_OP_ALLOC, q, size, MS_FN_REALLOC_NULL + fn, ra, NULL);
  else if (open && size) grown_not(from, (uintptr_t)p);
  else if (open) grown_freed(from);
  else if (from->how == MS_REALLOC_LOST) ms_realloc_lost(q, size, fn);
  return q;
}
