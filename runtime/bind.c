/* SPDX-License-Identifier: MIT
 *
 * Names meet blocks. Compiled code comes here, through stub.S, when a call
 * returned the block its thread has newest, or freed the pointer freed last.
 *
 * The first site names the block; each further one, an outer frame, makes a
 * chain of both. The name is written into the block's own row as long as that
 * lies in the window. A site without MS_BIND_UP is the last.
 */
#include "emit.h"

MS_HOT_FN uint32_t site_id(const struct ms_unit *unit, uint32_t index) {
  return unit->first_site + (index & MS_BIND_INDEX);
}

static uint32_t chain_of(struct ms_thread *t, uint32_t parent, uint32_t site) {
  uint64_t key = (uint64_t)parent << 32 | site;
  const struct ms_intern *chain = &t->chains[ms_intern_slot(key, MS_CHAINS)];
  return MS_LIKELY(chain->key == key) ? chain->name : ms_chain(t, parent, site);
}

static MS_COLD void name_late(struct ms_thread *t) {
  uint64_t row[2];
  uint32_t gen = ms_cells ? ms_cell_get(ms_cell(t->last_p)) & MS_GEN_MASK : 0;
  ms_put_bind(row, (struct ms_row_bind){.gen = gen, .addr8 = t->last_p >> 3, .name = t->last_name});
  ms_own_put(t, row, 2);
}

/* Does this site have less right to the block than the name it has? */
MS_HOT_FN int name_stays(const struct ms_thread *t, uintptr_t offset, uint32_t index) {
  return t->last_name && ((offset && t->last_flags & MS_LAST_RECORD) || (index & MS_BIND_WEAK && !(t->last_flags & MS_LAST_WEAK)));
}

static void name_give(struct ms_thread *t, uintptr_t offset, uint32_t site, uint32_t index) {
  if (name_stays(t, offset, index)) return;
  t->last_name = t->last_name ? chain_of(t, t->last_name, site) : site;
  t->last_flags = (!offset && index & MS_BIND_RECORD ? MS_LAST_RECORD : 0) | (index & MS_BIND_WEAK ? MS_LAST_WEAK : 0);
  t->pending = 0;
  if (MS_LIKELY(t->name != NULL)) *t->name = t->last_name;
  else name_late(t);
}

/* Many binds without an event between may eat up the slack. */
MS_HOT_FN int room_for_bind(struct ms_thread *t) {
  return MS_LIKELY(t->pos + 8 <= t->hard + MS_SLACK_WORDS) || ms_chunk_roll(t);
}

void ms_bind(void *block, struct ms_unit *unit, uint32_t index) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t offset = (uintptr_t)block - ms_tls.last.last_block;
  if (!t->window || t->last_p != ms_tls.last.last_block || !unit->first_site) return;
  if (offset >= MS_NEAR_BYTES || (offset && offset >= t->last_size)) return;
  ms_enter();
  if (room_for_bind(t)) name_give(t, offset, site_id(unit, index), index);
  if (!(index & MS_BIND_UP)) ms_tls.last.last_block = MS_NO_BLOCK;
  ms_leave(t);
}

void ms_freed(void *block, struct ms_unit *unit, uint32_t index) {
  struct ms_thread *t = ms_tls.self;
  if (!t->window || (uintptr_t)block != ms_tls.last.last_freed || !unit->first_site) return;
  uint32_t site = site_id(unit, index);
  ms_enter();
  if (room_for_bind(t)) {
    int named = (t->pending & (MS_PENDING_FREE | MS_PENDING_NAME)) == (MS_PENDING_FREE | MS_PENDING_NAME);
    uint32_t place = named ? chain_of(t, (uint32_t)t->pending, site) : site;
    t->pending = MS_PENDING_FREE | MS_PENDING_NAME | place;
    if (!(index & MS_BIND_UP)) {
      if (place != t->place) ms_settle(t);
      t->pending = 0;
      t->place_ra = 0;
      ms_tls.last.last_freed = MS_NO_BLOCK;
    }
  }
  ms_leave(t);
}
