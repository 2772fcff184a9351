/* SPDX-License-Identifier: MIT
 *
 * storm THREADS SLOTS EVENTS FOLDER [NAP_EVERY]: threads allocate, put blocks into
 * common slots and free what they find there, so that most blocks die on a thread
 * other than their own. After that many blocks each naps for 400 ms, as if the
 * processors were wanted elsewhere. Each block carries a serial; allocation,
 * reallocation and free of it are logged, by thread, in FOLDER/log.TID: what
 * really was paired, known to nobody but the program.
 */
#include "storm.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS_MOST = 64, SLOTS_MOST = 1 << 16, NAP_US = 400000 };

static _Atomic(uint64_t *) slots[SLOTS_MOST];
static uint32_t slot_count;
static uint64_t events_each, nap_every;
static const char *folder;
static pthread_barrier_t start;

struct worker {
  pthread_t thread;
  uint64_t number, random, blocks;
  struct storm_entry *log; /* a mapping, not the heap: it must leave no row */
  uint64_t count;
};

static uint32_t dice(struct worker *w) {
  w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(w->random >> 33);
}

static void entry_add(struct worker *w, enum storm_op op, const void *p, uint64_t serial) {
  w->log[w->count++] = (struct storm_entry){.word = (uint64_t)(uintptr_t)p << 4 | op, .serial = serial};
}

static struct storm_entry *log_map(uint64_t bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/log.%ld", folder, syscall(SYS_gettid));
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  void *log = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
    log = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (log == MAP_FAILED) {
    perror(path);
    _exit(1);
  }
  close(fd);
  return log;
}

static void *storm_run(void *argument) {
  struct worker *w = argument;
  w->log = log_map((2 * events_each + 8) * sizeof *w->log); /* never full: its end is a zero */
  pthread_barrier_wait(&start);
  for (uint64_t events = 0; events + 2 <= events_each; events += 2) {
    size_t bytes = 16 + dice(w) % 6 * 40;
    uint64_t *block = malloc(bytes), serial = w->number << 40 | ++w->blocks;
    *block = serial;
    entry_add(w, STORM_ALLOC, block, serial);
    if (nap_every && w->blocks % nap_every == w->number * 997 % nap_every) usleep(NAP_US);
    if (dice(w) % 64 == 0) {
      uint64_t *moved = realloc(block, bytes + dice(w) % 200);
      entry_add(w, STORM_LEAVE, block, serial);
      entry_add(w, STORM_ARRIVE, moved, serial);
      block = moved;
      events += 1;
    }
    uint64_t *other = atomic_exchange(&slots[dice(w) % slot_count], block);
    if (!other) continue;
    entry_add(w, STORM_FREE, other, *other);
    free(other);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) return 2;
  static struct worker workers[THREADS_MOST];
  uint32_t threads = (uint32_t)atoi(argv[1]);
  slot_count = (uint32_t)atoi(argv[2]);
  folder = argv[4];
  nap_every = argc == 6 ? strtoull(argv[5], NULL, 10) : 0;
  if (!threads || threads > THREADS_MOST || !slot_count || slot_count > SLOTS_MOST) return 2;
  events_each = strtoull(argv[3], NULL, 10) / threads;
  pthread_barrier_init(&start, NULL, threads);
  for (uint32_t i = 0; i < threads; i++) {
    workers[i] = (struct worker){.number = i + 1, .random = i * 7919 + 1};
    if (pthread_create(&workers[i].thread, NULL, storm_run, &workers[i])) return 1;
  }
  for (uint32_t i = 0; i < threads; i++) pthread_join(workers[i].thread, NULL);
  return 0;
}
