/* SPDX-License-Identifier: MIT
 *
 * Opens a stream and gives its records, its rows thread by thread, and its
 * events in one order. The bytes are hostile: nothing here trusts a length, an
 * offset or a count; damage is kept as a list of problems, what lies before and
 * behind it is still given.
 *
 *   ms_stream_open -> the file mapped and indexed
 *   ms_rows_open/next            every row of a lane as it stands (dump --raw)
 *   ms_merge_open/next           events of all threads, in order (dump)
 *   ms_feed_open/next            the same, made ahead by another thread (model)
 */
#ifndef MS_READER_READER_H
#define MS_READER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memscope/stream.h"

struct ms_arena;
struct ms_error;
struct ms_progress;

/* ---- the file ---- */

struct ms_problem {
  uint64_t offset; /* in the file */
  const char *text;
};

/* A piece of a lane's rows. */
struct ms_piece {
  const uint64_t *rows;
  uint32_t words;
  uint32_t chunk;    /* the thread's chunk number */
  uint64_t offset;   /* of rows, in the file */
  uint64_t start_ns; /* time at the first row */
  bool denied;       /* its checksum does not hold: see denied.c */
};

/* One sequence of rows whose order is exact: a thread's own chunks, or its rows
 * in shared ones. A thread has one lane or two. */
struct ms_lane {
  uint32_t thread; /* as in the stream, from 1 */
  bool shared;
  struct ms_piece *pieces; /* in order */
  uint32_t piece_count;
};

struct ms_unit_view {
  uint32_t module_index; /* into ms_stream.modules */
  uint32_t first_site, site_count, type_count, field_count, strings_bytes;
  const struct ms_site *sites;
  const struct ms_type *types;
  const struct ms_field *fields;
  const char *strings; /* begins and ends with a NUL */
  uint32_t source, compiler;
};

struct ms_module_view {
  struct ms_module_record record;
  uint64_t offset; /* of its record in the file, as MODULE_LOAD rows say it */
  const char *path;
  const struct ms_segment *segments;
  uint32_t unit_count; /* whole ones; those with sites are in ms_stream.units */
};

/* A file of the stream. */
struct ms_volume_view {
  const unsigned char *bytes;
  uint64_t size;
  uint32_t number; /* 1: the one that was named */
  uint64_t before; /* bytes of the volumes before it */
};

/* What a thread has counted; of a damaged stream any numbers. */
struct ms_counters_view {
  uint32_t thread; /* 0: what all threads counted that could not count for themselves */
  const struct ms_counters_head *head;
  const struct ms_counter *counters;
  uint32_t count;
};

struct ms_stacks; /* reader/stack.c */

struct ms_stream {
  struct ms_arena *arena;
  const char *path;
  const unsigned char *bytes; /* of the first file */
  uint64_t size;
  struct ms_volume_view *volumes; /* of a rotated stream the further files that are there, by number */
  uint32_t volume_count;
  struct ms_file_header header; /* strings in it end with a NUL */
  struct ms_lane *lanes;        /* by thread, own before shared */
  uint32_t lane_count;
  struct ms_module_view *modules; /* as they stand in the file */
  uint32_t module_count;
  struct ms_unit_view *units; /* by first_site */
  uint32_t unit_count;
  const char *program, *directory; /* "" when no PROCESS record was whole */
  const char *const *argv;
  uint32_t argc;
  struct ms_problem *problems; /* in order of finding, at most MS_PROBLEMS_MAX */
  uint32_t problem_count;
  char *problem_texts; /* room for them */
  uint64_t problems_more;  /* not kept */
  uint32_t missing_chunks; /* gaps in the threads' chunk numbers */
  uint32_t denied_chunks;  /* whose checksums do not hold */
  uint64_t denied_events, denied_offset; /* what is left out with them; where the first one is */
  uint32_t lost_parts; /* segments of a packed stream that are damaged */
  uint64_t lost_parts_events, lost_parts_offset; /* as far as it is known; the first one's place */
  bool lost_parts_unknown;
  uint64_t *names;       /* by id, as in NAMES records; 0: none */
  uint32_t name_room;
  struct ms_counters_view *counters; /* one for each COUNTERS record */
  uint32_t counters_count, counters_room;
  struct ms_stacks *stacks;
  uint64_t device, inode; /* of the first file */
  bool mapped;
  bool cut;         /* the file ends before what its writer wrote */
  bool live;        /* still being written: a prefix of it, in which no event comes before its cause */
  uint64_t live_ns; /* live: everything before that time is in it, since start */
  const struct ms_progress *progress; /* of making its model; NULL */
};

