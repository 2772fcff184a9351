/* SPDX-License-Identifier: MIT
 *
 * What a stream means: the one const model that rules, exports and views read.
 * They compute nothing about memory themselves; a figure that two of them show
 * stands here.
 *
 * Units: bytes are what the program asked for (not what the allocator added);
 * ..._ns are nanoseconds since the stream's start (process.start_unix_ns),
 * as coarse as process.clock_step_ns. Ids count from 1 in the order of the
 * array they index (element id - 1); 0 = none, unknown. They hold within one
 * stream. Strings are never NULL ("" = unknown), valid UTF-8, but they are the
 * program's: escape them for the place they go to. Everything lives in the
 * arena given to ms_model_build and in the mapped stream (keep it open), and
 * never changes.
 */
#ifndef MS_MODEL_MODEL_H
#define MS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memscope/abi.h"
#include "memscope/stream.h"

struct ms_arena;
struct ms_error;
struct ms_stream;

/* ---- the process ---- */

struct ms_model_process {
  const char *program;     /* path of the executable */
  const char *directory;   /* working directory at start */
  const char *const *argv; /* argc strings */
  uint32_t argc;
  uint32_t pid, parent_pid;
  const char *host;
  const char *parent_stream; /* forked: path of the parent's stream; else "" */
  uint64_t start_unix_ns;
  uint64_t duration_ns;   /* to the end row, else to the last time seen */
  uint32_t clock_step_ns; /* lifetimes below this are shown as 0 */
  const char *mode;       /* "full", "counters", "exact", "sample" */
  bool complete;          /* the end was seen, nothing lost, no damage */
  enum ms_end_how end_how; /* cut: as the header page says it */
  int32_t end_status;      /* exit status or signal number */
  bool cut;                /* the file ends before what its writer wrote: last rows are missing */
  bool running;            /* read while it was written to */
  const char *heard;       /* the sanitizer whose hooks told of blocks: "AddressSanitizer"; NULL: none */
  uint64_t restricted_ns;  /* when it gave up system calls that recording needs; 0: never */
  const char *loss;        /* "12 events not recorded: ..."; NULL: none was lost */
  const char *end_when;    /* of figures "at the end": "at exit", "now", ...; see ms_model_end_when */
};

/* ---- sampling ---- */

/* Of a sampled stream every figure is an estimate: each sampled allocation counts
 * for itself and all that were passed over, 1/p of them, p being the probability it had. So
 * sums are unbiased, except peak_bytes, which are the estimated curves' own maxima
 * and lie above the true ones, it is not known by how much; and lifetimes are those of
 * the samples, weighted (a block reallocated while it was not sampled is as young as
 * the reallocation that was). What depends on each single event is not known and 0:
 * temporary, bad_frees. Smallest, largest, first and last are the samples'. */
struct ms_model_sampling {
  enum ms_sampling kind; /* MS_SAMPLING_NONE: every event is in the stream */
  double period;         /* mean distance of samples, in allocations or bytes */
  uint64_t large_bytes;  /* by rate: from which on larger blocks are drawn more often; 0: all alike */
  uint64_t sampled_allocations; /* in the stream, reallocations among them */
};

struct ms_range {
  uint64_t low, high;
};

/* The true figure lies within in about 95 of 100 recordings; see sampling.c. A group
 * has those of the fields it has itself; peaks have none. */
struct ms_model_error {
#define MS_FIGURE(name, counts) struct ms_range name;
#include "model/figure.def"
};

/* ---- totals ---- */

/* An event is one allocation, free or reallocation. live = allocations - frees:
 * a realloc that frees counts as a free, realloc(NULL) as an allocation. Blocks
 * that are unborn or vanished (a stream with losses) break that sum. */
