/* SPDX-License-Identifier: MIT
 *
 * nospace BYTES PROG ARGS...: PROG on a disk where no file grows past BYTES.
 * A seccomp filter lets the kernel answer fallocate, pwrite and pwritev that reach
 * further with ENOSPC: the recording runtime makes its system calls by
 * itself, so no library in front of the C library's would be asked.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: nospace BYTES PROG ARGS...\n"), 2;
  uint32_t room = (uint32_t)strtoul(argv[1], NULL, 10); /* below 4 GiB: only low halves are compared */
  struct sock_filter code[] = {
      LOAD(offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 1, 0),
      RETURN(SECCOMP_RET_ALLOW),
      LOAD(LOW(2)), /* length and offset of pwrite (of pwritev: pieces), offset and length of fallocate */
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      LOAD(LOW(3)),
      BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, room, 1, 0),
      RETURN(SECCOMP_RET_ALLOW),
      RETURN(SECCOMP_RET_ERRNO | ENOSPC),
  };
  struct sock_fprog filter = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
    fprintf(stderr, "nospace: %s\n", strerror(errno));
    return 2;
  }
  execvp(argv[2], argv + 2);
  fprintf(stderr, "nospace: %s: %s\n", argv[2], strerror(errno));
  return 127;
}
