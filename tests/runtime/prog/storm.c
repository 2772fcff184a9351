/* SPDX-License-Identifier: MIT
 *
 * storm FILE: two threads allocate, reallocate and free as fast as they can and
 * publish, in a shared mapping of FILE, how many events each has finished. To
 * be killed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 256 };
static volatile uint64_t *published; /* one count per thread, a cache line apart; written behind each event */

static void *run(void *argument) {
  uintptr_t me = (uintptr_t)argument;
  volatile uint64_t *mine = published + 8 * me;
  uint64_t random = me + 1, done = 0;
  void *slots[SLOTS] = {0};
  for (;;) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    void **slot = &slots[(random >> 50) % SLOTS];
    if (!*slot) *slot = malloc(1 + (random >> 40) % 500);
    else if (random >> 63) *slot = realloc(*slot, 1 + (random >> 40) % 500);
    else free(*slot), *slot = NULL;
    *mine = ++done;
  }
  return NULL;
}

int main(int argc, char **argv) {
  int fd = open(argc > 1 ? argv[1] : "published", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (ftruncate(fd, 4096)) return 1;
  published = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  pthread_t t;
  pthread_create(&t, NULL, run, (void *)1);
  run((void *)2);
  return 0;
}
