/* SPDX-License-Identifier: MIT
 *
 * handlers HOW: a timer interrupts allocations all the time, its handler
 * allocates and frees too (the allocator here is reentrant: sizes of their own,
 * served from a static arena by a preloaded library, see reentrant.c). HOW is
 * return, jump (leaves by siglongjmp) or stack (on an alternate stack).
 * Publishes on stdout how many events it made. With a number as well: so many blocks of
 * 75 and of 9005 bytes behind that, uninterrupted.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INTERRUPTIONS = 2000 };
static volatile sig_atomic_t interruptions, jumped;
static volatile unsigned long events;
static sigjmp_buf back;
static int jumping;

static void handler(int number) {
  (void)number;
  interruptions++;
  void *p = malloc(9001);
  p = realloc(p, 9002);
  free(p);
  if (jumping) jumped++, siglongjmp(back, 1);
}

/* A thread that was jumped out of must come to a new window before the next interruption. */
static void timer_start(long period) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, period}, {0, period}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL)) exit(1);
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = handler};
  const char *how = argc > 1 ? argv[1] : "return";
  jumping = !strcmp(how, "jump");
  if (!strcmp(how, "stack")) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    action.sa_flags = SA_ONSTACK;
  }
  sigaction(SIGUSR1, &action, NULL);
  /* The first interruption may be there before timer_start returns. */
  if (!sigsetjmp(back, 1)) timer_start(jumping ? 400000 : 60000);
  while (interruptions < INTERRUPTIONS) {
    void *volatile p = malloc(9003);
    free(p);
    events++;
  }
  signal(SIGUSR1, SIG_IGN);
  for (long left = argc > 2 ? atol(argv[2]) : 0; left > 0; left--) {
    free(malloc(75));
    free(malloc(9005));
  }
  printf("%d %lu\n", (int)interruptions, events);
  return 0;
}
