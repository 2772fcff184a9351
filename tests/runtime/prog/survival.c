/* SPDX-License-Identifier: MIT
 *
 * survival HOW [FILE]: what programs do to themselves and to those who watch
 * them. Prints the same and ends the same whether it is recorded or not.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#pragma GCC diagnostic ignored "-Winfinite-recursion" /* both are left otherwise */

static void churn(int times) {
  for (int i = 0; i < times; i++) free(malloc(100 + (size_t)i % 50));
}

/* ---- before main and behind it ---- */

static char *early;
__attribute__((constructor(101))) static void first(void) { early = malloc(11); }
__attribute__((constructor)) static void second(void) { early = realloc(early, 22); }
__attribute__((destructor)) static void last(void) {
  churn(10);
  free(early);
}
static void at_exit(void) { churn(10); }

/* ---- other processes ---- */

static int wait_for(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static char *const child[] = {"sh", "-c", "exit 7", NULL};

static int by_vfork(void) {
  char *before = malloc(33);
  pid_t pid = vfork();
  if (pid == 0) {
    execve("/bin/sh", child, environ);
    _exit(99);
  }
  churn(100);
  free(before);
  return wait_for(pid);
}

static int by_spawn(void) {
  pid_t pid = 0;
  if (posix_spawn(&pid, "/bin/sh", NULL, NULL, child, environ)) return 98;
  churn(100);
  return wait_for(pid);
}

static int by_system(void) {
  int status = system("exit 7");
  churn(100);
  return WEXITSTATUS(status);
}

/* ---- threads ---- */

static void *short_life(void *argument) {
  char *kept = malloc(64);
  churn(20);
  free(argument);
  return kept;
}

static int many_threads(void) {
  enum { ALL = 2000, ABREAST = 50 };
  pthread_t threads[ABREAST];
  int joined = 0;
  for (int wave = 0; wave < ALL / ABREAST; wave++) {
    for (int i = 0; i < ABREAST; i++) pthread_create(&threads[i], NULL, short_life, malloc(48));
    for (int i = 0; i < ABREAST; i++) {
      void *kept = NULL;
      joined += pthread_join(threads[i], &kept) == 0;
      free(kept);
    }
  }
  return joined == ALL ? 7 : 97;
}

/* ---- frames that are left otherwise ---- */

static jmp_buf back;
static int deep(int frames) {
  char *held = malloc((size_t)frames + 1);
  if (!frames) longjmp(back, 7);
  int got = deep(frames - 1);
  free(held); /* never reached: leaked, as without us */
  return got;
}

static int by_jumps(void) {
  volatile int sum = 0;
  for (volatile int i = 0; i < 100; i++) {
    int got = setjmp(back);
    if (!got) got = deep(50);
    sum += got;
    churn(5);
  }
  return sum == 700 ? 7 : 96;
}

static void overflown(int signal) {
  (void)signal;
  _exit(7);
}

static int overflow(volatile char *before) {
  volatile char frame[4096];
  frame[0] = before ? before[0] : 1;
  free(malloc(10));
  return overflow(frame) + frame[0];
}

static int by_overflow(void) {
  static char stack[64 << 10];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = overflown, .sa_flags = SA_ONSTACK};
  struct rlimit small = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_STACK, &small);
  sigaltstack(&other, NULL);
  sigaction(SIGSEGV, &action, NULL);
  return overflow(NULL);
}

/* ---- signals in the middle of an allocator: system calls end early, no more (handlers.c allocates in them) ---- */

static volatile sig_atomic_t handled;
static void count(int signal) {
  (void)signal;
  handled++;
}

static int by_alarms(void) {
  struct sigaction action = {.sa_handler = count};
  struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  while (handled < 200) churn(100);
  setitimer(ITIMER_REAL, &never, NULL);
  return 7;
}

/* ---- address space: a program that limits its own has all of it, and so has who comes behind it ---- */

