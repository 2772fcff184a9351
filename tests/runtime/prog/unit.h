/* SPDX-License-Identifier: MIT
 *
 * Units by hand, as the plugin lays them out, and the checks behind calls as
 * abi.h words them, so that the runtime's side can be tested rule by rule.
 *
 *   UNIT(name, SITE("holder") SITE("holder") …, "source.c")
 *   p = BIND(name, malloc(10), index | MS_BIND_UP);
 *   FREED(name, p, free(p), index);
 */
#ifndef UNIT_H
#define UNIT_H

#include <stddef.h>
#include <stdint.h>

#include "memscope/abi.h"

enum { UNIT_SITES_MOST = 32 };

/* A string, and the site that names it; lines are 10, 20, 30 … */
#define SITE(holder)                                                                                                   \
  ".pushsection .rodata.unit_strings, \"a\"\n1: .asciz \"" holder "\"\n.popsection\n"                                 \
  ".long 1b - 8b, 0, 9f - 8b, (. - 7b - 12) / 32 * 10 + 10, 0, 0\n.short 1\n.byte 2, 0\n.long 0\n"
#define UNIT(unit, sites, source)                                                                                      \
  struct ms_unit unit __attribute__((visibility("hidden"), used));                                                     \
  static struct ms_step unit##_steps[UNIT_SITES_MOST] __attribute__((used));                                           \
  __asm__(".pushsection .rodata.unit_strings, \"a\"\n8: .byte 0\n.popsection\n"                                       \
          ".pushsection .rodata.unit_sites, \"a\"\n.balign 8\n7:\n" sites "6:\n.popsection\n"                         \
          ".pushsection .rodata.unit_strings, \"a\"\n9: .asciz \"" source "\"\n5:\n.popsection\n"                      \
          ".pushsection .note.memscope, \"a\", @note\n.balign 4\n"                                                     \
          ".long 9, 52, 1\n.ascii \"MemScope\"\n.byte 0, 0, 0, 0\n"                                                    \
          ".long 3, " #unit " - ., 7b - ., (6b - 7b) / 32, 0, 0, 0, 0, 8b - ., 5b - 8b, 9b - 8b, 0, " #unit "_steps - .\n.popsection\n");

static inline volatile struct ms_last *unit_last(const struct ms_unit *unit) {
  return (volatile struct ms_last *)((char *)__builtin_thread_pointer() + unit->tls_offset);
}

/* In one piece, as compiled code reads it. */
static inline struct ms_step unit_remembered(const struct ms_unit *unit, uint32_t index) {
  typedef uint64_t __attribute__((may_alias)) whole;
  whole word = __atomic_load_n((const whole *)&unit->steps[index & MS_BIND_INDEX], __ATOMIC_RELAXED);
  return (struct ms_step){(uint32_t)word, (uint32_t)(word >> 32)};
}

/* False: the runtime has to take the step. */
static inline int unit_step(struct ms_step step, volatile uint32_t *name) {
  if (*name != step.from) return 0;
  *name = step.to;
  return 1;
}

static inline void *unit_bind(struct ms_unit *unit, void *result, uint32_t index) {
  volatile struct ms_last *last = unit_last(unit);
  uintptr_t offset = (uintptr_t)result - last->last_block;
  if (offset >= MS_NEAR_BYTES) return result;
  struct ms_step step = unit_remembered(unit, index);
  if (offset || !unit_step(step, &last->name)) {
    unit->step(result, unit, index);
  } else if (!(index & MS_BIND_UP)) {
    if (last->thread->name) *last->thread->name = step.to;
    last->last_block = MS_NO_BLOCK;
  }
  return result;
}

static inline void unit_freed(struct ms_unit *unit, void *p, uint32_t index) {
  volatile struct ms_last *last = unit_last(unit);
  if (!unit->tls_offset || (uintptr_t)p != last->last_freed) return;
  if (!unit_step(unit_remembered(unit, index), &last->freed_name)) unit->step(p, unit, index | MS_BIND_FREED);
  else if (!(index & MS_BIND_UP)) last->last_freed = MS_NO_BLOCK;
}

#define BIND(unit, call, index) unit_bind(&unit, call, index)
#define FREED(unit, p, call, index) (call, unit_freed(&unit, p, index))

void __memscope_module_loaded(struct ms_unit *) __attribute__((weak));
#define UNIT_LOADED(unit)                                                                                              \
  do {                                                                                                                 \
    if (__memscope_module_loaded) __memscope_module_loaded(&unit);                                                     \
  } while (0)

#endif
