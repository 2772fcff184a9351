/* SPDX-License-Identifier: MIT
 *
 * Four threads that allocate, hand half of their blocks to the next thread to
 * free, grow others by realloc, shrink some to nothing and leave a known number
 * alive. Deterministic per thread; prints a checksum.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 60000, KEEP = 64, LEFT = 100 };

struct message {
  struct message *next;
  unsigned size;
  unsigned char body[];
};

struct worker {
  _Atomic(struct message *) inbox;
  char *kept[KEEP];
  unsigned seed, sum;
  struct worker *peer;
};

static struct worker worker[THREADS];
static char *left[THREADS * LEFT];

static unsigned roll(struct worker *w) { return w->seed = w->seed * 1664525u + 1013904223u, w->seed >> 8; }

static void send(struct worker *to, struct message *m) {
  m->next = atomic_load(&to->inbox);
  while (!atomic_compare_exchange_weak(&to->inbox, &m->next, m)) {}
}

static void receive(struct worker *w) {
  struct message *m = atomic_exchange(&w->inbox, NULL);
  while (m) {
    struct message *next = m->next;
    w->sum += m->size;
    free(m);
    m = next;
  }
}

static void *work(void *arg) {
  struct worker *w = arg;
  for (int i = 0; i < ROUNDS; i++) {
    unsigned size = 1 + roll(w) % 300, k = roll(w) % KEEP;
    struct message *m = malloc(sizeof *m + size);
    m->size = size;
    memset(m->body, i, size);
    if (i & 1) send(w->peer, m);
    else free(m);
    w->kept[k] = realloc(w->kept[k], 16 + roll(w) % 500);
    if (roll(w) % 97 == 0) free(w->kept[k]), w->kept[k] = NULL;
    if (i % 64 == 0) receive(w);
  }
  for (int i = 0; i < KEEP; i++) free(w->kept[i]);
  for (int i = 0; i < LEFT; i++) left[(w - worker) * LEFT + i] = strdup("left behind");
  return NULL;
}

int main(void) {
  pthread_t thread[THREADS];
  unsigned sum = 0;
  for (int i = 0; i < THREADS; i++) worker[i].seed = 17u * (unsigned)i + 1, worker[i].peer = &worker[(i + 1) % THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&thread[i], NULL, work, &worker[i]);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < THREADS; i++) receive(&worker[i]), sum += worker[i].sum;
  for (int i = 0; i < THREADS * LEFT; i++) sum += (unsigned)strlen(left[i]);
  printf("sum %u left %d\n", sum, THREADS * LEFT);
  return 0;
}
