/* SPDX-License-Identifier: MIT
 *
 * Bursts and pauses. Prints for each block that stands alone its size and the
 * coarse clock before and behind its allocation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static unsigned long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

int main(void) {
  static char buffer[1 << 16];
  static void *burst[1000];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 1000; i++) burst[i] = malloc(64);
    for (int i = 0; i < 1000; i++) free(burst[i]);
    for (int i = 0; i < 8; i++) {
      size_t size = 7000 + (size_t)round * 100 + (size_t)i;
      unsigned long long before = now();
      void *p = malloc(size);
      printf("%zu %llu %llu\n", size, before, now());
      usleep(12000);
      free(p);
    }
  }
  return 0;
}
