/* SPDX-License-Identifier: MIT
 *
 * The model's figures for people: what held the memory, what was not freed, how
 * far the names reach, what is missing, and the next command to type.
 */
#include "export/export.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TOP_ROWS = 10, COLUMNS_LEAST = 80, COLUMNS_USUAL = 100, COLUMNS_MOST = 140, FIGURE = 10 };

struct page {
  const struct ms_model *model;
  const struct ms_text_options *options;
  FILE *out;
  unsigned top, columns;
  bool whole; /* no terminal: nothing is cut, columns say where the next one begins */
};

bool ms_colour_wanted(FILE *out, const char *how) {
  if (how && strcmp(how, "always") == 0) return true;
  if (how && strcmp(how, "never") == 0) return false;
  const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
  return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0 && isatty(fileno(out));
}

unsigned ms_terminal_columns(FILE *out) {
  struct winsize size;
  if (!isatty(fileno(out))) return 0;
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS_USUAL;
}

static const char *bold(const struct page *page) { return page->options->colour ? "\033[1m" : ""; }
static const char *dim(const struct page *page) { return page->options->colour ? "\033[2m" : ""; }
static const char *warn(const struct page *page) { return page->options->colour ? "\033[33m" : ""; }
static const char *plain(const struct page *page) { return page->options->colour ? "\033[0m" : ""; }

/* Returns the columns it took. */
static size_t name_print(const struct page *page, const char *name, size_t columns, int keep_end) {
  return ms_text_print(page->out, name, page->whole ? SIZE_MAX : columns, keep_end);
}

/* Words from column `at` on, broken where a terminal ends; further lines begin at `indent`. */
static void words_print(const struct page *page, const char *text, size_t at, size_t indent) {
  for (bool first = true; *text; first = false) {
    char word[512]; /* a note has no more */
    size_t length = strcspn(text, " ");
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    if (!first && !page->whole && at + 1 + ms_text_columns(word) > page->columns) {
      fprintf(page->out, "\n%*s", (int)indent, "");
      at = indent;
    } else if (!first) {
      at++, fputc(' ', page->out);
    }
    at += name_print(page, word, SIZE_MAX, 0);
    text += length + (text[length] == ' ');
  }
}

static void spaces(const struct page *page, size_t count) { fprintf(page->out, "%*s", (int)count, ""); }

static void bytes_print(const struct page *page, uint64_t bytes) {
  char text[32];
  fprintf(page->out, "%*s", FIGURE, ms_format_bytes(text, bytes));
}

static void count_print(const struct page *page, uint64_t count) {
  char text[32];
  fprintf(page->out, "%*s", FIGURE + 1, ms_format_count(text, count));
}

enum { ERROR_ROOM = 96 };
static const double LOPSIDED = 1.25; /* how much longer one side is, so that one figure would not do for both */

/* How far an estimate may be off: a share where both sides are about as long, else both ends. */
static const char *error_text(char into[ERROR_ROOM], uint64_t value, struct ms_range range, char *(*format)(char *, uint64_t)) {
  char low[32], high[32];
  double up = (double)(range.high - value), down = (double)(value - range.low);
  double more = up > down ? up : down, less = up > down ? down : up, part = 100 * more / (double)(value ? value : 1);
  into[0] = 0;
  if (!range.high) return into;
  if (!value) snprintf(into, ERROR_ROOM, " (\342\211\244 %s)", format(high, range.high));
  else if (more > LOPSIDED * less) snprintf(into, ERROR_ROOM, " (%s\342\200\246%s)", format(low, range.low), format(high, range.high));
  else snprintf(into, ERROR_ROOM, " \302\261%3.*f %%", part < 9.95 ? 1 : 0, part);
  return into;
}

/* Behind an estimate: nothing of a figure that is exact. */
#define ERROR(of, field, format) \
  if ((of)->error) fputs(error_text((char[ERROR_ROOM]){0}, (of)->field, (of)->error->field, format), page->out)
#define BYTES_ERROR(of, field) ERROR(of, field, ms_format_bytes)
#define COUNT_ERROR(of, field) ERROR(of, field, ms_format_count)

static double percent(uint64_t part, uint64_t whole) {
  return whole ? 100 * (double)part / (double)whole : 0;
}

/* ---- head ---- */

