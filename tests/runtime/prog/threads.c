/* SPDX-License-Identifier: MIT
 *
 * threads COUNT EVENTS: threads that hand blocks to one another through a few
 * slots, so that most are freed by another thread than allocated them; half of
 * the threads end early and are replaced.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64, MOST = 64 };
static _Atomic(char *) slots[SLOTS];
static int events;

static void *run(void *argument) {
  uint64_t random = (uintptr_t)argument * 0x9e3779b97f4a7c15u + 1;
  for (int i = 0; i < events; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    char *p = malloc(1 + (random >> 40) % 300);
    if (random >> 62 == 0) p = realloc(p, 1 + (random >> 33) % 1000);
    memset(p, 1, 1);
    free(atomic_exchange(&slots[(random >> 50) % SLOTS], p));
  }
  return NULL;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 4;
  events = argc > 2 ? atoi(argv[2]) : 10000;
  pthread_t thread[MOST];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < count; i++) pthread_create(&thread[i], NULL, run, (void *)(uintptr_t)(i + 1 + 100 * round));
    for (int i = 0; i < count; i++) pthread_join(thread[i], NULL);
  }
  return 0;
}
