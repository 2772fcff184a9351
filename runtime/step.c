/* SPDX-License-Identifier: MIT
 *
 * Names meet blocks, and frees their places. Compiled code comes here, through
 * entry.S, when a site has to take a step that it does not remember: it is the first
 * time, or other code than the last time leads to it, or the pointer lies inside the
 * block.
 */
#include "emit.h"

static void remember(struct ms_unit *unit, uint32_t bits, uint32_t from, uint32_t to) {
  typedef uint64_t __attribute__((may_alias)) whole;
  struct ms_step step = {from, to};
  whole word;
  memcpy(&word, &step, sizeof word);
  __atomic_store_n((whole *)&unit->steps[bits & MS_BIND_INDEX], word, __ATOMIC_RELAXED);
}

static uint32_t site_of(const struct ms_unit *unit, uint32_t bits) {
  return (unit->first_site + (bits & MS_BIND_INDEX)) | (bits & (MS_BIND_RECORD | MS_BIND_WEAK));
}

/* Has this site less right to the block than the name it has? */
static int name_stays(uint32_t name, uintptr_t offset, uint32_t bits) {
  if (!ms_name_is_given(name)) return 0;
  uint32_t flags = (uint32_t)ms_names[name];
  return (offset && flags & MS_BIND_RECORD) || (bits & MS_BIND_WEAK && !(flags & MS_BIND_WEAK));
}

static void block_step(struct ms_thread *t, uintptr_t offset, struct ms_unit *unit, uint32_t bits) {
  uint32_t from = ms_tls.last.name, site = site_of(unit, offset ? bits & ~MS_BIND_RECORD : bits);
  uint32_t to = name_stays(from, offset, bits) ? from : ms_name_step(from, site);
  if (!to) to = from; /* for once: there may be room later */
  else if (!offset) remember(unit, bits, from, to);
  ms_tls.last.name = to;
  if (bits & MS_BIND_UP) return;
  ms_newest_settle(t);
  ms_tls.last.last_block = MS_NO_BLOCK;
}

static void freed_step(struct ms_unit *unit, uint32_t bits) {
  uint32_t from = ms_tls.last.freed_name, to = ms_name_step(from, site_of(unit, bits));
  if (to) remember(unit, bits, from, to);
  ms_tls.last.freed_name = to ? to : from;
  if (!(bits & MS_BIND_UP)) ms_tls.last.last_freed = MS_NO_BLOCK;
}

void ms_step(void *block, struct ms_unit *unit, uint32_t bits) {
  struct ms_thread *t = ms_tls.self;
  uintptr_t offset = (uintptr_t)block - ms_tls.last.last_block;
  if (!t->record) return;
  ms_enter();
  if (bits & MS_BIND_FREED) freed_step(unit, bits);
  else if (!offset || (offset < MS_NEAR_BYTES && offset < ms_newest_size(t))) block_step(t, offset, unit, bits);
  ms_leave(t);
}
