/* SPDX-License-Identifier: MIT
 *
 * A runtime small enough to trust: interposes malloc, patches every unit it
 * finds, keeps each block's chain of binds, and prints at exit who got it. It
 * tests the plugin from end to end without the real runtime. One thread.
 *
 *   24 a->b[i].s : char in main <- p in xmalloc | freed a->s in drop
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "memscope/abi.h"

#define BLOCKS 65536
#define BINDS 12

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

struct bind {
  struct ms_unit *unit;
  uint32_t bits;
  int inside; /* met behind the block's start */
};

static struct block {
  uintptr_t address;
  size_t size;
  int live, bind_count, free_count;
  struct bind binds[BINDS], frees[BINDS];
} blocks[BLOCKS];
static int block_count;

static struct image {
  struct ms_unit *unit;
  const struct ms_note *note;
} images[256];
static int image_count;

/* No site's step begins at that name, so we are called for each. */
static struct ms_newest newest;
static __thread struct ms_last last __attribute__((tls_model("initial-exec"))) = {
    .last_block = MS_NO_BLOCK, .last_freed = MS_NO_BLOCK, .name = MS_NAME_NONE, .freed_name = MS_NAME_NONE, .thread = &newest};
static struct block *freed_block;

static const struct ms_note *note_of(const struct ms_unit *unit) {
  for (int i = 0; i < image_count; i++)
    if (images[i].unit == unit) return images[i].note;
  return NULL;
}

#define RELATIVE(note, field) ((const void *)((const char *)&(note)->field + (note)->field))

static const struct ms_site *site_of(const struct bind *bind, const char **strings) {
  const struct ms_note *note = note_of(bind->unit);
  *strings = RELATIVE(note, strings);
  return (const struct ms_site *)RELATIVE(note, sites) + (bind->bits & MS_BIND_INDEX);
}

static const char *type_of(const struct bind *bind) {
  const char *strings;
  const struct ms_site *site = site_of(bind, &strings);
  const struct ms_note *note = note_of(bind->unit);
  return site->type ? strings + ((const struct ms_type *)RELATIVE(note, types))[site->type - 1].name : "void";
}

/* ---- blocks */

static void block_add(void *p, size_t size) {
  if (!p) return;
  last.last_freed = MS_NO_BLOCK;
  if (block_count == BLOCKS) abort();
  struct block *b = &blocks[block_count++];
  *b = (struct block){.address = (uintptr_t)p, .size = size, .live = 1};
  last.last_block = (uintptr_t)p;
}

static struct block *block_at(uintptr_t address) {
  for (int i = block_count - 1; i >= 0; i--)
    if (blocks[i].live && address - blocks[i].address < (blocks[i].size ? blocks[i].size : 1)) return &blocks[i];
  return NULL;
}

static void block_drop(void *p) {
  struct block *b = p ? block_at((uintptr_t)p) : NULL;
  if (b) b->live = 0;
  if (last.last_block == (uintptr_t)p) last.last_block = MS_NO_BLOCK;
  if (p) last.last_freed = (uintptr_t)p, freed_block = b;
}

void *malloc(size_t n) {
  void *p = __libc_malloc(n);
  block_add(p, n);
  return p;
}
void *calloc(size_t n, size_t m) {
  void *p = __libc_calloc(n, m);
  block_add(p, n * m);
  return p;
}
void *realloc(void *old, size_t n) {
  block_drop(old);
  void *p = __libc_realloc(old, n);
  block_add(p, n);
  return p;
}
void *memalign(size_t align, size_t n) {
  void *p = __libc_memalign(align, n);
  block_add(p, n);
  return p;
}
void *aligned_alloc(size_t align, size_t n) { return memalign(align, n); }
int posix_memalign(void **out, size_t align, size_t n) { return (*out = memalign(align, n)) ? 0 : 12; }
void free(void *p) {
  block_drop(p);
  __libc_free(p);
}

/* ---- what compiled code calls */

static void freed(struct ms_unit *unit, uint32_t bits) {
  struct block *b = freed_block;
  if (b && b->free_count < BINDS) b->frees[b->free_count++] = (struct bind){unit, bits & ~MS_BIND_FREED, 0};
  if (!(bits & MS_BIND_UP)) last.last_freed = MS_NO_BLOCK;
}

