/* SPDX-License-Identifier: MIT
 *
 * From a stream to its model: tables of threads and modules, the replay, the end.
 */
#include "model/build.h"

#include "base/error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void threads_init(struct build *build) {
  const struct ms_stream *stream = build->stream;
  build->threads = ms_arena_array(build->arena, (size_t)stream->lane_count + 1, sizeof *build->threads);
  build->lane_threads =
      ms_arena_array(build->arena, (size_t)stream->lane_count + 1, sizeof *build->lane_threads);
  for (uint32_t i = 0; i < stream->lane_count; i++) { /* lanes are sorted by thread */
    if (!i || stream->lanes[i].thread != stream->lanes[i - 1].thread) build->thread_count++;
    build->lane_threads[i] = build->thread_count;
    build->threads[build->thread_count].out.stream_id = stream->lanes[i].thread;
    build->threads[build->thread_count].out.name = "";
  }
}

static bool image_same(const struct module *a, const struct module *b) {
  const struct ms_module_record *x = &a->view->record, *y = &b->view->record;
  return a == b || (x->build_id_bytes && a->path == b->path && x->build_id_bytes == y->build_id_bytes && memcmp(x->build_id, y->build_id, x->build_id_bytes) == 0);
}

/* A library that is opened again is another module, but what stands in it is the same. */
static void image_find(struct build *build, struct ms_map *images, uint32_t id) {
  struct module *module = &build->modules[id];
  uint64_t seed = build->seed ^ (uintptr_t)module->path;
  uint64_t key = XXH64(module->view->record.build_id, module->view->record.build_id_bytes, seed) | 1;
  uint32_t *first = ms_map_at(images, key);
  if (!*first) *first = id;
  module->image = image_same(module, &build->modules[*first]) ? *first : id;
}

static void modules_init(struct build *build) {
  const struct ms_stream *stream = build->stream;
  struct ms_map images;
  ms_map_init(&images, build->arena);
  build->module_count = stream->module_count;
  build->modules = ms_arena_array(build->arena, (size_t)stream->module_count + 1, sizeof *build->modules);
  for (uint32_t i = 0; i < stream->module_count; i++) {
    struct module *module = &build->modules[i + 1];
    module->view = &stream->modules[i];
    module->path = ms_build_text(build, module->view->path);
    if (!*module->path && module->view->record.is_main) module->path = ms_build_text(build, stream->program);
    image_find(build, &images, i + 1);
  }
}

static void maps_init(struct build *build) {
  struct ms_map *const maps[] = {&build->tally_index, &build->place_index, &build->chain_index,
                                 &build->text_index,  &build->type_index,  &build->type_places,
                                 &build->complete,    &build->holder_index, &build->stack_index,
                                 &build->stack_names, &build->pair_index,  &build->watched_index,
                                 &build->watched_blocks, &build->bad_index, &build->claim_index};
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) ms_map_init(maps[i], build->arena);
}

static struct build *build_new(struct ms_arena *arena, struct ms_stream *stream) {
  struct build *build = ms_arena_get(arena, sizeof *build);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  build->arena = arena;
  build->stream = stream;
  build->seed = ms_mix((uint64_t)now.tv_nsec ^ (uintptr_t)build);
  maps_init(build);
  threads_init(build);
  modules_init(build);
  ms_sampling_init(build);
  ms_sites_init(build);
  ms_timeline_init(build);
  return build;
}

