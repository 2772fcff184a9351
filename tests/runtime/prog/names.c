/* SPDX-License-Identifier: MIT
 *
 * Far more names than a record has room for, made by several threads at once, and then
 * in a child of theirs that inherits the steps sites remember. Block number N is handed
 * through the sites that N's digits to the base 4 say.
 */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

UNIT(unit, SITE("0") SITE("1") SITE("2") SITE("3") SITE("end") SITE("child"), "names.c")
enum { END = 4, CHILD };
enum { DIGITS = 6, BLOCKS = 1 << (2 * DIGITS), THREADS = 4, SIZE = 10000 };

static void block(unsigned number, uint32_t last) {
  void *p = malloc(SIZE + number);
  for (int digit = 0; digit < DIGITS; digit++) BIND(unit, p, (number >> 2 * digit & 3) | MS_BIND_UP);
  free(BIND(unit, p, last));
}

/* Each begins elsewhere, so that they meet at names nobody has yet. */
static void *blocks(void *first) {
  for (unsigned i = 0; i < BLOCKS; i++) block((i + (unsigned)(uintptr_t)first) % BLOCKS, END);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  UNIT_LOADED(unit);
  for (uintptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, blocks, (void *)(i * BLOCKS / 8))) return 1;
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  pid_t pid = fork();
  if (!pid) {
    for (unsigned i = 0; i < BLOCKS; i++) block(i, i % 2 ? END : CHILD);
    _exit(0);
  }
  for (unsigned i = 0; i < BLOCKS; i++) block(BLOCKS - 1 - i, END);
  return pid < 0 || waitpid(pid, NULL, 0) != pid;
}
