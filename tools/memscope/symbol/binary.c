/* SPDX-License-Identifier: MIT
 *
 * Functions of a binary by its symbol tables: sorted once, then searched.
 */
#include "symbol/binary.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

const char *ms_demangled(struct ms_arena *arena, const char *name) {
  char *plain = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
  if (!plain) return name;
  const char *kept = ms_arena_text(arena, plain, strlen(plain));
  free(plain);
  return kept;
}

static int function_order(const void *a, const void *b) {
  const struct ms_function *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return strcmp(y->name, x->name);
}

/* Sized ones before others, global before weak before local. */
static unsigned rank_of(const GElf_Sym *symbol) {
  unsigned bind = GELF_ST_BIND(symbol->st_info);
  return (symbol->st_size != 0) * 4u + (bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0);
}

static bool is_function(const GElf_Sym *symbol) {
  unsigned type = GELF_ST_TYPE(symbol->st_info);
  return symbol->st_shndx != SHN_UNDEF && symbol->st_value && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static void table_load(struct ms_arena *arena, struct ms_binary *binary, Elf_Scn *section, const GElf_Shdr *header) {
  Elf_Data *data = elf_getdata(section, NULL);
  size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
  binary->functions = ms_arena_grow(arena, binary->functions, binary->function_count * sizeof *binary->functions,
                                    (binary->function_count + count) * sizeof *binary->functions);
  for (size_t i = 0; i < count; i++) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, (int)i, &symbol) || !is_function(&symbol)) continue;
    const char *name = elf_strptr(binary->main.elf, header->sh_link, symbol.st_name);
    if (!name || !*name) continue;
    binary->functions[binary->function_count++] =
        (struct ms_function){.start = symbol.st_value, .size = symbol.st_size, .name = name, .rank = rank_of(&symbol)};
  }
}

static void tables_load(struct ms_arena *arena, struct ms_binary *binary, GElf_Word type) {
  for (Elf_Scn *section = NULL; (section = elf_nextscn(binary->main.elf, section));) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) && header.sh_type == type) table_load(arena, binary, section, &header);
  }
}

void ms_binary_load(struct ms_arena *arena, struct ms_binary *binary) {
  if (!binary->main.elf) return;
  tables_load(arena, binary, SHT_SYMTAB);
  if (!binary->function_count) tables_load(arena, binary, SHT_DYNSYM);
  if (binary->function_count) qsort(binary->functions, binary->function_count, sizeof *binary->functions, function_order);
}

const char *ms_function_at(const struct ms_binary *binary, uint64_t address) {
  uint32_t low = 0, high = binary->function_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (binary->functions[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  if (!low) return NULL;
  const struct ms_function *function = &binary->functions[low - 1];
  return !function->size || address - function->start < function->size ? function->name : NULL;
}
