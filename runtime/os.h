/* SPDX-License-Identifier: MIT
 *
 * The seam to the operating system: raw system calls, so that nothing here is a
 * cancellation point, touches errno, or comes back through a function we
 * interpose. Results are as the kernel gives them: negative = -errno.
 * Called by any thread, in signal handlers, and before libc is set up.
 */
#ifndef MS_OS_H
#define MS_OS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ms_os_file {
  uint64_t device, inode;
};

struct ms_os_piece { /* a struct iovec */
  const void *from;
  size_t bytes;
};

struct ms_os_block { /* signals held back */
  uint64_t mask;
  int active;
};

enum { MS_OS_PAGE = 4096, MS_OS_HUGE = 2 << 20 };

/* A program that gives up system calls (seccomp) may die of any that we make. From the
 * first of these on each fails with -EPERM instead, until the second: nothing is entered
 * any more, and no other thread is within one, as far as waiting helps. But getpid is, if
 * `but_pid`: nothing else tells a vfork child from its parent; else ids are those of before.
 * Times are then coarse. Memory that is mapped stays usable. */
void ms_os_forbid(int but_pid);
void ms_os_permit(void);
void ms_os_lend(void); /* as forbid, for a vfork child alone, in its parent's memory, until it leaves */
int ms_os_is_forbidden(void); /* to the caller */
int ms_os_readable(const void *from, size_t bytes); /* by an address that may be wrong; 8 bytes or more; what cannot be asked about is not */

/* memory: NULL when there is none */
void *ms_os_pages(size_t bytes);                 /* private, zero */
void *ms_os_pages_reserve(size_t bytes);         /* address space without commitment, for ms planes */
void ms_os_pages_join(void *p);                  /* MS_OS_HUGE bytes as one page, as far as the kernel can */
void *ms_os_pages_wiped_on_fork(size_t bytes);   /* private, zero again in a forked child */
int ms_os_pages_forget(void *p, size_t bytes);   /* zero again; 0: they are not */
void ms_os_pages_keep(void *p, size_t bytes);    /* undo: a child forked inside a row needs them */
void ms_os_pages_wipe(void *p, size_t bytes);    /* redo */
void *ms_os_map(int fd, uint64_t offset, size_t bytes); /* shared, not inherited by a forked child */
int ms_os_map_at(void *p, int fd, uint64_t offset, size_t bytes); /* the same, in place of what is there, inherited */
void ms_os_map_inherit(void *p, size_t bytes, int yes);
void ms_os_map_forget(void *p, size_t bytes);    /* the same addresses, private copies of nothing */
void ms_os_unmap(void *p, size_t bytes);
int ms_os_lock_memory(uintptr_t start, uintptr_t end, int on_fault);

/* files */
int ms_os_create(const char *path); /* O_EXCL, read and write, close on exec */
int ms_os_open(const char *path, int write);
long ms_os_read(int fd, void *to, size_t bytes);
const char *ms_os_hex(const char *at, uintptr_t *value); /* "7f12…-7f34…": reads to the first that is no digit */
enum { MS_OS_MAPS_ROOM = 1 << 22 }; /* for /proc/self/maps of a program with some 40,000 mappings */
size_t ms_os_read_file(const char *path, char *to, size_t room); /* its first bytes, as many as there are */
long ms_os_pwrite(int fd, const void *from, size_t bytes, uint64_t offset); /* whole, or -errno */
long ms_os_pwrite_all(int fd, const struct ms_os_piece *pieces, int count, uint64_t offset); /* whole, or -errno */
int ms_os_allocate(int fd, uint64_t offset, uint64_t bytes); /* blocks on the device, file extended */
int ms_os_reserve(int fd, uint64_t offset, uint64_t bytes); /* the blocks alone: the file's size stays */
int ms_os_is_unknown(int rc); /* the file system or kernel has no such call */
int ms_os_give_back(int fd, uint64_t offset, uint64_t bytes); /* blocks on the device: a hole, the size stays */
int ms_os_resize(int fd, uint64_t bytes);
int ms_os_identify(int fd, struct ms_os_file *file);
int ms_os_is(int fd, const struct ms_os_file *file); /* the host may have closed the number and reused it */
uint64_t ms_os_size(int fd); /* ~0 = unknown */
int ms_os_dup_high(int fd); /* close on exec, out of the way of the host's numbers */
int ms_os_dup_above(int fd, int least);
void ms_os_close(int fd);
int ms_os_unlink(const char *path);
long ms_os_readlink(const char *path, char *to, size_t room); /* NUL-terminated */
long ms_os_cwd(char *to, size_t room);
uint64_t ms_os_file_limit(void); /* RLIMIT_FSIZE, ~0 = none */
uint64_t ms_os_fd_limit(void);
void ms_os_xfsz_hold(struct ms_os_block *block);
void ms_os_xfsz_release(const struct ms_os_block *block);
void ms_os_signals_hold(struct ms_os_block *block); /* all others that come from outside; xfsz_hold may lie within */
void ms_os_signals_release(const struct ms_os_block *block);
void ms_os_say(const char *text, size_t bytes); /* stderr, one write */

/* process */
uint32_t ms_os_pid(void);
uint32_t ms_os_parent_pid(void);
uint32_t ms_os_tid(void);
void ms_os_host(char *to, size_t room);
int ms_os_on_signal_stack(void);
void ms_os_yield(void);

/* clocks, ns */
uint64_t ms_os_now(void);
uint64_t ms_os_now_coarse(void);
uint64_t ms_os_coarse_step(void);
uint64_t ms_os_unix_now(void);

#endif
