/* SPDX-License-Identifier: MIT
 *
 * forks HOW: children of all sorts. Blocks: 8001 by the parent before, 8002 by
 * a child, 8003 by the parent after, 8004 by a grandchild.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static void *before;
static volatile int stop;

static void child_work(void) {
  free(before);
  for (int i = 0; i < 1500; i++) free(malloc(8002));
}

static int reap(pid_t pid) {
  int status;
  if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return 1;
  return WEXITSTATUS(status);
}

static pid_t raw_fork(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }

static int in_child(pid_t (*forking)(void), void (*work)(void)) {
  pid_t pid = forking();
  if (pid == 0) {
    if (work) work();
    exit(0);
  }
  return reap(pid);
}

static void grandchild_work(void) { free(malloc(8004)); }
static void silent_parent(void) {
  if (in_child(fork, grandchild_work)) _exit(1);
}
static void busy_parent(void) {
  child_work();
  silent_parent();
}

static void *storm(void *argument) {
  while (!stop) {
    for (int i = 0; i < 100; i++) free(realloc(malloc(100), 5000));
    usleep(50);
  }
  return argument;
}

/* A child forked while other threads are in the middle of their rows. */
static int storm_forks(void) {
  pthread_t t[3];
  int failed = 0;
  for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, storm, NULL);
  for (int i = 0; i < 20; i++) failed += in_child(fork, child_work);
  stop = 1;
  for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
  return failed;
}

static int spawns(void) {
  char *argv[] = {"true", NULL};
  pid_t pid;
  if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ)) return 1;
  if (reap(pid)) return 2;
  pid = vfork();
  if (pid == 0) {
    execv("/bin/true", argv);
    _exit(9);
  }
  return reap(pid) || system("exit 0") || system("exit 3") != 3 << 8;
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int failed = 99;
  before = malloc(8001);
  if (!strcmp(how, "fork")) failed = in_child(fork, child_work);
  if (!strcmp(how, "raw")) failed = in_child(raw_fork, child_work);
  if (!strcmp(how, "silent")) failed = in_child(fork, NULL);
  if (!strcmp(how, "grandchild")) failed = in_child(fork, silent_parent);
  if (!strcmp(how, "generations")) failed = in_child(fork, busy_parent);
  if (!strcmp(how, "storm")) failed = storm_forks();
  if (!strcmp(how, "spawn")) failed = spawns();
  if (!strcmp(how, "daemon")) {
    if (daemon(1, 0)) return 98;
    child_work();
    return 0;
  }
  for (int i = 0; i < 10; i++) free(malloc(8003));
  return failed;
}
