/* SPDX-License-Identifier: MIT
 *
 * counted WHAT: blocks that counters must put under their names: handed up and bound
 * late, resized, large, freed by others at once, from before a fork or a pause.
 * counters.py knows their sizes and how many there are.
 */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The runtime's, preloaded. */
int memscope_pause(void) __attribute__((weak));
int memscope_resume(void) __attribute__((weak));
int memscope_mark(const char *name) __attribute__((weak));

UNIT(unit, SITE("first") SITE("second") SITE("inner") SITE("grown"), "counted.c")
enum { FIRST, SECOND, INNER, GROWN };
#define UP MS_BIND_UP

enum { ROUNDS = 1000, SLOTS = 64, THREADS = 4, EXCHANGES = 50000 };

static void *wrapper(size_t size) { return BIND(unit, malloc(size), INNER | UP); }

/* A free between the wrapper's bind and the caller's must not end the block's naming. */
static void *late_wrapper(size_t size) {
  void *other = malloc(7), *p = wrapper(size);
  free(other);
  return p;
}

static void names(void) {
  for (int i = 0; i < ROUNDS; i++) {
    void *a = BIND(unit, malloc(101), FIRST);
    void *b = BIND(unit, late_wrapper(102), SECOND);
    void *c = BIND(unit, malloc(103), INNER | UP);
    void *d = malloc(104);
    BIND(unit, b, FIRST); /* a lookup of an older block is no name */
    free(a);
    if (i % 2) free(b);
    free(d);
    if (i % 4) free(c);
  }
}

static void reallocs(void) {
  for (int i = 0; i < ROUNDS; i++) {
    char *p = BIND(unit, malloc(100), FIRST);
    p = realloc(p, 300);                        /* keeps its name */
    p = BIND(unit, realloc(p, 500), GROWN);     /* has another */
    if (realloc(p, (size_t)1 << 62)) abort();   /* fails: lives on */
    if (i % 2) p = realloc(p, 10000);
    if (i % 4 == 0) free(p);
    if (i % 4 == 1) free(realloc(NULL, 70));
    if (i % 4 == 2 && realloc(p, 0)) abort();
  }
}

static void large(void) {
  static const size_t sizes[] = {0, 1, 4090, 4091, 4092, 4093, 4094, 4095, 4096, 1 << 20, (size_t)5 << 30};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    void *p = BIND(unit, malloc(sizes[i]), FIRST), *q = BIND(unit, malloc(sizes[i]), SECOND);
    if (!p || !q) exit(77);
    free(p);
    for (int k = 0; k < 40; k++) BIND(unit, malloc(24), INNER); /* where it was: nothing must be left of its size */
  }
}

static _Atomic(char *) slots[SLOTS];

/* Another thread has the block at once, often before its own has a name for it. */
static void *exchange(void *argument) {
  uint64_t random = (uintptr_t)argument;
  for (int i = 0; i < EXCHANGES; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    size_t size = random >> 62 ? 16 + (random >> 40) % 300 : 5000;
    char **slot = (char **)&slots[(random >> 50) % SLOTS], *p = malloc(size);
    char *q = __atomic_exchange_n(slot, p, __ATOMIC_ACQ_REL);
    if (q && (random >> 30) % 8 == 0) q = BIND(unit, realloc(q, 900), GROWN);
    free(q);
  }
  return NULL;
}

static void threads(int kills) {
  pthread_t thread[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, exchange, (void *)(i + 1));
  if (kills) usleep(20000), kill(getpid(), SIGKILL);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < SLOTS; i++) free(slots[i]);
}

/* The newest block has no final name when the process is gone. */
static void killed(void) {
  for (int i = 0; i < ROUNDS; i++) BIND(unit, malloc(200), FIRST);
  BIND(unit, malloc(201), SECOND);
  kill(getpid(), SIGKILL);
}

static void forked(void) {
  char *a = BIND(unit, malloc(300), FIRST), *b = BIND(unit, malloc(301), FIRST), *c = BIND(unit, malloc(302), SECOND);
  pid_t pid = fork();
  if (!pid) {
    free(a);
    BIND(unit, realloc(b, 401), GROWN);
    free(BIND(unit, malloc(400), SECOND));
    free(c); /* the newest one of the parent */
    exit(0);
  }
  waitpid(pid, NULL, 0);
  free(a);
}

