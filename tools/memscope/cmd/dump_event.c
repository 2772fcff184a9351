/* SPDX-License-Identifier: MIT
 *
 * memscope dump [--stable]: one line an event, in merged order:
 *
 *   0.004 t1 alloc #12 0x55d0 100 malloc "conn->rbuf : char" in conn_new net.c:88:15 <- "p : void" in xmalloc
 * ...
 *
 * Blocks are numbered by first sight, and no number comes twice. A call stack stands
 * in front of the first event that has it, and events say its number. --stable leaves
 * out times and addresses and numbers threads and processes by first sight, too, so
 * that two runs of a program give the same text.
 */
#include "cmd/dump.h"

#include "base/map.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

enum { BATCH = 512, CHAIN_MOST = 64, TEXT_MOST = 65536 };

struct dump {
  struct ms_stream *stream;
  FILE *out;
  bool stable;
  struct ms_map threads; /* thread -> number by first sight */
  uint64_t *blocks;      /* live block -> number by first sight */
  uint64_t block_count;
  uint32_t block_room;
  struct ms_map stacks; /* thread, id -> number by first sight */
  struct ms_symbol_finder *symbols; /* NULL: call stacks as modules and offsets */
};

static void text_print(const struct dump *dump, const char *text) {
  ms_text_print(dump->out, text, TEXT_MOST, 0);
}

/* ---- names ---- */

static void site_print(const struct dump *dump, uint32_t site_id) {
  uint32_t index;
  const struct ms_unit_view *unit = ms_stream_site(dump->stream, site_id, &index);
  if (!unit) {
    fputs("unknown site", dump->out);
    return;
  }
  const struct ms_site *site = &unit->sites[index];
  fputc('"', dump->out);
  text_print(dump, ms_unit_text(unit, site->holder));
  if (site->type && site->type <= unit->type_count) {
    fputs(" : ", dump->out);
    text_print(dump, ms_unit_text(unit, unit->types[site->type - 1].name));
  }
  fputs("\" in ", dump->out);
  text_print(dump, ms_unit_text(unit, site->function));
  const char *file = ms_unit_text(unit, site->file), *slash = strrchr(file, '/');
  fputc(' ', dump->out);
  text_print(dump, slash ? slash + 1 : file);
  fprintf(dump->out, ":%" PRIu32 ":%u%s", site->line, site->column,
          site->flags & MS_SITE_WRAPPER ? " wrapper" : "");
}

static void caller_print(const struct dump *dump, uint64_t address, uint64_t ns) {
  uint32_t found = ms_stream_module_at(dump->stream, address, ns);
  if (found == UINT32_MAX) {
    if (dump->stable)
      fputs("from unknown code", dump->out);
    else
      fprintf(dump->out, "from 0x%" PRIx64, address);
    return;
  }
  const struct ms_module_view *module = &dump->stream->modules[found];
  const char *slash = strrchr(module->path, '/');
  fputs("from ", dump->out);
  text_print(dump, slash ? slash + 1 : module->path);
  if (!dump->stable) fprintf(dump->out, "+0x%" PRIx64, address - module->record.bias);
}

static void name_print(const struct dump *dump, uint32_t name) {
  for (int depth = 0; name && depth < CHAIN_MOST; depth++) {
    struct ms_name part = ms_stream_name(dump->stream, name);
    fputs(depth ? " <- " : " ", dump->out);
    if (part.kind == MS_NAME_IS_NONE)
      fputs("undefined name", dump->out);
    else if (part.kind == MS_NAME_IS_CALLER)
      caller_print(dump, part.address, part.ns);
    else
      site_print(dump, part.site);
    name = part.kind == MS_NAME_IS_CHAIN ? part.parent : 0;
  }
}

/* ---- call stacks ---- */

static void symbol_print(const struct dump *dump, const struct ms_symbol *row) {
  const char *slash = strrchr(row->file, '/');
  fputc(' ', dump->out);
  text_print(dump, *row->function ? row->function : "?");
  if (*row->file) {
    fputs(" (", dump->out);
    text_print(dump, slash ? slash + 1 : row->file);
    fprintf(dump->out, ":%" PRIu32 ")", row->line);
  }
  if (row->inlined) fputs(" inlined into", dump->out);
}