struct ms_model_totals {
  uint64_t allocations, frees, reallocations;
  uint64_t allocated_bytes; /* asked for by allocations and reallocations (whole new sizes) */
  uint64_t peak_bytes, peak_time_ns, peak_blocks; /* first instant of most live bytes; blocks live then */
  uint64_t live_blocks, live_bytes;               /* at the end */
  uint64_t temporary;                             /* blocks freed before their thread's next allocation */
  uint64_t threads;                               /* that allocated or freed */
  uint64_t events;                                /* allocations + frees + reallocations */
  uint64_t lost_events;                           /* the writer said it lost them */
  uint64_t bad_frees; /* frees of addresses that held no live block: double, invalid or born unseen */
  uint64_t unborn;    /* frees and reallocations of blocks whose allocation is not in the stream */
  uint64_t vanished;  /* blocks whose free is not in the stream: their address was given out again */
  uint64_t ended;     /* blocks that ended while recording was paused: no frees, no longer live */
  uint64_t forced;    /* events whose generation never came: placed by time alone */
  uint64_t failed_reallocations;
  uint64_t stream_bytes; /* size of the file */
  const struct ms_model_error *error; /* sampled: how far the figures may be off; else NULL, here and below */
};

/* What of the stream is damaged or not there, and in no figure. All zero: nothing. */
struct ms_model_damage {
  uint64_t denied_chunks, denied_events; /* whose checksums do not hold */
  uint64_t doubts;                       /* of the blocks shown as live, how many may have been freed there */
  uint64_t missing_chunks;
  uint64_t lost_segments, lost_segment_events; /* of a packed file, damaged */
  bool lost_segments_unknown;                  /* of some it is not known how many events they had */
};

/* Shares of totals.allocations and totals.allocated_bytes; the three add up to them. */
struct ms_model_coverage {
  uint64_t named_allocations, wrapper_only_allocations, unnamed_allocations;
  uint64_t named_bytes, wrapper_only_bytes, unnamed_bytes;
  uint64_t typed_bytes; /* of allocated_bytes: element type known */
};

/* ---- places ---- */

/* A place in source, or in code without sites. Each appears once. */
struct ms_model_place {
  uint32_t id;
  const char *text;   /* one line for people: "conn.c:88 conn_new"; no site: "libfoo.so+0x1234"; "unknown" */
  const char *holder; /* variable or field path, "" = none */
  const char *function; /* enclosing, demangled */
  const char *callee;   /* function called there */
  const char *file;
  uint32_t line, column;
  enum ms_site_kind kind;
  uint8_t flags;          /* enum ms_site_flag */
  uint32_t type_id;       /* pointee, 0 = unknown */
  uint32_t element_bytes; /* sizeof(pointee), 0 = unknown */
  uint32_t module_id;     /* 0 = unknown */
  uint32_t site_id;       /* in the stream, 0 = no site */
  uint64_t address;       /* no site: return address as the module's file counts it */
};

/* ---- sites: one for each final name with its chain ---- */

enum ms_provenance { MS_EXACT, MS_DERIVED, MS_INFERRED }; /* docs/terms.md: provenance */
enum ms_naming { MS_NAMED, MS_WRAPPER_ONLY, MS_UNNAMED };

/* How often an id (of a thread, a place, a function) took part; most first. */
struct ms_tally {
  uint32_t id;
  uint64_t count;
};
struct ms_tallies {
  const struct ms_tally *rows;
  uint32_t count;
};

/* Ages at death of the blocks that died. Bucket 0: shorter than 1 ns (below the
 * clock's step); bucket k: 2^(k-1) <= ns < 2^k. */
enum { MS_LIFETIME_BUCKETS = 64 };
struct ms_model_lifetime {
  uint64_t count;
  uint64_t min_ns, max_ns;    /* exact to the clock's step */
  uint64_t median_ns, p99_ns; /* within 1/32 of the true one (3.1 %), never outside min..max; below 32 ns exact */
  const uint64_t *buckets;    /* MS_LIFETIME_BUCKETS of them */
};

/* Live bytes at a timeline sample's end; holds until the next point. */
struct ms_point {
  uint32_t sample; /* index into timeline's columns, rising */
  uint64_t live_bytes;
};
struct ms_points {
  const struct ms_point *rows;
  uint32_t count; /* 0 at the beginning: nothing live before the first */
};

struct ms_model_site {
  uint32_t id;
  const struct ms_model_place *place; /* whose holder this is; unnamed: the caller, or unknown */
  const char *holder;                 /* place->holder; unnamed: "" */
  uint32_t type_id;                   /* element type, 0 = unknown; may come from the chain */
  const char *type;                   /* its name */
  uint32_t element_bytes;
  uint32_t holder_id; /* into holders */
  uint32_t module_id;
  const struct ms_model_place *const *chain; /* every hand-over, innermost (the allocator's caller) first */
  uint32_t chain_count;                      /* 0: unnamed */
  enum ms_provenance provenance;
  enum ms_naming naming;

