/* SPDX-License-Identifier: MIT
 *
 * Threads that start, are named, end, and allocate and free once more from the
 * destructors of their keys, in every round; then many short ones in a row.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>

static pthread_key_t keys[3];

/* Comes back in each round: allocates in all of them, frees in the last. */
static void late(void *p) {
  static __thread int round;
  free(p);
  if (++round < 4) pthread_setspecific(keys[0], malloc(4000 + (size_t)round));
}

static void free_late(void *p) { free(p); }

static void *inner(void *argument) {
  prctl(PR_SET_NAME, "inner one");
  free(malloc(3001));
  return argument;
}

static void *named(void *argument) {
  pthread_t t;
  pthread_setname_np(pthread_self(), "outer one");
  pthread_create(&t, NULL, inner, NULL);
  pthread_join(t, NULL);
  for (int i = 0; i < 3; i++) pthread_setspecific(keys[i], malloc(3002));
  pthread_exit(argument);
}

static void *brief(void *argument) {
  for (int i = 0; i < 3; i++) free(malloc(5000));
  return argument;
}

int main(int argc, char **argv) {
  pthread_t t;
  int count = argc > 1 ? atoi(argv[1]) : 100;
  pthread_key_create(&keys[0], late);
  for (int i = 1; i < 3; i++) pthread_key_create(&keys[i], free_late);
  pthread_create(&t, NULL, named, NULL);
  pthread_join(t, NULL);
  for (int i = 0; i < count; i++) {
    pthread_create(&t, NULL, brief, NULL);
    pthread_join(t, NULL);
  }
  return 0;
}
