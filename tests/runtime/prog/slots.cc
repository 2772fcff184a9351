// SPDX-License-Identifier: MIT
//
// Uses the allocators, and says where its calls of them lead: "symbol library", a line each.
#include <dlfcn.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

static int is_wanted(const char *name) {
  static const char *const names[] = {"malloc", "free", "realloc", "calloc", "_Znwm", "_ZdlPvm"};
  for (const char *wanted : names)
    if (!strcmp(name, wanted)) return 1;
  return 0;
}

static void slots_print() {
  ElfW(Addr) base = _r_debug.r_map->l_addr;
  const ElfW(Rela) *slots = nullptr;
  const ElfW(Sym) *symbols = nullptr;
  const char *strings = nullptr;
  size_t count = 0;
  for (const ElfW(Dyn) *at = _r_debug.r_map->l_ld; at->d_tag; at++) {
    if (at->d_tag == DT_JMPREL) slots = reinterpret_cast<const ElfW(Rela) *>(at->d_un.d_ptr);
    if (at->d_tag == DT_PLTRELSZ) count = at->d_un.d_val / sizeof *slots;
    if (at->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym) *>(at->d_un.d_ptr);
    if (at->d_tag == DT_STRTAB) strings = reinterpret_cast<const char *>(at->d_un.d_ptr);
  }
  for (size_t i = 0; i < count; i++) {
    const char *name = strings + symbols[ELF64_R_SYM(slots[i].r_info)].st_name;
    Dl_info info;
    void *to = *reinterpret_cast<void **>(base + slots[i].r_offset);
    if (is_wanted(name) && dladdr(to, &info)) printf("%s %s\n", name, info.dli_fname);
  }
}

static void use() {
  void *blocks[] = {malloc(10), calloc(10, 10), realloc(malloc(20), 2000), strdup("text")}, *object = operator new(30);
  memset(object, 1, 30);
  operator delete(object, size_t{30});
  for (void *block : blocks) memset(block, 1, 5), free(block);
}

int main() {
  use();
  slots_print();
}