  uint64_t allocations, frees, reallocations;
  uint64_t allocated_bytes;         /* as totals.allocated_bytes */
  uint64_t live_blocks, live_bytes; /* at the end */
  uint64_t peak_bytes;              /* its own most, at any time */
  uint64_t peak_blocks;             /* its own most blocks, at any time */
  uint64_t bytes_at_peak;           /* its part of totals.peak_bytes; the sites' parts add up to it */
  uint64_t blocks_at_peak;
  uint64_t temporary;
  uint64_t smallest_bytes, largest_bytes; /* of its blocks */
  uint64_t first_ns, last_ns;             /* first and last allocation */
  struct ms_model_lifetime lifetime;
  struct ms_tallies alloc_threads; /* id: into threads */
  struct ms_tallies free_threads;  /* id: into threads */
  struct ms_tallies free_places;   /* id: into places; 0 = place unknown */
  struct ms_tallies functions;     /* id: index into function names, see ms_model_function */
  struct ms_points points;         /* its curve */
  const struct ms_model_error *error;
};

/* ---- call stacks, of a stream that has them ---- */

/* What a stack's blocks of one site amount to; as in struct ms_model_site. */
struct ms_model_stack_site {
  uint32_t site_id;
  uint64_t allocations, allocated_bytes, live_bytes, live_blocks, bytes_at_peak, blocks_at_peak;
};

struct ms_model_stack { /* the same frames, in whatever thread */
  uint32_t id;
  const uint32_t *places; /* ids of the places called from, the allocation's own first */
  uint32_t place_count;
  const struct ms_model_stack_site *sites; /* most bytes at peak first */
  uint32_t site_count;
  uint64_t allocations, allocated_bytes, live_bytes, live_blocks, bytes_at_peak, blocks_at_peak; /* of its sites */
};

/* ---- types, with layouts merged across units ---- */

struct ms_model_field {
  const char *name; /* "" = anonymous */
  const char *type; /* its type's name, "" = unknown */
  uint32_t type_id; /* into types when that is a record embedded here, else 0 */
  uint64_t offset_bytes;
  uint32_t size_bytes;    /* bit-field: 0, see bits */
  uint32_t bits;          /* bit-field: its width; else 0 */
  uint32_t offset_bits;   /* bit-field: within the byte at offset_bytes */
  uint32_t padding_bytes; /* unused bytes behind this field, up to the next or the end */
  uint32_t counted_by;    /* 1 + index of the field with its element count, 0 = none */
  uint8_t flags;          /* enum ms_field_flag */
};

struct ms_model_type {
  uint32_t id;
  const char *name;
  enum ms_type_kind kind;
  uint64_t size_bytes; /* 0 = incomplete */
  uint32_t align_bytes;
  uint32_t padding_bytes; /* holes and tail of this record itself, not of records inside */
  const struct ms_model_field *fields;
  uint32_t field_count;
  uint32_t site_count; /* sites of that element type */
  uint64_t allocations, frees, allocated_bytes, live_blocks, live_bytes, peak_bytes, bytes_at_peak;
  uint64_t elements; /* allocated_bytes / size_bytes summed over its allocations; 0 when size unknown */
  const struct ms_model_error *error;
};

/* ---- sums of sites ---- */

struct ms_model_holder { /* the same holder text and type, wherever they stand */
  uint32_t id;
  const char *holder, *type;
  uint32_t type_id, site_count;
  uint64_t allocations, frees, allocated_bytes, live_blocks, live_bytes, peak_bytes, bytes_at_peak;
  const struct ms_model_error *error;
};

enum ms_module_status { MS_MODULE_RUNNING, MS_MODULE_UNLOADED };

