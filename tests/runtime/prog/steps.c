/* SPDX-License-Identifier: MIT
 *
 * Preloaded: clocks that step. The wall clock jumps a day to and fro, as when
 * somebody sets it; the monotonic ones stand, go back some milliseconds and leap
 * on, which kernels promise they do not, and hypervisors do.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t) {
  static unsigned calls;
  unsigned call = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
  int rc = (int)syscall(SYS_clock_gettime, clock, t);
  if (rc) return rc;
  if (clock == CLOCK_REALTIME) t->tv_sec += call & 1 ? 86400 : -86400;
  else if (call % 16 == 15) t->tv_sec += 100;
  else if (call % 4 == 3) t->tv_sec -= t->tv_nsec < 50000000, t->tv_nsec += t->tv_nsec < 50000000 ? 950000000 : -50000000;
  return 0;
}
