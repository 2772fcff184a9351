/* SPDX-License-Identifier: MIT
 *
 * A program that restricts its system calls by seccomp would be killed for ours, or
 * have them refused. It says so by prctl or syscall, just before. A filter is asked, by
 * running it, whether it lets through all that we call, whatever the arguments; then
 * nothing changes. If not, room for rows is mapped while that can still be done (room.c),
 * and no system call is made any more (os.h): recording goes on in that room and ends with
 * it. Of a stream that has stopped before no call is made either.
 *
 * What comes by an instruction of the program's own is not seen. A filter that was there
 * before the program began has let through what starting takes, and is trusted.
 */
#define _GNU_SOURCE
#include "runtime.h"
#include "real.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- asking a filter ---- */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

/* All that os.c may enter once a stream stands, but what a vfork child does before its own
 * filter is in force: whoever makes a new one there adds it here. */
static const int calls[] = {
    SYS_mmap,   SYS_munmap,    SYS_madvise,  SYS_mlock2,    SYS_openat,         SYS_read,            SYS_write,
    SYS_close,  SYS_pwrite64,  SYS_pwritev,  SYS_fallocate, SYS_ftruncate,      SYS_fstat,           SYS_fcntl,
    SYS_uname,  SYS_unlinkat,  SYS_getcwd,   SYS_prlimit64, SYS_rt_sigprocmask, SYS_rt_sigtimedwait, SYS_readlinkat,
    SYS_getpid, SYS_getppid,   SYS_gettid,   SYS_sched_yield, SYS_sigaltstack,
};

struct machine {
  uint32_t a, x, memory[BPF_MEMWORDS];
};

static uint32_t operand(const struct machine *m, const struct sock_filter *op) { return BPF_SRC(op->code) == BPF_X ? m->x : op->k; }

static int compare(const struct machine *m, const struct sock_filter *op) {
  uint32_t with = operand(m, op);
  switch (BPF_OP(op->code)) {
  case BPF_JEQ: return m->a == with;
  case BPF_JGT: return m->a > with;
  case BPF_JGE: return m->a >= with;
  default: return (m->a & with) != 0; /* BPF_JSET */
  }
}

static uint32_t compute(const struct machine *m, const struct sock_filter *op) {
  uint32_t with = operand(m, op);
  switch (BPF_OP(op->code)) {
  case BPF_ADD: return m->a + with;
  case BPF_SUB: return m->a - with;
  case BPF_MUL: return m->a * with;
  case BPF_DIV: return with ? m->a / with : 0;
  case BPF_OR: return m->a | with;
  case BPF_AND: return m->a & with;
  case BPF_XOR: return m->a ^ with;
  case BPF_LSH: return with < 32 ? m->a << with : 0;
  case BPF_RSH: return with < 32 ? m->a >> with : 0;
  default: return -m->a; /* BPF_NEG */
  }
}

/* False: it looks at an argument, or at where the call comes from, which may be anything. */
static int load(struct machine *m, const struct sock_filter *op, int nr, uint32_t *to) {
  int is_nr = op->k == offsetof(struct seccomp_data, nr);
  switch (BPF_MODE(op->code)) {
  case BPF_IMM: *to = op->k; return 1;
  case BPF_MEM: *to = m->memory[op->k % BPF_MEMWORDS]; return 1;
  case BPF_LEN: *to = sizeof(struct seccomp_data); return 1;
  case BPF_ABS: *to = is_nr ? (uint32_t)nr : OUR_ARCH; return is_nr || op->k == offsetof(struct seccomp_data, arch);
  default: return 0;
  }
}

static int verdict_lets(uint32_t verdict) {
  verdict &= SECCOMP_RET_ACTION_FULL;
  return verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_LOG;
}

/* Jumps only go forward, so it ends. */
static int filter_lets(const struct sock_filter *op, const struct sock_filter *end, int nr) {
  struct machine m = {0};
  for (; op < end; op++) {
    switch (BPF_CLASS(op->code)) {
    case BPF_LD:
      if (!load(&m, op, nr, &m.a)) return 0;
      break;
    case BPF_LDX:
      if (!load(&m, op, nr, &m.x)) return 0;
      break;
    case BPF_ST: m.memory[op->k % BPF_MEMWORDS] = m.a; break;
    case BPF_STX: m.memory[op->k % BPF_MEMWORDS] = m.x; break;
    case BPF_ALU: m.a = compute(&m, op); break;
    case BPF_JMP:
      if (BPF_OP(op->code) == BPF_JA) op = (uint32_t)(end - op) > op->k ? op + op->k : end;
      else op += compare(&m, op) ? op->jt : op->jf;
      break;
    case BPF_RET: return verdict_lets(BPF_RVAL(op->code) == BPF_A ? m.a : op->k);
    default:
      if (BPF_MISCOP(op->code) == BPF_TAX) m.x = m.a;
      else m.a = m.x;
    }
  }
  return 0;
}

/* The host's program, as the kernel is about to read it: whether it can be is the kernel's to say. */
static int filter_of(const void *filter, struct sock_fprog *program) {
  if (!ms_os_readable(filter, sizeof *program)) return 0;
  memcpy(program, filter, sizeof *program);
  return program->len && ms_os_readable(program->filter, program->len * sizeof *program->filter);
}

static int program_lets(const struct sock_fprog *program, int nr) { return filter_lets(program->filter, program->filter + program->len, nr); }