static void end_print(const struct page *page) {
  const struct ms_model_process *process = &page->model->process;
  switch (process->end_how) {
  case MS_END_EXIT:
  case MS_END_QUICK:
    fprintf(page->out, "exit %" PRId32, process->end_status);
    break;
  case MS_END_EXEC:
    fputs("became another program", page->out);
    break;
  case MS_END_SIGNAL:
    fprintf(page->out, "killed by signal %" PRId32, process->end_status);
    break;
  case MS_END_STOPPED:
    fputs("recording was stopped", page->out);
    break;
  default:
    fputs(process->running ? "still running" : "no end recorded: killed, or still running", page->out);
  }
}

static void process_print(const struct page *page) {
  const struct ms_model_process *process = &page->model->process;
  char text[32];
  size_t left = page->columns;
  fputs(bold(page), page->out);
  if (!process->argc) name_print(page, *process->program ? process->program : "unknown program", left, 0);
  for (uint32_t i = 0; i < process->argc && (page->whole || left > 8); i++) {
    if (i) fputc(' ', page->out);
    left -= name_print(page, process->argv[i], left - 2, 0) + 1;
  }
  fprintf(page->out, "%s\n%spid %" PRIu32, plain(page), dim(page), process->pid);
  if (*process->host) fputs(" on ", page->out), name_print(page, process->host, 30, 0);
  fprintf(page->out, ", %s, ", ms_format_ns(text, process->duration_ns));
  end_print(page);
  if (process->cut) fputs("; the stream is cut: its last rows are missing", page->out);
  fprintf(page->out, "%s\n\n", plain(page));
}

/* In plain sight, before any figure. */
static void loss_print(const struct page *page) {
  if (!page->model->process.loss) return;
  fputs(bold(page), page->out);
  words_print(page, page->model->process.loss, 0, 0);
  fprintf(page->out, "%s\n\n", plain(page));
}

/* Of what none at all may have been drawn, no interval knows. */
static const char *doubt_text(const struct ms_model_sampling *sampling) {
  if (sampling->kind == MS_SAMPLING_BYTES) return ", and those of counts may be too narrow where small blocks are many";
  return sampling->large_bytes ? ", and those of counts know of no small blocks beside large ones where none was drawn" : ", and those of bytes may be too narrow where large blocks are few";
}

/* In plain sight, before any figure. */
static void sampling_print(const struct page *page) {
  const struct ms_model_sampling *sampling = &page->model->sampling;
  char period[32], count[32], text[256];
  if (!sampling->kind) return;
  if (sampling->kind == MS_SAMPLING_BYTES) ms_format_bytes(period, (uint64_t)sampling->period);
  else snprintf(period, sizeof period, "%.4g allocations", sampling->period);
  snprintf(text, sizeof text, "sampled, one in about %s%s: figures are estimates, \302\261 and (low\342\200\246high) are 95 %% intervals", period,
           sampling->large_bytes ? ", large ones more often" : "");
  fputs(bold(page), page->out);
  words_print(page, text, 0, 0);
  fprintf(page->out, "%s\n%s", plain(page), dim(page));
  snprintf(text, sizeof text, "%s allocation%s in the stream; peaks have no interval%s; what was temporary, or a bad free, is not known",
           ms_format_count(count, sampling->sampled_allocations), sampling->sampled_allocations == 1 ? "" : "s", doubt_text(sampling));
  words_print(page, text, 0, 0);
  fprintf(page->out, "%s\n\n", plain(page));
}

/* In plain sight, before any figure. */
static void counters_print(const struct page *page) {
  if (!page->model->counted) return;
  fputs(bold(page), page->out);
  words_print(page, "counters: what each site allocated, freed and holds is exact", 0, 0);
  fprintf(page->out, "%s\n%s", plain(page), dim(page));
  words_print(page, "peaks, lifetimes, what was temporary, and all else that takes an event for each allocation is not known", 0, 0);
  fprintf(page->out, "%s\n\n", plain(page));
}

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