enum { MS_PROBLEMS_MAX = 100 };

/* NULL with *error set when it is no stream at all: missing, a directory, empty,
 * another format, a newer version, no whole header. Anything else opens; damage
 * is in problems. Everything lives in the arena; the mapping until _close. One whose
 * process is seen to write to it, on this machine, is opened as _live does. */
struct ms_stream *ms_stream_open(struct ms_arena *arena, const char *path, struct ms_error *error);
struct ms_stream *ms_stream_open_memory(struct ms_arena *arena, const void *bytes, uint64_t size,
                                        struct ms_error *error);

/* A stream whose process runs on: its windows are copied, so that they hold
 * still, and what depends on events not copied yet is left to the next time. The
 * same as _open when the process has ended meanwhile. On the writer's machine only. */
struct ms_stream *ms_stream_open_live(struct ms_arena *arena, const char *path, struct ms_error *error);
void ms_stream_close(struct ms_stream *stream);

/* Has its process, on this machine, the file still open? Where we may not look, it has. */
bool ms_stream_has_writer(const struct ms_stream *stream);

void ms_stream_problem(struct ms_stream *stream, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets *error from the first problem, if any. */
void ms_stream_report(const struct ms_stream *stream, struct ms_error *error);

/* The unit with that site, and the site's index in it; NULL if there is none. */
const struct ms_unit_view *ms_stream_site(const struct ms_stream *stream, uint32_t site_id, uint32_t *index);

/* Index of the module that was mapped at the address then, UINT32_MAX if none:
 * of several the one loaded last before that time. */
uint32_t ms_stream_module_at(const struct ms_stream *stream, uint64_t address, uint64_t ns);

/* A string of a unit: "" when the offset is outside. */
const char *ms_unit_text(const struct ms_unit_view *unit, uint32_t offset);

/* The number in a volume's own name (F.vol3: 3) when the bytes are such a file; 0: they are not. */
uint32_t ms_volume_number(const unsigned char *bytes, uint64_t size);

/* Sets the error of such a file given in place of the first one; returns its code. */
int ms_volume_refuse(const char *path, struct ms_error *error);

/* Bytes of all its files. */
uint64_t ms_stream_bytes(const struct ms_stream *stream);

/* An offset (counted through, stream.h) as if the files lay one behind the other. */
uint64_t ms_stream_dense(const struct ms_stream *stream, uint64_t offset);

/* ---- rows ---- */

struct ms_rows {
  struct ms_stream *stream;
  const struct ms_lane *lane;
  uint32_t piece; /* the current one: that of the row just given */
  uint32_t at;    /* word in it */
};

void ms_rows_open(struct ms_rows *rows, struct ms_stream *stream, const struct ms_lane *lane);

/* The next row's words, all of them readable; NULL at the end. *offset is its
 * place in the file. */
const uint64_t *ms_rows_next(struct ms_rows *rows, uint64_t *offset);

/* The same, hot rows left out. */
const uint64_t *ms_rows_next_cold(struct ms_rows *rows, uint64_t *offset);

/* The words of the row at `at` of a piece of `words`; 0: none, or it would run
 * over the piece's end. */
static inline uint32_t ms_row_fits(const uint64_t *rows, uint32_t at, uint32_t words) {
  if (at >= words) return 0;
  uint32_t length = ms_row_words(rows[at]);
  return length <= words - at ? length : 0;
}

/* ---- events ---- */

enum ms_event_kind {
  MS_EVENT_ALLOC, /* also realloc(NULL): fn >= 16 */
  MS_EVENT_FREE,
  MS_EVENT_REALLOC,        /* the same block, now at address with size */
  MS_EVENT_REALLOC_FREE,   /* realloc(p, 0) freed */
  MS_EVENT_REALLOC_FAIL,   /* nothing changed */
  MS_EVENT_BIND,           /* a later name for a live block */
  MS_EVENT_BAD_FREE,       /* of an address without a live block */
  MS_EVENT_UNBORN_FREE,    /* the block's allocation is not in the stream (unseen: recording was paused); block 0 */
  MS_EVENT_UNBORN_REALLOC, /* the same; block is new */
  MS_EVENT_ENDED,          /* freed or resized while recording was paused */
  MS_EVENT_UNSAMPLED,      /* a reallocation made of it a block that was not drawn */
  MS_EVENT_VANISHED,       /* no row: the block must have been freed, the row of it is missing */
  MS_EVENT_DENIED,         /* ended by a row of a damaged chunk, which names it */
  MS_EVENT_ROW,            /* any other row (words): threads, modules, losses, ends */
};

struct ms_event {
  uint8_t kind; /* enum ms_event_kind */
  uint8_t fn;   /* allocfn.def number within the op */
  uint16_t gen;
  uint32_t thread;
  uint32_t lane;  /* index into stream.lanes */
  uint32_t block; /* dense number of the live block, reused after its end; from 1, 0 = none */
  uint32_t name;  /* of ALLOC, REALLOC, BIND: as in its row */
  uint32_t place; /* of frees and reallocations: name of the place */
  uint64_t ns; /* by serials: never before that of the event before */
  uint64_t address;
  uint64_t size;         /* ALLOC, REALLOC: bytes */
  uint64_t offset;       /* of the row (REALLOC: the end row) in the file: an event's identity */
  union {
    const uint64_t *words; /* MS_EVENT_ROW */
    uint32_t stack;        /* ALLOC, REALLOC: id of its call stack, of the same thread; 0 = none */
  };
};

enum ms_merge_order {
  MS_ORDER_AUTO,        /* serials when the stream has them, else generations */
  MS_ORDER_GENERATIONS, /* generations, serials not looked at */
  MS_ORDER_SERIALS,
};

struct ms_merge_counts {
  uint64_t events;        /* hot ones given so far */
  uint64_t forced;        /* generation never came: placed by time alone */
  uint64_t inherited;     /* the same in a forked child's stream: most likely blocks from before the fork */
  uint64_t parked;        /* times a lane had to wait */
  uint64_t doubts;        /* words of denied pieces that may have been frees of blocks that are live */
  uint64_t open_reallocs; /* begun, never ended */
  bool no_memory;         /* for the table of addresses: the rest was not read */
  uint64_t row_bytes;     /* of the pieces it has come to */
};

struct ms_merge;
struct ms_merge *ms_merge_open(struct ms_stream *stream, enum ms_merge_order order);

/* Up to `most` events into `events`; 0 at the end. */
uint32_t ms_merge_next(struct ms_merge *merge, struct ms_event *events, uint32_t most);
const struct ms_merge_counts *ms_merge_counts(const struct ms_merge *merge);

/* At the end: the address of each block that is live (in no particular order). */
typedef void ms_live_fn(void *context, uint32_t block, uint64_t address);
void ms_merge_each_live(const struct ms_merge *merge, ms_live_fn *on_live, void *context);
void ms_merge_close(struct ms_merge *merge);

/* A merge's events, by a thread of its own that runs ahead. Between open and close
 * the merge is the feed's alone; names may be asked for. */
enum ms_feed_how {
  MS_FEED_AUTO, /* ahead when the stream is large and a processor is to spare */
  MS_FEED_ALONE, /* no thread */
  MS_FEED_AHEAD,
};

struct ms_feed;
struct ms_feed *ms_feed_open(struct ms_stream *stream, struct ms_merge *merge, enum ms_feed_how how);

/* How many events `events` has, until the next call; 0 at the end, and then no more calls. */
uint32_t ms_feed_next(struct ms_feed *feed, const struct ms_event **events);

/* Bytes of rows that went into all batches so far, and that are in the stream. */
struct ms_feed_done {
  uint64_t done, all;
};
struct ms_feed_done ms_feed_done(const struct ms_feed *feed);
void ms_feed_close(struct ms_feed *feed);

/* ---- names ---- */

enum ms_name_kind { MS_NAME_IS_NONE, MS_NAME_IS_SITE, MS_NAME_IS_CHAIN, MS_NAME_IS_CALLER };

struct ms_name {
  enum ms_name_kind kind;
  uint32_t site;    /* SITE; CHAIN: the outermost */
  uint32_t parent;  /* CHAIN: the name inside */
  uint64_t address; /* CALLER */
  uint64_t ns;      /* CALLER: when it was met */
};

/* What a name means. One that is damaged may lead to itself: follow it so far only. */
struct ms_name ms_stream_name(const struct ms_stream *stream, uint32_t name);

/* Has a stream no room for more of them? */
bool ms_stream_names_are_all(const struct ms_stream *stream);

/* A call stack of that thread: return addresses, the allocation's own first. None: count 0. */
struct ms_frames {
  const uint64_t *addresses;
  uint32_t count;
  uint64_t ns; /* when it was defined */
};
struct ms_frames ms_stream_stack(struct ms_stream *stream, uint32_t thread, uint32_t stack);

#endif
