/* SPDX-License-Identifier: MIT
 *
 * Addresses to functions: binaries are found and opened at their first address.
 */
#include "symbol/binary.h"

#include "base/text.h"

#include <string.h>

struct ms_symbol_finder {
  struct ms_arena *arena;
  struct ms_symbol_options options;
  struct ms_binary **binaries; /* pointers: the table moves when it grows */
  uint32_t count, room;
};

struct ms_symbol_finder *ms_symbol_finder_new(struct ms_arena *arena, const struct ms_symbol_options *options) {
  struct ms_symbol_finder *finder = ms_arena_get(arena, sizeof *finder);
  *finder = (struct ms_symbol_finder){.arena = arena, .options = *options};
  return finder;
}

/* The same build-id is the same file, wherever it was loaded from. */
static bool binary_is(const struct ms_binary *binary, const char *path, const char *build_id) {
  return *build_id ? strcmp(binary->build_id, build_id) == 0 : !*binary->build_id && strcmp(binary->path, path) == 0;
}

static struct ms_binary *binary_of(struct ms_symbol_finder *finder, const char *path, const char *build_id) {
  for (uint32_t i = 0; i < finder->count; i++)
    if (binary_is(finder->binaries[i], path, build_id)) return finder->binaries[i];
  if (finder->count == finder->room) {
    uint32_t room = finder->room ? finder->room * 2 : 16;
    finder->binaries = ms_arena_grow(finder->arena, finder->binaries, finder->room * sizeof(void *), room * sizeof(void *));
    finder->room = room;
  }
  struct ms_binary *binary = finder->binaries[finder->count++] = ms_arena_get(finder->arena, sizeof *binary);
  *binary = (struct ms_binary){.path = path, .build_id = build_id};
  ms_binary_find(finder->arena, binary, &finder->options);
  ms_binary_load(finder->arena, binary);
  ms_lines_load(finder->arena, binary);
  return binary;
}

static struct ms_symbol_rows function_alone(struct ms_arena *arena, const char *name) {
  struct ms_symbol *row = ms_arena_get(arena, sizeof *row);
  *row = (struct ms_symbol){.function = ms_demangled(arena, name), .file = ""};
  return (struct ms_symbol_rows){row, 1};
}

/* A return address may be the first of the next line or function: the call stands before it. */
struct ms_symbol_rows ms_symbol_find(struct ms_symbol_finder *finder, const char *path, const char *build_id, uint64_t address) {
  const struct ms_binary *binary = binary_of(finder, path, build_id);
  struct ms_symbol_rows rows = ms_lines_at(finder->arena, binary, address - 1);
  if (rows.count && *rows.rows[0].function) return rows;
  const char *name = ms_function_at(binary, address - 1);
  if (!rows.count) return name ? function_alone(finder->arena, name) : rows;
  if (name) ((struct ms_symbol *)rows.rows)[0].function = ms_demangled(finder->arena, name);
  return rows;
}

void ms_symbol_finder_free(struct ms_symbol_finder *finder) {
  for (uint32_t i = 0; i < finder->count; i++) ms_binary_close(finder->binaries[i]);
  finder->count = 0;
}

static void rows_clean(struct ms_arena *arena, struct ms_symbol_rows found) {
  for (uint32_t i = 0; i < found.count; i++) {
    struct ms_symbol *row = (struct ms_symbol *)&found.rows[i];
    row->function = ms_text_clean(arena, ms_arena_text(arena, row->function, strlen(row->function)));
    row->file = ms_text_clean(arena, row->file);
  }
}

static void problems_take(const struct ms_symbol_finder *finder, struct ms_symbols *symbols) {
  const char **problems = ms_arena_array(finder->arena, finder->count, sizeof *problems);
  for (uint32_t i = 0; i < finder->count; i++)
    if (*finder->binaries[i]->problem) problems[symbols->problem_count++] = finder->binaries[i]->problem;
  symbols->problems = problems;
}

const struct ms_symbols *ms_symbols_of(struct ms_arena *arena, const struct ms_model *model, uint32_t stacks,
                                       const struct ms_symbol_options *options) {
  struct ms_symbols *symbols = ms_arena_get(arena, sizeof *symbols);
  struct ms_symbol_rows *places = ms_arena_array(arena, model->place_count, sizeof *places);
  struct ms_symbol_finder *finder = ms_symbol_finder_new(arena, options);
  for (uint32_t s = 0; s < stacks && s < model->stack_count; s++)
    for (uint32_t i = 0; i < model->stacks[s].place_count; i++) {
      const struct ms_model_place *place = &model->places[model->stacks[s].places[i] - 1];
      if (places[place->id - 1].count || !place->module_id) continue;
      const struct ms_model_module *module = &model->modules[place->module_id - 1];
      places[place->id - 1] = ms_symbol_find(finder, module->path, module->build_id, place->address);
      rows_clean(arena, places[place->id - 1]);
    }
  symbols->places = places;
  problems_take(finder, symbols);
  ms_symbol_finder_free(finder);
  return symbols;
}
