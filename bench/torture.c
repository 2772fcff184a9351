/* SPDX-License-Identifier: MIT
 *
 * Threads that allocate, fill and free blocks of 16 to 1215 bytes at random, with
 * 4,096 of them alive in each; one in eight is freed by another thread. Compiled
 * with another SLOTS seven in eight of so many are alive.
 *
 *   torture [THREADS] [ROUNDS]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SLOTS
#define SLOTS (1 << 12)
#endif
enum { SHARED = 1024, MOST = 64 };
static _Atomic(char *) shared[SHARED];
static long rounds;

static void *work(void *arg) {
  char **slot = calloc(SLOTS, sizeof *slot);
  uint64_t seed = (uintptr_t)arg * 7919 + 1;
  unsigned long sum = 0;
  for (long i = 0; i < rounds; i++) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    unsigned k = (unsigned)(seed >> 33) % SLOTS, size = 16 + (unsigned)(seed >> 50) % 1200;
    char *block = malloc(size);
    memset(block, (int)i, size);
    if (k % 8 == 0) {
      block = atomic_exchange(&shared[k % SHARED], block);
    } else {
      char *old = slot[k];
      slot[k] = block;
      block = old;
    }
    if (block) sum += (unsigned char)block[0];
    free(block);
  }
  for (int k = 0; k < SLOTS; k++) free(slot[k]);
  free(slot);
  return (void *)(uintptr_t)(sum != 0);
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  pthread_t thread[MOST];
  rounds = argc > 2 ? atol(argv[2]) : 4000000;
  if (threads < 1 || threads > MOST) return 2;
  for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)i);
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  for (int k = 0; k < SHARED; k++) free(shared[k]);
  printf("%d threads, %ld rounds each\n", threads, rounds);
  return 0;
}