static int limit_by(int resource) {
  enum { LIMIT_MIB = 1024, LEAST = 900 };
  struct rlimit small = {(rlim_t)LIMIT_MIB << 20, (rlim_t)LIMIT_MIB << 20}, seen = {0, 0};
  int got = 0;
  churn(100);
  if (setrlimit(resource, &small) || getrlimit(resource, &seen)) return 93;
  while (malloc(1 << 20)) got++;
  printf("%s of %lu and %lu MiB\n", got < LEAST ? "too little" : "enough", (unsigned long)(seen.rlim_cur >> 20), (unsigned long)(seen.rlim_max >> 20));
  fflush(stdout);
  return 7;
}

static int by_limit(void) { return limit_by(RLIMIT_AS); }
static int by_limit_data(void) { return limit_by(RLIMIT_DATA); }

static int by_limit_exec(void) {
  struct rlimit small = {(rlim_t)1 << 30, RLIM_INFINITY};
  churn(100);
  if (setrlimit(RLIMIT_AS, &small) || execl("/no/such/program", "program", (char *)NULL) != -1 || !malloc(1 << 20)) return 92;
  execl("/bin/sh", "sh", "-c", "ulimit -v; exit 7", (char *)NULL);
  return 91;
}

/* ---- a clock that steps (see steps.c) ---- */

static int by_steps(void) {
  for (int i = 0; i < 200; i++) {
    churn(50);
    usleep(1000);
  }
  return 7;
}

/* ---- a thread that ends while another reads what it has left ---- */

static void *writes(void *argument) {
  char *text = malloc(1000);
  memset(text, 'x', 1000);
  __atomic_store_n((char **)argument, text, __ATOMIC_RELEASE);
  churn(500);
  return NULL;
}

static int by_readers(void) {
  long sum = 0;
  for (int i = 0; i < 300; i++) {
    static char *left;
    pthread_t t;
    left = NULL;
    pthread_create(&t, NULL, writes, &left);
    char *text;
    while (!(text = __atomic_load_n(&left, __ATOMIC_ACQUIRE))) usleep(10);
    for (int n = 0; n < 1000; n++) sum += text[n] == 'x';
    free(text);
    pthread_join(t, NULL);
  }
  return sum == 300000 ? 7 : 90;
}

/* ---- an end that comes while all threads write ---- */

static void *busy(void *seed) {
  static __thread void *slots[64];
  for (unsigned at = (unsigned)(size_t)seed;;) {
    at = at * 1664525u + 1013904223u;
    free(slots[at >> 26]);
    slots[at >> 26] = malloc(1 + (at >> 20 & 255));
  }
  return NULL;
}

static int by_busy(const char *how) {
  pthread_t t;
  for (size_t i = 1; i < 4; i++) pthread_create(&t, NULL, busy, (void *)i);
  puts("go");
  fflush(stdout);
  if (!strcmp(how, "killed")) busy(NULL);
  usleep((useconds_t)getpid() % 100 * 1000);
  return 7;
}

/* ---- our file ---- */

static int by_deletion(const char *folder) {
  char command[4200];
  churn(30000);
  snprintf(command, sizeof command, "rm -f '%s'/*.memscope", folder);
  if (system(command)) return 95;
  churn(30000);
  return 7;
}

int main(int argc, char **argv) {
  static const struct {
    const char *how;
    int (*run)(void);
  } ways[] = {{"vfork", by_vfork},   {"spawn", by_spawn},       {"system", by_system}, {"threads", many_threads},
              {"jumps", by_jumps},   {"overflow", by_overflow}, {"alarms", by_alarms},
              {"limit", by_limit}, {"limit_data", by_limit_data},   {"limit_exec", by_limit_exec}, {"steps", by_steps}, {"readers", by_readers}};
  atexit(at_exit);
  printf("early %s\n", early ? "yes" : "no");
  fflush(stdout);
  for (size_t i = 0; i < sizeof ways / sizeof *ways && argc > 1; i++)
    if (!strcmp(argv[1], ways[i].how)) return ways[i].run();
  if (argc > 2 && !strcmp(argv[1], "busy")) return by_busy(argv[2]);
  return argc > 2 && !strcmp(argv[1], "deletion") ? by_deletion(argv[2]) : 94;
}
