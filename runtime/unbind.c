/* SPDX-License-Identifier: MIT
 *
 * A program that is not recorded calls the allocators beneath ours itself: before its own
 * code runs, each call slot (PLT) that leads to us, its own and its libraries', is set to
 * what lies behind. Passed on by one jump, an event costs a program like cfrac 1.8 % of its time,
 * with the least library that does nothing else. Calls that come by all the same are
 * passed on: of libraries loaded later, through pointers, of those built with -fno-plt.
 */
#define _GNU_SOURCE
#include "real.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#define SLOT_KIND R_X86_64_JUMP_SLOT
#elif defined(__aarch64__)
#define SLOT_KIND R_AARCH64_JUMP_SLOT
#endif

#if defined(MS_STATIC) || !defined(SLOT_KIND)
void ms_unbind(void) {}
#else
extern const char __ehdr_start[] __attribute__((visibility("hidden"))), _end[] __attribute__((visibility("hidden")));

static int is_ours(uintptr_t at) { return at - (uintptr_t)__ehdr_start < (uintptr_t)(_end - __ehdr_start); }

struct function {
  const char *name;
  uintptr_t next; /* 0: none, or who calls that name does not come to us */
  int is_known;
};

static struct function functions[] = {
#undef MS_ALLOCFN_ALLOC
#undef MS_ALLOCFN_REALLOC
#undef MS_ALLOCFN_FREE
#undef MS_ALLOCFN_VIA
#define MS_ALLOCFN_ALLOC(symbol) {.name = #symbol},
#define MS_ALLOCFN_REALLOC(symbol) {.name = #symbol},
#define MS_ALLOCFN_FREE(symbol) {.name = #symbol},
#define MS_ALLOCFN_VIA(symbol)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_ALLOCFN_##op(symbol)
#include "memscope/allocfn.def"
};

static uintptr_t next_of(const char *name) {
  for (struct function *f = functions; f < functions + sizeof functions / sizeof *functions; f++) {
    if (name[0] != f->name[0] || strcmp(name, f->name) != 0) continue;
    if (!f->is_known && is_ours((uintptr_t)dlsym(RTLD_DEFAULT, name))) f->next = (uintptr_t)dlsym(RTLD_NEXT, name);
    f->is_known = 1;
    return f->next;
  }
  return 0;
}

struct image {
  uintptr_t base;
  uintptr_t sealed, sealed_end; /* PT_GNU_RELRO, read-only by now: whole pages, as the loader has it */
  const ElfW(Rela) *slots;
  size_t count;
  const ElfW(Sym) *symbols;
  const char *strings;
};

/* Relocated by the loader, or not. */
static uintptr_t address(const struct image *image, uintptr_t value) { return value < image->base ? image->base + value : value; }

static void dynamic_read(struct image *image, const ElfW(Dyn) *dynamic) {
  for (; dynamic->d_tag != DT_NULL; dynamic++) switch (dynamic->d_tag) {
    case DT_JMPREL: image->slots = (const ElfW(Rela) *)address(image, dynamic->d_un.d_ptr); break;
    case DT_PLTRELSZ: image->count = dynamic->d_un.d_val / sizeof(ElfW(Rela)); break;
    case DT_SYMTAB: image->symbols = (const ElfW(Sym) *)address(image, dynamic->d_un.d_ptr); break;
    case DT_STRTAB: image->strings = (const char *)address(image, dynamic->d_un.d_ptr); break;
    default: break;
    }
}

static void relro_read(struct image *image, const ElfW(Phdr) *part) {
  image->sealed = image->base + part->p_vaddr;
  image->sealed_end = (image->sealed + part->p_memsz) & ~(uintptr_t)(MS_OS_PAGE - 1);
}

/* Bound to us, or not bound yet: then it leads into its own image. */
static int leads_to_us(uintptr_t value, const ElfW(Sym) *symbol, const struct dl_phdr_info *info) {
  if (is_ours(value)) return 1;
  for (int i = 0; i < info->dlpi_phnum && symbol->st_shndx == SHN_UNDEF; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && value - (info->dlpi_addr + part->p_vaddr) < part->p_memsz) return 1;
  }
  return 0;
}

static void slot_set(const struct image *image, uintptr_t *slot, uintptr_t next) {
  void *page = (void *)((uintptr_t)slot & ~(uintptr_t)(MS_OS_PAGE - 1));
  int sealed = (uintptr_t)slot >= image->sealed && (uintptr_t)slot < image->sealed_end;
  if (sealed && mprotect(page, MS_OS_PAGE, PROT_READ | PROT_WRITE)) return;
  __atomic_store_n(slot, next, __ATOMIC_RELAXED);
  if (sealed) mprotect(page, MS_OS_PAGE, PROT_READ);
}

static int image_unbind(struct dl_phdr_info *info, size_t size, void *data) {
  struct image image = {.base = info->dlpi_addr};
  (void)size, (void)data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_GNU_RELRO) relro_read(&image, part);
    if (part->p_type == PT_DYNAMIC) dynamic_read(&image, (const ElfW(Dyn) *)(image.base + part->p_vaddr));
  }
  if (!image.slots || !image.symbols || !image.strings || is_ours(image.base)) return 0;
  for (const ElfW(Rela) *rela = image.slots; rela < image.slots + image.count; rela++) {
    const ElfW(Sym) *symbol = &image.symbols[ELF64_R_SYM(rela->r_info)];
    uintptr_t *slot = (uintptr_t *)(image.base + rela->r_offset), next;
    if (ELF64_R_TYPE(rela->r_info) != SLOT_KIND || !(next = next_of(image.strings + symbol->st_name))) continue;
    if (leads_to_us(*slot, symbol, info)) slot_set(&image, slot, next);
  }
  return 0;
}

/* Only where we come before libc for everybody: of a library that was opened for a plugin
 * alone others' slots are not ours. And what dlsym was given while it looked must not come
 * to another's free. */
void ms_unbind(void) {
  int saved = errno;
  if (is_ours((uintptr_t)dlsym(RTLD_DEFAULT, "malloc")) && !ms_real_gave_early()) dl_iterate_phdr(image_unbind, NULL);
  errno = saved;
}
#endif
