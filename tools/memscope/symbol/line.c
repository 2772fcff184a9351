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

/* The scopes around an address, innermost first: how they came to be called, which is
 * not how their definitions lie in one another. */
static int scopes_at(Dwarf_Die *unit, uint64_t address, Dwarf_Die **scopes) {
  Dwarf_Die *inner = NULL;
  *scopes = NULL;
  int count = dwarf_getscopes(unit, address, &inner);
  if (count > 0) count = dwarf_getscopes_die(&inner[0], scopes);
  free(inner);
  return count;
}

struct ms_symbol_rows ms_lines_at(struct ms_arena *arena, const struct ms_binary *binary, uint64_t address) {
  enum { DEEP = 64 };
  struct ms_symbol rows[DEEP], at;
  Dwarf_Die unit, *scopes;
  uint32_t count = 0;
  if (!unit_at(binary, address, &unit)) return (struct ms_symbol_rows){0};
  position_at(arena, &unit, address, &at);
  int scope_count = scopes_at(&unit, address, &scopes);
  for (int i = 0; i < scope_count && count < DEEP; i++) {
    int tag = dwarf_tag(&scopes[i]);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) continue;
    at.function = function_name(arena, &scopes[i]);
    at.inlined = tag == DW_TAG_inlined_subroutine;
    rows[count++] = at;
    if (!at.inlined) break;
    called_from(arena, &unit, &scopes[i], &at);
  }
  free(scopes);
  if (!count) {
    at.function = "";
    rows[count++] = at;
  }
  struct ms_symbol *kept = ms_arena_array(arena, count, sizeof *kept);
  memcpy(kept, rows, count * sizeof *kept);
  return (struct ms_symbol_rows){kept, count};
}