static void totals_print(const struct page *page) {
  const struct ms_model_totals *t = &page->model->totals;
  char text[32];
  FILE *out = page->out;
  fprintf(out, "  allocated");
  bytes_print(page, t->allocated_bytes);
  BYTES_ERROR(t, allocated_bytes);
  count_print(page, t->allocations);
  COUNT_ERROR(t, allocations);
  fprintf(out, " allocation%s", plural(t->allocations));
  if (t->error) { /* with both intervals the line would be too long */
    fprintf(out, "\n  resized  %*s", FIGURE, "");
    count_print(page, t->reallocations);
  } else {
    fprintf(out, ", %s", ms_format_count(text, t->reallocations));
  }
  COUNT_ERROR(t, reallocations);
  fprintf(out, " reallocation%s\n", plural(t->reallocations));
  fprintf(out, "  peak     ");
  if (page->model->counted) {
    fprintf(out, "%*s\n", FIGURE, "-");
  } else {
    bytes_print(page, t->peak_bytes);
    count_print(page, t->peak_blocks);
    fprintf(out, " block%s, at %s\n", plural(t->peak_blocks), ms_format_ns(text, t->peak_time_ns));
  }
  fprintf(out, "  live     ");
  bytes_print(page, t->live_bytes);
  BYTES_ERROR(t, live_bytes);
  count_print(page, t->live_blocks);
  COUNT_ERROR(t, live_blocks);
  fprintf(out, " block%s not freed %s\n", plural(t->live_blocks), page->model->process.end_when);
  fprintf(out, "  freed    %*s", FIGURE, "");
  count_print(page, t->frees);
  COUNT_ERROR(t, frees);
  fprintf(out, " free%s", plural(t->frees));
  if (page->model->sampling.kind || page->model->counted) fputc('\n', out);
  else fprintf(out, ", %.1f %% of allocations temporary\n", percent(t->temporary, t->allocations));
  if (t->threads > 1) {
    fprintf(out, "  threads  %*s", FIGURE, "");
    count_print(page, t->threads);
    fprintf(out, " that allocated or freed\n");
  }
}

/* allocations below 0: no share of them. */
static void coverage_row_print(const struct page *page, const char *name, double allocations, double bytes, const char *meaning) {
  int before = fprintf(page->out, "  %-15s ", name);
  before += allocations < 0 ? fprintf(page->out, "%10s", "") : fprintf(page->out, "%8.2f %%", allocations);
  before += fprintf(page->out, " %8.2f %%   ", bytes);
  words_print(page, meaning, (size_t)before, (size_t)before);
  fputc('\n', page->out);
}

static void coverage_print(const struct page *page) {
  const struct ms_model_coverage *c = &page->model->coverage;
  const struct ms_model_totals *t = &page->model->totals;
  uint64_t events = t->allocations, bytes = t->allocated_bytes;
  fprintf(page->out, "\n%sCoverage%s        allocations      bytes\n", bold(page), plain(page));
  coverage_row_print(page, "named", percent(c->named_allocations, events), percent(c->named_bytes, bytes),
                     "goes to a variable, field, return or argument");
  coverage_row_print(page, "wrapper only", percent(c->wrapper_only_allocations, events), percent(c->wrapper_only_bytes, bytes),
                     "stayed inside an allocation wrapper");
  coverage_row_print(page, "unnamed", percent(c->unnamed_allocations, events), percent(c->unnamed_bytes, bytes),
                     "from code compiled without the plugin");
  coverage_row_print(page, "typed", -1, percent(c->typed_bytes, bytes), "the element type is known");
  if (events && !c->named_allocations && !c->wrapper_only_allocations)
    fprintf(page->out,
            "  %sNothing here was compiled with the plugin: see memscope help. What a script or\n"
            "  a shell starts is recorded with memscope run --follow-exec.%s\n",
            dim(page), plain(page));
}

/* ---- tables ---- */

/* "holder : type" as far as it fits, then the place in the last two fifths, or behind what was longer. */
static void site_name_print(const struct page *page, const struct ms_model_site *site, size_t columns) {
  size_t used = 0, place = columns * 2 / 5, room = columns - place - 2;
  if (site->naming == MS_UNNAMED) {
    used = name_print(page, "(unnamed)", room, 0);
  } else {
    size_t type = *site->type ? ms_text_columns(site->type) : 0;
    size_t for_holder = type && type + 13 < room ? room - type - 3 : room > 20 ? room - 11 : room;
    used = name_print(page, *site->holder ? site->holder : site->place->callee, for_holder, 1);
    if (type && (page->whole || room > used + 4)) {
      fputs(" : ", page->out);
      used += 3 + name_print(page, site->type, room - used - 3, 0);
    }
  }
  spaces(page, room > used ? room - used + 2 : 2);
  fputs(dim(page), page->out);
  name_print(page, site->place->text, place, 0);
  fputs(plain(page), page->out);
}

