/* SPDX-License-Identifier: MIT
 *
 * counted_few HOW: linked with a runtime that has counters for four threads only. HOW is
 * threads (twice as many at one time), forks (six generations, one behind the other) or
 * forbidden (no system call may be made any more just when a thread's counters are mapped).
 */
#define _GNU_SOURCE
#include "runtime.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 1000, THREADS = 8, GENERATIONS = 6, PIECE_BYTES = 4 << 10 };

UNIT(few_unit, SITE("block"), "counted_few.c")

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

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  if (!strcmp(how, "threads")) threads(THREADS, at_once);
  if (!strcmp(how, "forks")) generation(GENERATIONS);
  if (!strcmp(how, "forbidden")) {
    blocks();
    armed = 1;
    threads(1, alone);
  }
  return 0;
}
