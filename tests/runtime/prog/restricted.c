/* SPDX-License-Identifier: MIT
 *
 * restricted HOW THREADS N: gives up system calls, then allocates in THREADS threads
 * that have begun before, 2 N blocks each: half freed. Leaves by exit alone, which all
 * ways let through.
 *
 *   strict   SECCOMP_MODE_STRICT
 *   kill     a filter that kills for all but write, futex, exit; by prctl
 *   eperm    a filter that refuses the same; by seccomp(2), through libc's syscall
 *   deny     a filter that refuses three calls that nobody of us makes
 *   probe    asks whether there are filters, and gives up nothing
 *   wrong    a filter the kernel does not take
 *   none     nothing
 *   twice    a filter that kills for a call no filter is asked about, then `deny`
 *   stopped  as `kill`, behind as many events more
 *   refused  `wrong` many times, while other threads allocate; no number of a file may be lost
 *   crossed  `wrong` many times by a thread, meanwhile a filter that kills for pwritev by another
 *   child    a vfork child has a filter that kills for getpid, and leaves by exec
 *
 * or has a filter that kills for pwritev alone, and then does what only such a one lets:
 *
 *   numbers  closes all descriptors, and takes their numbers
 *   vfork    its children leave by _exit and exec
 *   threads  one has ended before the filter, one begins behind it: N blocks each
 *   lock     locks all its memory
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(nr, then) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, then)
#define OTHERS(then) BPF_STMT(BPF_RET | BPF_K, then)

static long install(struct sock_filter *ops, size_t count, int by_syscall) {
  struct sock_fprog program = {(unsigned short)count, ops};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (by_syscall) return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static long allow_few(unsigned others, int by_syscall) {
  struct sock_filter ops[] = {LOAD(nr),
                              IF(SYS_write, SECCOMP_RET_ALLOW), IF(SYS_futex, SECCOMP_RET_ALLOW),
                              IF(SYS_exit, SECCOMP_RET_ALLOW), IF(SYS_exit_group, SECCOMP_RET_ALLOW), OTHERS(others)};
  return install(ops, sizeof ops / sizeof *ops, by_syscall);
}

static long deny_few(void) {
  struct sock_filter ops[] = {LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), OTHERS(SECCOMP_RET_KILL_PROCESS),
                              LOAD(nr), IF(SYS_ptrace, SECCOMP_RET_KILL_PROCESS), IF(SYS_mount, SECCOMP_RET_ERRNO | EPERM),
                              IF(SYS_reboot, SECCOMP_RET_KILL_PROCESS), OTHERS(SECCOMP_RET_ALLOW)};
  return install(ops, sizeof ops / sizeof *ops, 1);
}

static long kill_for(unsigned nr) {
  struct sock_filter ops[] = {LOAD(nr), IF(nr, SECCOMP_RET_KILL_PROCESS), OTHERS(SECCOMP_RET_ALLOW)};
  return install(ops, sizeof ops / sizeof *ops, 0);
}

/* ---- what is done behind a filter that lets nearly all ---- */

static int count;

static void *keep(void *arg) {
  for (int i = 0; i < count; i++) *(volatile char *)malloc(32) = 1;
  return arg;
}

static int numbers_are_ours(void) {
  int fine = 1, mine = fcntl(1, F_DUPFD, 100);
  if (kill_for(SYS_pwritev)) return 0;
  for (int fd = 995; fd < 1005; fd++) fine &= dup2(1, fd) == fd && close(fd) == 0;
  closefrom(3);
  return fine && fcntl(mine, F_GETFD) == -1 && errno == EBADF;
}

static int child_leaves(const char *program) {
  int status = 0;
  pid_t pid = vfork();
  if (pid == 0 && program) execl(program, program, NULL);
  if (pid == 0) _exit(4);
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == (program ? 0 : 4);
}

static int children_leave(void) { return kill_for(SYS_pwritev) == 0 && child_leaves(NULL) && child_leaves("/bin/true"); }

static int thread_ends(void) {
  pthread_t id;
  return pthread_create(&id, NULL, keep, NULL) == 0 && pthread_join(id, NULL) == 0;
}

static int threads_follow(void) { return thread_ends() && kill_for(SYS_pwritev) == 0 && thread_ends(); }

static int memory_locks(void) { return kill_for(SYS_pwritev) == 0 && mlockall(MCL_CURRENT) == 0; }

/* ---- filters that are refused ---- */

static long wrong(void) {
  struct sock_filter ops[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3), OTHERS(SECCOMP_RET_ALLOW)};
  return install(ops, 2, 0) == -1 && errno == EINVAL ? 0 : -1;
}

static volatile int over;

