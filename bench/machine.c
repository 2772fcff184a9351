/* SPDX-License-Identifier: MIT
 *
 * How fast the machine is just now, for whoever reads absolute figures. One of many
 * guests on a host may be three times as slow as it was an hour ago.
 *
 *   machine FILE
 *
 * prints ns of CPU time: of an addition that waits for the one before; of a load from 64 MiB
 * in an order that nothing foretells; of 4 KiB that are written to FILE, which is made anew and removed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ADDITIONS = 200 << 20, LINE = 64, LINES = 1 << 20, LOADS = 4 << 20, PIECE = 256 << 10, PIECES = 400 };

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double addition(void) {
  uint64_t sum = 0;
  double begin = now_ns();
  for (long i = 0; i < ADDITIONS; i++) __asm__ volatile("add $1, %0" : "+r"(sum));
  return (now_ns() - begin) / ADDITIONS;
}

/* All lines in one cycle (Sattolo's shuffle), on huge pages where there are some. */
static double load(void) {
  uint32_t(*line)[LINE / 4] = aligned_alloc(2 << 20, (size_t)LINES * LINE);
  if (!line) fail("64 MiB");
  madvise(line, (size_t)LINES * LINE, MADV_HUGEPAGE);
  for (uint32_t i = 0; i < LINES; i++) line[i][0] = i;
  srandom(1);
  for (uint32_t i = LINES - 1; i; i--) {
    uint32_t other = (uint32_t)random() % i, next = line[i][0];
    line[i][0] = line[other][0];
    line[other][0] = next;
  }
  volatile uint32_t at = 0;
  double begin = now_ns();
  for (long i = 0; i < LOADS; i++) at = line[at][0];
  double took = (now_ns() - begin) / LOADS;
  free(line);
  return took;
}

static double page_write(const char *path) {
  static char piece[PIECE];
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(path);
  double took = 0;
  for (int i = 0; i < PIECES; i++) {
    memset(piece, i, sizeof piece);
    double begin = now_ns();
    if (write(file, piece, sizeof piece) != sizeof piece) fail(path);
    took += now_ns() - begin;
  }
  close(file);
  unlink(path);
  return took / ((double)PIECES * PIECE / 4096);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  printf("%.2f %.0f %.0f\n", addition(), load(), page_write(argv[1]));
  return 0;
}
