/* SPDX-License-Identifier: MIT
 *
 * Starts the program with the runtime's environment, forwards signals to it,
 * waits for it.
 */
#define _GNU_SOURCE /* pipe2 */
#include "cmd/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};
enum { FORWARDED = sizeof forwarded / sizeof *forwarded };

static volatile pid_t child_pid;

/* The terminal sends its signals to the whole foreground group, the program
 * included: only what another process sent to us is passed on. Also what we
 * were started to ignore: the program may have changed its mind. */
static void signal_forward(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  if (info->si_code <= 0 && child_pid > 0) kill(child_pid, number);
  errno = saved;
}

static void forwarding_begin(struct sigaction before[FORWARDED]) {
  struct sigaction action = {.sa_sigaction = signal_forward, .sa_flags = SA_SIGINFO | SA_RESTART};
  for (int i = 0; i < FORWARDED; i++) sigaction(forwarded[i], &action, &before[i]);
}

static void forwarding_end(const struct sigaction before[FORWARDED]) {
  for (int i = 0; i < FORWARDED; i++) sigaction(forwarded[i], &before[i], NULL);
}

static bool holds_sanitizer(const char *libraries) {
  for (const char *at = libraries; *at; at += strcspn(at, ": ")) {
    at += strspn(at, ": ");
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ": "), at);
    if (ms_program_is_sanitizer(name)) return true;
  }
  return false;
}

/* In front of what the variable holds already, but behind a sanitizer's library, which
 * refuses any other place than the first. */
static void preload_set(const struct ms_run *run) {
  const char *old = getenv("LD_PRELOAD"), *sanitizer = run->file.sanitizer_library;
  char *value = NULL;
  if (!old) old = "";
  int made = holds_sanitizer(old) ? asprintf(&value, "%s:%s", old, run->runtime)
                                  : asprintf(&value, "%s%s%s%s%s", sanitizer, *sanitizer ? ":" : "", run->runtime, *old ? ":" : "", old);
  if (made > 0) setenv("LD_PRELOAD", value, 1);
}

static void environment_set(const struct ms_run *run) {
  setenv("MEMSCOPE", "on", 1);
  setenv("MEMSCOPE_OUTPUT", run->pattern, 1);
  setenv("MEMSCOPE_MODE", run->mode, 1);
  if (run->rotate) setenv("MEMSCOPE_ROTATE", run->rotate, 1);
  if (run->stack) setenv("MEMSCOPE_STACK", run->stack, 1);
  if (run->stack_depth) setenv("MEMSCOPE_STACK_DEPTH", run->stack_depth, 1);
  if (run->paused) setenv("MEMSCOPE_PAUSED", "on", 1); /* else as the environment has it */
  if (run->follow_fork) setenv("MEMSCOPE_FOLLOW_FORK", run->follow_fork, 1);
  if (run->follow_exec) setenv("MEMSCOPE_FOLLOW_EXEC", "on", 1);
  if (run->preload) preload_set(run);
}

/* In the child. Says by errno through the pipe why it could not become the program. */
static void program_become(const struct ms_run *run, int report, const sigset_t *mask) {
  environment_set(run);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execv(run->path, run->program);
  int reason = errno;
  while (write(report, &reason, sizeof reason) < 0 && errno == EINTR) {
  }
  _exit(MS_ERROR_NOT_EXECUTABLE);
}

static int start_failed(const struct ms_run *run, int reason, struct ms_error *error) {
  if (reason == ENOEXEC)
    return ms_error_set(
        error, MS_ERROR_NOT_EXECUTABLE,
        "%s is no program: neither an executable for this machine nor a script that begins with #!",
        run->path);
  if (reason == ENOENT)
    return ms_error_set(error, MS_ERROR_NOT_FOUND,
                        "cannot start %s: the interpreter or loader it names does not exist; install it",
                        run->path);
  return ms_error_set(error, MS_ERROR_NOT_EXECUTABLE, "cannot start %s: %s", run->path, strerror(reason));
}

static void child_wait(struct ms_run_end *end) {
  int status = 0;
  while (waitpid(end->pid, &status, 0) < 0 && errno == EINTR) {
  }
  end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end->core = end->signal && WCOREDUMP(status);
  end->exit_code = end->signal ? 128 + end->signal : WEXITSTATUS(status);
}

int ms_run_child(const struct ms_run *run, struct ms_run_end *end, struct ms_error *error) {
  int pipe_ends[2], reason = 0;
  sigset_t all, mask;
  struct sigaction before[FORWARDED];
  if (pipe2(pipe_ends, O_CLOEXEC))
    return ms_error_set(error, MS_ERROR_USAGE, "cannot start a process: %s", strerror(errno));
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &mask); /* none may arrive before we know whom to pass it to */
  end->pid = fork();
  if (end->pid == 0) program_become(run, pipe_ends[1], &mask);
  close(pipe_ends[1]);
  if (end->pid < 0) {
    reason = errno;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    close(pipe_ends[0]);
    return ms_error_set(error, MS_ERROR_USAGE, "cannot start a process: %s", strerror(reason));
  }
  child_pid = end->pid;
  forwarding_begin(before);
  sigprocmask(SIG_SETMASK, &mask, NULL);
  ssize_t got;
  while ((got = read(pipe_ends[0], &reason, sizeof reason)) < 0 && errno == EINTR) {
  }
  close(pipe_ends[0]);
  child_wait(end);
  child_pid = 0;
  forwarding_end(before);
  return got > 0 ? start_failed(run, reason, error) : 0;
}
