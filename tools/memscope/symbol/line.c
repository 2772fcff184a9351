/* SPDX-License-Identifier: MIT
 *
 * Functions, files and lines by DWARF, inlined functions too. Which unit an address
 * lies in is kept sorted: compilers need not leave an index of that (.debug_aranges).
 */
#include "symbol/binary.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* ---- units by address ---- */

static int range_order(const void *a, const void *b) {
  const struct ms_unit_range *x = a, *y = b;
  return x->start < y->start ? -1 : x->start > y->start;
}

static void range_add(struct ms_arena *arena, struct ms_binary *binary, uint32_t *room, struct ms_unit_range range) {
  if (binary->range_count == *room) {
    uint32_t more = *room ? *room * 2 : 256;
    binary->ranges = ms_arena_grow(arena, binary->ranges, *room * sizeof range, more * sizeof range);
    *room = more;
  }
  binary->ranges[binary->range_count++] = range;
}

void ms_lines_load(struct ms_arena *arena, struct ms_binary *binary) {
  Dwarf_CU *unit = NULL;
  Dwarf_Die die;
  uint32_t room = 0;
  if (!binary->debug.dwarf) return;
  while (dwarf_get_units(binary->debug.dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
    Dwarf_Addr base, start, end;
    for (ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &start, &end)) > 0;)
      if (start < end) range_add(arena, binary, &room, (struct ms_unit_range){start, end, dwarf_dieoffset(&die)});
  }
  if (binary->range_count) qsort(binary->ranges, binary->range_count, sizeof *binary->ranges, range_order);
}

static bool unit_at(const struct ms_binary *binary, uint64_t address, Dwarf_Die *unit) {
  uint32_t low = 0, high = binary->range_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (binary->ranges[middle].start <= address) low = middle + 1;
    else high = middle;
  }
  return low && address < binary->ranges[low - 1].end && dwarf_offdie(binary->debug.dwarf, binary->ranges[low - 1].unit, unit);
}

/* ---- functions ---- */

static const char *function_name(struct ms_arena *arena, Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));
  if (!name) name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
  if (name) return ms_demangled(arena, name);
  name = dwarf_diename(die);
  return name ? ms_arena_text(arena, name, strlen(name)) : "";
}

static const char *text_keep(struct ms_arena *arena, const char *text) { return text ? ms_arena_text(arena, text, strlen(text)) : ""; }

/* Where the inlined function was called. */
static void called_from(struct ms_arena *arena, Dwarf_Die *unit, Dwarf_Die *die, struct ms_symbol *at) {
  Dwarf_Attribute attribute;
  Dwarf_Word file = 0, line = 0;
  Dwarf_Files *files;
  *at = (struct ms_symbol){.file = ""};
  if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &line)) at->line = (uint32_t)line;
  if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file) && !dwarf_getsrcfiles(unit, &files, NULL))
    at->file = text_keep(arena, dwarf_filesrc(files, file, NULL, NULL));
}

static void position_at(struct ms_arena *arena, Dwarf_Die *unit, uint64_t address, struct ms_symbol *at) {
  Dwarf_Line *line = dwarf_getsrc_die(unit, address);
  int number = 0;
  *at = (struct ms_symbol){.file = line ? text_keep(arena, dwarf_linesrc(line, NULL, NULL)) : ""};
  if (line && !dwarf_lineno(line, &number) && number > 0) at->line = (uint32_t)number;
}

enum { DEEP = 64 };

/* A function and what was inlined into it at an address, outermost first. */
struct scopes {
  Dwarf_Die dies[DEEP];
  uint32_t count;
};

/* libdw's own search (dwarf_getscopes) gives the scopes around an inlined function's
 * definition, and misses some that lie in several pieces. */
static bool scopes_in(Dwarf_Die *parent, uint64_t address, unsigned depth, struct scopes *scopes) {
  Dwarf_Die die;
  if (depth == DEEP || dwarf_child(parent, &die)) return false;
  do {
    int tag = dwarf_tag(&die);
    if (tag == DW_TAG_namespace && scopes_in(&die, address, depth + 1, scopes)) return true;
    bool function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
    if ((!function && tag != DW_TAG_lexical_block) || dwarf_haspc(&die, address) <= 0) continue;
    if (function && scopes->count < DEEP) scopes->dies[scopes->count++] = die;
    scopes_in(&die, address, depth + 1, scopes);
    return true;
  } while (dwarf_siblingof(&die, &die) == 0);
  return false;
}

struct ms_symbol_rows ms_lines_at(struct ms_arena *arena, const struct ms_binary *binary, uint64_t address) {
  struct ms_symbol at;
  struct scopes scopes;
  Dwarf_Die unit;
  if (!unit_at(binary, address, &unit)) return (struct ms_symbol_rows){0};
  scopes.count = 0;
  scopes_in(&unit, address, 0, &scopes);
  position_at(arena, &unit, address, &at);
  at.function = "";
  struct ms_symbol *rows = ms_arena_array(arena, scopes.count + 1, sizeof *rows);
  uint32_t count = 0;
  for (uint32_t i = scopes.count; i-- > 0;) {
    Dwarf_Die *die = &scopes.dies[i];
    at.function = function_name(arena, die);
    at.inlined = i > 0 && dwarf_tag(die) == DW_TAG_inlined_subroutine;
    rows[count++] = at;
    if (!at.inlined) break; /* a function within a function is called by whoever calls it */
    called_from(arena, &unit, die, &at);
  }
  if (!count) rows[count++] = at;
  return (struct ms_symbol_rows){rows, count};
}
