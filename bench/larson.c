/* SPDX-License-Identifier: MIT
 *
 * larson THREADS OPERATIONS: a server's heap after P. Larson and M. Krishnan,
 * "Memory Allocation for Long-Running Server Applications" (ISMM 1998). Each
 * thread holds 1000 blocks of 8 to 1000 bytes; an operation frees one at random
 * and obtains another in its place. After a hundredth of its operations a thread
 * hands its blocks to a new one and ends, so blocks outlive their threads.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1000, LEAST = 8, MOST = 1000, GENERATIONS = 100, THREADS_MOST = 64 };

struct server {
  char *blocks[BLOCKS];
  uint64_t random;
  long operations; /* of each generation */
  int generations; /* left */
  uint64_t sum;
  sem_t done; /* posted by its last thread */
};

static uint32_t dice(struct server *server, uint32_t sides) {
  server->random = server->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)((server->random >> 33) % sides);
}

static char *block_new(struct server *server) {
  uint32_t size = LEAST + dice(server, MOST - LEAST);
  char *block = malloc(size);
  if (!block) abort();
  block[0] = (char)size;
  block[size - 1] = 1;
  return block;
}

static void *serve(void *argument) {
  struct server *server = argument;
  for (long i = 0; i < server->operations; i++) {
    uint32_t at = dice(server, BLOCKS);
    server->sum += (unsigned char)server->blocks[at][0];
    free(server->blocks[at]);
    server->blocks[at] = block_new(server);
  }
  if (--server->generations == 0) {
    sem_post(&server->done);
    return NULL;
  }
  pthread_t next;
  if (pthread_create(&next, NULL, serve, server)) abort();
  pthread_detach(next);
  return NULL;
}

int main(int argc, char **argv) {
  static struct server servers[THREADS_MOST];
  int threads = argc > 1 ? atoi(argv[1]) : 2;
  long operations = argc > 2 ? atol(argv[2]) : 1000000;
  uint64_t sum = 0;
  if (threads < 1 || threads > THREADS_MOST) return 2;
  for (int i = 0; i < threads; i++) {
    struct server *server = &servers[i];
    *server = (struct server){.random = (uint64_t)i + 1, .operations = operations / GENERATIONS, .generations = GENERATIONS};
    for (int n = 0; n < BLOCKS; n++) server->blocks[n] = block_new(server);
    sem_init(&server->done, 0, 0);
  }
  for (int i = 0; i < threads; i++) {
    pthread_t first;
    if (pthread_create(&first, NULL, serve, &servers[i])) abort();
    pthread_detach(first);
  }
  for (int i = 0; i < threads; i++) {
    sem_wait(&servers[i].done);
    sum += servers[i].sum;
    for (int n = 0; n < BLOCKS; n++) free(servers[i].blocks[n]);
  }
  printf("%llu\n", (unsigned long long)sum);
  return 0;
}
