/* SPDX-License-Identifier: MIT
 *
 * The model while it is being built. Nobody outside model/ includes this.
 *
 * Life of a figure: an event of the merge changes the accumulators here
 * (replay.c), and at the end they become the const model (finish.c). Indices
 * into accumulators count from 1, in order of first sight; 0 = none.
 */
#ifndef MS_MODEL_BUILD_H
#define MS_MODEL_BUILD_H

#include "base/arena.h"
#include "base/map.h"
#include "model/model.h"
#include "reader/reader.h"

/* What is summed for sites' groups: types, holders, modules. */
struct sum {
  uint64_t live_bytes, peak_bytes;
};

/* Of an estimate, over its samples; x: what one adds to the figure itself, w: how often it counts. */
struct spread {
  double variance, undrawn, squares; /* sums of w (w - 1) x^2, of (w - 1) x, and of its squares */
};

/* What a block in the stream stands for: itself, or, sampled, all that were passed
 * over; then in units of 1 / ONE (sampling.c), here and in whatever they are added to. */
struct worth {
  uint64_t blocks, bytes;
  struct spread blocks_spread, bytes_spread; /* what it adds to those of its sums */
  bool estimate;                             /* sampled */
};

/* Spreads of estimates, by the figure they belong to. */
struct doubt {
#define MS_FIGURE(name, counts) struct spread name;
#include "model/figure.def"
};

struct sampling {
  uint32_t kind; /* enum ms_sampling */
  double period;
  uint64_t large; /* bytes from which on the size has a say in rate's draws; 0: in none */
  uint64_t samples;
  struct doubt totals;
  struct doubt *sites, *threads; /* beside the accumulators of the same index */
  uint32_t site_room;
};

/* Live bytes at event `event`, just before it changed; see timeline.c. */
struct mark {
  uint64_t event, live_bytes;
};

enum tally_kind { TALLY_ALLOC_THREAD, TALLY_FREE_THREAD, TALLY_PLACE, TALLY_FUNCTION, TALLY_KINDS };

struct site { /* what happens at each event comes first */
  uint64_t live_bytes, live_blocks, peak_bytes, peak_blocks;
  uint64_t bytes_at_peak, blocks_at_peak, peak_serial; /* of the process peak they were noted at */
  uint64_t cut;                                        /* serial of the sample it changed in last */
  uint64_t allocations, frees, reallocations, allocated_bytes, temporary;
  uint64_t smallest, largest, first_ns, last_ns;
  uint64_t **ages; /* of its dead blocks, NULL until the first; see lifetime.c */
  uint64_t shortest_ns, longest_ns;
  struct mark *marks;
  uint32_t mark_count, mark_room;
  uint32_t type, holder, module; /* accumulators; type 0 = unknown */
  struct {
    uint32_t id, count; /* the id that took part last, and how often in a row: not in `tallies` yet */
  } streak[TALLY_KINDS];
  uint32_t tallies[TALLY_KINDS]; /* list heads */
  uint32_t *chain;               /* places, innermost first */
  uint32_t chain_count;
  uint32_t place;
  uint8_t provenance, naming;
};

struct tally {
  uint32_t id, next;
  uint64_t count;
};

struct block { /* two to a cache line: most events touch one that is in none */
  uint64_t size, born_ns;
  uint32_t site; /* 0 = not live */
  uint32_t thread;
  uint32_t turn;          /* its thread's allocations when it was born, modulo 2^32 */
  uint16_t reallocations; /* 65535 = that or more */
  uint8_t fn;
};
_Static_assert(sizeof(struct block) == 32, "replay's cost is its cache lines");

struct stack {
  const uint32_t *places; /* the allocation's own first */
  uint32_t count;
  uint32_t pair; /* the last one asked for */
};

struct pair { /* a stack's blocks of one site */
  uint32_t stack, site;
  uint64_t peak_serial;
  struct ms_model_stack_site out;
};

struct holder {
  struct sum sum;
  const char *text;
  uint32_t type;
};

