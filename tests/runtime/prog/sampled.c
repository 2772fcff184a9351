/* SPDX-License-Identifier: MIT
 *
 * sampled WHAT: blocks that sampling must tell apart, names, threads, reallocations
 * and functions that may come down to one another. sampling.py knows their sizes.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

UNIT(unit, SITE("first") SITE("second") SITE("inner") SITE("place") SITE("other place"), "sampled.c")
enum { FIRST, SECOND, INNER, PLACE, OTHER_PLACE };
#define UP MS_BIND_UP

enum { ROUNDS = 20000, SLOTS = 64 };

/* Names: each size has one holder, each freed at one place; some names come up
 * through a wrapper, and an allocation without a name stands between. */
static void *wrapper(size_t size) { return BIND(unit, malloc(size), INNER | UP); }

static void names(void) {
  for (int i = 0; i < ROUNDS; i++) {
    void *a = BIND(unit, malloc(1001), FIRST);
    void *b = BIND(unit, wrapper(1002), SECOND);
    void *c = BIND(unit, malloc(1003), INNER | UP); /* nobody names it further */
    void *d = malloc(1004);
    BIND(unit, b, FIRST); /* a lookup of an older block is no name */
    FREED(unit, a, free(a), PLACE);
    free(d);
    FREED(unit, b, free(b), OTHER_PLACE);
    FREED(unit, c, free(c), PLACE);
  }
}

static _Atomic(char *) slots[SLOTS];

/* Blocks that other threads free. */
static void *exchange(void *argument) {
  uint64_t random = (uintptr_t)argument;
  for (int i = 0; i < ROUNDS; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    free(__atomic_exchange_n((char **)&slots[(random >> 50) % SLOTS], malloc(16 + (random >> 40) % 300), __ATOMIC_ACQ_REL));
  }
  return NULL;
}

static void threads(void) {
  pthread_t thread[4];
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&thread[i], NULL, exchange, (void *)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < SLOTS; i++) free(slots[i]);
}

/* Blocks that grow, shrink, fail to grow, and go by realloc. */
static void reallocs(void) {
  for (int i = 0; i < ROUNDS; i++) {
    char *p = malloc(100);
    for (size_t size = 200; size < 1000; size += 200) p = realloc(p, size);
    if (realloc(p, (size_t)-1 / 2)) abort();
    p = realloc(p, 50);
    if (i & 1) free(p);
    else if (realloc(p, 0)) abort();
    free(realloc(NULL, 70));
  }
}

/* One of each function that may come down to another. */
static void outers(void) {
  void *p;
  for (int i = 0; i < ROUNDS; i++) {
    free(calloc(3, 31));
    if (posix_memalign(&p, 64, 94)) abort();
    free(p);
    free(aligned_alloc(64, 128));
    free(realloc(NULL, 95));
  }
}

/* Of sizes that a rate draws otherwise, and many that it does not. */
static void larges(void) {
  static const size_t sizes[] = {2001, 20001, 70001};
  for (int i = 0; i < ROUNDS; i++) {
    for (int k = 0; k < 20; k++) free(BIND(unit, malloc(71), FIRST));
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) free(i & 1 ? calloc(1, sizes[s]) : malloc(sizes[s]));
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "names") == 0) names();
  else if (strcmp(what, "threads") == 0) threads();
  else if (strcmp(what, "reallocs") == 0) reallocs();
  else if (strcmp(what, "outers") == 0) outers();
  else if (strcmp(what, "larges") == 0) larges();
  else return 2;
  puts("done");
  return 0;
}
