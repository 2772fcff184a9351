/* SPDX-License-Identifier: MIT
 *
 * Many small blocks that come and go in little room; then how many kB of the
 * runtime's plane are huge pages, and whether this kernel makes any when it is asked to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
enum { BLOCKS = 10000, ROUNDS = 20, HUGE_BYTES = 2 << 20 };

static int kernel_joins(void) {
  char *p = mmap(NULL, 2 * HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  p += HUGE_BYTES - (size_t)p % HUGE_BYTES;
  memset(p, 1, HUGE_BYTES);
  return madvise(p, HUGE_BYTES, MADV_HUGEPAGE) == 0 && madvise(p, HUGE_BYTES, MADV_COLLAPSE) == 0;
}

/* Of mappings above 1 TiB, which are the plane's, or pieces of it. */
static unsigned long plane_huge_kb(void) {
  char line[512];
  unsigned long from, to, kb, sum = 0;
  FILE *maps = fopen("/proc/self/smaps", "r");
  unsigned long plane_from = 0, plane_to = 0, begin = 0;
  while (maps && fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && to - from >= 1ul << 40) {
      if (!plane_from) plane_from = from;
      plane_to = to;
    }
  if (maps) rewind(maps);
  while (maps && fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) begin = from;
    if (sscanf(line, "AnonHugePages: %lu kB", &kb) == 1 && begin >= plane_from && begin < plane_to) sum += kb;
  }
  if (maps) fclose(maps);
  return sum;
}

int main(void) {
  static char *blocks[BLOCKS];
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < BLOCKS; i++) {
      free(blocks[i]);
      blocks[i] = malloc(16 + (size_t)(i * 7 + round) % 200);
    }
  printf("%lu %d\n", plane_huge_kb(), kernel_joins());
  return 0;
}
