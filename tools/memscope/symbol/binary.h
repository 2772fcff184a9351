/* SPDX-License-Identifier: MIT
 *
 * The layer's inside: one binary, opened.
 */
#ifndef MS_SYMBOL_BINARY_H
#define MS_SYMBOL_BINARY_H

#include "symbol/symbol.h"

#include <elfutils/libdw.h>

struct ms_function {
  uint64_t start, size;
  const char *name; /* as the file has it */
  unsigned rank;    /* of several at one address the highest is shown */
};

struct ms_unit_range {
  uint64_t start, end;
  Dwarf_Off unit;
};

struct ms_image { /* one file */
  int fd;
  Elf *elf;
  Dwarf *dwarf; /* NULL: no debug information */
};

struct ms_binary {
  const char *path, *build_id; /* as recorded; hex, "" = none */
  struct ms_image main;        /* with symbols; elf NULL: none was found */
  struct ms_image debug;       /* with debug information; may be main */
  const char *problem;         /* "" = none */
  struct ms_function *functions;
  uint32_t function_count;
  struct ms_unit_range *ranges;
  uint32_t range_count;
};

/* find.c: the files it is made of */
void ms_binary_find(struct ms_arena *arena, struct ms_binary *binary, const struct ms_symbol_options *options);
void ms_binary_close(struct ms_binary *binary);

/* binary.c: functions by the symbol table */
void ms_binary_load(struct ms_arena *arena, struct ms_binary *binary);
const char *ms_function_at(const struct ms_binary *binary, uint64_t address); /* NULL: none */
const char *ms_demangled(struct ms_arena *arena, const char *name);

/* line.c: functions, files and lines by the debug information */
void ms_lines_load(struct ms_arena *arena, struct ms_binary *binary);
struct ms_symbol_rows ms_lines_at(struct ms_arena *arena, const struct ms_binary *binary, uint64_t address);

#endif
