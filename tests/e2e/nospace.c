/* SPDX-License-Identifier: MIT
 *
 * nospace BYTES PROG ARGS...: PROG on a disk where no file grows past BYTES.
 * A seccomp filter lets the kernel answer fallocate and pwrite at or behind
 * that offset with ENOSPC: the recording runtime makes its system calls by
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

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD_AT(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: nospace BYTES PROG ARGS...\n"), 2;
  uint32_t room = (uint32_t)strtoul(argv[1], NULL, 10); /* below 4 GiB: only low halves are compared */
  struct sock_filter code[] = {
      LOAD(nr),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 3, 0),
      RETURN(SECCOMP_RET_ALLOW),
      LOAD_AT(LOW(3)), /* pwrite's offset */
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, room, 3, 2),
      LOAD_AT(LOW(2)), /* fallocate's offset */
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, room, 1, 0),
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
