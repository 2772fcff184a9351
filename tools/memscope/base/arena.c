/* SPDX-License-Identifier: MIT
 *
 * One command's memory. Small pieces come from chained slabs, large ones stand alone,
 * so that growing tables give their old space back; huge ones are mappings.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 16, SLAB_FIRST = 1 << 14, SLAB_MOST = 1 << 20, LARGE_BYTES = 1 << 16, HUGE_BYTES = 4 << 20, HUGE_PAGE = 2 << 20 };

struct large {
  struct large *before, *after;
  size_t bytes;
  size_t unused_; /* keeps the contents aligned */
};

struct slab {
  struct slab *next;
  size_t unused_;
};

struct ms_arena {
  struct slab *slabs;
  struct large larges; /* list's ends */
  char *at, *end;
  size_t slab_bytes; /* of the next one */
  size_t bytes;
};

/* A tool without memory cannot go on, and half a figure is worse than none. */
static _Noreturn void exhausted(size_t bytes) {
  fprintf(stderr, "memscope: no memory for %zu bytes more; free some, or analyse on a larger machine\n",
          bytes);
  exit(2);
}

static void *system_get(size_t bytes) {
  void *got = calloc(1, bytes);
  if (!got) exhausted(bytes);
  return got;
}

static void large_free(struct large *large) {
  size_t all = sizeof *large + large->bytes;
  if (all < HUGE_BYTES) free(large);
  else munmap(large, all);
}

struct ms_arena *ms_arena_new(void) {
  struct ms_arena *arena = system_get(sizeof *arena);
  arena->larges.before = arena->larges.after = &arena->larges;
  arena->slab_bytes = SLAB_FIRST;
  return arena;
}

void ms_arena_free(struct ms_arena *arena) {
  if (!arena) return;
  for (struct large *large = arena->larges.after, *after; large != &arena->larges; large = after) {
    after = large->after;
    large_free(large);
  }
  for (struct slab *slab = arena->slabs, *next; slab; slab = next) {
    next = slab->next;
    free(slab);
  }
  free(arena);
}

/* Tables of millions of rows are reached at random: huge pages, where the system
 * has them, save most of what that costs. */
static void *huge_get(size_t bytes) {
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) exhausted(bytes);
  madvise(got, bytes, MADV_HUGEPAGE);
  return got;
}

static void *large_get(struct ms_arena *arena, size_t bytes) {
  size_t all = sizeof(struct large) + bytes;
  struct large *large = all < HUGE_BYTES ? system_get(all) : huge_get(all);
  large->bytes = bytes;
  large->before = &arena->larges;
  large->after = arena->larges.after;
  large->after->before = large;
  arena->larges.after = large;
  arena->bytes += bytes;
  return large + 1;
}

static void large_put(struct ms_arena *arena, void *contents) {
  struct large *large = (struct large *)contents - 1;
  large->before->after = large->after;
  large->after->before = large->before;
  arena->bytes -= large->bytes;
  large_free(large);
}

static void slab_add(struct ms_arena *arena, size_t least) {
  while (arena->slab_bytes < sizeof(struct slab) + least) arena->slab_bytes *= 2;
  struct slab *slab = system_get(arena->slab_bytes);
  slab->next = arena->slabs;
  arena->slabs = slab;
  arena->at = (char *)(slab + 1);
  arena->end = (char *)slab + arena->slab_bytes;
  arena->bytes += arena->slab_bytes;
  if (arena->slab_bytes < SLAB_MOST) arena->slab_bytes *= 2;
}

void *ms_arena_get(struct ms_arena *arena, size_t bytes) {
  if (bytes >= LARGE_BYTES) {
    if (bytes > SIZE_MAX / 2) exhausted(bytes);
    return large_get(arena, bytes);
  }
  bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if ((size_t)(arena->end - arena->at) < bytes) slab_add(arena, bytes);
  void *got = arena->at;
  arena->at += bytes;
  return got;
}

void *ms_arena_array(struct ms_arena *arena, size_t count, size_t bytes) {
  size_t all;
  if (__builtin_mul_overflow(count, bytes, &all)) exhausted(SIZE_MAX);
  return ms_arena_get(arena, all);
}

char *ms_arena_text(struct ms_arena *arena, const char *text, size_t bytes) {
  char *copy = ms_arena_get(arena, bytes + 1);
  if (bytes) memcpy(copy, text, bytes);
  return copy;
}

char *ms_arena_print(struct ms_arena *arena, const char *format, ...) {
  char small[128];
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int bytes = vsnprintf(small, sizeof small, format, arguments);
  va_end(arguments);
  char *text = ms_arena_get(arena, (size_t)(bytes < 0 ? 0 : bytes) + 1);
  if (bytes > 0) vsnprintf(text, (size_t)bytes + 1, format, again);
  va_end(again);
  return text;
}

/* Of a mapping what has been copied goes back on the way, so that both together take
 * little more than the new one. Its first piece stays: the header lies in it. */
static void table_move(char *to, char *from, size_t bytes) {
  size_t at = 0;
  bool mapped = sizeof(struct large) + bytes >= HUGE_BYTES;
  for (; mapped && bytes - at > HUGE_PAGE; at += HUGE_PAGE) {
    memcpy(to + at, from + at, HUGE_PAGE);
    if (at) madvise(from - sizeof(struct large) + at, HUGE_PAGE, MADV_DONTNEED);
  }
  memcpy(to + at, from + at, bytes - at);
}

void *ms_arena_grow(struct ms_arena *arena, void *old, size_t old_bytes, size_t new_bytes) {
  void *grown = ms_arena_get(arena, new_bytes);
  if (!old_bytes) return grown;
  table_move(grown, old, old_bytes < new_bytes ? old_bytes : new_bytes);
  ms_arena_give_back(arena, old, old_bytes);
  return grown;
}

void ms_arena_give_back(struct ms_arena *arena, void *old, size_t old_bytes) {
  if (old_bytes >= LARGE_BYTES) large_put(arena, old);
}

size_t ms_arena_bytes(const struct ms_arena *arena) { return arena->bytes; }