static void paused(void) {
  char *a = BIND(unit, malloc(500), FIRST), *b = BIND(unit, malloc(501), FIRST), *c = BIND(unit, malloc(502), FIRST);
  memscope_pause();
  free(a);
  b = realloc(b, 601);
  char *unseen = BIND(unit, malloc(600), SECOND);
  memscope_mark("while paused");
  memscope_resume();
  free(b);
  free(unseen);
  free(c);
  BIND(unit, malloc(503), FIRST);
}

static void *short_life(void *argument) {
  free(argument);
  return BIND(unit, malloc(32), FIRST);
}

/* Mappings of this process; nothing is allocated for it. */
static int mappings(void) {
  static char text[1 << 16];
  int file = open("/proc/self/maps", O_RDONLY), count = 0;
  for (ssize_t got; (got = read(file, text, sizeof text)) > 0;)
    for (ssize_t i = 0; i < got; i++) count += text[i] == '\n';
  close(file);
  return count;
}

static void come_and_go(void) {
  void *p = NULL;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, short_life, p);
    pthread_join(thread, &p);
  }
  char said[32];
  int length = snprintf(said, sizeof said, "%d mappings\n", mappings());
  if (write(1, said, (size_t)length) != length) abort();
}

static void bad(void) {
  static char no_block[64] __attribute__((aligned(16)));
  char *volatile none = no_block;
  BIND(unit, malloc(50), FIRST);
  FREED(unit, none + 16, free(none + 16), SECOND); /* what is beneath says nothing of it */
}

/* ---- behind a thread's end: what its last destructors do is counted all the same ---- */

enum { LAST_ROUND = 4 }; /* of destructors; the runtime's comes before these */
static pthread_key_t late_key;
static void (*late_does)(void), (*late_before)(void);
static char *late_known, *late_ended, *late_unseen, *late_resized;

static void late(void *round) {
  if (round == (void *)2 && late_before) late_before();
  if (round == (void *)LAST_ROUND) late_does();
  else pthread_setspecific(late_key, (char *)round + 1);
}

static void *late_run(void *unused) {
  free(malloc(71)); /* it has something to end */
  pthread_setspecific(late_key, (void *)1);
  return unused;
}

static void late_thread(void (*before)(void), void (*does)(void)) {
  pthread_t thread;
  late_before = before;
  late_does = does;
  pthread_create(&thread, NULL, late_run, NULL);
  pthread_join(thread, NULL);
}

static void late_bad(void) {
  static char no_block[64] __attribute__((aligned(16)));
  char *volatile none = no_block;
  free(none + 16);
}

static void late_frees(void) {
  free(late_known);
  free(late_unseen);
  free(realloc(late_resized, 703));
}

static void late_pauses(void) { memscope_pause(); }
static void late_ends(void) { free(late_ended); }

static void late_threads(void) {
  pthread_key_create(&late_key, late);
  late_known = BIND(unit, malloc(700), FIRST);
  late_ended = BIND(unit, malloc(701), FIRST);
  late_thread(NULL, late_bad);
  memscope_pause();
  late_unseen = malloc(702);
  late_resized = malloc(702);
  memscope_resume();
  late_thread(NULL, late_frees);
  late_thread(late_pauses, late_ends);
  memscope_resume();
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  UNIT_LOADED(unit);
  if (!strcmp(what, "names")) names();
  if (!strcmp(what, "reallocs")) reallocs();
  if (!strcmp(what, "large")) large();
  if (!strcmp(what, "threads")) threads(0);
  if (!strcmp(what, "threads_killed")) threads(1);
  if (!strcmp(what, "killed")) killed();
  if (!strcmp(what, "forked")) forked();
  if (!strcmp(what, "paused")) paused();
  if (!strcmp(what, "come_and_go")) come_and_go();
  if (!strcmp(what, "bad")) bad();
  if (!strcmp(what, "late")) late_threads();
  return 0;
}
