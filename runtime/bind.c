/* SPDX-License-Identifier: MIT
 *
 * Names meet blocks. Compiled code comes here, through entry.S, when a call
 * returned the block its thread has newest.
 *
 * Each site a block is handed through is gathered, mostly by compiled code
 * itself; the one without MS_BIND_UP is the last, makes one name of them all and
 * writes it into the block's own row as long as that lies in the window. What
 * nobody ends is named at the thread's next event.
 */
#include "emit.h"

/* Many binds without an event between may eat up the slack. */
MS_HOT_FN int room_for_chain(struct ms_thread *t) {
  if (t->freed) ms_settle_freed(t);
  return MS_LIKELY(t->pos + 3 * MS_GATHER_MOST <= t->hard + MS_SLACK_WORDS) || ms_chunk_roll(t);
}

static void gather(uint32_t site) {
  struct ms_gather *gather = &ms_tls.last.block;
  gather->site[gather->count++] = site;
}

static uint32_t flags_now(const struct ms_thread *t) {
  const struct ms_gather *gather = &ms_tls.last.block;
  return gather->count ? gather->site[gather->count - 1] & MS_BIND_RECORD : t->last_flags;
}

/* Does this site have less right to the block than the name it has? */
static int name_stays(const struct ms_thread *t, uintptr_t offset, uint32_t index) {
  if (!ms_name_now(t) && !ms_tls.last.block.count) return 0;
  uint32_t flags = flags_now(t);
  return (offset && flags & MS_BIND_RECORD) || (index & MS_BIND_WEAK && !(flags & MS_BIND_WEAK));
}

/* The last site of a block that had no name. So that entry.S knows the chain the next time. */
static void settle_last(struct ms_thread *t) {
  struct ms_gather sites = ms_tls.last.block;
  uint32_t before = sites.count - 1, last = sites.site[before];
  struct ms_memo *memo = &t->memos[(last + before) & (MS_MEMOS - 1)];
  int fits = !ms_name_now(t) && sites.count <= sizeof memo->site / sizeof *memo->site;
  ms_settle_block(t);
  if (!fits) return;
  memcpy(memo->site, sites.site, sites.count * sizeof *sites.site);
  memo->count = before;
  memo->name = ms_name_now(t);
}

static void bind(struct ms_thread *t, uintptr_t offset, uint32_t site, uint32_t index) {
  if (!room_for_chain(t)) return;
  if (ms_tls.last.block.count >= MS_GATHER_MOST) ms_settle_block(t);
  if (name_stays(t, offset, index)) {
    if (!(index & MS_BIND_UP) && ms_tls.last.block.count) ms_settle_block(t);
    return;
  }
  gather(site);
  if (index & MS_BIND_UP && !(index & MS_BIND_WEAK)) return;
  if (!(index & MS_BIND_WEAK)) return settle_last(t);
  ms_settle_block(t);
  t->last_flags |= MS_BIND_WEAK;
}

void ms_bind(void *block, struct ms_unit *unit, uint32_t index) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t offset = (uintptr_t)block - ms_tls.last.last_block;
  if (!t->record || offset >= MS_NEAR_BYTES || (offset && offset >= ms_newest_size(t))) return;
  uint32_t site = unit->first_site + (offset ? index & ~MS_BIND_RECORD : index);
  ms_enter();
  bind(t, offset, site, index);
  if (!(index & MS_BIND_UP)) ms_tls.last.last_block = MS_NO_BLOCK;
  ms_leave(t);
}
