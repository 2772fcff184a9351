/* SPDX-License-Identifier: MIT
 *
 * Walks the file's records once and sorts what holds rows into lanes: each
 * (thread, chunk) once, a whole CHUNK before the WINDOW it came from, that
 * before a damaged CHUNK. Cut and damaged records give what they still have.
 *
 * Of a stream that is being written the windows are read first, and then the rest
 * up to an end that is asked for after that: what a thread sealed before its window
 * was read lies in front of that end, and what it sealed later was in the window.
 */
#include "reader/index.h"

#include "base/arena.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

/* No writer makes windows or holes larger than this; a larger one is damage. */
enum { WINDOW_MOST = 64 << 20 };

enum standing { WHOLE, LIVE, DAMAGED, CUT }; /* the lower one wins */

struct found {
  uint32_t thread, chunk;
  uint8_t standing;
  uint32_t words;  /* in use and in the file */
  uint64_t offset; /* of the record */
  uint64_t start_ns;
  const uint64_t *rows;
};

enum pass { ALL, WINDOWS, REST };

struct index {
  struct ms_stream *stream;
  enum pass pass;
  const unsigned char *bytes; /* of the file being walked */
  uint64_t size;
  uint64_t base; /* what its offsets are counted from */
  struct found *founds;
  uint32_t count, room;
  bool cut; /* the file ends inside a record */
  uint64_t standing; /* bytes of whole records in the first file */
};

