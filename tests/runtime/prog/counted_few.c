/* SPDX-License-Identifier: MIT
 *
 * counted_few HOW: linked with a runtime that has counters for four threads only. HOW is
 * threads (twice as many at one time), forks (six generations, one behind the other),
 * forbidden (no system call may be made any more just when a thread's counters are mapped),
 * used_up (nor is there room for all of them), kept (a thread resizes another's newest
 * block, in vain), callers (more names than a shared piece has
 * counters), or what comes when the stream has ended between two looks of one event: outer,
 * outer_shared, regrown (an inner function has counted its block), resized (nothing counts
 * what the block is resized from).
 */
#define _GNU_SOURCE
#include "count.h"
#include "real.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 1000, THREADS = 8, GENERATIONS = 6, PIECE_BYTES = 4 << 10, CALLERS = 3000, SITES = 8 };

UNIT(few_unit, SITE("block"), "counted_few.c")
UNIT(many_unit, SITE("a") SITE("b") SITE("c") SITE("d") SITE("e") SITE("f") SITE("g") SITE("h"), "counted_few.c")

/* ---- the moment ---- */

static int armed;

void *__real_ms_os_map(int fd, uint64_t offset, size_t bytes);
void *__wrap_ms_os_map(int fd, uint64_t offset, size_t bytes);
void *__wrap_ms_os_map(int fd, uint64_t offset, size_t bytes) {
  if (armed && bytes == PIECE_BYTES) {
    armed = 0;
    if (!ms_room_ahead()) abort();
    ms_os_forbid(0);
  }
  return __real_ms_os_map(fd, offset, bytes);
}

/* ---- what is done ---- */

static pthread_barrier_t all;

/* Half of them stay. */
static void blocks(void) {
  for (int i = 0; i < ROUNDS; i++) {
    void *p = BIND(few_unit, malloc(64), 0);
    if (i % 2) free(p);
  }
}

/* None ends before all have been there. */
static void *at_once(void *unused) {
  blocks();
  pthread_barrier_wait(&all);
  return unused;
}

static void *alone(void *unused) {
  blocks();
  return unused;
}

static void threads(int count, void *(*run)(void *)) {
  pthread_t thread[THREADS];
  pthread_barrier_init(&all, NULL, (unsigned)count);
  for (int i = 0; i < count; i++)
    if (pthread_create(&thread[i], NULL, run, NULL)) abort();
  for (int i = 0; i < count; i++) pthread_join(thread[i], NULL);
}

static void generation(int left) {
  blocks();
  pid_t pid = left ? fork() : -1;
  if (!pid) generation(left - 1), exit(0);
  int status = 0;
  if (left && (waitpid(pid, &status, 0) != pid || status)) abort();
}

/* A small and a large one. */
static void *resize_in_vain(void *p) {
  volatile size_t huge = SIZE_MAX / 2;
  if (realloc(p, huge)) abort();
  return p;
}

static void kept(void) {
  pthread_t thread;
  for (size_t bytes = 64; bytes <= 1 << 20; bytes <<= 14) {
    void *p = malloc(bytes);
    if (pthread_create(&thread, NULL, resize_in_vain, p)) abort();
    pthread_join(thread, NULL);
    free(p);
  }
}

/* Time stands still until it is told to go on: threads count on till then. */
static uint64_t ticks;

static void stream_ends(void) {
  ms_tick = &ticks;
  free(malloc(64));
  ms_stream_stop(MS_LOST_SPACE);
}

/* The calling thread is as in a signal handler inside an event. */
static struct ms_thread *nested(void) {
  struct ms_thread *t = ms_tls.self;
  ms_enter();
  ms_tls.frame = UINTPTR_MAX;
  return t;
}

static void outer(void) {
  stream_ends();
  void *p = malloc(64);
  ticks++;
  ms_born_not_on(p, 64, MS_FN_aligned_alloc, 0);
  free(p);
}

static void outer_shared(void) {
  struct ms_thread *t = nested();
  void *p = malloc(64);
  ms_stream_stop(MS_LOST_SPACE);
  ms_born_not_on(p, 64, MS_FN_aligned_alloc, 0);
  free(p);
  ms_leave(t);
}

static void regrown(void) {
  void *p = malloc(64);
  stream_ends();
  struct ms_count_from from = ms_count_realloc_begin((uintptr_t)p, MS_FN_realloc, 0);
  void *q = malloc(100);
  ticks++;
  ms_count_regrown(&from, p, q, 100, MS_FN_realloc, 0);
  free(q);
}

/* The piece has 62 counters; the last names have none. */
static void resized(void) {
  void *p[SITES * SITES];
  stream_ends();
  for (uint32_t i = 0; i < SITES * SITES; i++) p[i] = BIND(many_unit, BIND(many_unit, malloc(64), i / SITES | MS_BIND_UP), i % SITES);
  for (uint32_t i = 0; i < SITES * SITES; i++) free(realloc(p[i], 100));
}

/* Of one block, which is none of malloc's. */
static void callers(void) {
  static _Alignas(16) char block[64];
  struct ms_thread *t = nested();
  for (uintptr_t i = 1; i <= CALLERS; i++) {
    ms_born_not_on(block, sizeof block, MS_FN_aligned_alloc, i << 12);
    ms_dying_not_on(block, MS_FN_free, 0);
  }
  ms_leave(t);
}

/* The room ahead is the least there may be, and half of it is not to be mapped. */
static void used_up(void) {
  struct rlimit limit = {700 << 10, 700 << 10};
  blocks();
  if (setrlimit(RLIMIT_FSIZE, &limit)) abort();
  ms_names_ahead();
  if (!ms_room_ahead()) abort();
  ms_os_forbid(0);
  callers();
}

static const struct {
  const char *name;
  void (*run)(void);
} ends[] = {{"kept", kept},       {"outer", outer},     {"outer_shared", outer_shared}, {"regrown", regrown},
            {"resized", resized}, {"callers", callers}, {"used_up", used_up}};

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  if (!strcmp(how, "threads")) threads(THREADS, at_once);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (!strcmp(how, ends[i].name)) ends[i].run();
  if (!strcmp(how, "forks")) generation(GENERATIONS);
  if (!strcmp(how, "forbidden")) {
    blocks();
    armed = 1;
    threads(1, alone);
  }
  return 0;
}
