/* SPDX-License-Identifier: MIT
 *
 * A sandbox as programs put on: preloaded, it lets the program do what Lua does and
 * kills it for anything else, before main.
 *
 *   LD_PRELOAD=sandbox.so program
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int lets[] = {SYS_read,  SYS_write, SYS_openat, SYS_close,  SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_mmap,
                           SYS_munmap, SYS_mremap, SYS_brk,   SYS_ioctl,  SYS_rt_sigaction, SYS_clock_gettime, SYS_fcntl, SYS_unlink, SYS_exit_group};
enum { LETS = sizeof lets / sizeof *lets };

__attribute__((constructor)) static void enter(void) {
  struct sock_filter ops[2 * LETS + 2] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  struct sock_fprog program = {2 * LETS + 2, ops};
  for (int i = 0; i < LETS; i++) {
    ops[1 + 2 * i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)lets[i], 0, 1);
    ops[2 + 2 * i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  ops[1 + 2 * LETS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  void *volatile first = malloc(1); /* the C library takes its own first steps */
  free(first);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)) {
    perror("sandbox");
    abort();
  }
}
