/* SPDX-License-Identifier: MIT
 *
 * What is ours among what is the host's: our descriptor among its numbers, our address
 * space under its mlockall, limits and forks. A host that closes or takes numbers it does
 * not own must neither lose the stream nor have our rows land in its file. (What comes by
 * a raw system call is caught by the look at the file before every write, room.c.)
 */
#define _GNU_SOURCE
#include "runtime.h"
#include "real.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Without system calls we hold no number: all are the host's. */
static int holds_numbers(void) { return ms_on && ms_process && ms_process->header && !ms_os_is_forbidden(); }

/* Only in the process that opened it: a vfork child has the number too, but closing it there is harmless. */
static int is_ours(int fd) { return holds_numbers() && fd == ms_process->fd && fd >= 0; }

static int is_volume(int fd) {
  if (!holds_numbers() || !ms_is_rotated()) return 0;
  const struct ms_volume *volumes = ms_process->volumes;
  return (volumes[0].number && volumes[0].fd == fd) || (volumes[1].number && volumes[1].fd == fd);
}

/* Volumes are opened again by their names. */
static void range_goes(int first, int last) {
  if (holds_numbers() && ms_is_rotated()) ms_volumes_forget(first, last);
}

MS_DECLARE_HOST(close)
MS_PUBLIC int MS_FN(close)(int fd) {
  if (MS_LIKELY(!is_ours(fd) && !is_volume(fd))) return MS_NEXT_HOST(close)(fd);
  errno = EBADF; /* as it would be without us */
  return -1;
}

/* The host wants this very number: ours moves. */
static void make_way(int fd) {
  range_goes(fd, fd);
  if (!is_ours(fd)) return;
  int old = ms_process->fd, other = ms_os_dup_above(old, 0);
  if (other < 0 || other == old) return;
  __atomic_store_n(&ms_process->fd, other, __ATOMIC_RELEASE);
  ms_os_close(old);
}

MS_DECLARE_HOST(dup2)
MS_PUBLIC int MS_FN(dup2)(int from, int to) {
  if (from != to && !is_ours(from)) make_way(to);
  return MS_NEXT_HOST(dup2)(from, to);
}

MS_DECLARE_HOST(dup3)
MS_PUBLIC int MS_FN(dup3)(int from, int to, int flags) {
  if (from != to && !is_ours(from)) make_way(to);
  return MS_NEXT_HOST(dup3)(from, to, flags);
}

#if MS_HAVE_close_range
MS_DECLARE_HOST(close_range)
MS_PUBLIC int MS_FN(close_range)(unsigned first, unsigned last, int flags) {
  unsigned ours = holds_numbers() ? (unsigned)ms_process->fd : last;
  range_goes((int)(first > INT_MAX ? INT_MAX : first), (int)(last > INT_MAX ? INT_MAX : last));
  if (ours < first || ours >= last || !is_ours((int)ours)) {
    if (!is_ours((int)last)) return MS_NEXT_HOST(close_range)(first, last, flags);
    if (first == last) return 0;
    return MS_NEXT_HOST(close_range)(first, last - 1, flags);
  }
  int rc = ours > first ? MS_NEXT_HOST(close_range)(first, ours - 1, flags) : 0;
  return rc ? rc : MS_NEXT_HOST(close_range)(ours + 1, last, flags);
}
#endif

#if MS_HAVE_closefrom
MS_DECLARE_HOST(closefrom)
MS_PUBLIC void MS_FN(closefrom)(int first) {
  int ours = ms_process ? ms_process->fd : -1;
  range_goes(first, INT_MAX);
  if (!is_ours(ours) || ours < first) {
    MS_NEXT_HOST(closefrom)(first);
    return;
  }
  for (int fd = first < 0 ? 0 : first; fd < ours; fd++) ms_os_close(fd);
  MS_NEXT_HOST(closefrom)(ours + 1);
}
#endif

/* ---- reservations ---- */

/* Planes, names, counters' tables and counts of drawn blocks: 32 or 64 TiB of addresses,
 * of which little is ever memory. Made while the process begins, by one thread. */
static struct reservation {
  uintptr_t start, end;
} reserved[4];
static uint32_t reserved_count;
static uint64_t reserved_bytes;

void *ms_reserve(size_t bytes, enum ms_on_fork on_fork) {
  void *p = reserved_count < sizeof reserved / sizeof *reserved ? ms_os_pages_reserve(bytes) : NULL;
  if (!p) return NULL;
  if (on_fork == MS_WIPED) ms_os_pages_wipe(p, bytes);
  reserved[reserved_count++] = (struct reservation){(uintptr_t)p, (uintptr_t)p + bytes};
  reserved_bytes += bytes;
  return p;
}

void ms_unreserve(void *p) {
  const struct reservation *last = &reserved[--reserved_count];
  reserved_bytes -= last->end - last->start;
  ms_os_unmap(p, last->end - last->start);
}

static int is_reserved(uintptr_t start, uintptr_t end) {
  for (uint32_t i = 0; i < reserved_count; i++)
    if (start < reserved[i].end && end > reserved[i].start) return 1;
  return 0;
}

/* ---- mlockall ---- */

/* 0, or -errno when the limit does not allow it. As mlockall does, whatever
 * cannot be read in (no access, no memory behind it) is passed over. */
static int line_lock(const char *line, int on_fault) {
  uintptr_t start, end;
  const char *at = ms_os_hex(ms_os_hex(line, &start) + 1, &end);
  if (is_reserved(start, end)) return 0;
  if (at[1] != 'r' || start >> 47) return 0;
  int rc = ms_os_lock_memory(start, end, on_fault);
  return rc == -EPERM || rc == -ENOMEM ? rc : 0;
}

