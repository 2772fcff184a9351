/* SPDX-License-Identifier: MIT
 *
 * Excerpts of source files around the places a report names: six lines before
 * and behind, as far as the files can be read now. It is the one table that
 * depends on more than the stream.
 *
 * The names come from a stream, which is hostile: a file is opened only when it
 * is a plain one of moderate size whose name ends as source files' names do, so
 * that no report carries a key or a password file out of its maker's home.
 */
#include "view/view.h"

#include "base/arena.h"
#include "base/text.h"
#include "model/model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  AROUND = 6,
  PLACES_MAX = 2000, /* the most important ones */
  FREE_PLACES = 3,   /* of each variable */
  FILE_BYTES_MAX = 8 << 20,
  TEXT_BYTES_MAX = 1 << 20, /* of all excerpts */
  LINE_BYTES_MAX = 500,
};

static const char *const endings[] = {".c",   ".h",   ".cc",  ".cpp", ".cxx", ".c++", ".hh",  ".hpp",
                                      ".hxx", ".h++", ".inc", ".inl", ".ipp", ".tcc", ".tpp", ".def",
                                      ".y",   ".l",   ".m",   ".mm",  ".cu",  ".ixx", ".cppm"};

struct excerpts {
  struct ms_arena *arena;
  struct row {
    const char *file, *text;
    uint32_t first_line, lines;
  } * rows;
  uint32_t count;
  size_t bytes;
};

/* ---- which places ---- */

struct places {
  const struct ms_model_place **rows;
  bool *taken; /* by place id - 1 */
  uint32_t count;
};

static void place_want(struct places *places, const struct ms_model_place *place) {
  if (places->count == PLACES_MAX || !place || !place->line || !*place->file || places->taken[place->id - 1])
    return;
  places->taken[place->id - 1] = true;
  places->rows[places->count++] = place;
}

static int place_compare(const void *a, const void *b) {
  const struct ms_model_place *x = *(const struct ms_model_place *const *)a,
                              *y = *(const struct ms_model_place *const *)b;
  int order = strcmp(x->file, y->file);
  return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

/* Of the biggest variables first; then in the files' order. */
static struct places places_choose(struct ms_arena *arena, const struct ms_model *model) {
  struct places places = {.rows = ms_arena_array(arena, PLACES_MAX, sizeof *places.rows),
                          .taken = ms_arena_array(arena, model->place_count, sizeof *places.taken)};
  for (uint32_t s = 0; s < model->site_count && places.count < PLACES_MAX; s++) {
    const struct ms_model_site *site = &model->sites[s];
    place_want(&places, site->place);
    for (uint32_t c = 0; c < site->chain_count; c++) place_want(&places, site->chain[c]);
    for (uint32_t f = 0; f < site->free_places.count && f < FREE_PLACES; f++)
      if (site->free_places.rows[f].id) place_want(&places, &model->places[site->free_places.rows[f].id - 1]);
  }
  qsort(places.rows, places.count, sizeof *places.rows, place_compare);
  return places;
}

/* ---- one file ---- */

static bool is_source_name(const char *path) {
  const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
  if (!dot) return false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (strcasecmp(dot, endings[i]) == 0) return true;
  return false;
}

/* Its bytes with a NUL behind, NULL when it cannot or must not be read. */
static char *file_read(struct ms_arena *arena, const char *path) {
  struct stat status;
  int fd = is_source_name(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
  char *text = NULL;
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_BYTES_MAX) {
    text = ms_arena_get(arena, (size_t)status.st_size + 1);
    ssize_t got = 0, more;
    while (got < status.st_size && (more = read(fd, text + got, (size_t)(status.st_size - got))) > 0)
      got += more;
  }
  if (fd >= 0) close(fd);
  return text;
}

static const char *line_next(const char *at) {
  const char *end = strchr(at, '\n');
  return end ? end + 1 : at + strlen(at);
}

static size_t line_length(const char *line) {
  size_t length = strcspn(line, "\r\n");
  return length < LINE_BYTES_MAX ? length : LINE_BYTES_MAX;
}

/* Lines [first, last], as many as there are, with one newline between. */
static void excerpt_add(struct excerpts *out, const char *file, const char *at, uint32_t first,
                        uint32_t last) {
  struct row row = {.file = file, .first_line = first};
  size_t bytes = 0;
  const char *line = at;
  for (uint32_t n = first; n <= last && *line; n++, line = line_next(line)) bytes += line_length(line) + 1;
  if (!bytes || out->bytes + bytes > TEXT_BYTES_MAX) return;
  char *text = ms_arena_get(out->arena, bytes), *to = text;
  for (; row.first_line + row.lines <= last && *at; row.lines++, at = line_next(at)) {
    size_t length = line_length(at);
    memcpy(to, at, length);
    to += length;
    *to++ = '\n';
  }
  to[-1] = 0;
  row.text = ms_text_clean(out->arena, text);
  out->bytes += bytes;
  out->rows[out->count++] = row;
}

static void file_excerpts(struct excerpts *out, const struct ms_model_place *const *places, uint32_t count) {
  const char *at = file_read(out->arena, places[0]->file);
  uint32_t line = 1;
  for (uint32_t p = 0; at && *at && p < count;) {
    uint32_t first = places[p]->line > AROUND ? places[p]->line - AROUND : 1, last = places[p]->line + AROUND;
    while (++p < count && places[p]->line <= last + AROUND + 1) last = places[p]->line + AROUND;
    for (; line < first && *at; line++) at = line_next(at);
    if (line == first) excerpt_add(out, places[0]->file, at, first, last);
  }
}

void ms_view_sources(struct ms_columns *columns, const struct ms_model *model) {
  struct ms_arena *arena = ms_columns_arena(columns);
  struct places places = places_choose(arena, model);
  struct excerpts out = {.arena = arena, .rows = ms_arena_array(arena, places.count, sizeof *out.rows)};
  for (uint32_t first = 0, end; first < places.count; first = end) {
    for (end = first + 1;
         end < places.count && strcmp(places.rows[end]->file, places.rows[first]->file) == 0;)
      end++;
    file_excerpts(&out, places.rows + first, end - first);
  }
  struct ms_table *table = ms_table_add(columns, "sources", out.count);
  MS_TEXTS(table, "file", out.rows[i].file);
  MS_NUMBERS(table, "first_line", out.rows[i].first_line);
  MS_NUMBERS(table, "lines", out.rows[i].lines);
  MS_TEXTS(table, "text", out.rows[i].text);
}