struct ms_model_module { /* of an image that was loaded again the first one has the figures of all */
  uint32_t id;
  const char *path;
  const char *name;     /* last part of path */
  const char *build_id; /* hex, "" = none */
  bool instrumented;    /* has sites */
  bool is_main;
  uint32_t unit_count, site_count; /* compiled in, seen or not */
  enum ms_module_status status;
  uint64_t loaded_ns, unloaded_ns; /* unloaded: 0 = running */
  uint64_t start, end;             /* mapped addresses */
  uint64_t allocations, frees, allocated_bytes, live_blocks, live_bytes, peak_bytes, bytes_at_peak;
  const struct ms_model_error *error;
};

struct ms_model_thread {
  uint32_t id;
  uint32_t stream_id; /* as the stream counts it; the same unless threads left no row */
  uint32_t system_id; /* tid, 0 = unknown */
  uint32_t creator_id;
  const char *name;
  uint64_t start_ns, end_ns; /* end: of the process, if the thread lived so long */
  uint64_t allocations, frees, reallocations, allocated_bytes;
  uint64_t foreign_frees; /* blocks it freed that another thread had allocated */
  uint64_t temporary;
  uint64_t live_blocks, live_bytes; /* of what it allocated, at the end */
  const struct ms_model_error *error;
};

struct ms_model_domain {
  uint32_t id;
  const char *name;
  uint32_t parent_id;
  uint64_t self_bytes, total_bytes;
};

/* ---- history ---- */

/* A fixed number of samples whatever the length: a new one begins when enough
 * time or enough events have passed, and when there are too many, neighbours are
 * merged. So a busy stretch has more samples than an idle one, and a program
 * shorter than the clock's step still has a curve: along events. Columns of
 * sample_count; values hold up to the next sample. */
struct ms_model_curve {
  uint32_t id;                /* of the type or holder, 0 = all others */
  const uint64_t *live_bytes; /* at each sample's end */
};

enum { MS_TIMELINE_MAX = 1200, MS_TIMELINE_CURVES = 16 };

struct ms_model_timeline {
  uint32_t sample_count;
  const uint64_t *end_ns;      /* rising, equal where the clock did not move */
  const uint64_t *end_event;   /* events up to the sample's end, rising strictly; the last one is totals.events */
  const uint64_t *live_bytes;  /* at the sample's end */
  const uint64_t *most_bytes;  /* largest within the sample: the peak is among them */
  const uint64_t *live_blocks; /* at the sample's end */
  const uint64_t *allocations, *frees,
      *allocated_bytes;               /* within the sample (frees: with reallocations' old blocks not) */
  uint32_t peak_sample;               /* index of the sample with totals.peak_bytes */
  const struct ms_model_curve *types; /* largest own peak first, the last one = all others */
  uint32_t type_count;
  const struct ms_model_curve *holders; /* the same */
  uint32_t holder_count;
};

/* A stretch in which recording was paused: blocks obtained in it are unknown. */
struct ms_model_pause {
  uint64_t from_ns, to_ns; /* to: the end of the stream when it never went on */
};

/* What a site held at a snapshot. */
struct ms_model_held {
  uint32_t site_id;
  uint64_t live_bytes, live_blocks;
};

/* A moment with a name. */
struct ms_model_mark {
  const char *name;
  uint64_t ns;
  uint64_t live_bytes, live_blocks;
  bool snapshot;
  const struct ms_model_held *held; /* of a snapshot: the sites that held anything, most bytes first */
  uint32_t held_count;
};

/* ---- not freed ---- */

/* Blocks alive at the end, one by one: the largest ones first, at most
 * MS_LIVE_MAX; sites with live_blocks > 0 have the whole sums. */
enum { MS_LIVE_MAX = 1000 };
struct ms_model_live {
  uint64_t address, size_bytes, born_ns;
  uint32_t site_id, thread_id;
  uint32_t reallocations; /* of this block */
};

/* ---- bad frees ---- */

enum ms_bad_free_kind {
  MS_BAD_FREE_DOUBLE,  /* of a block that was freed before */
  MS_BAD_FREE_UNKNOWN, /* of an address where this stream had no block: invalid, or obtained unseen */
};

/* Equal ones together; address, thread, block and times are the first one's. Those of
 * the first 65536 addresses (a note says when there are more); totals.bad_frees counts all. */