struct type {
  struct sum sum;
  struct ms_model_type out; /* layout; figures are filled in at the end */
};

struct thread {
  uint32_t turn; /* allocations and reallocations so far */
  uint32_t turn_at_peak;
  uint64_t peak_serial; /* of the process peak turn_at_peak was noted at */
  uint64_t live_blocks, live_bytes;
  uint32_t freed_name, freed_place;     /* the last one asked for */
  uint32_t stack_name, stack;           /* the same of call stacks */
  struct ms_model_thread out;
};

struct module {
  struct sum sum;
  const struct ms_module_view *view; /* NULL: the unknown one, index 0 */
  const char *path;
  uint32_t image; /* the first one of the same path and build-id: places and figures are its */
  bool unloaded;
  uint64_t unloaded_ns;
};

/* One sample of the timeline, open or done. */
struct sample {
  uint64_t end_ns, end_event, live_bytes, most_bytes, live_blocks, allocations, frees, allocated_bytes;
  uint64_t end_worth; /* sampled: events up to its end, estimated */
};

struct timeline {
  struct sample *samples; /* MS_TIMELINE_MAX */
  uint32_t count;
  struct sample open;
  uint64_t serial;                /* of the open one, from 1, never reused */
  uint64_t start_ns, start_event; /* of the open one */
  uint64_t span_ns, span_events;  /* it ends when it has either */
  uint64_t due_ns, due_event;
};

struct build {
  struct ms_arena *arena;
  struct ms_stream *stream;
  uint64_t seed; /* of hashes over the stream's text */

  struct site *sites; /* [0] unused in all of these */
  uint32_t site_count, site_room;
  struct block *blocks;
  uint32_t block_room;
  struct tally *tallies;
  uint32_t tally_count, tally_room;
  struct ms_map tally_index;

  struct ms_model_place *places;
  uint32_t place_count, place_room;
  struct ms_map place_index; /* hash of contents -> place */
  struct ms_map chain_index; /* hash of places -> site */
  uint32_t *name_sites;      /* by a name's id: its site; 0: not asked for yet */
  uint32_t *name_places;     /* the same, as a freeing place */

  struct ms_map text_index; /* hash -> texts */
  const char **texts;
  uint32_t text_count, text_room;

  struct type *types;
  uint32_t type_count, type_room;
  struct ms_map type_index;  /* hash of layout -> type */
  struct ms_map type_places; /* unit << 32 | index -> type */
  struct ms_map complete;    /* hash of name -> unit << ... of a complete record, see type.c */
  struct type_todo *type_todo;
  uint32_t todo_count, todo_room, todo_done;
  bool complete_known;

  struct holder *holders;
  uint32_t holder_count, holder_room;
  struct ms_map holder_index;

  struct stack *stacks;
  uint32_t stack_count, stack_room;
  struct ms_map stack_index; /* hash of places -> stack */
  struct ms_map stack_names; /* thread << 32 | id -> stack */
  struct pair *pairs;
  uint32_t pair_count, pair_room;
  struct ms_map pair_index; /* stack << 32 | site -> pair */
  uint32_t *block_pairs;    /* block -> pair, 0 = none; NULL: the stream has no stacks */
  uint32_t block_pair_room;

  struct module *modules; /* [0]: unknown */
  uint32_t module_count;
  struct thread *threads;
  uint32_t thread_count;
  uint32_t *lane_threads; /* lane -> thread */

