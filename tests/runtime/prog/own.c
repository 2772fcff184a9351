/* SPDX-License-Identifier: MIT
 *
 * own HOW: all that the runtime does for a program, by several threads at once:
 * blocks handed from thread to thread and named by sites that all of them share,
 * brief threads, destructors behind their end. HOW is plain, control (recording
 * is switched, marked and flushed meanwhile), forks (so is the process) or drawn
 * (no destructors: a thread's first sample may be drawn in the sanitizer's round).
 * Linked with a runtime of which the sanitizers see every access; only calls made
 * here are recorded. Prints how many allocations, frees and reallocations it made.
 */
#define _GNU_SOURCE
#include "memscope.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__ /* its allocator's locks are left taken in a child of many threads */
enum { FORKS_ALONE = 1 };
#else
enum { FORKS_ALONE = 0 };
#endif
enum { WORKERS = 4, ROUNDS = 8000, SLOTS = 64, BRIEF = 500, TURNS = 100, CHILDREN = 6 };

UNIT(own_unit, SITE("p : inner") SITE("left") SITE("right") SITE("dropped"), "own.c")

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *slots[SLOTS];
static pthread_key_t late;
static int lates;
static long allocations, frees, reallocations;

static void add(long *to, long n) { __atomic_fetch_add(to, n, __ATOMIC_RELAXED); }

static void *inner(size_t size) { return BIND(own_unit, malloc(size), 0 | MS_BIND_UP); }

static void drop(void *p) {
  if (!p) return;
  FREED(own_unit, p, free(p), 3);
  add(&frees, 1);
}

static void *swap(unsigned at, void *p) {
  pthread_mutex_lock(&lock);
  void *old = slots[at % SLOTS];
  slots[at % SLOTS] = p;
  pthread_mutex_unlock(&lock);
  return old;
}

/* In three rounds of destructors: in the last one the thread's window is gone (the fourth is the sanitizer's). */
static void behind(void *round) {
  free(malloc(77));
  add(&allocations, 1), add(&frees, 1);
  if ((size_t)round < 3) pthread_setspecific(late, (void *)((size_t)round + 1));
}

static void *brief(void *argument) {
  if (lates) pthread_setspecific(late, (void *)1);
  drop(argument);
  return NULL;
}

static void *made(unsigned random) {
  void *p = NULL;
  size_t size = 16 + random % 500;
  add(&allocations, 1);
  switch (random % 8) {
  case 0: return calloc(size, 2);
  case 1: return posix_memalign(&p, 64, size) ? NULL : p;
  case 2: add(&reallocations, 1); return realloc(malloc(size), 3 * size);
  case 3: return BIND(own_unit, inner(size), 1);
  default: return BIND(own_unit, inner(size), 2);
  }
}

static void *work(void *seed) {
  unsigned random = (unsigned)(size_t)seed;
  pthread_setname_np(pthread_self(), "worker");
  for (int i = 1; i <= ROUNDS; i++) {
    random = random * 1664525u + 1013904223u;
    drop(swap(random >> 24, made(random >> 8)));
    if (i % BRIEF) continue;
    pthread_t t;
    add(&allocations, 1);
    if (pthread_create(&t, NULL, brief, malloc(48)) || pthread_join(t, NULL)) abort();
  }
  return NULL;
}

static void control(void) {
  char name[16];
  for (int i = 0; i < TURNS; i++) {
    snprintf(name, sizeof name, "turn %d", i);
    if (memscope_pause() || memscope_mark(name) || memscope_resume() || memscope_snapshot(name) || memscope_flush()) abort();
  }
}

/* A child has the names its parent had, and makes others. */
static void forks(void) {
  for (int i = 0; i < CHILDREN; i++) {
    pid_t pid = fork();
    if (!pid) {
      for (unsigned n = 0; n < 2000; n++) free(made(n));
      _exit(0);
    }
    int status = 1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status) abort();
  }
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "plain";
  pthread_t threads[WORKERS];
  lates = strcmp(how, "drawn") != 0;
  pthread_key_create(&late, behind);
  free(malloc(1)); /* recording begins */
  add(&allocations, 1), add(&frees, 1);
  if (!strcmp(how, "forks") && FORKS_ALONE) forks();
  for (size_t i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
  if (!strcmp(how, "control")) control();
  if (!strcmp(how, "forks") && !FORKS_ALONE) forks();
  for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  for (unsigned i = 0; i < SLOTS; i++) drop(swap(i, NULL));
  printf("%ld %ld %ld\n", allocations, frees, reallocations);
  return 0;
}
