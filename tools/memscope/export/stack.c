/* SPDX-License-Identifier: MIT
 *
 * Call stacks for people: what each held at the peak, the variables at its end, its
 * frames with the allocation's own first.
 */
#include "export/export.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum { TOP_STACKS = 10, SITES_SHOWN = 3, FUNCTION_COLUMNS = 48, NAME_COLUMNS = 60, FILE_COLUMNS = 60 };

struct sheet {
  const struct ms_model *model;
  const struct ms_symbols *symbols;
  FILE *out;
  const char *bold, *dim, *warn, *plain;
};

/* ---- what stands at its end ---- */

static void site_print(const struct sheet *sheet, const struct ms_model_stack_site *row) {
  const struct ms_model_site *site = &sheet->model->sites[row->site_id - 1];
  if (site->naming == MS_UNNAMED) {
    fputs("(unnamed)", sheet->out);
    return;
  }
  ms_text_print(sheet->out, *site->holder ? site->holder : site->place->callee, NAME_COLUMNS, 1);
  if (!*site->type) return;
  fputs(" : ", sheet->out);
  ms_text_print(sheet->out, site->type, NAME_COLUMNS, 0);
}

static void head_print(const struct sheet *sheet, const struct ms_model_stack *stack) {
  char bytes[32], count[32];
  uint64_t peak = sheet->model->totals.peak_bytes;
  fprintf(sheet->out, "%10s %5.1f %% %11s  ", ms_format_bytes(bytes, stack->bytes_at_peak),
          peak ? 100 * (double)stack->bytes_at_peak / (double)peak : 0, ms_format_count(count, stack->allocations));
  uint32_t shown = stack->site_count > SITES_SHOWN + 1 ? SITES_SHOWN : stack->site_count; /* "1 more" takes a name's room */
  for (uint32_t i = 0; i < shown; i++) {
    if (i) fputs(", ", sheet->out);
    site_print(sheet, &stack->sites[i]);
  }
  if (stack->site_count > shown) fprintf(sheet->out, " and %" PRIu32 " more", stack->site_count - shown);
  fputc('\n', sheet->out);
}

/* ---- its frames ---- */

static void row_print(const struct sheet *sheet, const struct ms_symbol *row, const char *otherwise) {
  const char *slash = strrchr(row->file, '/');
  fputs("             ", sheet->out);
  size_t used = ms_text_print(sheet->out, *row->function ? row->function : otherwise, FUNCTION_COLUMNS, 0);
  if (row->inlined) used += (size_t)fprintf(sheet->out, "%s (inlined)%s", sheet->dim, sheet->plain) - strlen(sheet->dim) - strlen(sheet->plain);
  if (*row->file) {
    fprintf(sheet->out, "%*s%s", used < FUNCTION_COLUMNS ? (int)(FUNCTION_COLUMNS - used) + 1 : 1, "", sheet->dim);
    ms_text_print(sheet->out, slash ? slash + 1 : row->file, FILE_COLUMNS, 1);
    fprintf(sheet->out, ":%" PRIu32 "%s", row->line, sheet->plain);
  }
  fputc('\n', sheet->out);
}

static void place_print(const struct sheet *sheet, uint32_t place_id) {
  static const struct ms_symbol unknown = {.function = "", .file = ""};
  const struct ms_symbol_rows *found = &sheet->symbols->places[place_id - 1];
  const char *text = sheet->model->places[place_id - 1].text;
  for (uint32_t i = 0; i < found->count; i++) row_print(sheet, &found->rows[i], text);
  if (!found->count) row_print(sheet, &unknown, text);
}

/* Blocks whose stack is one frame say no more than their site does. */
static void short_print(const struct sheet *sheet) {
  const struct ms_model *model = sheet->model;
  uint64_t allocations = 0, alone = 0;
  for (uint32_t i = 0; i < model->stack_count; i++) {
    allocations += model->stacks[i].allocations;
    if (model->stacks[i].place_count == 1) alone += model->stacks[i].allocations;
  }
  if (2 * alone <= allocations) return;
  fprintf(sheet->out,
          "  %s%.0f %% of the allocations have a stack of one frame. Unless no more was asked\n"
          "  for (--stack fp=1), they come from code without frame pointers: compile it\n"
          "  with -fno-omit-frame-pointer, or record with --stack dwarf.%s\n",
          sheet->warn, 100 * (double)alone / (double)allocations, sheet->plain);
}

void ms_export_stacks(const struct ms_model *model, const struct ms_text_options *options, FILE *out) {
  bool colour = options->colour;
  struct sheet sheet = {model, options->symbols, out,
                        colour ? "\033[1m" : "", colour ? "\033[2m" : "", colour ? "\033[33m" : "", colour ? "\033[0m" : ""};
  uint32_t top = options->top ? options->top : TOP_STACKS;
  fprintf(out, "\n%sCall stacks that held the most at the peak%s\n", sheet.bold, sheet.plain);
  if (!model->stack_count) fputs("  This stream has none; record with: memscope run --stack fp, or dwarf\n", out);
  else fprintf(out, "%s   at peak              allocs  variable : type, and from where%s\n", sheet.dim, sheet.plain);
  short_print(&sheet);
  for (uint32_t i = 0; i < model->stack_count && i < top; i++) {
    head_print(&sheet, &model->stacks[i]);
    for (uint32_t n = 0; n < model->stacks[i].place_count; n++) place_print(&sheet, model->stacks[i].places[n]);
  }
  if (model->stack_count > top) fprintf(out, "  %sand %" PRIu32 " more%s\n", sheet.dim, model->stack_count - top, sheet.plain);
  for (uint32_t i = 0; i < options->symbols->problem_count; i++) {
    fprintf(out, "  %s", sheet.warn);
    ms_text_print(out, options->symbols->problems[i], 400, 0);
    fprintf(out, "%s\n", sheet.plain);
  }
}