static bool zero_page(const unsigned char *bytes, uint64_t size) {
  if (size > MS_RECORD_ALIGN) size = MS_RECORD_ALIGN;
  return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static struct ms_record record_at(const struct index *index, uint64_t offset) {
  struct ms_record record;
  memcpy(&record, index->bytes + offset, sizeof record);
  return record;
}

/* Is a record's header there, as a writer leaves it? */
static bool record_holds(const struct ms_record *record) {
  if (record->magic != MS_RECORD_MAGIC) return false;
  if (record->bytes < MS_RECORD_ALIGN || record->bytes % MS_RECORD_ALIGN) return false;
  if (record->kind == MS_RECORD_WINDOW)
    return record->bytes <= WINDOW_MOST && !record->check && !record->checksum && !record->place;
  if (record->place && record->place != XXH3_64bits_withSeed(&record->fill, 2 * sizeof record->fill, record->check)) return false;
  return record->check == XXH3_64bits_withSeed(record, offsetof(struct ms_record, fill), MS_RECORD_MAGIC);
}

static struct found *found_add(struct index *index) {
  if (index->count == index->room) {
    uint32_t room = index->room ? index->room * 2 : 64;
    index->founds = ms_arena_grow(index->stream->arena, index->founds, index->count * sizeof *index->founds,
                                  room * sizeof *index->founds);
    index->room = room;
  }
  return &index->founds[index->count++];
}

/* Payload bytes that are in use and in the file. */
static uint64_t payload_there(struct index *index, const struct ms_record *record, uint64_t offset,
                              bool *cut) {
  uint64_t use = ms_fill_bytes(record->fill), room = record->bytes - sizeof *record;
  uint64_t there = index->size - offset - sizeof *record;
  if (use > room) {
    ms_stream_problem(index->stream, index->base + offset, "the record says it uses more bytes than it has");
    use = room;
  }
  *cut = use > there;
  return use > there ? there : use;
}

static enum standing rows_standing(const struct ms_record *record, const unsigned char *payload,
                                   uint64_t bytes, bool cut) {
  if (cut) return CUT;
  if (record->kind == MS_RECORD_WINDOW) return LIVE;
  return (uint32_t)XXH3_64bits(payload, bytes) == record->checksum ? WHOLE : DAMAGED;
}

/* A window that is being written to: its rows as they were at one moment. The
 * thread that seals it raises the chunk's number before it writes over them, one
 * that takes it over names itself before it has rows. */
static const unsigned char *window_copy(struct index *index, struct ms_record *record, uint64_t offset) {
  const volatile struct ms_record *there = (const volatile struct ms_record *)(index->bytes + offset);
  bool cut;
  for (;;) {
    uint32_t thread = __atomic_load_n(&there->thread, __ATOMIC_ACQUIRE);
    uint64_t fill = __atomic_load_n(&there->fill, __ATOMIC_ACQUIRE);
    *record = record_at(index, offset);
    record->thread = thread;
    record->fill = fill;
    uint64_t bytes = payload_there(index, record, offset, &cut);
    void *copy = ms_arena_get(index->stream->arena, bytes + 1);
    memcpy(copy, (const void *)(there + 1), bytes);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (there->thread == thread && ms_fill_chunk(there->fill) == ms_fill_chunk(fill)) return copy;
  }
}

static void rows_take(struct index *index, const struct ms_record *found, uint64_t offset) {
  bool cut;
  struct ms_record copy = *found, *record = &copy;
  const unsigned char *payload = index->bytes + offset + sizeof *record;
  if (index->pass == WINDOWS) payload = window_copy(index, record, offset);
  if (!ms_fill_bytes(record->fill)) return; /* a window that waits for its next thread */
  uint64_t bytes = payload_there(index, record, offset, &cut);
  *found_add(index) = (struct found){.thread = record->thread,
                                     .chunk = ms_fill_chunk(record->fill),
                                     .standing = rows_standing(record, payload, bytes, cut),
                                     .words = (uint32_t)(bytes / sizeof(uint64_t)),
                                     .offset = index->base + offset,
                                     .start_ns = record->start_ns,
                                     .rows = (const uint64_t *)payload};
}

static void tables_take(struct index *index, const struct ms_record *record, uint64_t offset) {
  bool cut;
  uint64_t bytes = payload_there(index, record, offset, &cut);
  const unsigned char *payload = index->bytes + offset + sizeof *record;
  if (cut) {
    ms_stream_problem(index->stream, index->base + offset,
                      "the file ends inside this record of names; some places stay unknown");
    index->cut = true;
  } else if ((uint32_t)XXH3_64bits(payload, bytes) != record->checksum) {
    ms_stream_problem(index->stream, index->base + offset, "this record of names is damaged; some may be wrong or unknown");
  }
  if (record->kind == MS_RECORD_MODULE)
    ms_module_take(index->stream, offset, payload, bytes);
  else
    ms_process_take(index->stream, offset, payload, bytes);
}

/* A record that is used to its end, as far as it is in the file; missing: what is not known without the rest. */
static uint64_t whole_there(struct index *index, const struct ms_record *record, uint64_t offset, const char *missing) {
  uint64_t bytes = record->bytes - sizeof *record, there = index->size - offset - sizeof *record;
  if (bytes <= there) return bytes;
  ms_stream_problem(index->stream, index->base + offset, "the file ends inside this record of %s", missing);
  index->cut = true;
  return there;
}

static void names_take(struct index *index, const struct ms_record *record, uint64_t offset) {
  uint64_t bytes = whole_there(index, record, offset, "names; some places stay unknown");
  ms_names_take(index->stream, record, index->bytes + offset + sizeof *record, bytes);
}

static void counters_take(struct index *index, const struct ms_record *record, uint64_t offset) {
  uint64_t bytes = whole_there(index, record, offset, "counters; what it counted is missing");
  ms_counters_take(index->stream, record, index->bytes + offset + sizeof *record, bytes);
}

/* Written to while it is read, and read before the tables it refers to. */
static bool is_live_kind(uint32_t kind) { return kind == MS_RECORD_WINDOW || kind == MS_RECORD_COUNTERS; }

static void record_take(struct index *index, const struct ms_record *record, uint64_t offset) {
  if (index->pass != ALL && (index->pass == WINDOWS) != is_live_kind(record->kind)) return;
  switch (record->kind) {
  case MS_RECORD_WINDOW:
  case MS_RECORD_CHUNK:
    rows_take(index, record, offset);
    break;
  case MS_RECORD_MODULE:
  case MS_RECORD_PROCESS:
    tables_take(index, record, offset);
    break;
  case MS_RECORD_NAMES:
    names_take(index, record, offset);
    break;
  case MS_RECORD_COUNTERS:
    counters_take(index, record, offset);
    break;
  default:
    break; /* of a later version: skipped by its length */
  }
}

/* The next page that begins a record, or the end; damage is one problem, however long. */
static uint64_t resync(struct index *index, uint64_t offset) {
  uint64_t from = offset;
  for (offset += MS_RECORD_ALIGN; offset + sizeof(struct ms_record) <= index->size;
       offset += MS_RECORD_ALIGN) {
    struct ms_record record = record_at(index, offset);
    if (record_holds(&record)) break;
  }
  if (offset + sizeof(struct ms_record) > index->size) offset = index->size;
  if (index->pass != WINDOWS) /* else it is said in the next pass, if it is still so */
    ms_stream_problem(index->stream, index->base + from, "no record begins here; %" PRIu64 " bytes left out", offset - from);
  return offset;
}

/* From the page behind the file's first one. */
static void records_walk(struct index *index, enum pass pass) {
  uint64_t offset = MS_HEADER_BYTES;
  index->pass = pass;
  while (offset < index->size) {
    uint64_t left = index->size - offset;
    if (zero_page(index->bytes + offset, left)) {
      offset += MS_RECORD_ALIGN;
      continue;
    }
    if (left < sizeof(struct ms_record)) {
      if (pass == WINDOWS) return;
      ms_stream_problem(index->stream, index->base + offset, "the file ends inside a record");
      index->cut = true;
      return;
    }
    struct ms_record record = record_at(index, offset);
    if (!record_holds(&record)) {
      offset = resync(index, offset);
      continue;
    }
    record_take(index, &record, offset);
    if (record.bytes > left) return; /* the last one, cut perhaps: its taker has seen to that */
    if (!index->base) index->standing += record.bytes;
    offset += record.bytes;
  }
}

/* ---- lanes ---- */

static int found_order(const void *a, const void *b) {
  const struct found *x = a, *y = b;
  if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
  if (x->chunk != y->chunk) return x->chunk < y->chunk ? -1 : 1;
  if (x->standing != y->standing) return x->standing < y->standing ? -1 : 1;
  if (x->words != y->words) return x->words > y->words ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static uint64_t found_events(const struct found *found) {
  uint64_t events = 0;
  for (uint32_t at = 0, length; at < found->words; at += length ? length : 1) {
    length = ms_row_denied(found->rows, at, found->words);
    events += length && found->rows[at] & MS_HOT && ms_word_op(found->rows[at]) != MS_OP_REALLOC_BEGIN;
  }
  return events;
}

static void found_deny(struct ms_stream *stream, const struct found *found) {
  uint64_t events = found_events(found);
  if (!stream->denied_chunks++) stream->denied_offset = found->offset;
  stream->denied_events += events;
  ms_stream_problem(stream, found->offset, "chunk %" PRIu32 " of thread %" PRIu32 " is damaged, its %" PRIu64 " event%s left out",
                    found->chunk, found->thread, events, events == 1 ? " is" : "s are");
}

/* Says what is wrong with the one that was chosen. */
static void found_complain(struct index *index, const struct found *found) {
  if (found->standing == DAMAGED) found_deny(index->stream, found);
  if (found->standing != CUT) return;
  index->cut = true;
  ms_stream_problem(index->stream, found->offset, "the file ends inside chunk %" PRIu32 " of thread %" PRIu32,
                    found->chunk, found->thread);
}

/* Chunks of a thread count from 0 without a gap; the writer's header knows how many threads there are. */
static void gap_check(struct index *index, const struct found *before, const struct found *found) {
  uint32_t due = before && before->thread == found->thread ? before->chunk + 1 : 0;
  if (found->chunk <= due) return;
  uint32_t missing = found->chunk - due;
  index->stream->missing_chunks += missing;
  ms_stream_problem(index->stream, found->offset,
                    "%" PRIu32 " chunk%s of thread %" PRIu32 " in front of this one %s missing", missing, missing == 1 ? "" : "s",
                    found->thread, missing == 1 ? "is" : "are");
}

static void founds_choose(struct index *index) {
  if (index->count) qsort(index->founds, index->count, sizeof *index->founds, found_order);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < index->count; i++) {
    const struct found *found = &index->founds[i], *before = kept ? &index->founds[kept - 1] : NULL;
    if (before && before->thread == found->thread && before->chunk == found->chunk) continue;
    found_complain(index, found);
    gap_check(index, before, found);
    index->founds[kept++] = *found;
  }
  index->count = kept;
}

static struct ms_piece piece_of(const struct found *found) {
  uint64_t offset = found->offset + sizeof(struct ms_record);
  return (struct ms_piece){.rows = found->rows,
                           .words = found->words,
                           .chunk = found->chunk,
                           .denied = found->standing == DAMAGED,
                           .offset = offset,
                           .start_ns = found->start_ns};
}

/* A piece of one of the shared chunks, between two OF_THREAD rows. */
struct part {
  uint32_t thread, order;
  struct ms_piece piece;
};

struct parts {
  struct part *rows;
  uint32_t count, room;
};

static void part_add(struct ms_stream *stream, struct parts *parts, uint32_t thread, struct ms_piece piece) {
  if (!thread || !piece.words) return;
  if (parts->count == parts->room) {
    uint32_t room = parts->room ? parts->room * 2 : 64;
    parts->rows = ms_arena_grow(stream->arena, parts->rows, parts->count * sizeof *parts->rows,
                                room * sizeof *parts->rows);
    parts->room = room;
  }
  parts->rows[parts->count] = (struct part){.thread = thread, .order = parts->count, .piece = piece};
  parts->count++;
}

/* Damage makes no threads: ids are given out from 1 on, and the header or a record has the newest. */
static bool thread_is(const struct index *index, uint32_t thread) {
  return thread <= index->stream->header.threads || thread <= index->founds[index->count - 1].thread;
}

/* What the TIME row at `at` of a damaged chunk tells, when it lies between `ns` and the next
 * time that is told, there or by the chunk behind; else ns. */
static uint64_t time_denied(const struct ms_piece *piece, uint32_t at, uint64_t ns, uint64_t behind_ns) {
  uint64_t told = ms_get_time(piece->rows + at).ns;
  return told >= ns && told <= ms_denied_next_ns(piece, piece->rows + at, behind_ns) ? told : ns;
}

/* Cuts a shared chunk where its thread changes. Time runs on through all parts. */
static void shared_split(struct index *index, struct parts *parts, const struct found *found) {
  struct ms_piece whole = piece_of(found), part = whole;
  uint32_t thread = 0, at = 0, length;
  bool last = found == index->founds + index->count - 1 || found[1].thread;
  uint64_t ns = whole.start_ns, behind_ns = last ? index->stream->header.end_ns : found[1].start_ns;
  part.words = 0;
  for (; (length = ms_row_fits(whole.rows, at, whole.words)); at += length) {
    const uint64_t *row = whole.rows + at;
    if ((uint8_t)*row == MS_TAG_TIME) ns = whole.denied ? time_denied(&whole, at, ns, behind_ns) : ms_get_time(row).ns;
    uint32_t of = (uint8_t)*row == MS_TAG_OF_THREAD ? ms_get_of_thread(row).thread : thread;
    if (of == thread || (whole.denied && !thread_is(index, of))) continue;
    part.words = (uint32_t)(row - part.rows);
    part_add(index->stream, parts, thread, part);
    thread = of;
    part.rows = row + length;
    part.offset = whole.offset + (at + length) * sizeof(uint64_t);
    part.start_ns = ns;
  }
  part.words = (uint32_t)(whole.rows + at - part.rows);
  part_add(index->stream, parts, thread, part);
}

static int part_order(const void *a, const void *b) {
  const struct part *x = a, *y = b;
  if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static struct ms_lane *lane_add(struct ms_stream *stream, uint32_t thread, bool shared,
                                struct ms_piece *pieces) {
  struct ms_lane *lane = &stream->lanes[stream->lane_count++];
  *lane = (struct ms_lane){.thread = thread, .shared = shared, .pieces = pieces};
  return lane;
}

static int lane_order(const void *a, const void *b) {
  const struct ms_lane *x = a, *y = b;
  if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
  return (int)x->shared - (int)y->shared;
}

static void lanes_build(struct index *index) {
  struct ms_stream *stream = index->stream;
  struct parts parts = {0};
  uint32_t own = 0;
  while (own < index->count && !index->founds[own].thread)
    shared_split(index, &parts, &index->founds[own++]);
  if (parts.count) qsort(parts.rows, parts.count, sizeof *parts.rows, part_order);

  uint32_t most = index->count - own + parts.count, used = 0;
  struct ms_piece *pieces = ms_arena_array(stream->arena, most + 1, sizeof *pieces);
  stream->lanes = ms_arena_array(stream->arena, most + 1, sizeof *stream->lanes);
  struct ms_lane *lane = NULL;
  for (uint32_t i = own; i < index->count; i++) {
    if (!lane || lane->thread != index->founds[i].thread)
      lane = lane_add(stream, index->founds[i].thread, false, pieces + used);
    pieces[used++] = piece_of(&index->founds[i]);
    lane->piece_count++;
  }
  lane = NULL;
  for (uint32_t i = 0; i < parts.count; i++) {
    if (!lane || lane->thread != parts.rows[i].thread)
      lane = lane_add(stream, parts.rows[i].thread, true, pieces + used);
    pieces[used++] = parts.rows[i].piece;
    lane->piece_count++;
  }
  if (stream->lane_count) qsort(stream->lanes, stream->lane_count, sizeof *stream->lanes, lane_order);
}

static void file_walk(struct index *index, const unsigned char *bytes, uint64_t size, uint32_t number, enum pass pass) {
  index->bytes = bytes;
  index->size = size;
  index->base = ms_volume_start(number);
  records_walk(index, pass);
}

/* Is every record there that the writer has finished? */
static bool all_stands(const struct index *index) {
  const struct ms_file_header *header = &index->stream->header;
  if (index->stream->live) return true; /* its writer is not done */
  if (header->written) return index->standing >= header->written;
  return header->end_how == MS_END_NONE || header->lost_reason == MS_LOST_SPACE || header->lost_reason == MS_LOST_IO;
}

void ms_index_build(struct ms_stream *stream) {
  struct index index = {.stream = stream};
  if (stream->live) {
    file_walk(&index, stream->bytes, stream->size, 1, WINDOWS);
    ms_stream_grow(stream);
  }
  file_walk(&index, stream->bytes, stream->size, 1, stream->live ? REST : ALL);
  ms_volumes_open(stream);
  for (uint32_t i = 0; i < stream->volume_count; i++) {
    const struct ms_volume_view *volume = &stream->volumes[i];
    file_walk(&index, volume->bytes, volume->size, volume->number, ALL);
  }
  founds_choose(&index);
  lanes_build(&index);
  ms_modules_finish(stream);
  bool short_of_tail = stream->header.tail > stream->size && !all_stands(&index);
  stream->cut |= index.cut || short_of_tail;
  if (short_of_tail && !index.cut)
    ms_stream_problem(stream, stream->size, "the file ends here, %" PRIu64 " bytes before its writer's end",
                      stream->header.tail - stream->size);
}