static void more_print(const struct page *page, uint32_t more) {
  if (more) fprintf(page->out, "  %sand %" PRIu32 " more%s\n", dim(page), more, plain(page));
}

static void sites_peak_print(const struct page *page) {
  const struct ms_model *model = page->model;
  uint32_t at_peak = 0;
  while (at_peak < model->site_count && model->sites[at_peak].bytes_at_peak) at_peak++;
  if (!at_peak) return;
  fprintf(page->out,
          "\n%sHeld the most at the peak%s\n%s   at peak           own peak     blocks  variable : type%s\n",
          bold(page), plain(page), dim(page), plain(page));
  for (uint32_t i = 0; i < at_peak && i < page->top; i++) {
    const struct ms_model_site *site = &model->sites[i];
    bytes_print(page, site->bytes_at_peak);
    fprintf(page->out, " %5.1f %%", percent(site->bytes_at_peak, model->totals.peak_bytes));
    bytes_print(page, site->peak_bytes);
    count_print(page, site->blocks_at_peak);
    spaces(page, 2);
    site_name_print(page, site, page->columns - 3 * FIGURE - 11);
    fputc('\n', page->out);
  }
  more_print(page, at_peak > page->top ? at_peak - page->top : 0);
}

/* In place of the peak's. */
static void sites_allocated_print(const struct page *page) {
  const struct ms_model *model = page->model;
  if (!model->counted || !model->site_count) return;
  fprintf(page->out, "\n%sAllocated the most%s\n%s allocated                live     allocs  variable : type%s\n", bold(page), plain(page), dim(page),
          plain(page));
  for (uint32_t i = 0; i < model->site_count && i < page->top; i++) {
    const struct ms_model_site *site = &model->sites[i];
    bytes_print(page, site->allocated_bytes);
    fprintf(page->out, " %5.1f %%", percent(site->allocated_bytes, model->totals.allocated_bytes));
    bytes_print(page, site->live_bytes);
    count_print(page, site->allocations);
    spaces(page, 2);
    site_name_print(page, site, page->columns - 3 * FIGURE - 11);
    fputc('\n', page->out);
  }
  more_print(page, model->site_count > page->top ? model->site_count - page->top : 0);
}

/* Names get what figures leave of a line, and never nothing. */
static size_t columns_left(const struct page *page, size_t taken) { return page->columns > taken + 16 ? page->columns - taken : 16; }

/* An error in a column as wide as its widest. */
static void error_print(const struct page *page, const char *error, size_t columns) {
  fputs(error, page->out);
  spaces(page, columns - ms_text_columns(error));
}

static size_t wider(size_t columns, const char *text) {
  size_t more = ms_text_columns(text);
  return more > columns ? more : columns;
}

static const char *type_error(char into[ERROR_ROOM], const struct ms_model_type *type) {
  into[0] = 0;
  return type->error ? error_text(into, type->allocations, type->error->allocations, ms_format_count) : into;
}

static void types_print(const struct page *page) {
  const struct ms_model *model = page->model;
  uint32_t used = 0;
  while (used < model->type_count && model->types[used].allocated_bytes) used++;
  if (!used) return;
  bool counted = model->counted;
  char error[ERROR_ROOM];
  size_t error_columns = 0;
  for (uint32_t i = 0; i < used && i < page->top; i++) error_columns = wider(error_columns, type_error(error, &model->types[i]));
  fprintf(page->out, "\n%sTypes%s\n%s%s     allocs%*s  type%s\n", bold(page), plain(page), dim(page),
          counted ? " allocated                live" : "   at peak           own peak", (int)error_columns, "", plain(page));
  for (uint32_t i = 0; i < used && i < page->top; i++) {
    const struct ms_model_type *type = &model->types[i];
    uint64_t part = counted ? type->allocated_bytes : type->bytes_at_peak;
    bytes_print(page, part);
    fprintf(page->out, " %5.1f %%", percent(part, counted ? model->totals.allocated_bytes : model->totals.peak_bytes));
    bytes_print(page, counted ? type->live_bytes : type->peak_bytes);
    count_print(page, type->allocations);
    error_print(page, type_error(error, type), error_columns);
    spaces(page, 2);
    name_print(page, type->name, columns_left(page, 3 * FIGURE + 39 + error_columns), 0);
    fprintf(page->out, "%s  %" PRIu64 " B", dim(page), type->size_bytes);
    if (type->padding_bytes) fprintf(page->out, ", %" PRIu32 " B padding", type->padding_bytes);
    fprintf(page->out, "%s\n", plain(page));
  }
  more_print(page, used > page->top ? used - page->top : 0);
}

