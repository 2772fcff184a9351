/* SPDX-License-Identifier: MIT
 *
 * Every system call that the runtime makes for itself, by way of call(), where they can
 * be forbidden. Raw ones: glibc's wrappers are cancellation points (a cancelled thread
 * would die inside malloc) and set errno. What libc enters when we call it is not among
 * them: a host's own calls that are passed on, its limits before an exec (guard.c), the
 * keys and locks of pthread, the dynamic linker and libunwind.
 */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <string.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif

#if defined(__x86_64__)
static long enter(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static long enter(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "port me: the runtime's system calls"
#endif

/* ---- whether any may be made ---- */

enum { FORBID_TRIES = 1000 };

static uint32_t forbidden, inside; /* threads within a system call */
static uint32_t but_pid;           /* getpid is let all the same */
static __thread uint32_t lent __attribute__((tls_model("initial-exec"))); /* to a vfork child that has restricted itself */

static long call(long n, long a, long b, long c, long d, long e, long f) {
  __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
  long result = __atomic_load_n(&forbidden, __ATOMIC_SEQ_CST) || lent ? -EPERM : enter(n, a, b, c, d, e, f);
  __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
  return result;
}

/* One that waits for long, or was left by a jump out of a handler, is not waited for. */
void ms_os_forbid(int pid) {
  ms_os_pid(); /* as it was */
  __atomic_store_n(&but_pid, pid, __ATOMIC_SEQ_CST);
  if (__atomic_exchange_n(&forbidden, 1, __ATOMIC_SEQ_CST)) return;
  for (int i = 0; i < FORBID_TRIES && __atomic_load_n(&inside, __ATOMIC_SEQ_CST); i++) enter(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void ms_os_permit(void) { __atomic_store_n(&forbidden, 0, __ATOMIC_SEQ_CST); }

/* The child has its parent's memory, the calling thread's own variables among it. When it
 * leaves, by exec or by its end, the kernel zeroes the word it was told of, before the
 * parent goes on: a thread's joiner is told so. */
void ms_os_lend(void) {
  if (lent) return;
  if (__atomic_load_n(&forbidden, __ATOMIC_SEQ_CST)) return __atomic_store_n(&but_pid, 0, __ATOMIC_SEQ_CST);
  enter(SYS_set_tid_address, (long)&lent, 0, 0, 0, 0, 0);
  lent = 1;
}

int ms_os_is_forbidden(void) { return lent || __atomic_load_n(&forbidden, __ATOMIC_RELAXED); }

#define CALL3(n, a, b, c) call(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL6(n, a, b, c, d, e, f) call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* ---- memory ---- */

static void *map(void *at, size_t bytes, int flags, int fd, uint64_t offset) {
  long p = CALL6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
  return p < 0 && p > -MS_OS_PAGE ? NULL : (void *)p;
}

static long advise(void *p, size_t bytes, int advice) { return CALL3(SYS_madvise, p, bytes, advice); }

void *ms_os_pages(size_t bytes) { return map(NULL, bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

void *ms_os_pages_reserve(size_t bytes) {
  void *p = map(NULL, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!p) return NULL;
  advise(p, bytes, MADV_DONTDUMP);
  advise(p, bytes, MADV_NOHUGEPAGE);
  return p;
}

void ms_os_pages_join(void *p) {
  if (advise(p, MS_OS_HUGE, MADV_HUGEPAGE) == 0) advise(p, MS_OS_HUGE, MADV_COLLAPSE);
}

void *ms_os_pages_wiped_on_fork(size_t bytes) {
  void *p = ms_os_pages(bytes);
  if (p) ms_os_pages_wipe(p, bytes);
  return p;
}

void ms_os_pages_wipe(void *p, size_t bytes) { advise(p, bytes, MADV_WIPEONFORK); }
int ms_os_pages_forget(void *p, size_t bytes) { return advise(p, bytes, MADV_DONTNEED) == 0; }
void ms_os_pages_keep(void *p, size_t bytes) { advise(p, bytes, MADV_KEEPONFORK); }

void *ms_os_map(int fd, uint64_t offset, size_t bytes) {
  void *p = map(NULL, bytes, MAP_SHARED, fd, offset);
  if (p) ms_os_map_inherit(p, bytes, 0);
  return p;
}

int ms_os_map_at(void *p, int fd, uint64_t offset, size_t bytes) {
  return map(p, bytes, MAP_SHARED | MAP_FIXED, fd, offset) == p;
}

void ms_os_map_inherit(void *p, size_t bytes, int yes) { advise(p, bytes, yes ? MADV_DOFORK : MADV_DONTFORK); }

void ms_os_map_forget(void *p, size_t bytes) { map(p, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); }

void ms_os_unmap(void *p, size_t bytes) { CALL3(SYS_munmap, p, bytes, 0); }

int ms_os_lock_memory(uintptr_t start, uintptr_t end, int on_fault) {
  return (int)CALL3(SYS_mlock2, start, end - start, on_fault ? 1 /* MLOCK_ONFAULT */ : 0);
}

/* The kernel reads a set of signals before it finds that it is told to do nothing with it.
 * process_vm_readv would do as well, but is not let everywhere. */
static int word_is_readable(uintptr_t at) { return CALL6(SYS_rt_sigprocmask, -1, at, NULL, sizeof(uint64_t), 0, 0) == -EINVAL; }

int ms_os_readable(const void *from, size_t bytes) {
  uintptr_t at = (uintptr_t)from, last = at + bytes - sizeof(uint64_t);
  for (; at < last; at += MS_OS_PAGE)
    if (!word_is_readable(at)) return 0;
  return word_is_readable(last);
}

/* ---- files ---- */

int ms_os_create(const char *path) {
  return (int)CALL6(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666, 0, 0);
}

int ms_os_open(const char *path, int write) {
  return (int)CALL6(SYS_openat, AT_FDCWD, path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY, 0, 0, 0);
}

long ms_os_read(int fd, void *to, size_t bytes) {
  long got;
  do got = CALL3(SYS_read, fd, to, bytes);
  while (got == -EINTR);
  return got;
}

const char *ms_os_hex(const char *at, uintptr_t *value) {
  for (*value = 0;; at++) {
    unsigned digit = *at >= '0' && *at <= '9' ? (unsigned)(*at - '0') : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a' + 10) : 16;
    if (digit > 15) return at;
    *value = *value << 4 | digit;
  }
}

size_t ms_os_read_file(const char *path, char *to, size_t room) {
  size_t used = 0;
  int fd = ms_os_open(path, 0);
  if (fd < 0) return 0;
  for (long got; used < room && (got = ms_os_read(fd, to + used, room - used)) > 0;) used += (size_t)got;
  ms_os_close(fd);
  return used;
}

long ms_os_pwrite(int fd, const void *from, size_t bytes, uint64_t offset) {
  const char *p = from;
  size_t done = 0;
  while (done < bytes) {
    long put = CALL6(SYS_pwrite64, fd, p + done, bytes - done, offset + done, 0, 0);
    if (put == -EINTR) continue;
    if (put < 0) return put;
    if (put == 0) return -ENOSPC;
    done += (size_t)put;
  }
  return (long)done;
}

/* One call as a rule; what a short one leaves goes piece by piece. */
long ms_os_pwrite_all(int fd, const struct ms_os_piece *pieces, int count, uint64_t offset) {
  long put;
  do put = CALL6(SYS_pwritev, fd, pieces, count, offset, 0, 0);
  while (put == -EINTR);
  if (put < 0) return put;
  uint64_t done = (uint64_t)put, before = 0;
  for (int i = 0; i < count; before += pieces[i++].bytes) {
    if (done >= before + pieces[i].bytes) continue;
    size_t skip = done > before ? (size_t)(done - before) : 0;
    long rc = ms_os_pwrite(fd, (const char *)pieces[i].from + skip, pieces[i].bytes - skip, offset + before + skip);
    if (rc < 0) return rc;
  }
  return (long)before;
}

static int zeros_write(int fd, uint64_t offset, uint64_t bytes) {
  static const char zeros[MS_OS_PAGE];
  while (bytes) {
    size_t part = bytes < sizeof zeros ? (size_t)bytes : sizeof zeros;
    long put = ms_os_pwrite(fd, zeros, part, offset);
    if (put < 0) return (int)put;
    offset += part;
    bytes -= part;
  }
  return 0;
}

int ms_os_allocate(int fd, uint64_t offset, uint64_t bytes) {
  long rc;
  do rc = CALL6(SYS_fallocate, fd, 0, offset, bytes, 0, 0);
  while (rc == -EINTR);
  return ms_os_is_unknown((int)rc) ? zeros_write(fd, offset, bytes) : (int)rc;
}

int ms_os_is_unknown(int rc) { return rc == -EOPNOTSUPP || rc == -ENOSYS; }

int ms_os_reserve(int fd, uint64_t offset, uint64_t bytes) {
  return (int)CALL6(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, offset, bytes, 0, 0);
}

int ms_os_give_back(int fd, uint64_t offset, uint64_t bytes) {
  return (int)CALL6(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, bytes, 0, 0);
}

int ms_os_resize(int fd, uint64_t bytes) { return (int)CALL3(SYS_ftruncate, fd, bytes, 0); }

int ms_os_identify(int fd, struct ms_os_file *file) {
  struct stat status;
  long rc = CALL3(SYS_fstat, fd, &status, 0);
  if (rc < 0) return (int)rc;
  file->device = status.st_dev;
  file->inode = status.st_ino;
  return 0;
}

int ms_os_is(int fd, const struct ms_os_file *file) {
  struct ms_os_file now = {0};
  return ms_os_identify(fd, &now) == 0 && now.device == file->device && now.inode == file->inode;
}

uint64_t ms_os_size(int fd) {
  struct stat status;
  return CALL3(SYS_fstat, fd, &status, 0) < 0 ? UINT64_MAX : (uint64_t)status.st_size;
}

int ms_os_dup_above(int fd, int least) { return (int)CALL3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least); }

/* Hosts close their low numbers and hand them out again, and some count up to
 * the limit: high, but not so high that the kernel's table grows large. */
int ms_os_dup_high(int fd) {
  uint64_t limit = ms_os_fd_limit();
  for (long from = limit < 1000 ? (long)limit - 4 : 1000; from > fd; from /= 2) {
    long high = ms_os_dup_above(fd, (int)from);
    if (high < 0) continue;
    ms_os_close(fd);
    return (int)high;
  }
  return fd;
}

void ms_os_close(int fd) { CALL3(SYS_close, fd, 0, 0); }
int ms_os_unlink(const char *path) { return (int)CALL3(SYS_unlinkat, AT_FDCWD, path, 0); }

long ms_os_readlink(const char *path, char *to, size_t room) {
  long got = CALL6(SYS_readlinkat, AT_FDCWD, path, to, room - 1, 0, 0);
  to[got > 0 ? got : 0] = 0;
  return got;
}

long ms_os_cwd(char *to, size_t room) {
  long got = CALL3(SYS_getcwd, to, room, 0);
  if (got <= 0) to[0] = 0;
  return got;
}

static uint64_t limit_of(int resource) {
  struct rlimit limit;
  if (CALL6(SYS_prlimit64, 0, resource, NULL, &limit, 0, 0) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

uint64_t ms_os_file_limit(void) { return limit_of(RLIMIT_FSIZE); }
uint64_t ms_os_fd_limit(void) { return limit_of(RLIMIT_NOFILE); }

/* Who holds signals is within a system call until it has let them go: so that it can. */
static int mask_set(struct ms_os_block *block, uint64_t set) {
  __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
  if (!ms_os_is_forbidden() && enter(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, (long)&block->mask, sizeof set, 0, 0) == 0) return 1;
  __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static void mask_restore(const struct ms_os_block *block) {
  enter(SYS_rt_sigprocmask, SIG_SETMASK, (long)&block->mask, 0, sizeof block->mask, 0, 0);
  __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
}

static uint64_t set_of(int number) { return UINT64_C(1) << (number - 1); }

/* SIGXFSZ would kill the host for a write of ours. It is sent to the thread. */
void ms_os_xfsz_hold(struct ms_os_block *block) {
  block->active = ms_os_file_limit() != UINT64_MAX && mask_set(block, set_of(SIGXFSZ));
}

void ms_os_xfsz_release(const struct ms_os_block *block) {
  if (!block->active) return;
  uint64_t set = set_of(SIGXFSZ);
  struct timespec none = {0, 0};
  if (!(block->mask & set)) /* the host's own pending one stays its own */
    while (enter(SYS_rt_sigtimedwait, (long)&set, 0, (long)&none, sizeof set, 0, 0) == SIGXFSZ) {
    }
  mask_restore(block);
}

/* But those a thread sends itself by what it does: blocked, they kill. */
void ms_os_signals_hold(struct ms_os_block *block) {
  static const uint8_t own[] = {SIGXFSZ, SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  uint64_t set = ~UINT64_C(0);
  for (size_t i = 0; i < sizeof own; i++) set &= ~set_of(own[i]);
  block->active = mask_set(block, set);
}

void ms_os_signals_release(const struct ms_os_block *block) {
  if (block->active) mask_restore(block);
}

void ms_os_say(const char *text, size_t bytes) {
  while (CALL3(SYS_write, 2, text, bytes) == -EINTR) {
  }
}

/* ---- process ---- */

uint32_t ms_os_pid(void) {
  static uint32_t last;
  if (lent) return 0; /* nobody's that is asked about */
  long pid = __atomic_load_n(&but_pid, __ATOMIC_RELAXED) ? enter(SYS_getpid, 0, 0, 0, 0, 0, 0) : CALL3(SYS_getpid, 0, 0, 0);
  if (pid > 0) last = (uint32_t)pid;
  return last;
}

static uint32_t id_of(long id) { return id > 0 ? (uint32_t)id : 0; }
uint32_t ms_os_parent_pid(void) { return id_of(CALL3(SYS_getppid, 0, 0, 0)); }
uint32_t ms_os_tid(void) { return id_of(CALL3(SYS_gettid, 0, 0, 0)); }
void ms_os_yield(void) { CALL3(SYS_sched_yield, 0, 0, 0); }

void ms_os_host(char *to, size_t room) {
  struct utsname names;
  to[0] = 0;
  if (CALL3(SYS_uname, &names, 0, 0) < 0) return;
  size_t n = strnlen(names.nodename, room - 1);
  memcpy(to, names.nodename, n);
  to[n] = 0;
}

int ms_os_on_signal_stack(void) {
  stack_t stack;
  return CALL3(SYS_sigaltstack, NULL, &stack, 0) == 0 && stack.ss_flags & SS_ONSTACK;
}

/* ---- clocks: libc's, which need no system call ---- */

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The coarse clock is read from memory whatever the machine's clock is. */
uint64_t ms_os_now(void) { return clock_ns(ms_os_is_forbidden() ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC); }
uint64_t ms_os_now_coarse(void) { return clock_ns(CLOCK_MONOTONIC_COARSE); }
uint64_t ms_os_unix_now(void) { return clock_ns(CLOCK_REALTIME); }

uint64_t ms_os_coarse_step(void) {
  struct timespec t;
  return clock_getres(CLOCK_MONOTONIC_COARSE, &t) ? 0 : (uint64_t)t.tv_nsec;
}