static void *churn(void *arg) {
  while (!over)
    for (int i = 0; i < 1000; i++) free(malloc(24));
  return arg;
}

static int numbers_free(void) {
  int used = 0;
  for (int fd = 0; fd < 1024; fd++) used += fcntl(fd, F_GETFD) != -1;
  return 1024 - used;
}

static int refused_often(void) {
  pthread_t id[2];
  int fine = 1, before = numbers_free();
  for (int i = 0; i < 2; i++) pthread_create(&id[i], NULL, churn, NULL);
  for (int i = 0; i < 100; i++) fine &= wrong() == 0;
  over = 1;
  for (int i = 0; i < 2; i++) pthread_join(id[i], NULL);
  return fine && numbers_free() == before;
}

static volatile int tries;

static void *wrong_often(void *arg) {
  while (!over) tries += wrong() == 0;
  return arg;
}

static int crossed(void) {
  pthread_t id;
  pthread_create(&id, NULL, wrong_often, NULL);
  while (tries < 3) {
  }
  int fine = kill_for(SYS_pwritev) == 0, so_far = tries;
  while (tries < so_far + 3) {
  }
  over = 1;
  return pthread_join(id, NULL) == 0 && fine;
}

static int child_restricts(void) {
  char *none[] = {NULL};
  int status = 0;
  pid_t pid = vfork();
  if (pid == 0 && kill_for(SYS_getpid) == 0) execle("/bin/true", "true", NULL, none);
  if (pid == 0) _exit(4);
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static const struct {
  const char *name;
  int (*work)(void);
} acts[] = {{"numbers", numbers_are_ours}, {"vfork", children_leave}, {"threads", threads_follow}, {"lock", memory_locks}, {"refused", refused_often}, {"crossed", crossed}, {"child", child_restricts}};

static long restrict_by(const char *how) {
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
    if (strcmp(how, acts[i].name) == 0) return acts[i].work() ? 0 : -1;
  if (strcmp(how, "strict") == 0) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  if (strcmp(how, "kill") == 0) return allow_few(SECCOMP_RET_KILL_PROCESS, 0);
  if (strcmp(how, "eperm") == 0) return allow_few(SECCOMP_RET_ERRNO | EPERM, 1);
  if (strcmp(how, "deny") == 0) return deny_few();
  if (strcmp(how, "twice") == 0) return kill_for(SYS_process_vm_readv) || deny_few() ? -1 : 0;
  if (strcmp(how, "stopped") == 0) {
    for (int i = 0; i < count; i++) free(malloc(24));
    return allow_few(SECCOMP_RET_KILL_PROCESS, 0);
  }
  if (strcmp(how, "probe") == 0) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT ? 0 : -1;
  if (strcmp(how, "wrong") == 0) return wrong();
  return 0;
}

static volatile int begun, go, done; /* no lock: a thread that waits for one needs system calls */

static void *run(void *arg) {
  __atomic_fetch_add(&begun, 1, __ATOMIC_SEQ_CST);
  while (!go) {
  }
  for (int i = 0; i < count; i++) {
    char *kept = malloc(24), *temporary = malloc(40 + i % 100);
    kept[0] = temporary[0] = 1;
    free(temporary);
  }
  __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
  while (arg) { /* ended by the exit */
  }
  return arg;
}

/* The last of syscall's arguments lies elsewhere than the others. */
static int syscall_passes_all(void) {
  char text[] = "all", got[4] = "";
  int fd = (int)syscall(SYS_memfd_create, "all", 0);
  if (pwrite(fd, text, 4, 8192) != 4) return 0;
  char *p = (char *)syscall(SYS_mmap, NULL, 4096L, (long)PROT_READ, (long)MAP_SHARED, (long)fd, 8192L);
  memcpy(got, p, 4);
  close(fd);
  return strcmp(got, text) == 0;
}

int main(int argc, char **argv) {
  if (argc < 4 || !syscall_passes_all()) return 2;
  int threads = atoi(argv[2]);
  pthread_t id;
  count = atoi(argv[3]);
  mallopt(M_ARENA_MAX, 1); /* from here on malloc needs no system call either */
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 256 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  free(malloc(16 << 20));
  for (int i = 0; i < threads; i++) pthread_create(&id, NULL, run, &count);
  while (begun < threads) {
  }
  long rc = restrict_by(argv[1]);
  go = 1;
  run(NULL);
  while (done < threads + 1) {
  }
  const char *text = rc == 0 ? "restricted\n" : "not restricted\n";
  if (write(1, text, strlen(text)) < 0) return 1;
  if (strcmp(argv[1], "strict") == 0) syscall(SYS_exit, 3);
  exit(3);
}