static int live_order(const void *a, const void *b) {
  const struct ms_model_site *x = *(const struct ms_model_site *const *)a,
                             *y = *(const struct ms_model_site *const *)b;
  if (x->live_bytes != y->live_bytes) return x->live_bytes > y->live_bytes ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

static const char *live_bytes_error(char into[ERROR_ROOM], const struct ms_model_site *site) {
  into[0] = 0;
  return site->error ? error_text(into, site->live_bytes, site->error->live_bytes, ms_format_bytes) : into;
}

static const char *live_blocks_error(char into[ERROR_ROOM], const struct ms_model_site *site) {
  into[0] = 0;
  return site->error ? error_text(into, site->live_blocks, site->error->live_blocks, ms_format_count) : into;
}

/* The first `count` of `live`, which is sorted. */
static void live_rows_print(const struct page *page, const struct ms_model_site *const *live, uint32_t count) {
  char error[ERROR_ROOM];
  size_t bytes = 0, blocks = 0;
  for (uint32_t i = 0; i < count; i++) {
    bytes = wider(bytes, live_bytes_error(error, live[i]));
    blocks = wider(blocks, live_blocks_error(error, live[i]));
  }
  fprintf(page->out, "\n%sNot freed %s%s\n%s     bytes%*s     blocks%*s  variable : type%s\n", bold(page), page->model->process.end_when, plain(page),
          dim(page), (int)bytes, "", (int)blocks, "", plain(page));
  for (uint32_t i = 0; i < count; i++) {
    bytes_print(page, live[i]->live_bytes);
    error_print(page, live_bytes_error(error, live[i]), bytes);
    count_print(page, live[i]->live_blocks);
    error_print(page, live_blocks_error(error, live[i]), blocks);
    spaces(page, 2);
    site_name_print(page, live[i], columns_left(page, 2 * FIGURE + 3 + bytes + blocks));
    fputc('\n', page->out);
  }
}

static void sites_live_print(const struct page *page) {
  const struct ms_model *model = page->model;
  const struct ms_model_site **live = calloc((size_t)model->site_count + 1, sizeof *live);
  uint32_t count = 0;
  for (uint32_t i = 0; live && i < model->site_count; i++)
    if (model->sites[i].live_blocks) live[count++] = &model->sites[i];
  if (count) {
    qsort(live, count, sizeof *live, live_order);
    live_rows_print(page, live, count < page->top ? count : page->top);
  }
  more_print(page, count > page->top ? count - page->top : 0);
  free(live);
}

/* ---- foot ---- */

/* Snapshots with what held the most then. */
static void marks_print(const struct page *page) {
  const struct ms_model *model = page->model;
  char bytes[32], when[32];
  if (model->mark_count) fprintf(page->out, "\n%sMarks%s\n", bold(page), plain(page));
  for (uint32_t i = 0; i < model->mark_count && i < page->top; i++) {
    const struct ms_model_mark *mark = &model->marks[i];
    fprintf(page->out, "  %10s  %10s live  ", ms_format_ns(when, mark->ns), model->counted ? "-" : ms_format_bytes(bytes, mark->live_bytes));
    name_print(page, mark->name, 64, 0);
    fputs(mark->snapshot ? "  (snapshot)\n" : "\n", page->out);
    for (uint32_t h = 0; h < mark->held_count && h < 3; h++) {
      fprintf(page->out, "              %10s  ", ms_format_bytes(bytes, mark->held[h].live_bytes));
      site_name_print(page, &model->sites[mark->held[h].site_id - 1], page->columns - 26);
      fputc('\n', page->out);
    }
  }
  more_print(page, model->mark_count > page->top ? model->mark_count - page->top : 0);
}

/* Its row is told where behind the real free, from which some programs do not come back. */
static const char *bad_free_place(const struct ms_model *model, const struct ms_model_bad_free *bad) {
  if (bad->place_id) return model->places[bad->place_id - 1].text;
  return model->process.end_how == MS_END_SIGNAL ? "at a place not known, where the program was ended" : "at a place not known";
}

/* Where, and of a double one what the block was and who had freed it. */
static void bad_free_print(const struct page *page, const struct ms_model_bad_free *bad) {
  const struct ms_model *model = page->model;
  const struct ms_model_site *site = bad->site_id ? &model->sites[bad->site_id - 1] : NULL;
  char bytes[32];
  count_print(page, bad->count);
  fprintf(page->out, "  %s %s  ", ms_bad_free_name(bad->kind), bad->resized ? "realloc" : "free");
  name_print(page, bad_free_place(model, bad), page->columns - 30, 0);
  fputc('\n', page->out);
  if (!site) {
    fprintf(page->out, "             %sof 0x%" PRIx64 ", %s%s\n", dim(page), bad->address,
            model->counted ? "what was there before is not known" : "where no block was", plain(page));
    return;
  }
  fprintf(page->out, "             %10s  ", ms_format_bytes(bytes, bad->size_bytes));
  site_name_print(page, site, page->columns - 25);
  fprintf(page->out, "\n             %sfreed first  %s", dim(page), plain(page));
  name_print(page, bad->freed_place_id ? model->places[bad->freed_place_id - 1].text : "unknown", page->columns - 26, 0);
  fputc('\n', page->out);
}

static void bad_frees_print(const struct page *page) {
  const struct ms_model *model = page->model;
  if (model->bad_free_count)
    fprintf(page->out, "\n%sBad frees%s\n%s      times  what, where; the block and where it was freed first%s\n", bold(page), plain(page), dim(page), plain(page));
  for (uint32_t i = 0; i < model->bad_free_count && i < page->top; i++) bad_free_print(page, &model->bad_frees[i]);
  more_print(page, model->bad_free_count > page->top ? model->bad_free_count - page->top : 0);
}

static void notes_print(const struct page *page) {
  const struct ms_model *model = page->model;
  if (model->note_count) fprintf(page->out, "\n%sNotes%s\n", bold(page), plain(page));
  for (uint32_t i = 0; i < model->note_count; i++) {
    const struct ms_model_note *note = &model->notes[i];
    bool bad = note->kind != MS_NOTE_INFO;
    fprintf(page->out, "  %s", bad ? warn(page) : "");
    size_t at = 2;
    if (note->kind == MS_NOTE_DAMAGE) at += (size_t)fprintf(page->out, "at offset %" PRIu64 ": ", note->offset);
    words_print(page, note->text, at, 2);
    fprintf(page->out, "%s\n", bad ? plain(page) : "");
  }
}

/* A path as a shell reads it back. */
static void path_print(const struct page *page, const char *path) {
  if (strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+,:@%") ==
      strlen(path)) {
    fputs(path, page->out);
    return;
  }
  fputc('\'', page->out);
  for (; *path; path++) {
    if (*path == '\'')
      fputs("'\\''", page->out);
    else
      fputc(*path, page->out);
  }
  fputc('\'', page->out);
}

void ms_export_text(const struct ms_model *model, const struct ms_text_options *options, FILE *out) {
  struct page page = {
      .model = model, .options = options, .out = out, .top = options->top ? options->top : TOP_ROWS};
  page.whole = !options->columns;
  page.columns = page.whole ? COLUMNS_USUAL : options->columns;
  if (page.columns < COLUMNS_LEAST) page.columns = COLUMNS_LEAST;
  if (page.columns > COLUMNS_MOST) page.columns = COLUMNS_MOST;
  process_print(&page);
  loss_print(&page);
  sampling_print(&page);
  counters_print(&page);
  totals_print(&page);
  coverage_print(&page);
  sites_peak_print(&page);
  sites_allocated_print(&page);
  types_print(&page);
  sites_live_print(&page);
  if (options->symbols) ms_export_stacks(model, options, out);
  marks_print(&page);
  bad_frees_print(&page);
  notes_print(&page);
  fprintf(out, "\nnext: memscope report ");
  path_print(&page, options->path);
  fputc('\n', out);
}