static const char *build_id_text(const struct dump *dump, const struct ms_module_view *module) {
  uint32_t count = module->record.build_id_bytes;
  char *text = ms_arena_get(dump->stream->arena, 2 * (size_t)count + 1);
  for (uint32_t i = 0; i < count; i++) snprintf(text + 2 * i, 3, "%02x", module->record.build_id[i]);
  return text;
}

static struct ms_symbol_rows symbols_of(const struct dump *dump, uint64_t address, uint64_t ns) {
  uint32_t found = dump->symbols ? ms_stream_module_at(dump->stream, address, ns) : UINT32_MAX;
  if (found == UINT32_MAX) return (struct ms_symbol_rows){0};
  const struct ms_module_view *module = &dump->stream->modules[found];
  return ms_symbol_find(dump->symbols, module->path, build_id_text(dump, module), address - module->record.bias);
}

static void frame_print(const struct dump *dump, uint64_t address, uint64_t ns) {
  struct ms_symbol_rows rows = symbols_of(dump, address, ns);
  if (!rows.count) fputc(' ', dump->out), caller_print(dump, address, ns);
  for (uint32_t i = 0; i < rows.count; i++) symbol_print(dump, &rows.rows[i]);
}

/* The event's call stack has a number; before the first event that has it stands what it is. */
static void stack_define(struct dump *dump, const struct ms_event *event) {
  uint32_t *number = ms_map_at(&dump->stacks, ((uint64_t)event->thread << 32 | event->stack) + 1);
  if (*number) return;
  *number = dump->stacks.count;
  struct ms_frames frames = ms_stream_stack(dump->stream, event->thread, event->stack);
  fprintf(dump->out, "stack #%" PRIu32, *number);
  for (uint32_t i = 0; i < frames.count; i++) {
    if (i) fputs(" <-", dump->out);
    frame_print(dump, frames.addresses[i], frames.ns);
  }
  if (!frames.count) fputs(" undefined", dump->out);
  fputc('\n', dump->out);
}

static bool has_stack(const struct ms_event *event) {
  bool gives = event->kind == MS_EVENT_ALLOC || event->kind == MS_EVENT_REALLOC || event->kind == MS_EVENT_UNBORN_REALLOC;
  return gives && event->stack;
}

/* ---- events ---- */

static const char *fn_name(unsigned op, unsigned fn) {
  static const char *const names[3][32] = {
#define MS_FN_ALLOC(number, display) [0][number] = display,
#define MS_FN_REALLOC(number, display) [0][MS_FN_REALLOC_NULL + (number)] = display, [2][number] = display,
#define MS_FN_FREE(number, display) [1][number] = display,
#define MS_FN_VIA(number, display)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_FN_##op(number, display)
#include "memscope/allocfn.def"
  };
  return names[op][fn & 31] ? names[op][fn & 31] : "unknown function";
}

static uint64_t block_number(struct dump *dump, uint32_t block, bool born) {
  if (block >= dump->block_room) {
    uint32_t room = dump->block_room ? dump->block_room * 2 : 1024;
    while (room <= block) room *= 2;
    dump->blocks = ms_arena_grow(dump->stream->arena, dump->blocks, dump->block_room * sizeof *dump->blocks,
                                 room * sizeof *dump->blocks);
    dump->block_room = room;
  }
  if (born) dump->blocks[block] = ++dump->block_count;
  return dump->blocks[block];
}

static void thread_print(struct dump *dump, uint32_t thread) {
  if (dump->stable) {
    uint32_t *number = ms_map_at(&dump->threads, (uint64_t)thread + 1);
    if (!*number) *number = dump->threads.count;
    thread = *number;
  }
  fprintf(dump->out, "t%" PRIu32 " ", thread);
}

static void block_print(struct dump *dump, const struct ms_event *event, const char *verb, bool born) {
  fputs(verb, dump->out);
  if (event->block) fprintf(dump->out, " #%" PRIu64, block_number(dump, event->block, born));
  if (!dump->stable && event->address) fprintf(dump->out, " 0x%" PRIx64 "/%u", event->address, event->gen);
}

static void place_print(const struct dump *dump, const struct ms_event *event) {
  if (!event->place) return;
  fputs(" at", dump->out);
  name_print(dump, event->place);
}

