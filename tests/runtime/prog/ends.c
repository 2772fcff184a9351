/* SPDX-License-Identifier: MIT
 *
 * ends HOW: the ways a process ends. One block of 7001 bytes before, and where
 * a handler runs, one of 7002 in it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *kept[3];
static jmp_buf back;

static void handler(void) { kept[1] = malloc(7002); }
static void on_abort(int number) { (void)number, siglongjmp(back, 1); }
static void *exit_here(void *status) { exit(status ? 6 : 7); }
static void *sleeper(void *unused) {
  kept[2] = malloc(7003);
  sleep(1);
  exit(8);
  return unused;
}

static void vfork_child(void) {
  pid_t pid = vfork();
  if (pid == 0) _exit(3);
  waitpid(pid, NULL, 0);
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "return";
  pthread_t t;
  kept[0] = malloc(7001);
  atexit(handler);
  at_quick_exit(handler);
  if (!strcmp(how, "return")) return 5;
  if (!strcmp(how, "exit")) exit(5);
  if (!strcmp(how, "_exit")) _exit(5);
  if (!strcmp(how, "_Exit")) _Exit(5);
  if (!strcmp(how, "quick_exit")) quick_exit(5);
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "segv")) raise(SIGSEGV);
  if (!strcmp(how, "kill")) raise(SIGKILL);
  if (!strcmp(how, "syscall")) syscall(SYS_exit_group, 5);
  if (!strcmp(how, "thread")) {
    pthread_create(&t, NULL, exit_here, kept);
    pause();
  }
  if (!strcmp(how, "pthread_exit")) {
    pthread_create(&t, NULL, sleeper, NULL);
    pthread_exit(NULL);
  }
  if (!strcmp(how, "vfork")) return vfork_child(), 5;
  if (!strcmp(how, "exec")) execl("/bin/true", "true", (char *)NULL);
  if (!strcmp(how, "execvp")) execvp("true", (char *[]){"true", NULL});
  if (!strcmp(how, "exec_fails")) {
    execl("/no/such/program", "program", (char *)NULL);
    execle("/no/such/program", "program", (char *)NULL, (char *[]){NULL});
    free(malloc(7004));
    return 5;
  }
  if (!strcmp(how, "abort_survived")) {
    signal(SIGABRT, on_abort);
    if (!sigsetjmp(back, 1)) abort();
    free(malloc(7004));
    return 5;
  }
  fprintf(stderr, "unknown end %s\n", how);
  return 99;
}