struct ms_model_bad_free {
  enum ms_bad_free_kind kind;
  bool resized; /* by a reallocation */
  uint64_t count;
  uint32_t place_id; /* 0 = not known: mostly since the process ended in it, before its row was told */
  uint32_t thread_id;
  uint64_t address, ns;
  /* DOUBLE: the block that was there last */
  uint32_t site_id, freed_place_id; /* of a reallocation: where the block went then */
  uint64_t size_bytes, born_ns, freed_ns;
};

/* ---- findings and notes ---- */

struct ms_evidence {
  const char *name, *value;
};
struct ms_finding {
  const char *rule, *severity, *message, *holder, *type, *file, *function;
  uint32_t line, cwe;
  uint64_t blocks, bytes;
  const char *allocated_at, *freed_at;
  const struct ms_evidence *evidence;
  uint32_t evidence_count;
};

/* What a reader of the figures must know: losses, damage, limits. */
enum ms_note_kind {
  MS_NOTE_INFO,   /* how a figure is to be read */
  MS_NOTE_LOSS,   /* events are missing */
  MS_NOTE_DAMAGE, /* the stream is damaged; offset says where */
};
/* Why a process recorded nothing, and what to do; %: its id. */
#define MS_NEVER_RESUMED                                                                                     \
  "it began paused and was never resumed; `memscope ctl %" PRIu32                                            \
  " resume` does that while it runs, memscope_resume() from inside it"

struct ms_model_note {
  enum ms_note_kind kind;
  uint64_t offset; /* in the stream, MS_NOTE_DAMAGE */
  const char *text;
};

/* ---- all of it ---- */

struct ms_model {
  struct ms_model_process process;
  struct ms_model_sampling sampling;
  bool counted; /* counters, no events: counts and live blocks are exact, but what depends on a
                 * moment or a single block is not known, and 0 or empty: all of peaks and "at
                 * peak", times of sites, lifetimes, temporary, smallest and largest,
                 * free_places, functions, points, stacks, timeline, live, failed_reallocations,
                 * foreign_frees and live blocks of threads, what marks held, what bad frees freed */
  struct ms_model_totals totals;
  struct ms_model_damage damage;
  struct ms_model_coverage coverage;
  const struct ms_model_place *places; /* every place some row refers to */
  uint32_t place_count;
  const struct ms_model_site *sites; /* most bytes at peak first, then peak_bytes, allocated_bytes, text */
  uint32_t site_count;
  const struct ms_model_stack *stacks; /* most bytes at peak first */
  uint32_t stack_count;
  const struct ms_model_type *types; /* most bytes at peak first */
  uint32_t type_count;
  const struct ms_model_holder *holders; /* most bytes at peak first */
  uint32_t holder_count;
  const struct ms_model_module *modules; /* in order of loading */
  uint32_t module_count;
  const struct ms_model_thread *threads; /* by stream_id */
  uint32_t thread_count;
  const struct ms_model_domain *domains;
  uint32_t domain_count;
  struct ms_model_timeline timeline;
  const struct ms_model_pause *pauses; /* in order */
  uint32_t pause_count;
  const struct ms_model_mark *marks; /* in order */
  uint32_t mark_count;
  const struct ms_model_live *live; /* largest first */
  uint32_t live_count;
  const struct ms_model_bad_free *bad_frees; /* most frequent first */
  uint32_t bad_free_count;
  const struct ms_finding *findings;
  uint32_t finding_count;
  const struct ms_model_note *notes;
  uint32_t note_count;
};

/* Replays the whole stream. Damage in the stream is no failure: it is noted,
 * and in *error for the exit code. NULL only without memory for it. */
const struct ms_model *ms_model_build(struct ms_arena *arena, struct ms_stream *stream,
                                      struct ms_error *error);

/* When that was which the model shows as the end: "at exit", "when it was killed". */
const char *ms_model_end_when(const struct ms_model_process *process);

/* Name of an allocator function of site.functions: "calloc", "realloc". */
const char *ms_model_function(uint32_t id);

/* "exact", "derived", "inferred"; "named", "wrapper only", "unnamed". */
const char *ms_provenance_name(enum ms_provenance provenance);
const char *ms_naming_name(enum ms_naming naming);

/* "double", "unknown". */
const char *ms_bad_free_name(enum ms_bad_free_kind kind);

/* enum ms_lost_reason as a sentence that says what to do. */
const char *ms_lost_reason_name(uint32_t reason);

#endif
