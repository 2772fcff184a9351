/* SPDX-License-Identifier: MIT
 *
 * Names: what a site makes of the name before it, and callers in code without sites.
 * A process has one table of them for all its threads. It lies in the stream itself,
 * piece by piece (NAMES records), mapped side by side so that an id is an index; an
 * index of our own finds a name's id. Both only grow, by single stores: no lock, and a
 * signal handler may come between at any instant.
 *
 * Ids are also in the steps that sites remember, in memory that a forked child
 * inherits: so the table is not zeroed there but copied to the child's stream.
 */
#include "count.h"

enum {
  PIECE_BYTES = MS_NAMES_WORDS * sizeof(uint64_t),
  SLOTS = 2 * MS_NAMES_MOST,
  FIRST_SLOTS = 1024,
  PIECES_AHEAD = 16,
  YIELDS_MOST = 1 << 24, /* seconds: only a thread that was killed alone takes so long */
  RESERVED_BYTES = MS_NAMES_MOST * sizeof(uint64_t) + (SLOTS + FIRST_SLOTS) * sizeof(uint32_t),
};

enum piece_state { PIECE_NONE, PIECE_TAKEN /* somebody is about to map it */, PIECE_STANDS, PIECE_REFUSED };

uint64_t *ms_names; /* MS_NAMES_MOST words of address space; NULL: nothing gets a name */
static uint32_t *slots, *first_slots; /* behind them, by hash: ids */
static uint32_t next;   /* id */
static uint8_t pieces[MS_NAMES_MOST / MS_NAMES_WORDS]; /* enum piece_state */
static uint32_t unloads; /* images unmapped since, or forks: what was at an address may be something else */

/* ---- the table in the stream ---- */

static uint64_t *piece_at(uint32_t number) { return ms_names + (size_t)number * MS_NAMES_WORDS; }

/* A piece of the stream, with the names it begins with, mapped in place of what is there. */
static int piece_map(uint32_t number, const uint64_t *names, uint32_t count) {
  struct ms_record record = {.kind = MS_RECORD_NAMES, .bytes = PIECE_BYTES, .thread = number * MS_NAMES_WORDS};
  ms_record_check(&record);
  struct ms_os_piece begin[] = {{&record, sizeof record}, {names, count * sizeof *names}};
  if (!ms_room_map(piece_at(number), PIECE_BYTES, begin, 2, MS_SPARED)) return 0;
  ms_record_stands(PIECE_BYTES);
  return 1;
}

static int piece_make(uint32_t number, const uint64_t *names, uint32_t count) {
  int made = piece_map(number, names, count);
  __atomic_store_n(&pieces[number], made ? PIECE_STANDS : PIECE_REFUSED, __ATOMIC_RELEASE);
  return made;
}

/* By one thread only: names may be in it as soon as it stands. No handler comes between:
 * what that waits for, or itself, may be waiting for the piece. */