  struct sampling sampling;
  struct ms_map claim_index; /* a counter's name + 1 -> claims; see counter.c */
  struct claims *claims;
  uint32_t claim_count, claim_room;
  struct ms_model_totals totals;
  struct ms_model_damage damage;
  uint64_t peak_serial;
  uint64_t now_ns; /* latest time seen */
  uint64_t lost_in_rows;
  const char *loss; /* as a sentence; NULL: none */
  bool ended;
  enum ms_end_how end_how;
  int32_t end_status;
  struct timeline timeline;
  struct ms_row_recording *switches; /* by time; rows of several threads come in any order within a step of the clock */
  uint32_t switch_count, switch_room;
  struct ms_model_pause *pauses; /* made of them at the end */
  uint32_t pause_count, pause_room;
  struct ms_model_mark *moments; /* held: by accumulators, until the end */
  uint32_t moment_count, moment_room;
  struct ms_map watched_index;  /* address of a bad free -> watched */
  struct ms_map watched_blocks; /* block -> watched; what the block was in last */
  struct watched *watched;
  uint32_t watched_count;
  uint64_t unwatched; /* bad frees of further addresses */
  struct ms_map bad_index; /* hash of contents -> bad_frees */
  struct ms_model_bad_free *bad_frees; /* ids: of accumulators, until the end */
  uint32_t bad_count, bad_room;
  struct ms_model_note *notes;
  uint32_t note_count, note_room;
};

/* A table whose element `count` is to be there: grows it, [0] included. */
#define MS_TABLE_ROOM(build, table, count, room)                                                             \
  ((count) < (room)                                                                                          \
       ? (void)0                                                                                             \
       : (void)((table) = table_grow((build)->arena, (table), &(room), (count), sizeof *(table))))

static inline void *table_grow(struct ms_arena *arena, void *old, uint32_t *room, uint32_t need,
                               size_t bytes) {
  uint32_t more = *room ? *room * 2 : 64;
  while (more <= need) more *= 2;
  void *grown = ms_arena_grow(arena, old, *room * bytes, more * bytes);
  *room = more;
  return grown;
}

/* place.c: places and texts */
const char *ms_build_text(struct build *build, const char *text);
const char *ms_build_heard(const struct build *build); /* as ms_model_process.heard */
uint32_t ms_place_of_site(struct build *build, uint32_t site_id);
uint32_t ms_place_of_caller(struct build *build, uint64_t address, uint64_t ns);
uint32_t ms_place_unknown(struct build *build);

/* site.c: names to sites */
void ms_sites_init(struct build *build);
uint32_t ms_site_named(struct build *build, uint32_t name);
uint32_t ms_freed_at(struct build *build, uint32_t name);

/* type.c */
uint32_t ms_type_of(struct build *build, const struct ms_unit_view *unit, uint32_t index);
void ms_types_finish(struct build *build);

/* tally.c */
void ms_tally_add(struct build *build, uint32_t site, enum tally_kind kind, uint32_t id, uint64_t by);
struct ms_tallies ms_tallies_take(struct build *build, uint32_t site, enum tally_kind kind);

/* One more of that id; mostly the same one as before, so that the site's own cache line has it. */
static inline void ms_tally_count(struct build *build, struct site *site, uint32_t id, enum tally_kind kind, uint32_t what) {
  if (__builtin_expect(site->streak[kind].id != what || site->streak[kind].count == UINT32_MAX, 0)) {
    ms_tally_add(build, id, kind, site->streak[kind].id, site->streak[kind].count);
    site->streak[kind].id = what;
    site->streak[kind].count = 0;
  }
  site->streak[kind].count++;
}

/* lifetime.c: ages of dead blocks, by power of two in so many parts */
enum { MS_AGE_PART_BITS = 4, MS_AGE_PARTS = 1 << MS_AGE_PART_BITS, MS_AGE_EXACT = MS_AGE_PART_BITS + 1 };

static inline uint32_t ms_age_power(uint64_t ns) {
  uint32_t power = ns ? 64 - (uint32_t)__builtin_clzll(ns) : 0;
  return power < MS_LIFETIME_BUCKETS ? power : MS_LIFETIME_BUCKETS - 1;
}

/* How far a part's number is shifted in the ages of that power. */
static inline uint32_t ms_age_shift(uint32_t power) { return power > MS_AGE_EXACT ? power - MS_AGE_EXACT : 0; }

/* The parts of that age's power, which is the site's first or new to it. */
uint64_t *ms_age_parts_new(struct build *build, struct site *site, uint64_t ns);