static int program_lets_us(const struct sock_fprog *program) {
  size_t let = 0, all = sizeof calls / sizeof *calls;
  while (let < all && program_lets(program, calls[let])) let++;
  return let == all;
}

/* ---- before it is in force ---- */

enum { BEGIN_WAITS = 100000 };

/* A filter at no address is how a program asks whether there is seccomp at all. */
static int restricts(unsigned long mode, const void *filter) {
  return mode == SECCOMP_MODE_STRICT || (mode == SECCOMP_MODE_FILTER && filter);
}

static void record_ahead(void) {
  ms_names_ahead();
  ms_process_ahead();
  uint64_t bytes = ms_room_ahead();
  const char *few = bytes < MS_AHEAD_MOST ? " (no more was to be had)" : "";
  ms_process->header->restricted_ns = ms_process_ns(ms_os_now());
  if (!bytes) return ms_say("the program is about to restrict its system calls (seccomp): from then on it is not recorded, for no room can be mapped");
  ms_say("the program is about to restrict its system calls (seccomp): from then on what it allocates is recorded in %u KiB mapped before%s, and what it starts is not",
         (uint32_t)(bytes >> 10), few);
}

/* Filters about to be in force, or in force: those of all, and those that do not let us. */
static uint32_t begun, begun_for_us;
static uint32_t begin_lock;

/* Another thread is about it, for some milliseconds; or never comes back. */
static void begin_wait(void) {
  for (int i = 0; i < BEGIN_WAITS && __atomic_exchange_n(&begin_lock, 1, __ATOMIC_ACQUIRE); i++) ms_os_yield();
}

static void begin_leave(void) { __atomic_store_n(&begin_lock, 0, __ATOMIC_RELEASE); }

/* A vfork child runs in our memory. It is about to exec, and what it may call then is its own affair. */
static int is_child(void) { return ms_process->pid && ms_process->pid != ms_os_pid(); }

/* Where none may be called any more, nobody can read another filter. */
static enum ms_restricts begin(unsigned long mode, const void *filter) {
  struct sock_fprog program = {0};
  int known = mode == SECCOMP_MODE_FILTER && filter_of(filter, &program), lets = known && program_lets_us(&program);
  if (is_child()) {
    if (!lets) ms_os_lend();
    return MS_RESTRICTS_NOBODY;
  }
  if (!begun++) ms_unwind_end();
  if (lets) return MS_RESTRICTS_OTHERS;
  if (!begun_for_us++ && ms_on && ms_process_ready()) record_ahead();
  ms_os_forbid(known && program_lets(&program, SYS_getpid));
  return MS_RESTRICTS_US;
}

/* One after another: the second would refuse the first its calls. */
enum ms_restricts ms_restrict_begin(unsigned long mode, const void *filter) {
  if (!ms_process || !restricts(mode, filter)) return MS_RESTRICTS_NOBODY;
  begin_wait();
  enum ms_restricts whom = begin(mode, filter);
  begin_leave();
  return whom;
}

/* Another thread's may be in force all the same. */
void ms_restrict_failed(enum ms_restricts whom) {
  if (whom == MS_RESTRICTS_NOBODY) return;
  begin_wait();
  int is_last = whom == MS_RESTRICTS_US && !--begun_for_us;
  if (is_last) ms_os_permit();
  if (!--begun) ms_unwind_go_on();
  if (is_last && ms_process->header && ms_room_is_ahead()) {
    ms_process->header->restricted_ns = 0;
    ms_room_back();
  }
  begin_leave();
}

/* ---- syscall ---- */

typedef long syscall_fn(long, long, long, long, long, long);

#ifdef MS_STATIC
#define SYSCALL "__wrap_syscall"
extern syscall_fn next_syscall __asm__("__real_syscall");
#define NEXT_SYSCALL next_syscall
#else
#define SYSCALL "syscall"
#define NEXT_SYSCALL ((syscall_fn *)MS_NEXT_HOST(syscall))
#endif

/* prctl(PR_SET_SECCOMP, mode, filter), seccomp(operation, flags, filter) */
static unsigned long mode_of(long n, long a, long b) {
  if (n == SYS_prctl) return a == PR_SET_SECCOMP ? (unsigned long)b : SECCOMP_MODE_DISABLED;
  return a == SECCOMP_SET_MODE_STRICT ? SECCOMP_MODE_STRICT : a == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER : SECCOMP_MODE_DISABLED;
}

static __attribute__((noinline)) long syscall_restricts(long n, long a, long b, long c, long d, long e) {
  enum ms_restricts whom = ms_restrict_begin(mode_of(n, a, b), (const void *)c);
  long rc = NEXT_SYSCALL(n, a, b, c, d, e);
  int tells_thread = n == SYS_seccomp && b & SECCOMP_FILTER_FLAG_TSYNC && !(b & SECCOMP_FILTER_FLAG_NEW_LISTENER);
  if (rc < 0 || (rc > 0 && tells_thread)) ms_restrict_failed(whom);
  return rc;
}

/* Leaves by a jump, so that libc's finds the last argument, if the host gave so many,
 * where it lies on the stack, and a call that returns twice (vfork) its caller's frame. */
MS_PUBLIC syscall_fn host_syscall __asm__(SYSCALL);
long host_syscall(long n, long a, long b, long c, long d, long e) {
  if (MS_UNLIKELY(n == SYS_seccomp || n == SYS_prctl)) return syscall_restricts(n, a, b, c, d, e);
  return NEXT_SYSCALL(n, a, b, c, d, e);
}
