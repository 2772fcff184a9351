/* SPDX-License-Identifier: MIT
 *
 * dl_turns ONE OTHER ROUNDS: each of them is loaded, frees a block in another thread, and
 * is unloaded, by turns; so they come to the same addresses. Fails when that is not so.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void (*give_back)(void *); /* NULL: no more */
static pthread_barrier_t turn;

static void *work(void *unused) {
  while (pthread_barrier_wait(&turn), give_back) {
    give_back(malloc(4343));
    void *volatile next = malloc(10); /* with which the thread says where that was */
    free(next);
    pthread_barrier_wait(&turn);
  }
  return unused;
}

int main(int argc, char **argv) {
  pthread_t worker;
  void (*before)(void *) = NULL;
  int alike = 0, rounds = argc > 3 ? atoi(argv[3]) : 0;
  pthread_barrier_init(&turn, NULL, 2);
  pthread_create(&worker, NULL, work, NULL);
  for (int i = 0; i < rounds; i++) {
    void *library = dlopen(argv[1 + i % 2], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    give_back = (void (*)(void *))dlsym(library, "give_back");
    alike += give_back == before;
    before = give_back;
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    dlclose(library);
  }
  give_back = NULL;
  pthread_barrier_wait(&turn);
  pthread_join(worker, NULL);
  return alike < rounds / 2 ? fprintf(stderr, "%d of %d loads came to the address of the one before\n", alike, rounds), 1 : 0;
}