static void sized_print(struct dump *dump, const struct ms_event *event, const char *verb, bool born,
                        unsigned op) {
  block_print(dump, event, verb, born);
  fprintf(dump->out, " %" PRIu64 " %s", event->size, fn_name(op, event->fn));
  name_print(dump, event->name);
}

static void row_text_print(const struct dump *dump, const char *verb, const uint64_t *words) {
  struct ms_row_thread_name row = ms_get_thread_name(words);
  uint64_t most = row.words * sizeof(uint64_t);
  const char *text =
      ms_arena_text(dump->stream->arena, (const char *)(words + 1), row.bytes < most ? row.bytes : most);
  fprintf(dump->out, "%s ", verb);
  text_print(dump, ms_text_clean(dump->stream->arena, text));
}

static void module_print(const struct dump *dump, const char *verb, uint32_t id) {
  const struct ms_stream *stream = dump->stream;
  const char *path = "unknown";
  for (uint32_t i = 0; i < stream->module_count; i++)
    if (stream->modules[i].record.module == id) path = stream->modules[i].path;
  const char *slash = strrchr(path, '/');
  fprintf(dump->out, "%s ", verb);
  text_print(dump, dump->stable && slash ? slash + 1 : path);
}

static void row_print(const struct dump *dump, const struct ms_event *event) {
  const uint64_t *w = event->words;
  switch ((uint8_t)w[0]) {
  case MS_TAG_THREAD_START:
    fputs("thread start", dump->out);
    if (!dump->stable)
      fprintf(dump->out, " tid %" PRIu64 " by t%" PRIu64, ms_get_thread_start(w).tid,
              ms_get_thread_start(w).creator);
    break;
  case MS_TAG_THREAD_EXIT:
    fputs("thread exit", dump->out);
    break;
  case MS_TAG_THREAD_NAME:
    row_text_print(dump, "thread name", w);
    break;
  case MS_TAG_RECORDING:
    fputs(ms_get_recording(w).on ? "recording goes on" : "recording pauses", dump->out);
    break;
  case MS_TAG_MARK:
    row_text_print(dump, "mark", w);
    break;
  case MS_TAG_SNAPSHOT:
    row_text_print(dump, "snapshot", w);
    break;
  case MS_TAG_EXEC:
    row_text_print(dump, "exec", w);
    break;
  case MS_TAG_MODULE_LOAD:
    module_print(dump, "module load", (uint32_t)ms_get_module_load(w).module);
    break;
  case MS_TAG_MODULE_UNLOAD:
    module_print(dump, "module unload", (uint32_t)ms_get_module_unload(w).module);
    break;
  case MS_TAG_LOST:
    fprintf(dump->out, "lost %" PRIu64 " reason %" PRIu64, ms_get_lost(w).events, ms_get_lost(w).reason);
    break;
  case MS_TAG_FORK:
    fputs("fork", dump->out);
    if (!dump->stable) fprintf(dump->out, " pid %" PRIu64, ms_get_fork(w).pid);
    break;
  case MS_TAG_END:
    fprintf(dump->out, "end how %" PRIu64 " status %" PRIu64, ms_get_end(w).how, ms_get_end(w).status);
    break;
  default:
    fprintf(dump->out, "row 0x%02x", (unsigned)(uint8_t)w[0]);
  }
}