static void piece_need(uint32_t number) {
  struct ms_os_block block;
  uint8_t none = PIECE_NONE;
  if (number >= sizeof pieces || __atomic_load_n(&pieces[number], __ATOMIC_RELAXED) != PIECE_NONE) return;
  ms_os_signals_hold(&block);
  if (__atomic_compare_exchange_n(&pieces[number], &none, PIECE_TAKEN, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) piece_make(number, NULL, 0);
  ms_os_signals_release(&block);
}

/* Of a process that is about to record: the first piece, or all in which its parent had
 * names. A parent's others, and one it was about to map, are not the child's. */
int ms_names_begin(void) {
  if (!ms_names) return 1;
  if (!next) next = MS_NAMES_HEADER;
  uint32_t count = next / MS_NAMES_WORDS + 1;
  if (count > sizeof pieces) count = sizeof pieces;
  memset(pieces + count, PIECE_NONE, sizeof pieces - count);
  for (uint32_t number = 0; number < count; number++) {
    uint32_t first = number * MS_NAMES_WORDS + MS_NAMES_HEADER, end = (number + 1) * MS_NAMES_WORDS;
    uint32_t known = pieces[number] == PIECE_STANDS && next > first ? (next < end ? next : end) - first : 0;
    if (!piece_make(number, ms_names + first, known)) return 0;
  }
  ms_names_unload(); /* a parent's callers were met on its clock */
  return 1;
}

void ms_names_ahead(void) {
  uint32_t number = __atomic_load_n(&next, __ATOMIC_RELAXED) / MS_NAMES_WORDS;
  for (uint32_t end = number + PIECES_AHEAD; ++number < end;) piece_need(number);
}

/* Callers met from now on are others, even at the same address. */
void ms_names_unload(void) { __atomic_fetch_add(&unloads, 1, __ATOMIC_RELAXED); }

/* Once in a process; its children have the same. */
void ms_names_reserve(void) {
  ms_names = ms_reserve(RESERVED_BYTES, MS_KEPT);
  slots = (uint32_t *)(ms_names + MS_NAMES_MOST);
  first_slots = slots + SLOTS;
}

/* Another thread may be about to map it. Who waits too long waits for all; one that was
 * merely late has it stand all the same. */
static int piece_wait(uint32_t number) {
  uint8_t state;
  piece_need(number);
  for (int i = 0; (state = __atomic_load_n(&pieces[number], __ATOMIC_ACQUIRE)) == PIECE_TAKEN && i < YIELDS_MOST; i++) {
    if (ms_process->state != MS_STATE_RECORDING) return 0;
    ms_os_yield();
  }
  if (state == PIECE_TAKEN) __atomic_compare_exchange_n(&pieces[number], &state, PIECE_REFUSED, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return state == PIECE_STANDS;
}

/* That many words' id; 0: none. The next piece is mapped by the first who is behind the middle of one. */
static uint32_t id_take(uint32_t words) {
  for (;;) {
    uint32_t id = __atomic_fetch_add(&next, words, __ATOMIC_RELAXED), number = id / MS_NAMES_WORDS, in = id % MS_NAMES_WORDS;
    if (id >= MS_NAMES_MOST - words) {
      __atomic_store_n(&next, MS_NAMES_MOST - words, __ATOMIC_RELAXED);
      return 0;
    }
    if (in >= MS_NAMES_WORDS / 2) piece_need(number + 1);
    if (in >= MS_NAMES_HEADER && in + words <= MS_NAMES_WORDS) return piece_wait(number) ? id : 0;
  }
}

/* ---- finding a name ---- */

static uint32_t hash_of(uint64_t name) {
  name *= UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)((name ^ name >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

/* The slot of that name, or the one where it belongs. */
static uint32_t *slot_find_in(uint32_t *table, uint32_t count, uint64_t name) {
  for (uint32_t at = hash_of(name);; at++) {
    uint32_t *slot = &table[at & (count - 1)], id = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!id || ms_names[id] == name) return slot;
  }
}

/* The first names are in one page, which costs a fault, not two for each of them. */
static uint32_t *slot_find(uint64_t name) {
  uint32_t *slot = slot_find_in(first_slots, FIRST_SLOTS, name);
  if (__atomic_load_n(slot, __ATOMIC_RELAXED) || __atomic_load_n(&next, __ATOMIC_RELAXED) < FIRST_SLOTS / 4) return slot;
  return slot_find_in(slots, SLOTS, name);
}

/* Two threads may come with the same one at once: then both ids mean it. */
static MS_COLD uint32_t name_add(uint64_t name) {
  int is_caller = (name & MS_NAME_CALLER) != 0;
  uint32_t id = id_take(1 + is_caller);
  if (!id) return 0;
  if (is_caller) ms_names[id + 1] = ms_process_ns(ms_os_now());
  __atomic_store_n(&ms_names[id], name, __ATOMIC_RELEASE);
  for (;;) {
    uint32_t *slot = slot_find(name), none = 0;
    if (__atomic_compare_exchange_n(slot, &none, id, 0, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) return id;
    if (ms_names[none] == name) return none;
  }
}

/* 0: it has none yet. Another name may have taken the slot since it was found. */
static uint32_t name_find(uint64_t name) {
  uint32_t id = __atomic_load_n(slot_find(name), __ATOMIC_ACQUIRE);
  return ms_names[id] == name ? id : 0;
}

uint32_t ms_name_step(uint32_t from, uint32_t site) {
  if (MS_UNLIKELY(!ms_names)) return 0;
  uint64_t name = ms_name_of_site(ms_name_is_given(from) ? from : 0, site);
  uint32_t id = name_find(name);
  return MS_LIKELY(id) ? id : name_add(name);
}

/* The image it lies in is looked for when the caller is new; t: NULL where that cannot be. ra 0: nobody knows it. */
uint32_t ms_name_caller(struct ms_thread *t, uintptr_t ra) {
  if (MS_UNLIKELY(!ms_names || !ra)) return MS_NAME_NONE;
  uint32_t id = name_find(ms_name_of_caller(unloads, ra));
  if (MS_LIKELY(id)) return id;
  if (t) ms_modules_look(t, ra);
  uint64_t name = ms_name_of_caller(unloads, ra);
  id = name_find(name);
  if (!id) id = name_add(name);
  return id ? id : MS_NAME_NONE;
}
