/* SPDX-License-Identifier: MIT
 *
 * The rules by which names meet blocks, one block per rule, each of a size of
 * its own. binds.py knows what each must be called.
 */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

/* Their order is their index. */
UNIT(unit,
     SITE("variable") SITE("inner") SITE("outer") SITE("outermost") SITE("weak") SITE("record") SITE("place") SITE("wrapper place")
         SITE("outer place"),
     "binds.c")
enum { VARIABLE, INNER, OUTER, OUTERMOST, WEAK, RECORD, PLACE, WRAPPER_PLACE, OUTER_PLACE };
#define UP MS_BIND_UP

static void *wrapper(size_t size) { return BIND(unit, malloc(size), INNER | UP); }
static void *wrapper2(size_t size) { return BIND(unit, wrapper(size), OUTER | UP); }

static void one(void) { free(BIND(unit, malloc(1001), VARIABLE)); }

static void chains(void) {
  free(BIND(unit, wrapper(1002), VARIABLE));
  free(BIND(unit, wrapper2(1003), OUTERMOST));
  free(wrapper(1004)); /* nobody names it further */
}

/* A lookup that returns the block just named is no new name. */
static void final(void) {
  void *p = BIND(unit, malloc(1005), VARIABLE);
  BIND(unit, p, OUTER);
  free(p);
}

/* Behind an allocator's own header the block is still named; beyond it not. */
static void interior(void) {
  char *p = malloc(1006);
  BIND(unit, p + 16, VARIABLE);
  free(p);
  p = malloc(1007);
  BIND(unit, p + 64, VARIABLE);
  free(p);
  p = malloc(20);
  BIND(unit, p + 20, VARIABLE); /* beyond its end */
  free(p);
}

static void records(void) {
  char *p = BIND(unit, malloc(1008), RECORD | MS_BIND_RECORD | UP);
  BIND(unit, p + 8, OUTER);
  free(p);
  p = BIND(unit, malloc(1009), RECORD | MS_BIND_RECORD | UP);
  BIND(unit, p, OUTER);
  free(p);
  p = BIND(unit, malloc(1010), INNER | UP); /* a header that is no record */
  BIND(unit, p + 8, OUTER);
  free(p);
}

static void weaks(void) {
  void *p = BIND(unit, malloc(1011), WEAK | MS_BIND_WEAK | UP);
  free(BIND(unit, p, VARIABLE));
  p = BIND(unit, malloc(1012), VARIABLE | UP);
  free(BIND(unit, p, WEAK | MS_BIND_WEAK));
  free(BIND(unit, malloc(1013), WEAK | MS_BIND_WEAK));
}

static void reallocs(void) {
  void *p = BIND(unit, realloc(NULL, 1014), VARIABLE);
  p = BIND(unit, realloc(p, 2015), OUTER);
  free(p);
}

static void aligned(void) {
  void *p = NULL;
  if (posix_memalign(&p, 64, 1016)) exit(1);
  free(BIND(unit, p, VARIABLE));
}

/* NULL and small integers are near no block, also when there is no last one. */
static void nulls(void) {
  free(BIND(unit, malloc(1017), VARIABLE));
  BIND(unit, (void *)0, OUTER);
  BIND(unit, (void *)63, OUTER);
  BIND(unit, (void *)-1, OUTER);
  BIND(unit, (void *)-64, OUTER);
}

/* The name of a block that was freed meanwhile is not the next one's. */
static void freed_first(void) {
  void *p = malloc(1018);
  free(p);
  BIND(unit, p, OUTER);
  free(malloc(1019));
}

static void release(void *p) { FREED(unit, p, free(p), WRAPPER_PLACE | UP); }

static void frees(void) {
  void *p = malloc(1101);
  FREED(unit, p, free(p), PLACE);
  p = malloc(1102);
  release(p);
  p = malloc(1103);
  FREED(unit, p, release(p), OUTER_PLACE);
  p = malloc(1104);
  FREED(unit, p, release(p), OUTER_PLACE);
  p = malloc(1105);
  free(p);
  p = malloc(1106);
  FREED(unit, p, free(p), PLACE);
  /* An address given out again was not freed by the call that follows. */
  p = malloc(1107);
  release(p);
  void *again = malloc(1107);
  FREED(unit, again, (void)0, OUTER_PLACE);
  free(again);
}

