/* SPDX-License-Identifier: MIT
 *
 * Names meet blocks. Compiled code comes here, through entry.S, when a call
 * returned the block its thread has newest, or freed the pointer freed last.
 *
 * The first site names the block; each further one, an outer frame, makes a
 * chain of both. A site with MS_BIND_UP is only gathered; the one without is
 * the last, and writes the name into the block's own row as long as that lies
 * in the window. A chain that nobody ends is written at the thread's next event.
 */
#include "emit.h"

/* Many binds without an event between may eat up the slack. */
MS_HOT_FN int room_for_chain(struct ms_thread *t) {
  return MS_LIKELY(t->pos + 3 * MS_CHAIN_MOST <= t->hard + MS_SLACK_WORDS) || ms_chunk_roll(t);
}

MS_HOT_FN uint32_t site_of(const struct ms_unit *unit, uint32_t index) { return unit->first_site + index; }

/* The chain gathered, ended by site; 0 = not made yet. */
static uint32_t chain_find(struct ms_thread *t, uint32_t site) {
  uint64_t hash = ms_chain_step(ms_tls.block.hash, site);
  const struct ms_intern *chain = ms_chain_slot(t, hash);
  return chain->key == hash ? chain->name : 0;
}

static uint32_t flags_now(const struct ms_thread *t) {
  const struct ms_gather *gather = &ms_tls.block;
  return gather->count ? gather->site[gather->count - 1] & MS_BIND_RECORD : t->last_flags;
}

/* Does this site have less right to the block than the name it has? */
static int name_stays(const struct ms_thread *t, uintptr_t offset, uint32_t index) {
  if (!t->last_name && !ms_tls.block.count) return 0;
  uint32_t flags = flags_now(t);
  return (offset && flags & MS_BIND_RECORD) || (index & MS_BIND_WEAK && !(flags & MS_BIND_WEAK));
}

/* Weak and interior ones, chains never seen, rows that are gone. */
static MS_COLD void bind_slow(struct ms_thread *t, uintptr_t offset, uint32_t site, uint32_t index) {
  if (!room_for_chain(t)) return;
  if (ms_tls.block.count == MS_CHAIN_MOST) ms_settle_block(t);
  if (name_stays(t, offset, index)) {
    if (!(index & MS_BIND_UP) && ms_tls.block.count) ms_settle_block(t);
    return;
  }
  ms_gather(&ms_tls.block, site);
  if (index & MS_BIND_UP && !(index & MS_BIND_WEAK)) return;
  ms_settle_block(t);
  t->last_flags |= index & MS_BIND_WEAK;
}

/* The last site of a block at its beginning. */
static int bind_final(struct ms_thread *t, uint32_t site) {
  uint32_t name = ms_tls.block.hash ? chain_find(t, site) : site & MS_GATHERED_ID;
  if (!name || !t->name) return 0;
  *t->name = t->last_name = name;
  t->pending = 0;
  ms_gather_clear(&ms_tls.block, name);
  return 1;
}

void ms_bind(void *block, struct ms_unit *unit, uint32_t index) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t offset = (uintptr_t)block - ms_tls.last.last_block;
  if (!t->record || offset >= MS_NEAR_BYTES || (offset && offset >= t->last_size)) return;
  uint32_t site = site_of(unit, offset ? index & ~MS_BIND_RECORD : index);
  ms_enter();
  if (offset || index & (MS_BIND_WEAK | MS_BIND_UP) || !bind_final(t, site)) bind_slow(t, offset, site, index);
  if (!(index & MS_BIND_UP)) ms_tls.last.last_block = MS_NO_BLOCK;
  ms_leave(t);
}

#if !defined(__x86_64__)
void ms_freed(void *block, struct ms_unit *unit, uint32_t index) {
  struct ms_gather *place = &ms_tls.place;
  if ((uintptr_t)block != ms_tls.last.last_freed) return;
  if (!place->count) ms_gather_clear(place, 0);
  if (place->count < MS_CHAIN_MOST) ms_gather(place, site_of(unit, index));
  if (!(index & MS_BIND_UP)) ms_tls.last.last_freed = MS_NO_BLOCK;
}
#endif
