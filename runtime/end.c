/* SPDX-License-Identifier: MIT
 *
 * The ways a process ends or becomes another program, other than exit (an exit
 * handler, process.c) and a signal (nothing is installed: the stream then has
 * no end, which says it). Each writes its row and goes on to the real function.
 */
#define _GNU_SOURCE
#include "emit.h"
#include "real.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

MS_DECLARE_HOST(_exit)
MS_PUBLIC void MS_FN(_exit)(int status) {
  ms_process_end(MS_END_QUICK, status);
  MS_NEXT_HOST(_exit)(status);
  __builtin_unreachable();
}

MS_DECLARE_HOST(_Exit)
MS_PUBLIC void MS_FN(_Exit)(int status) {
  ms_process_end(MS_END_QUICK, status);
  MS_NEXT_HOST(_Exit)(status);
  __builtin_unreachable();
}

MS_DECLARE_HOST(quick_exit)
MS_PUBLIC void MS_FN(quick_exit)(int status) {
  ms_process_end(MS_END_QUICK, status);
  MS_NEXT_HOST(quick_exit)(status);
  __builtin_unreachable();
}

MS_DECLARE_HOST(abort)
MS_PUBLIC void MS_FN(abort)(void) {
  ms_process_end(MS_END_SIGNAL, SIGABRT);
  MS_NEXT_HOST(abort)();
  __builtin_unreachable();
}

/* ---- exec ---- */

enum { PATH_WORDS = 512 };

static void exec_row_put(const char *path) {
  size_t bytes = strnlen(path, PATH_WORDS * 8 - 1);
  uint32_t words = (uint32_t)(bytes + 7) / 8;
  uint64_t head[1], word;
  struct ms_thread *t = ms_own_begin();
  if (!t) return;
  if (ms_own_room(t, 1 + words)) {
    ms_put_exec(head, (struct ms_row_exec){.words = words, .bytes = bytes});
    uint64_t *w = t->pos;
    for (uint32_t i = 0; i < words; i++) {
      word = 0;
      memcpy(&word, path + 8 * i, bytes - 8 * i < 8 ? bytes - 8 * i : 8);
      w[1 + i] = word;
    }
    w[0] = head[0];
    ms_publish(t, w + 1 + words);
  }
  ms_own_end(t);
}

/* A vfork child runs in our memory, but its exec is its own. */
static int exec_begins(const char *path) {
  if (!ms_on || !ms_process || !ms_process->header || ms_process->pid != ms_os_pid()) return 0;
  exec_row_put(path);
  ms_process_end(MS_END_EXEC, 0);
  return 1;
}

/* Still here: it failed, and recording goes on. */
static int exec_failed(int begun, int rc) {
  if (begun) ms_process_end(MS_END_NONE, 0);
  return rc;
}

#define EXEC(name, path, params, args)                                                                                 \
  MS_DECLARE_HOST(name)                                                                                                \
  MS_PUBLIC int MS_FN(name) params {                                                                                   \
    __typeof__(&name) next = MS_NEXT_HOST(name); /* looked for before there is less room */             \
    int begun = exec_begins(path);                                                                                     \
    ms_limit_hand_over(0);                                                                                             \
    int rc = next args;                                                                                                \
    ms_limit_hand_over(1);                                                                                             \
    return exec_failed(begun, rc);                                                                                     \
  }

EXEC(execve, path, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))
EXEC(execv, path, (const char *path, char *const argv[]), (path, argv))
EXEC(execvp, file, (const char *file, char *const argv[]), (file, argv))
EXEC(execvpe, file, (const char *file, char *const argv[], char *const envp[]), (file, argv, envp))
EXEC(fexecve, "", (int fd, char *const argv[], char *const envp[]), (fd, argv, envp))

/* The list forms: the same arguments as a vector, on the stack as libc does it. */
#define ARGUMENTS(first)                                                                                               \
  va_list list;                                                                                                        \
  size_t count = 1;                                                                                                    \
  va_start(list, first);                                                                                               \
  while (va_arg(list, char *)) count++;                                                                                \
  va_end(list);                                                                                                        \
  char *argv[count + 1];                                                                                               \
  va_start(list, first);                                                                                               \
  argv[0] = (char *)first;                                                                                             \
  for (size_t i = 1; i <= count; i++) argv[i] = va_arg(list, char *);

MS_DECLARE_HOST(execl)
MS_PUBLIC int MS_FN(execl)(const char *path, const char *first, ...) {
  ARGUMENTS(first)
  va_end(list);
  return MS_FN(execv)(path, argv);
}

MS_DECLARE_HOST(execlp)
MS_PUBLIC int MS_FN(execlp)(const char *file, const char *first, ...) {
  ARGUMENTS(first)
  va_end(list);
  return MS_FN(execvp)(file, argv);
}

MS_DECLARE_HOST(execle)
MS_PUBLIC int MS_FN(execle)(const char *path, const char *first, ...) {
  ARGUMENTS(first)
  char *const *envp = va_arg(list, char *const *);
  va_end(list);
  return MS_FN(execve)(path, argv, envp);
}