static void event_print(struct dump *dump, const struct ms_event *event) {
  if (has_stack(event)) stack_define(dump, event);
  if (!dump->stable) fprintf(dump->out, "%.3f ", (double)event->ns / 1e6);
  thread_print(dump, event->thread);
  switch (event->kind) {
  case MS_EVENT_ALLOC:
    sized_print(dump, event, "alloc", true, 0);
    break;
  case MS_EVENT_REALLOC:
  case MS_EVENT_UNBORN_REALLOC:
    sized_print(dump, event, event->kind == MS_EVENT_REALLOC ? "realloc" : "realloc-unborn",
                event->kind != MS_EVENT_REALLOC, 2);
    break;
  case MS_EVENT_FREE:
  case MS_EVENT_UNBORN_FREE:
    block_print(dump, event, event->kind == MS_EVENT_FREE ? "free" : "free-unborn", false);
    fprintf(dump->out, " %s", fn_name(1, event->fn));
    place_print(dump, event);
    break;
  case MS_EVENT_REALLOC_FREE:
    block_print(dump, event, "realloc-free", false);
    place_print(dump, event);
    break;
  case MS_EVENT_REALLOC_FAIL:
    block_print(dump, event, "realloc-fail", false);
    break;
  case MS_EVENT_BIND:
    block_print(dump, event, "bind", false);
    name_print(dump, event->name);
    break;
  case MS_EVENT_BAD_FREE:
    block_print(dump, event, "bad-free", false);
    place_print(dump, event);
    break;
  case MS_EVENT_ENDED:
    block_print(dump, event, "ended", false);
    break;
  case MS_EVENT_UNSAMPLED:
    block_print(dump, event, "unsampled", false);
    break;
  case MS_EVENT_DENIED:
    block_print(dump, event, "ended-denied", false);
    break;
  case MS_EVENT_VANISHED:
    block_print(dump, event, "vanished", false);
    break;
  default:
    row_print(dump, event);
  }
  if (has_stack(event))
    fprintf(dump->out, " stack #%" PRIu32, ms_map_find(&dump->stacks, ((uint64_t)event->thread << 32 | event->stack) + 1));
  fputc('\n', dump->out);
}

/* ---- counters ---- */

static void counter_print(struct dump *dump, uint32_t thread, const struct ms_counter *c) {
  thread_print(dump, thread);
  fprintf(dump->out, "counted allocs=%" PRIu64 " reallocs=%" PRIu64 " bytes=%" PRIu64 " frees=%" PRIu64, c->allocations, c->reallocations,
          c->allocated_bytes, c->frees);
  fprintf(dump->out, " resized=%" PRIu64 " ended=%" PRIu64 " vanished=%" PRIu32 " gone=%" PRIu64, c->resized, c->ended, c->vanished, c->gone_bytes);
  if (c->name == MS_COUNTER_UNSEEN) fputs(" of blocks not in the stream", dump->out);
  else if (c->name < MS_NAMES_MOST) name_print(dump, c->name);
  else fputs(" of a thread's newest block", dump->out);
  fputc('\n', dump->out);
}

/* A row as any, but for its generation. */
static void newest_print(struct dump *dump, const struct ms_counters_view *view) {
  const struct ms_counters_head *head = view->head;
  bool resized = ms_word_op(head->newest[0]) == MS_OP_REALLOC_END;
  if (!head->newest[0]) return;
  thread_print(dump, view->thread);
  fprintf(dump->out, "newest %s %" PRIu64, resized ? "realloc" : "alloc", head->bytes);
  name_print(dump, (uint32_t)(head->newest[1] >> 32));
  fputc('\n', dump->out);
}

static void counters_print(struct dump *dump) {
  const struct ms_stream *stream = dump->stream;
  for (uint32_t v = 0; v < stream->counters_count; v++) {
    const struct ms_counters_view *view = &stream->counters[v];
    newest_print(dump, view);
    for (uint32_t i = 0; i < view->count; i++)
      if (view->counters[i].name) counter_print(dump, view->thread, &view->counters[i]);
  }
}

static int dump_run(struct dump *dump, const struct ms_dump_options *options, struct ms_error *error) {
  struct ms_merge *merge = ms_merge_open(dump->stream, MS_ORDER_AUTO);
  if (!merge) return ms_error_set(error, MS_ERROR_USAGE, "no memory for the table of addresses; free some");
  ms_map_init(&dump->threads, dump->stream->arena);
  ms_map_init(&dump->stacks, dump->stream->arena);
  if (options->symbols) dump->symbols = ms_symbol_finder_new(dump->stream->arena, &options->where);
  struct ms_event events[BATCH];
  uint32_t count;
  while (!ferror(dump->out) && (count = ms_merge_next(merge, events, BATCH)))
    for (uint32_t i = 0; i < count; i++) event_print(dump, &events[i]);
  ms_merge_close(merge);
  counters_print(dump);
  if (dump->symbols) ms_symbol_finder_free(dump->symbols);
  return 0;
}

int ms_dump_events(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error) {
  return dump_run(&(struct dump){.stream = stream, .out = out}, options, error);
}

int ms_dump_stable(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error) {
  return dump_run(&(struct dump){.stream = stream, .out = out, .stable = true}, options, error);
}