static inline void ms_lifetime_count(struct build *build, struct site *site, uint64_t ns, uint64_t blocks) {
  uint32_t power = ms_age_power(ns);
  uint64_t *parts = site->ages ? site->ages[power] : NULL;
  if (__builtin_expect(!parts, 0)) parts = ms_age_parts_new(build, site, ns);
  parts[ns >> ms_age_shift(power) & (MS_AGE_PARTS - 1)] += blocks;
  if (ns < site->shortest_ns) site->shortest_ns = ns;
  if (ns > site->longest_ns) site->longest_ns = ns;
}

struct ms_model_lifetime ms_lifetime_take(struct build *build, const struct site *site);

/* timeline.c */
void ms_timeline_init(struct build *build);
void ms_timeline_cut(struct build *build);
void ms_timeline_mark(struct build *build, struct site *site);
void ms_timeline_finish(struct build *build);
struct ms_points ms_timeline_points(struct build *build, const struct site *site);
void ms_timeline_take(struct build *build, struct ms_model *model);

/* replay.c */
void ms_replay(struct build *build, struct ms_merge *merge);

/* Old index -> final id, for each kind of row that is sorted. */
struct order {
  uint32_t *site_ids, *type_ids, *holder_ids;
};

/* sampling.c */
void ms_sampling_init(struct build *build);
struct worth ms_sampling_worth(struct build *build, uint64_t size);
struct doubt *ms_site_doubt(struct build *build, const struct site *site);
void ms_doubt_gain(struct build *build, struct site *site, struct worth worth);
void ms_doubt_lose(struct build *build, struct site *site, struct worth worth);
void ms_doubt_move(struct build *build, struct site *from, struct site *to, struct worth worth, bool reallocated);
uint64_t ms_sampling_events(const struct ms_model_totals *totals);
void ms_sampling_take(struct build *build, struct ms_model *model, const struct order *order);

static inline void ms_spread_add(struct spread *to, struct spread more) {
  to->variance += more.variance;
  to->undrawn += more.undrawn;
  to->squares += more.squares;
}

static inline struct worth ms_worth(struct build *build, uint64_t size, bool sampled) {
  return sampled ? ms_sampling_worth(build, size) : (struct worth){.blocks = 1, .bytes = size};
}

/* stack.c: call stacks; site: of the block; blocks, bytes: its worth, apart, so that the replay keeps it in registers */
void ms_stack_born(struct build *build, const struct ms_event *event, uint32_t thread, uint32_t site, uint64_t blocks, uint64_t bytes);
void ms_stack_gone(struct build *build, const struct block *block, uint64_t blocks, uint64_t bytes);
void ms_stack_bind(struct build *build, const struct block *block, uint32_t site, struct worth worth, bool at_peak);
void ms_stacks_take(struct build *build, struct ms_model *model, const uint32_t *site_ids);

/* live.c: blocks alive at the end, the largest first; site_ids: final ids */
void ms_live_take(struct build *build, const struct ms_merge *merge, struct ms_model *model,
                  const uint32_t *site_ids);

/* moment.c: pauses, marks and snapshots */
void ms_moment_recording(struct build *build, const struct ms_row_recording *row);
void ms_moment_mark(struct build *build, const char *name, uint64_t ns, bool snapshot);
void ms_moments_take(struct build *build, struct ms_model *model, const uint32_t *site_ids);

/* counter.c: of a stream without events, all that is known */
void ms_counters_sum(struct build *build);
static inline bool ms_is_counted(const struct build *build) { return build->stream->header.mode == MS_MODE_COUNTERS; }

/* badfree.c */
void ms_bad_free_seen(struct build *build, const struct ms_event *event);
void ms_bad_frees_trace(struct build *build);
void ms_bad_frees_take(struct build *build, struct ms_model *model, const uint32_t *site_ids);

/* row.c: rows that are no hot events */
void ms_row_note(struct build *build, const struct ms_event *event);
void ms_note_add(struct build *build, enum ms_note_kind kind, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* finish.c */
void ms_finish(struct build *build, const struct ms_merge *merge, struct ms_model *model);

#endif
