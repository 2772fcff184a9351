/* SPDX-License-Identifier: MIT
 *
 * An independent counter of what a sanitizer's hooks tell, preloaded into a program
 * built with one: totals as counter.c's, without those that need a table of blocks.
 *
 *   LD_PRELOAD=hooks.so MS_COUNTER=FILE program
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct totals {
  uint64_t allocations, frees, reallocations, live_blocks, live_bytes, allocated_bytes, strange, pid;
};
static struct totals *totals;

int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t), void (*)(const volatile void *)) __attribute__((weak));

static void add(uint64_t *to, uint64_t what) { __atomic_fetch_add(to, what, __ATOMIC_RELAXED); }

static void born(const volatile void *block, size_t bytes) {
  if (!block) return;
  add(&totals->allocations, 1);
  add(&totals->live_blocks, 1);
  add(&totals->allocated_bytes, bytes);
}

static void dying(const volatile void *block) {
  if (!block) return;
  add(&totals->frees, 1);
  add(&totals->live_blocks, (uint64_t)-1);
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("MS_COUNTER");
  int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0 || ftruncate(fd, sizeof *totals) != 0) return;
  totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (totals == MAP_FAILED || !__sanitizer_install_malloc_and_free_hooks) abort();
  totals->pid = (uint64_t)getpid();
  if (__sanitizer_install_malloc_and_free_hooks(born, dying) <= 0) abort();
}
