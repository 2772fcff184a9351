/* SPDX-License-Identifier: MIT
 *
 * mixed EVENTS: every kind of C allocation in a random order over a table of
 * blocks, stdio and sorting among it, and an exit handler that still frees.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 512 };
static void *blocks[BLOCKS];

static void *some(unsigned kind, size_t size) {
  void *p = NULL;
  switch (kind % 8) {
  case 0: return calloc(1, size);
  case 1: return posix_memalign(&p, 64, size) ? NULL : p;
  case 2: return aligned_alloc(32, (size + 31) & ~(size_t)31);
  case 3: return memalign(128, size);
  case 4: return strdup("some text of no great length");
  case 5: return asprintf((char **)&p, "%zu bytes", size) < 0 ? NULL : p;
  default: return malloc(size);
  }
}

static void last(void) {
  for (int i = 0; i < BLOCKS / 2; i++) free(blocks[i]);
}

int main(int argc, char **argv) {
  uint64_t random = 1;
  atexit(last);
  for (int i = 0; i < (argc > 1 ? atoi(argv[1]) : 1000); i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    void **block = &blocks[(random >> 55) % BLOCKS];
    unsigned what = (unsigned)(random >> 48) & 15;
    size_t size = 1 + (random >> 32) % 5000;
    if (what < 3 && *block) {
      *block = realloc(*block, size);
      continue;
    }
    free(*block);
    *block = what == 15 ? NULL : what == 14 ? reallocarray(NULL, 3, size) : some(what, size);
    if (i % 1000 == 0) {
      FILE *file = fopen("/dev/null", "w");
      fprintf(file, "%d", i);
      fclose(file);
    }
  }
  return 0;
}