static int maps_lock(const char *text, int on_fault) {
  while (*text) {
    int rc = line_lock(text, on_fault);
    if (rc) return rc;
    while (*text && *text++ != '\n') {
    }
  }
  return 0;
}

static int maps_read_and_lock(int on_fault) {
  char *text = ms_os_pages(MS_OS_MAPS_ROOM);
  if (!text) return -ENOMEM;
  int rc = ms_os_read_file("/proc/self/maps", text, MS_OS_MAPS_ROOM - 1) ? maps_lock(text, on_fault) : -ENOMEM;
  ms_os_unmap(text, MS_OS_MAPS_ROOM);
  return rc;
}

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* Locked, what is reserved would be filled. All other mappings are locked one by one; what is
 * mapped later as the host asks. Where system calls are the host's alone, what is there is
 * locked as it is, and the rest when it is touched. */
MS_DECLARE_HOST(mlockall)
MS_PUBLIC int MS_FN(mlockall)(int flags) {
  if (!reserved_count || !(flags & MCL_CURRENT) || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) return MS_NEXT_HOST(mlockall)(flags);
  if (ms_os_is_forbidden()) return MS_NEXT_HOST(mlockall)(flags | MCL_ONFAULT);
  int rc = maps_read_and_lock(flags & MCL_ONFAULT);
  if (rc < 0) return errno = -rc, -1;
  return flags & MCL_FUTURE ? MS_NEXT_HOST(mlockall)(flags & ~MCL_CURRENT) : 0;
}

/* ---- RLIMIT_AS, RLIMIT_DATA ---- */

/* With all that reserved, a host that limits its address space would have none left. It
 * comes on top of what it asks for, and off again when it looks, or when another program
 * takes its place (not one that libc itself starts for it: posix_spawn, system). */
static const int limited[] = {RLIMIT_AS, RLIMIT_DATA};
enum { LIMITED = sizeof limited / sizeof *limited };
static uint8_t limit_holds_ours[LIMITED];

static rlim_t with_ours(rlim_t limit) { return limit > RLIM_INFINITY - reserved_bytes ? RLIM_INFINITY : limit + reserved_bytes; }
static rlim_t without_ours(rlim_t limit) { return limit == RLIM_INFINITY || limit < reserved_bytes ? limit : limit - reserved_bytes; }

/* Which of `limited` it is, of this process; -1: none. */
static int our_space(pid_t pid, int resource) {
  if (!reserved_bytes || (pid && (uint32_t)pid != ms_os_pid())) return -1;
  return resource == limited[0] ? 0 : resource == limited[1] ? 1 : -1;
}

MS_DECLARE_HOST(prlimit)
static int limit_pass(pid_t pid, __rlimit_resource_t resource, const struct rlimit *wanted, struct rlimit *old) {
  struct rlimit more;
  int ours = our_space(pid, (int)resource);
  if (ours >= 0 && wanted) {
    more = (struct rlimit){with_ours(wanted->rlim_cur), with_ours(wanted->rlim_max)};
    wanted = &more;
  }
  int rc = MS_NEXT_HOST(prlimit)(pid, resource, wanted, old);
  if (rc || ours < 0) return rc;
  if (old && limit_holds_ours[ours]) *old = (struct rlimit){without_ours(old->rlim_cur), without_ours(old->rlim_max)};
  if (wanted) limit_holds_ours[ours] = 1;
  return 0;
}

/* Before an exec: the next program has nothing of ours. If it fails, it counts again. */
void ms_limit_hand_over(int back) {
  if (ms_os_is_forbidden()) return;
  rlim_t (*change)(rlim_t) = back ? with_ours : without_ours;
  struct rlimit limit;
  for (int i = 0; i < LIMITED; i++) {
    if (!limit_holds_ours[i] || MS_NEXT_HOST(prlimit)(0, limited[i], NULL, &limit)) continue;
    limit.rlim_cur = change(limit.rlim_cur); /* the hard one stays: it could not be raised again */
    MS_NEXT_HOST(prlimit)(0, limited[i], &limit, NULL);
  }
}

MS_PUBLIC int MS_FN(prlimit)(pid_t pid, __rlimit_resource_t resource, const struct rlimit *wanted, struct rlimit *old) {
  return limit_pass(pid, resource, wanted, old);
}

MS_DECLARE_HOST(setrlimit)
MS_PUBLIC int MS_FN(setrlimit)(__rlimit_resource_t resource, const struct rlimit *wanted) {
  return limit_pass(0, resource, wanted, NULL);
}

MS_DECLARE_HOST(getrlimit)
MS_PUBLIC int MS_FN(getrlimit)(__rlimit_resource_t resource, struct rlimit *old) { return limit_pass(0, resource, NULL, old); }

/* The same layout where long has 64 bits. */
#if MS_HAVE_setrlimit64 && MS_HAVE_getrlimit64 && MS_HAVE_prlimit64
MS_STATIC_ASSERT(sizeof(struct rlimit) == sizeof(struct rlimit64), "one layout");

MS_DECLARE_HOST(prlimit64)
MS_PUBLIC int MS_FN(prlimit64)(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *wanted, struct rlimit64 *old) {
  return limit_pass(pid, resource, (const struct rlimit *)wanted, (struct rlimit *)old);
}

MS_DECLARE_HOST(setrlimit64)
MS_PUBLIC int MS_FN(setrlimit64)(__rlimit_resource_t resource, const struct rlimit64 *wanted) {
  return limit_pass(0, resource, (const struct rlimit *)wanted, NULL);
}

MS_DECLARE_HOST(getrlimit64)
MS_PUBLIC int MS_FN(getrlimit64)(__rlimit_resource_t resource, struct rlimit64 *old) {
  return limit_pass(0, resource, NULL, (struct rlimit *)old);
}
#endif