/* "1 block", "2 blocks" */
static const char *counted(struct build *build, uint64_t count, const char *what) {
  return ms_arena_print(build->arena, "%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

/* What else a sanitizer's hooks leave unsaid, by whose they are. */
static const struct {
  const char *name, *also;
} hooks[] = {
    [MS_HEARD_ADDRESS] = {"AddressSanitizer", "an empty block counts as one byte"},
    [MS_HEARD_THREAD] = {"ThreadSanitizer", "blocks of posix_memalign, aligned_alloc, memalign and valloc are not told"},
    [MS_HEARD_MEMORY] = {"MemorySanitizer", "a reallocation that stays in place is not told"},
    [MS_HEARD_LEAK] = {"LeakSanitizer", "an empty block counts as one byte; before LLVM 17 no reallocation is told"},
};

const char *ms_build_heard(const struct build *build) {
  uint32_t heard = build->stream->header.heard;
  return heard < sizeof hooks / sizeof *hooks ? hooks[heard].name : NULL;
}

static void heard_note(struct build *build) {
  const char *sanitizer = ms_build_heard(build);
  if (!sanitizer) return;
  ms_note_add(build, MS_NOTE_INFO, 0, "%s owns malloc here, and its hooks told of blocks: a reallocation is an allocation and a free, and who called malloc is known by names alone; %s",
              sanitizer, hooks[build->stream->header.heard].also);
  if (build->totals.unborn)
    ms_note_add(build, MS_NOTE_INFO, 0, "%s freed of which it had not told", counted(build, build->totals.unborn, "block"));
}

static void loss_add(struct build *build, const char *text) {
  build->loss = build->loss ? ms_arena_print(build->arena, "%s; %s", build->loss, text) : text;
}

/* Where: of rotated streams offsets count through. */
static const char *offset_text(struct build *build, uint64_t offset) {
  uint32_t volume = build->stream->header.volume_tail ? ms_volume_of(offset) : 1;
  if (volume == 1) return ms_arena_print(build->arena, "at offset %" PRIu64, offset);
  return ms_arena_print(build->arena, "at offset %" PRIu64 " of volume %" PRIu32, offset - ms_volume_start(volume), volume);
}

static const char *plural(struct build *build, uint64_t count, const char *one, const char *many) {
  return ms_arena_print(build->arena, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

static void parts_say(struct build *build) {
  const struct ms_model_damage *damage = &build->damage;
  const char *events = counted(build, damage->lost_segment_events, "event");
  if (damage->lost_segments_unknown)
    events = damage->lost_segment_events ? ms_arena_print(build->arena, "more than %s", events) : "events, it is not known how many,";
  loss_add(build, ms_arena_print(build->arena, "%s missing: %s damaged, %s%s", events,
                                 plural(build, damage->lost_segments, "segment of the packed file is", "segments of the packed file are"),
                                 damage->lost_segments == 1 ? "" : "the first ", offset_text(build, build->stream->lost_parts_offset)));
}

/* What is left out for damage, and what that does to the figures. A word that may have been a
 * free is one block at most. */
static void damage_say(struct build *build) {
  const struct ms_model_damage *damage = &build->damage;
  if (damage->lost_segments) parts_say(build);
  if (damage->missing_chunks)
    loss_add(build, ms_arena_print(build->arena, "%s missing; what was freed there is shown as live",
                                   plural(build, damage->missing_chunks, "chunk is", "chunks are")));
  if (!damage->denied_chunks) return;
  loss_add(build, ms_arena_print(build->arena, "%s left out: %s damaged, %s%s", counted(build, damage->denied_events, "event"),
                                 plural(build, damage->denied_chunks, "chunk is", "chunks are"), damage->denied_chunks == 1 ? "" : "the first ",
                                 offset_text(build, build->stream->denied_offset)));
  if (damage->doubts)
    loss_add(build, ms_arena_print(build->arena, "up to %" PRIu64 " of the blocks shown as live may have been freed there", damage->doubts));
}

static void losses_note(struct build *build) {
  const struct ms_model_totals *totals = &build->totals;
  const struct ms_file_header *header = &build->stream->header;
  bool forked = header->parent[0] != 0, paused = header->pauses != 0;
  if (totals->lost_events)
    build->loss = ms_arena_print(build->arena, "%s not recorded: %s", counted(build, totals->lost_events, "event"),
                                 ms_lost_reason_name(header->lost_reason));
  damage_say(build);
  if (build->loss) ms_note_add(build, MS_NOTE_LOSS, 0, "%s", build->loss);
  if (totals->unborn && forked)
    ms_note_add(build, MS_NOTE_INFO, 0, "%s freed or resized, allocated before the fork",
                counted(build, totals->unborn, "block"));
  if (totals->unborn && paused && !forked)
    ms_note_add(build, MS_NOTE_INFO, 0, "%s freed or resized, allocated while nothing was recorded",
                counted(build, totals->unborn, "block"));
  if (totals->unborn && !forked && !paused && !ms_build_heard(build))
    ms_note_add(build, MS_NOTE_LOSS, 0, "%s freed or resized whose allocation is not in the stream",
                counted(build, totals->unborn, "block"));
  if (totals->vanished)
    ms_note_add(build, MS_NOTE_LOSS, 0, "%s ended without a row: the address was given out again",
                counted(build, totals->vanished, "block"));
  if (totals->forced)
    ms_note_add(build, MS_NOTE_LOSS, 0, "%s placed by time alone: what went before is not in the stream",
                counted(build, totals->forced, "event"));
}

static void restricted_note(struct build *build) {
  uint64_t at = build->stream->header.restricted_ns;
  if (at)
    ms_note_add(build, MS_NOTE_INFO, 0, "from %.3f s on the program had restricted its system calls (seccomp): recorded in memory that was mapped before; children and libraries from then on are not known",
                (double)at / 1e9);
}

static void damage_take(struct build *build, uint64_t doubts) {
  const struct ms_stream *stream = build->stream;
  uint64_t live = build->totals.live_blocks;
  build->damage = (struct ms_model_damage){.denied_chunks = stream->denied_chunks,
                                           .denied_events = stream->denied_events,
                                           .doubts = doubts < live ? doubts : live,
                                           .missing_chunks = stream->missing_chunks,
                                           .lost_segments = stream->lost_parts,
                                           .lost_segment_events = stream->lost_parts_events,
                                           .lost_segments_unknown = stream->lost_parts_unknown};
}

static void names_note(struct build *build) {
  if (ms_stream_names_are_all(build->stream))
    ms_note_add(build, MS_NOTE_LOSS, 0, "the program has more names than a stream holds, some %d: blocks of those that came later go by a name from further in, or by none", MS_NAMES_MOST);
}

/* What the stream's reading was like: its damage, its losses, its limits. */
static void notes_take(struct build *build, const struct ms_merge_counts *counts) {
  const struct ms_stream *stream = build->stream;
  struct ms_model_totals *totals = &build->totals;
  totals->lost_events =
      stream->header.lost_events > build->lost_in_rows ? stream->header.lost_events : build->lost_in_rows;
  totals->forced = counts->forced;
  totals->stream_bytes = ms_stream_bytes(stream);
  for (uint32_t i = 0; i < stream->problem_count; i++)
    ms_note_add(build, MS_NOTE_DAMAGE, stream->problems[i].offset, "%s", stream->problems[i].text);
  damage_take(build, counts->doubts);
  losses_note(build);
  names_note(build);
  heard_note(build);
  restricted_note(build);
  if (counts->open_reallocs)
    ms_note_add(build, MS_NOTE_INFO, 0, "%s begun and not ended; the block counts as live",
                counted(build, counts->open_reallocs, "reallocation"));
  if (totals->bad_frees)
    ms_note_add(build, MS_NOTE_INFO, 0,
                "%s of an address without a live block: double, invalid, or allocated unseen",
                counted(build, totals->bad_frees, "free"));
}

const struct ms_model *ms_model_build(struct ms_arena *arena, struct ms_stream *stream,
                                      struct ms_error *error) {
  struct ms_merge *merge = ms_merge_open(stream, MS_ORDER_AUTO);
  if (!merge) {
    ms_error_set(error, MS_ERROR_USAGE,
                 "no memory for the table of addresses; free some, or analyse on a larger machine");
    return NULL;
  }
  struct build *build = build_new(arena, stream);
  struct ms_model *model = ms_arena_get(arena, sizeof *model);
  ms_replay(build, merge);
  ms_counters_sum(build);
  notes_take(build, ms_merge_counts(merge));
  ms_bad_frees_trace(build);
  ms_types_finish(build);
  ms_timeline_finish(build);
  ms_finish(build, merge, model);
  ms_merge_close(merge);
  ms_stream_report(stream, error);
  return model;
}

/* ---- names of the model's enums ---- */

const char *ms_model_function(uint32_t id) {
  static const char *const names[32] = {
#define MS_FN_ALLOC(number, display) [number] = display,
#define MS_FN_REALLOC(number, display) [MS_FN_REALLOC_NULL + (number)] = display,
#define MS_FN_FREE(number, display)
#define MS_FN_VIA(number, display)
#define MS_ALLOCFN(op, number, symbol, display, family, shape) MS_FN_##op(number, display)
#include "memscope/allocfn.def"
  };
  return id < 32 && names[id] ? names[id] : "unknown";
}

const char *ms_model_end_when(const struct ms_model_process *process) {
  static const char *const whens[] = {
      [MS_END_NONE] = "where the stream ends",
      [MS_END_EXIT] = "at exit",
      [MS_END_QUICK] = "at exit",
      [MS_END_EXEC] = "when it became another program",
      [MS_END_SIGNAL] = "when it was killed",
      [MS_END_STOPPED] = "when recording stopped",
  };
  if (process->cut) return "where the stream is cut";
  if (process->loss) return "in what was recorded";
  if (process->running) return "now";
  return process->end_how < sizeof whens / sizeof *whens ? whens[process->end_how] : whens[MS_END_NONE];
}

const char *ms_lost_reason_name(uint32_t reason) {
  static const char *const names[] = {
      [MS_LOST_NONE] = "no reason given",
      [MS_LOST_SPACE] =
          "no room on the device, or the file-size limit; give more room, or another place with -o",
      [MS_LOST_IO] = "the file system failed",
      [MS_LOST_FILE_GONE] = "the program took over the stream's file descriptor",
      [MS_LOST_MEMORY] = "no memory for a window",
      [MS_LOST_LATE] = "the thread or process was already torn down",
      [MS_LOST_NESTED] = "they came from a signal handler while the shared window was full",
      [MS_LOST_SECCOMP] = "the program had given up system calls (seccomp), and the room mapped before was full",
  };
  return reason < sizeof names / sizeof *names ? names[reason] : names[0];
}

const char *ms_bad_free_name(enum ms_bad_free_kind kind) { return kind == MS_BAD_FREE_DOUBLE ? "double" : "unknown"; }

const char *ms_provenance_name(enum ms_provenance provenance) {
  return provenance == MS_EXACT ? "exact" : provenance == MS_DERIVED ? "derived" : "inferred";
}

const char *ms_naming_name(enum ms_naming naming) {
  return naming == MS_NAMED ? "named" : naming == MS_WRAPPER_ONLY ? "wrapper only" : "unnamed";
}
