/* SPDX-License-Identifier: MIT
 *
 * no_space BYTES PROGRAM ARGUMENTS…: runs it recorded, on a device that seems
 * to have room for so many bytes: a tracer that lets fallocate, pwrite64 and
 * pwritev through until they are used up and answers ENOSPC from then on. The
 * runtime makes its system calls itself, so a preloaded shim would not see them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static long long room;
static pid_t child;

static long long vector_bytes(unsigned long at, unsigned long count) {
  long long bytes = 0;
  for (unsigned long i = 0; i < count; i++)
    bytes += ptrace(PTRACE_PEEKDATA, child, at + i * sizeof(struct iovec) + sizeof(void *), NULL);
  return bytes;
}

/* What the call would take, 0 = nothing. */
static long long taken(const struct user_regs_struct *regs) {
  switch (regs->orig_rax) {
  case SYS_fallocate: return (long long)regs->r10;
  case SYS_pwrite64: return (long long)regs->rdx;
  case SYS_pwritev: return vector_bytes(regs->rsi, regs->rdx);
  default: return 0;
  }
}

/* At a call's entry: true when it is to fail. A call that does not exist takes its place. */
static int refuse(void) {
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, child, NULL, &regs);
  long long bytes = taken(&regs);
  if (!bytes) return 0;
  if (bytes <= room) {
    room -= bytes;
    return 0;
  }
  room = 0;
  regs.orig_rax = (unsigned long long)-1;
  ptrace(PTRACE_SETREGS, child, NULL, &regs);
  return 1;
}

static void answer(void) {
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, child, NULL, &regs);
  regs.rax = (unsigned long long)-ENOSPC;
  ptrace(PTRACE_SETREGS, child, NULL, &regs);
}

static int follow(void) {
  int status, inside = 0, refused = 0, pass = 0;
  for (;;) {
    if (ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)pass) || waitpid(child, &status, 0) != child) return 97;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    pass = 0;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      pass = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
      continue;
    }
    inside = !inside;
    if (inside) refused = refuse();
    else if (refused) answer();
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 96;
  room = atoll(argv[1]);
  child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", getenv("MS_PRELOAD"), 1);
    setenv("MEMSCOPE", "on", 1);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    execv(argv[2], argv + 2);
    _exit(98);
  }
  int status;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
  return follow();
}