__attribute__((used)) static void step(void *p, struct ms_unit *unit, uint32_t bits) {
  if (bits & MS_BIND_FREED) return freed(unit, bits);
  struct block *b = block_at((uintptr_t)p);
  if (!b || b->bind_count == BINDS) return;
  int inside = b->address != (uintptr_t)p;
  if (inside) /* an interior match never replaces an exact one of a record */
    for (int i = 0; i < b->bind_count; i++)
      if (b->binds[i].bits & MS_BIND_RECORD && !b->binds[i].inside) return;
  b->binds[b->bind_count++] = (struct bind){unit, bits, inside};
  if (!(bits & MS_BIND_UP)) last.last_block = MS_NO_BLOCK;
}

#ifdef __x86_64__
#define STUB(name, target)                                                                                              \
  void name(void *, struct ms_unit *, uint32_t);                                                                        \
  __asm__(".text\n" #name ":\n"                                                                                         \
          "  push %rbp\n  mov %rsp,%rbp\n"                                                                              \
          "  push %rax\n  push %rcx\n  push %rdx\n  push %rsi\n  push %rdi\n  push %r8\n  push %r9\n  push %r10\n"      \
          "  and $-16,%rsp\n  call " #target "\n  lea -64(%rbp),%rsp\n"                                                 \
          "  pop %r10\n  pop %r9\n  pop %r8\n  pop %rdi\n  pop %rsi\n  pop %rdx\n  pop %rcx\n  pop %rax\n"              \
          "  pop %rbp\n  ret\n")
STUB(step_stub, step);
#else
#error "the harness knows x86-64 only"
#endif

static void unit_add(const struct ms_note *note) {
  struct ms_unit *unit = (struct ms_unit *)RELATIVE(note, unit);
  if (unit->state || image_count == 256) return;
  unit->state = 1;
  unit->step = step_stub;
  unit->tls_offset = (char *)&last - (char *)__builtin_thread_pointer();
  images[image_count++] = (struct image){unit, note};
}

static int image_scan(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
    if (ph->p_type != PT_NOTE) continue;
    const char *at = (const char *)info->dlpi_addr + ph->p_vaddr, *end = at + ph->p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const ElfW(Nhdr) *n = (const void *)at;
      if (n->n_namesz == sizeof MS_NOTE_NAME && !memcmp(n + 1, MS_NOTE_NAME, n->n_namesz)) unit_add((const void *)at);
      size_t align = ph->p_align == 8 ? 7 : 3;
      at += sizeof *n + ((n->n_namesz + 3) & ~3u);
      at += (n->n_descsz + align) & ~align;
    }
  }
  return 0;
}

void __memscope_module_loaded(struct ms_unit *unit) {
  if (!unit->state) dl_iterate_phdr(image_scan, NULL);
}

__attribute__((constructor(101))) static void init(void) { dl_iterate_phdr(image_scan, NULL); }

/* ---- the report */

/* Final beats up; of the ups the outermost that is a variable or field. */
static const struct bind *winner(const struct block *b) {
  const char *strings;
  for (int i = 0; i < b->bind_count; i++)
    if (!(b->binds[i].bits & MS_BIND_UP)) return &b->binds[i];
  for (int i = b->bind_count - 1; i >= 0; i--) {
    int kind = site_of(&b->binds[i], &strings)->kind;
    if (kind == MS_SITE_INIT || kind == MS_SITE_ASSIGN || kind == MS_SITE_OUT) return &b->binds[i];
  }
  return &b->binds[b->bind_count - 1];
}

static void bind_print(FILE *out, const struct bind *bind) {
  const char *strings;
  const struct ms_site *site = site_of(bind, &strings);
  fprintf(out, "%s in %s", strings + site->holder, strings + site->function);
}

__attribute__((destructor(101))) static void report(void) {
  int count = block_count;
  FILE *out = stdout;
  for (int i = 0; i < count; i++) {
    const struct block *b = &blocks[i];
    if (!b->bind_count) continue;
    const struct bind *won = winner(b);
    const char *strings;
    const struct ms_site *site = site_of(won, &strings);
    fprintf(out, "%zu %s : %s in %s", b->size, strings + site->holder, type_of(won), strings + site->function);
    for (int j = b->bind_count - 1; j >= 0; j--) {
      if (&b->binds[j] == won) continue;
      fprintf(out, " <- ");
      bind_print(out, &b->binds[j]);
    }
    for (int j = b->free_count - 1; j >= 0; j--) {
      fprintf(out, j == b->free_count - 1 ? " | freed " : " <- ");
      bind_print(out, &b->frees[j]);
    }
    fprintf(out, "\n");
  }
  fflush(out);
}
