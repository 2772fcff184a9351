/* SPDX-License-Identifier: MIT
 *
 * The slow path of every event: first ones, full windows, exact mode, sizes of
 * 4 GiB, cells in an unexpected state, events inside a row or after the
 * thread's end. Every thread, also in signal handlers.
 */
#include "sample.h"

uint16_t *ms_cells;
const struct ms_place ms_no_place = {.sites.count = UINT32_MAX};

/* ---- cells ---- */

static int cell_is_live(uintptr_t p) { return !ms_cells || ms_cell_get(ms_cell(p)) & MS_CELL_LIVE; }

static uint32_t cell_birth(uintptr_t p) {
  if (!ms_cells) return 0;
  uint32_t cell = ms_cell_born(ms_cell_get(ms_cell(p)));
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

static void rows_stamp(struct rows *rows) {
  if (!ms_process->exact) return;
  uint64_t serial = 1 + __atomic_fetch_add(&ms_process->serial, 1, __ATOMIC_RELAXED);
  ms_put_stamp(rows->word + rows->used, (struct ms_row_stamp){.serial = serial, .ns = ms_process_ns(ms_os_now())});
  rows->used += 2;
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

/* Ids of callers in shared rows: the thread's own counter may be in use. */
static void rows_share_caller(struct rows *rows, uintptr_t ra, uint32_t *name_word) {
  static uint32_t given;
  uint32_t id = MS_NAME_ID - (__atomic_fetch_add(&given, 1, __ATOMIC_RELAXED) & 0x0fffffff);
  struct rows with = {.used = 2};
  ms_put_caller(with.word, (struct ms_row_caller){.id = id, .address = ra});
  for (uint32_t i = 0; i < rows->used; i++) with.word[with.used++] = rows->word[i];
  *rows = with;
  *name_word = MS_NAME_CALLER | id;
}

/* ---- allocation ---- */

/* The block the thread has just recorded comes out of an outer function: one
 * event, and its function is the outer one. */
static int birth_is_outer(const struct ms_thread *t, uintptr_t p, enum ms_op op, unsigned fn) {
  if (ms_newest(t) != p) return 0;
  if (ms_cells) return ms_cell_get(ms_cell(p)) & MS_CELL_LIVE;
  return op == MS_OP_ALLOC ? fn > 7 : fn > 1; /* no plane to tell: only those that always have an inner one */
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
  *(ms_half *)(row + 1) = (uint32_t)size;
  return 1;
}

static void birth_shared(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  if (!ms_process_ready()) return ms_lost(MS_LOST_NONE, 1);
  if (birth_shared_outer(op, p, size, fn)) return;
  struct rows rows = {.used = 0};
  uint32_t name;
  rows_birth(&rows, op, p, cell_birth(p), size, fn);
  rows_share_caller(&rows, ra, &name);
  rows.word[rows.used - 1] |= (uint64_t)name << 32;
  uint64_t *to = rows_share(&rows, 1);
  ms_tls.shared_row = to ? to + rows.used - 2 : NULL;
}

/* The process's first: only now we know what is to be recorded. */
static MS_COLD int birth_is_sampled(uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  if (!ms_process_ready() || ms_on != MS_SAMPLING) return 0;
  ms_sample_born((void *)p, size, fn, ra);
  return 1;
}

static void birth(enum ms_op op, uintptr_t p, size_t size, unsigned fn, uintptr_t ra) {
  struct ms_thread *t = ms_tls.self;
  if (MS_UNLIKELY(!ms_process) && birth_is_sampled(p, size, fn, ra)) return;
  if (birth_is_outer(t, p, op, fn) && ms_process_ready()) return ms_rename(t, op, size, fn, ra);
  t = ms_own_begin();
  if (!t) return birth_shared(op, p, size, fn, ra);
  if (t->stacks) ms_stack_put(t, ra);
  birth_own(t, op, p, size, fn, ra);
  ms_own_end(t);
}

/* Most that come here are as plain as any, only something before them is to be settled. */
__attribute__((noinline)) void *ms_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra) {
  uintptr_t p = (uintptr_t)block;
  struct ms_thread *t = ms_is_plain(p, size, 8) ? ms_begin() : NULL;
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

/* The newest row, of an end whose place is named in it. */
static void dead_named(struct ms_thread *t, uint64_t *row, uintptr_t p, uintptr_t ra) {
  ms_dead(t, row, p, ra);
  t->place = &ms_no_place; /* so that it is looked at when it is settled */
}

/* Once paused, nobody can say any more whether such a block was there. */
static void bad_free(uintptr_t p, unsigned fn, uintptr_t ra) {
  uint64_t row[2];
  if (ms_on == MS_SAMPLING) return; /* most likely of a block that was not drawn */
  if (ms_process->header->pauses) ms_put_unseen_free(row, (struct ms_row_unseen_free){.fn = fn, .address = p});
  else ms_put_bad_free(row, (struct ms_row_bad_free){.fn = fn, .address = p});
  struct ms_thread *t = ms_own_begin();
  if (!t) return ms_emit_row(row, 2);
  ms_own_put(t, row, 2);
  dead_named(t, t->pos - 2, p, ra);
  ms_own_end(t);
}

/* Into whichever window; the own one when it is not NULL. */
static void death(struct ms_thread *t, enum ms_op op, uintptr_t p, unsigned fn) {
  struct rows rows = {.used = 0};
  rows_death(&rows, op, p, cell_death(p), fn);
  if (!t) {
    rows_share(&rows, 1);
    return;
  }
  ms_own_put(t, rows.word, rows.used);
  if (ms_newest(t) != p) return;
  t->row = NULL;
  t->left_p = 0;
}

/* Not recorded: but the cell must not stay live, or the next block there is
 * taken for the same one. */
static void death_lost(uintptr_t p) {
  cell_death(p);
  ms_lost(MS_LOST_NONE, 1);
}

static MS_COLD void free_slower(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (ms_real_is_early((void *)p)) return;
  if (!ms_process_ready()) return death_lost(p);
  if (!cell_is_live(p)) return bad_free(p, fn, ra);
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
  if (p == ms_tls.passing) return; /* no event of its own: settles nothing */
  struct ms_thread *t = p & 7 ? NULL : ms_begin();
  if (!t || !ms_free_put(t, ms_cell(p), p, fn, ra)) free_slower(p, fn, ra);
}

/* Without the plane nobody knows the block: it ends when its address is given out again. */
MS_COLD void ms_paused_end(uintptr_t p) {
  if (p == ms_tls.passing || ms_real_is_early((void *)p) || !ms_process_ready()) return;
  ms_paused_look();
  if (!ms_cells || !cell_is_live(p)) return;
  struct ms_thread *t = ms_own_begin();
  if (t || ms_process_ready()) death(t, MS_OP_ENDED, p, 0);
  else death_lost(p);
  if (ms_tls.last.last_block == p) ms_tls.last.last_block = MS_NO_BLOCK;
  if (t) ms_own_end(t);
}

/* ---- realloc ---- */

MS_COLD enum ms_realloc ms_realloc_begin_slow(uintptr_t p, unsigned fn, uintptr_t ra) {
  if (p == ms_tls.passing) return MS_REALLOC_SILENT;
  if (ms_real_is_early((void *)p)) return MS_REALLOC_UNBORN;
  if (!ms_process_ready()) return death_lost(p), MS_REALLOC_SILENT;
  if (!cell_is_live(p)) return bad_free(p, MS_FN_REALLOC_NULL + fn, ra), MS_REALLOC_UNBORN;
  struct ms_thread *t = ms_own_begin();
  if (t) {
    death(t, MS_OP_REALLOC_BEGIN, p, fn);
    if (ms_tls.last.last_block == p) ms_tls.last.last_block = MS_NO_BLOCK;
    ms_own_end(t);
  } else if (ms_process_ready()) {
    death(NULL, MS_OP_REALLOC_BEGIN, p, fn);
  } else {
    return death_lost(p), MS_REALLOC_SILENT;
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
  dead_named(t, t->pos - 2, p, ra);
  ms_own_end(t);
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
    ms_own_end(t);
  } else if (ms_process_ready()) {
    rows_share(&rows, 0);
  }
}

/* ---- chains ---- */

static uint64_t chain_step(uint64_t hash, uint32_t site) {
  return ((hash << 27 | hash >> 37) ^ site) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct ms_intern *chain_slot(struct ms_thread *t, uint64_t hash) { return &t->chains[hash >> 40 & (MS_CHAINS - 1)]; }

/* Of the sites behind a name; 0: behind none. */
static uint64_t chain_hash(uint32_t name, const struct ms_gather *gather) {
  uint64_t hash = name ? chain_step(0, name) : 0;
  for (uint32_t i = 0; i < gather->count; i++) hash = chain_step(hash, gather->site[i]);
  return hash;
}

/* Is the entry of that key, and its name defined where this thread's rows now go? */
static int is_told(const struct ms_thread *t, const struct ms_intern *entry, uint64_t key) {
  return entry->key == key && entry->told == t->telling;
}

/* ---- names that nobody gave ---- */

static uint32_t caller_name(struct ms_thread *t, uint64_t ra) {
  struct ms_intern *caller = &t->callers[chain_step(0, (uint32_t)ra) >> 40 & (MS_CALLERS - 1)];
  if (is_told(t, caller, ra)) return caller->name;
  ms_modules_look(t, (uintptr_t)ra);
  uint32_t id = caller->key == ra ? caller->name & MS_NAME_ID : ++t->callers_given & (MS_NAME_ID >> 1);
  uint64_t row[2];
  ms_put_caller(row, (struct ms_row_caller){.id = id, .address = ra});
  ms_own_put(t, row, 2);
  *caller = (struct ms_intern){.key = ra, .name = MS_NAME_CALLER | id, .told = t->telling};
  return caller->name;
}

/* The parent is spread over the whole word before the site is added: side by side
 * their bits would meet, and neighbours be taken for one another. */
static uint32_t pair_name(struct ms_thread *t, uint32_t parent, uint32_t site) {
  uint64_t key = chain_step(chain_step(0, parent), site);
  struct ms_intern *chain = chain_slot(t, key);
  if (is_told(t, chain, key)) return chain->name;
  uint32_t id = (chain->key == key ? chain->name : ++t->chains_given) & MS_NAME_ID;
  uint64_t row[2];
  ms_put_chain(row, (struct ms_row_chain){.id = id, .parent = parent, .site = site});
  ms_own_put(t, row, 2);
  *chain = (struct ms_intern){.key = key, .name = MS_NAME_CHAIN | id, .told = t->telling};
  return chain->name;
}

/* A chain not met before. */
static MS_COLD uint32_t chain_make(struct ms_thread *t, uint64_t hash, const struct ms_gather *gather, uint32_t name) {
  for (uint32_t i = 0; i < gather->count; i++) {
    uint32_t site = gather->site[i] & MS_GATHERED_ID;
    name = name ? pair_name(t, name, site) : site;
  }
  struct ms_intern *chain = chain_slot(t, hash);
  *chain = (struct ms_intern){.key = hash, .name = name, .told = t->telling};
  return name;
}

/* Ids of chains are interned twice over: by the hash of the whole, one look for
 * any length, and pair by pair, so that chains share their beginnings. */
static uint32_t chain_name(struct ms_thread *t, const struct ms_gather *gather, uint32_t name) {
  uint64_t hash = chain_hash(name, gather);
  const struct ms_intern *chain = chain_slot(t, hash);
  return MS_LIKELY(is_told(t, chain, hash)) ? chain->name : chain_make(t, hash, gather, name);
}

void ms_names_tell(struct ms_thread *t) {
  t->telling++;
  memset(t->memos, 0, sizeof t->memos);
}

/* ---- places ---- */

static struct ms_place *place_find(struct ms_thread *t) {
  for (uint32_t i = 0; i < MS_PLACE_SLOTS; i++)
    if (t->places[i].name && ms_freed_at(t, &t->places[i])) return &t->places[i];
  return NULL;
}

/* The next slot means that place from here on. */
static struct ms_place *place_put(struct ms_thread *t, const struct ms_gather *sites, uint32_t name) {
  uint32_t slot = t->place_next++ % MS_PLACE_SLOTS;
  struct ms_place *place = &t->places[slot];
  *place = (struct ms_place){.ra = t->freed_ra, .name = name, .sites = *sites};
  uint64_t row;
  ms_put_place(&row, (struct ms_row_place){.slot = slot, .name = name});
  ms_own_put(t, &row, 1);
  return place;
}

/* May look for modules, whose rows may fill the window. */
static MS_COLD struct ms_place *place_make(struct ms_thread *t) {
  const struct ms_gather *gather = &ms_tls.last.freed;
  return place_put(t, gather, gather->count ? chain_name(t, gather, 0) : caller_name(t, t->freed_ra));
}

/* The row of the newest free is told its place. */
static void freed_tell(struct ms_thread *t, const struct ms_place *place) {
  uint64_t *row = t->freed;
  uint8_t *tag = (uint8_t *)row;
  t->freed = NULL;
  t->place = place;
  t->slot = (uint64_t)(place - t->places) << 4;
  switch (ms_row_tag(*tag)) {
  case MS_TAG_FREE: *tag = (uint8_t)((*tag & ~(3 << 4)) | t->slot); break;
  case MS_TAG_UNSEEN_FREE:
  case MS_TAG_BAD_FREE: ((ms_half *)row)[1] = place->name; break;
  default: ((ms_half *)row)[3] = place->name; /* REALLOC_END */
  }
}

/* The row is of a free at another place than the slot in it means, or one that
 * names its place itself. */
void ms_settle_freed(struct ms_thread *t) {
  struct ms_place *place = place_find(t);
  if (!place) place = place_make(t);
  if (t->freed) freed_tell(t, place);
}

/* The row goes before its place is found: it shall name none rather than another's. */
static MS_COLD void freed_leaves(struct ms_thread *t) {
  static const struct ms_gather nowhere = {.count = UINT32_MAX};
  freed_tell(t, place_put(t, &nowhere, 0));
}

/* ---- the newest block ---- */

static MS_COLD void name_late(struct ms_thread *t, uint32_t name) {
  uint64_t row[2];
  uint32_t gen = ms_cells ? ms_cell_gen(ms_cell_get(ms_cell(t->left_p))) : 0;
  ms_put_bind(row, (struct ms_row_bind){.gen = gen, .addr8 = t->left_p >> 3, .name = name});
  ms_own_put(t, row, 2);
  t->left_name = name;
}

/* The sites behind the name it has. */
static uint32_t settle_chain(struct ms_thread *t) {
  struct ms_gather *gather = &ms_tls.last.block;
  uint32_t name = ms_name_now(t);
  t->last_flags = gather->site[gather->count - 1] & MS_BIND_RECORD;
  name = chain_name(t, gather, name);
  gather->count = 0;
  return name;
}

void ms_settle_block(struct ms_thread *t) {
  uint64_t pending = t->pending;
  t->pending = 0;
  if (!ms_tls.last.block.count && !pending) return;
  uint32_t name = ms_tls.last.block.count ? settle_chain(t) : caller_name(t, pending);
  if (t->row) *ms_row_name(t->row) = name;
  else name_late(t, name);
}

/* The window's rows are about to go: what they hold of the newest block is kept. */
void ms_newest_leaves(struct ms_thread *t) {
  if (t->freed) freed_leaves(t);
  if (!t->row) return;
  t->left_p = ms_newest(t);
  t->left_size = *ms_row_size(t->row);
  t->left_name = *ms_row_name(t->row);
  t->row = NULL;
}

/* Names what has no name yet. The caller is busy. */
void ms_settle(struct ms_thread *t) {
  ms_settle_block(t);
  if (t->freed) ms_settle_freed(t);
}