static void *kept;

/* Its caller's site comes behind a reallocation that fails, of the newest block or of an
 * older one: another event than the free has been told by then. */
static void release_and_fail(void *p, int gives) {
  release(p);
  if (gives) kept = malloc(1409);
  if (realloc(kept, (size_t)-1 / 2)) exit(1);
}

static void fails(void) {
  static const uint32_t callers[] = {VARIABLE, INNER, OUTER, OUTERMOST, RECORD};
  for (int gives = 1; gives >= 0; gives--)
    for (size_t i = 0; i < 5; i++) {
      void *p = malloc(1401 + (size_t)gives), *before = kept;
      release(malloc(1408)); /* its place is taken for the next free's */
      FREED(unit, p, release_and_fail(p, gives), callers[i]);
      if (gives) free(before);
    }
  free(kept);
}

/* More hands than the sites that are gathered before they become a name. */
static void *deep(size_t size, int hands) {
  if (!hands) return BIND(unit, malloc(size), INNER | UP);
  return BIND(unit, deep(size, hands - 1), OUTER | UP);
}

static void release_deep(void *p, int hands) {
  if (!hands) release(p);
  else FREED(unit, p, release_deep(p, hands - 1), OUTER_PLACE | UP);
}

static void deeps(void) {
  for (int i = 0; i < 3; i++) free(BIND(unit, deep(1020, 40), VARIABLE));
  void *p = malloc(1108);
  FREED(unit, p, release_deep(p, 30), PLACE);
}

/* Many chains whose parents and last sites are near each other: each its own. */
static void pairs(void) {
  static const uint32_t last[] = {VARIABLE, INNER, OUTER, OUTERMOST};
  for (int hands = 0; hands < 64; hands++)
    for (int i = 0; i < 4; i++) free(BIND(unit, deep(4000 + (size_t)(hands * 4 + i), hands), last[i]));
}

static volatile int seen;

static __attribute__((noinline)) void free_here(void *p) { free(p), seen = 1; }
static __attribute__((noinline)) void free_there(void *p) { free(p), seen = 2; }

/* More freeing places by turns than a thread has at hand. */
static void turns(void) {
  static const uint32_t places[] = {VARIABLE, INNER, OUTER, PLACE, WRAPPER_PLACE, OUTER_PLACE};
  for (size_t i = 0; i < 60; i++) {
    void *p = malloc(1301 + i % 6);
    FREED(unit, p, free(p), places[i % 6]);
  }
  for (size_t i = 0; i < 60; i++) {
    void *p = malloc(1311 + i % 3);
    FREED(unit, p, free(p), places[i % 3]);
  }
  for (size_t i = 0; i < 60; i++) { /* by turns with places that have no site */
    void *p = malloc(1321 + i % 4);
    if (i % 4 == 1) free_here(p);
    else if (i % 4 == 3) free_there(p);
    else FREED(unit, p, free(p), places[i % 4]);
  }
}

/* Names are written into rows that have not left the window; many chunks. */
static void many(void) {
  for (int i = 0; i < 20000; i++) {
    void *p = BIND(unit, wrapper2(3000), OUTERMOST);
    FREED(unit, p, release(p), OUTER_PLACE);
  }
}

static void *thread(void *argument) {
  free(BIND(unit, wrapper2(1201), OUTERMOST));
  return argument;
}

int main(void) {
  void (*const rules[])(void) = {one,  chains,  final,    interior, records, weaks,
                                 reallocs, aligned, nulls, freed_first, frees, fails, deeps, pairs, turns, many};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) rules[i]();
  pthread_t t;
  pthread_create(&t, NULL, thread, NULL);
  pthread_join(t, NULL);
  return 0;
}
