/* SPDX-License-Identifier: MIT
 *
 * gate HOW: linked with a runtime of its own, whose gate changes while a function looks at
 * it. HOW is free (between a delete's look and gate.c's), realloc (the gate is on again, its
 * table not yet), or draw (recording is paused between an allocation's draw and its block).
 */
#include "memscope.h"
#include "real.h"
#include "runtime.h"

#include <stdlib.h>

enum { ROUNDS = 100, BLOCK = 1001, RESIZED = 2002, DRAWN = 8 << 20, PASSED = 7 };

int __real_ms_sample_due(size_t size);
int __wrap_ms_sample_due(size_t size);

static int armed;

int __wrap_ms_sample_due(size_t size) {
  int due = __real_ms_sample_due(size);
  if (armed) armed = 0, memscope_pause();
  return due;
}

static void *block(void) {
  void *volatile p = malloc(BLOCK);
  return p;
}

static void deleted(void) {
  void *p = block();
  ms_dying_not_on(p, MS_FN__ZdlPv, 0);
  ms_tls.passing = (uintptr_t)p;
  free(p);
  ms_tls.passing = 0;
}

static void resized(void) {
  void *volatile p = block();
  memscope_pause();
  __atomic_store_n(&ms_gate.on, ms_on_again, __ATOMIC_RELAXED);
  p = realloc(p, RESIZED);
  __atomic_store_n(&ms_gate.on, MS_PAUSED, __ATOMIC_RELAXED);
  memscope_resume();
  free(p);
}

static void drawn(void) {
  void *volatile p;
  armed = 1;
  p = calloc(1, DRAWN);
  memscope_resume();
  free(p);
  p = malloc(PASSED);
  free(p);
}

int main(int argc, char **argv) {
  void (*how)(void) = argc < 2 ? NULL : *argv[1] == 'f' ? deleted : *argv[1] == 'r' ? resized : drawn;
  for (int i = 0; how && i < ROUNDS; i++) how();
  return 0;
}
