/* SPDX-License-Identifier: MIT
 *
 * The runtime's own header: its structures, and the functions that cross a file, under
 * the file that holds them (emit.h, count.h, sample.h, stack.h, real.h and os.h have those
 * of their own). Order of use:
 *
 *   interpose -> emit -> chunk -> room -> os
 *
 * thread and process own what emit and chunk work on; module, name and step give
 * blocks their names. Nothing here may call malloc or stdio, or wait for a lock that
 * another thread can hold across a system call: who waits gives up. What libc or libunwind
 * allocate when they are called (a thread's exit key, a library's loading) comes back as
 * an event in a row.
 */
#ifndef MS_RUNTIME_H
#define MS_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "memscope/abi.h"
#include "memscope/stream.h"
#include "option.h"
#include "os.h"
#include "say.h"

#include <string.h>

#define MS_LIKELY(x) __builtin_expect(!!(x), 1)
#define MS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MS_HOT_FN static inline __attribute__((always_inline))
#define MS_COLD __attribute__((noinline, cold))
/* A relaxed load. Spelled out only for who looks for races: as a load of its own GCC
 * does not fold it into a compare, which is an instruction more on the hot path. */
#ifdef __SANITIZE_THREAD__
#define MS_RELAXED(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#else
#define MS_RELAXED(x) (x)
#endif
#define MS_EXPORT __attribute__((visibility("default")))
#define MS_PUBLIC MS_EXPORT /* in the library: found by name. In a static program: reached through --wrap */

enum {
  MS_WINDOW_FIRST = 16 << 10,
  MS_WINDOW_CLASSES = 9, /* 16K .. 4M */
  MS_SHARED_BYTES = 64 << 10,
  MS_COUNT_PIECES = 24,
  MS_SLOT_WORDS = 16,    /* a reservation in a shared window */
  MS_SLACK_BYTES = MS_RECORD_ALIGN, /* behind a window, so that a full one just fills its chunk: rows that belong to an event already begun */
  MS_SOFT_WORDS = 64,    /* most words between two looks at the clock */
};

MS_HOT_FN uintptr_t ms_stack_pointer(void) {
#if defined(__x86_64__)
  uintptr_t pointer;
  __asm__ volatile("mov %%rsp, %0" : "=r"(pointer));
  return pointer;
#else
  return (uintptr_t)__builtin_frame_address(0);
#endif
}

/* ---- planes ---- */

enum { MS_CELL_LIVE = 1, MS_CELL_GEN = 1 << 4 }; /* a block is there; the generation counts from the fifth bit */
/* 16 TiB of cells for the addresses that are multiples of 16, as much for the odd multiples of 8. */
#define MS_PLANE_BYTES ((size_t)1 << 45)

/* What is declared extern here is ours alone: no address is looked up for it. */
#pragma GCC visibility push(hidden)

extern uint16_t *ms_cells; /* NULL: could not be reserved, stamps order everything; or counters have a plane of their own */

/* Of a block at a multiple of 16, as all of glibc's are. */
MS_HOT_FN uint16_t *ms_cell_even(uintptr_t p) { return (uint16_t *)((char *)ms_cells + (p << 17 >> 20)); }

/* Whatever p is, the cell is within the plane. */
MS_HOT_FN uint16_t *ms_cell(uintptr_t p) {
  uintptr_t at = p << 17 >> 20;
  if (at & 1) at += MS_PLANE_BYTES / 2 - 1;
  return (uint16_t *)((char *)ms_cells + at);
}

/* ---- thread ---- */

struct ms_window {
  struct ms_record *record; /* mapped */
  uint32_t bytes; /* without the slack */
  uint32_t class;
  struct ms_window *next;
};

typedef uint32_t __attribute__((may_alias)) ms_half; /* of a row's word */

/* The name a free has when no place is wanted for it, or none any more. */
enum { MS_NAME_TOLD = 2 };

/* A place where blocks are freed, one of the few a FREE row can mean by its slot: its name,
 * or with this bit the return address that is the place where there is no site, and above
 * that how often images have gone till then. 0: none yet. */
#define MS_PLACE_CALLER (UINT64_C(1) << 63)
#define MS_PLACE_UNLOAD (UINT64_C(1) << 48)

/* Lies in memory that a forked child finds zeroed: pos and limit are then equal,
 * and its first event takes the slow path, where the child starts its own stream. */
struct ms_thread {
  struct ms_newest newest; /* what compiled code knows: first */
  uint64_t *pos;   /* next row */
  uint64_t *limit; /* slow path from here on: a full window; NULL: every time */
  uint64_t *birth_limit; /* the same when a block is given: NULL with call stacks, else `limit` */
  uint64_t tick;   /* what *ms_tick was when the thread looked at the clock */
  struct ms_record *record;
  uint64_t given_ra;  /* return address the newest block was asked for from */
  uint64_t *freed;    /* the newest FREE row while its place is open */
  ms_half *freed_here; /* instead, of a REALLOC_END that freed or a BAD_FREE: where in the row the place's name goes */
  uint64_t freed_ra;  /* the return address that is its place when no site is */
  uint64_t places[MS_PLACE_SLOTS];
  uint64_t slot;      /* of the one that the next FREE is taken to mean: the bits of its tag that say so */
  uint32_t place_name; /* its name, with which that needs no settling; 0: it has no site */
  uintptr_t left_p;   /* the newest block when its row has left the window: address, size, name in the stream */
  uint32_t left_size, left_name;
  uint32_t place_next; /* slot to be used anew */
  uint32_t id;
  uint64_t *hard; /* where the window counts as full */
  struct ms_window *window;
  uint64_t time_ns;
  uint32_t soft; /* words until the next look at the clock, if nothing else tells that it is due */
  uint32_t chunk;
  uint32_t telling; /* of a rotated stream: rises with each chunk, which has to define its call stacks itself */
  uint32_t dead_rounds;
  uint32_t dense_joined;
  uintptr_t dense; /* the part of the plane the newest block was in when the window was last full */
  struct ms_thread *next; /* of the free ones */
  struct ms_stacks *stacks; /* NULL: no call stacks are recorded */
  /* counters, see count.h */
  struct ms_counters_head *head; /* in the stream; NULL: events have rows */
  struct ms_counter **counters;  /* by name, and behind all names by thread; NULL: not needed yet */
  struct ms_counter *counter_next, *counter_end; /* of its newest record: the unused ones */
  uint32_t counters_bytes;       /* of that record */
  uint32_t counter_pieces_count;
  struct ms_record *counter_pieces[MS_COUNT_PIECES]; /* all of them, up to some 20,000 counters; those behind stay mapped */
  struct ms_counter counted_nowhere; /* what there is no room for */
};

struct ms_tls {
  struct ms_last last;    /* what compiled code knows: first */
  struct ms_thread *self; /* one of the three below, or the thread's own */
  uintptr_t frame;        /* stack pointer of whoever made self = &ms_busy */
  struct ms_thread *own;  /* what self was before it was busy */
  uintptr_t passing;      /* block an outer interposed function is already giving back */
  uint64_t *shared_row;   /* of the newest block whose row went to the shared window, word 0 */
  uint32_t id;            /* thread id within the stream of `epoch` */
  uint32_t epoch;
  uint32_t creator;
  uintptr_t stack_low, stack_top; /* where the thread's own stack certainly lies; 0: not known */
  uintptr_t outer, *outer_at;     /* with call stacks: return address of the operator new under way, and where it lies */
  uintptr_t outer_frame;          /* the frame pointer it was called with: libstdc++ uses that register as any other */
  uintptr_t lost;         /* the newest block whose event is lost, as the innermost of our functions gave it */
  uint32_t lost_tag;      /* that function's, of a row there is none of */
  uintptr_t counted;      /* counters: the newest block that thread 0 has counted for this one */
  /* sampling, see sample.h */
  uint32_t verdict;       /* enum ms_verdict, for the block that an outer function is obtaining */
  int64_t left;           /* to pass before the next sample: bytes or allocations, never below 0 */
  int64_t left_over;      /* to pass beyond `left`, allocations: see gap_draw */
  int64_t left_held;      /* `left` while a verdict is out, which keeps `left` at 0 */
  uintptr_t drawn;        /* the block the last verdict was for */
  uint64_t random;
  uint32_t seeded;        /* ms_epoch when `random` was seeded */
};

MS_STATIC_ASSERT(offsetof(struct ms_tls, last) == 0 && offsetof(struct ms_thread, newest) == 0, "compiled code knows these");

extern __thread struct ms_tls ms_tls __attribute__((tls_model("initial-exec")));

/* All zero, never written: whoever finds one as self takes the slow path. */
extern struct ms_thread ms_fresh; /* no event yet */
extern struct ms_thread ms_busy;  /* inside a row: a signal handler's rows go to the shared window */
extern struct ms_thread ms_late;  /* torn down: likewise */

/* ---- process ---- */

enum ms_state { MS_STATE_NEW, MS_STATE_STARTING, MS_STATE_RECORDING, MS_STATE_STOPPED };

struct ms_image {
  uint64_t start, bytes;
  uint64_t bias;
  const void *headers;
  struct ms_unit *unit; /* the first one; NULL: not instrumented */
  uint32_t id;
  uint32_t seen; /* scan that last met it */
};

struct ms_volume {
  uint32_t number;  /* 0: none */
  uint32_t writers; /* threads that look at it or write to it */
  int fd;
  struct ms_os_file file;
};

/* A piece of the file, mapped: all there is when no system call may be made. */
struct ms_ahead {
  char *at;
  uint64_t offset, bytes, used;
  uint64_t mapped; /* of what is used, windows and other memory; the rest are records */
};

struct ms_process {
  uint32_t state; /* enum ms_state */
  int fd;
  struct ms_os_file file;
  struct ms_file_header *header;
  struct ms_window *shared;
  struct ms_thread *shared_counts; /* what threads count that may not use their own */
  uint32_t count_tables; /* taken of those for threads, see count.c */
  uint32_t mode; /* enum ms_mode */
  uint32_t exact;
  uint32_t drawers; /* threads that have drawn */
  uint64_t seed;
  uint32_t command_taken; /* serial of the last one from outside */
  uint64_t serial;
  const struct ms_room *room; /* the kind of it, room.c */
  uint32_t rooms;    /* how often it has become another */
  uint64_t blocks;   /* of the file system, taken ahead of the tail; UINT64_MAX: no more */
  struct ms_ahead *ahead; /* the newest one; NULL: there was none */
  struct ms_volume volumes[2]; /* the newest two, by their number's lowest bit */
  uint32_t volume_making; /* a thread is about to make the next one */
  uint64_t volume_bytes, volume_due_ns; /* the next one begins behind that many, or then; UINT64_MAX: not */
  uint32_t pid;
  struct ms_tls *starter;

  uint32_t lock; /* over the lists below; held for a few instructions, only by busy threads */
  struct ms_window *windows[MS_WINDOW_CLASSES];
  struct ms_thread *threads;
  struct ms_stack *unwinders; /* added to without a lock, and nothing leaves it */
  uint64_t arena;           /* where its next bytes are; its end is the next multiple of its size */

  uint32_t scan_lock, scan_again, scan_count;
  uint64_t adds, subs;
  uint32_t image_count, image_room, image_ids;
  struct ms_image *images;
  char path[4096]; /* of the stream, absolute */
};

extern struct ms_process *ms_process;
enum { MS_OFF, MS_ON, MS_PAUSED, MS_SAMPLING, MS_COUNTING };
/* Looked at by every interposed function but the four of interpose.c's table; operator
 * new looks at all of it at once. */
union ms_gate {
  struct {
    uint8_t on;     /* MS_OFF: every interposed function just calls the next one; paused: ends of known blocks are told */
    uint8_t stacks; /* call stacks are recorded */
    uint8_t unused[2];
  };
  uint32_t all;
};
extern union ms_gate ms_gate;
#define ms_on MS_RELAXED(ms_gate.on)
extern uint8_t ms_on_again; /* what it becomes when recording goes on: MS_ON, MS_SAMPLING, MS_COUNTING */
extern uint32_t ms_epoch; /* streams this process and its forebears have started */
extern enum ms_heard ms_heard; /* whose hooks tell of blocks, instead of functions of ours */

/* interpose.c; of interpose_new.c no function crosses, but the interposed ones */
void ms_gate_set(uint8_t on); /* changes ms_on */
void ms_gate_follow(void);    /* who changes it otherwise says so behind */
void ms_gate_found(void);     /* the next functions are known */
void ms_gate_straight(void);  /* what comes next is libc's */
extern uint8_t ms_is_straight; /* that was said */

/* gate.c: a block while not every event is recorded */
void *ms_born_not_on(void *p, size_t size, unsigned fn, uintptr_t ra);
void ms_dying_not_on(void *p, unsigned fn, uintptr_t ra);

/* real.c */
void ms_real_find(void);
void ms_real_check(void); /* says when somebody else's malloc comes before ours */
int ms_real_is_early(const void *p);
int ms_real_gave_early(void);
int ms_real_is_libc(void); /* malloc, calloc and realloc, of one without hooks: those come back to none of ours */
void ms_unbind(void); /* never to record: calls go past us, where that can be */

/* emit.c */
void ms_emit_row(const uint64_t *row, uint32_t words); /* at most MS_SLOT_WORDS - 2 */
enum { MS_END_WORDS = 3 };
uint32_t ms_end_put(uint64_t *row, enum ms_end_how how, int32_t status); /* the process's end, into room for that many words; how many it took */
void *ms_born_slow(enum ms_op op, void *block, size_t size, unsigned fn, uintptr_t ra);
void ms_free_slow(uintptr_t p, unsigned fn, uintptr_t ra);
int ms_is_passing(uintptr_t p);
enum ms_realloc {
  MS_REALLOC_SILENT, /* not ours to report: an outer function does, or nothing is recorded */
  MS_REALLOC_OPEN,   /* a begin row stands: an end, a fail or a freed must follow */
  MS_REALLOC_UNBORN, /* of a block born unseen: what comes back is an allocation */
  MS_REALLOC_LOST,   /* it is to be counted behind, when it is known what it came back for */
};
enum ms_realloc ms_realloc_begin_slow(uintptr_t p, unsigned fn, uintptr_t ra);
void ms_realloc_freed(uintptr_t p, unsigned fn, uintptr_t ra); /* it gave NULL for a size of 0 */
void ms_realloc_fail(uintptr_t p);
void ms_realloc_lost(void *q, size_t size, unsigned fn); /* q: what it gave for a size */
void ms_lost_birth(enum ms_op op, uintptr_t p, unsigned fn); /* once for each block, whichever functions hand it out */
void ms_lost_ends(uintptr_t p); /* the block is given back */
void ms_bad_free(uintptr_t p, unsigned fn, uintptr_t ra);
void ms_paused_end(uintptr_t p); /* freed or resized while recording is paused */
void ms_realloc_from_unsampled(unsigned fn); /* the end that follows gives a block for one that was not drawn */
void ms_realloc_to_unsampled(void);          /* in place of an end: its block was not drawn */
void ms_settle(struct ms_thread *t);
void ms_newest_settle(struct ms_thread *t);
void ms_newest_leaves(struct ms_thread *t);
extern uint64_t ms_place_callers; /* what is above the address in a place without a site */
void ms_places_unload(void);      /* by one thread at a time: such places are others from now on, even at the same address */

/* name.c */
extern uint64_t *ms_names;
void ms_names_reserve(void);
int ms_names_begin(void); /* false: no room in the file */
void ms_names_ahead(void); /* room for some more, while system calls may be made */
void ms_names_unload(void);
uint32_t ms_name_step(uint32_t from, uint32_t site); /* site: its id and the flags of its bind. 0: there is no room for a name */
uint32_t ms_name_caller(struct ms_thread *t, uintptr_t ra);

/* own.c */
struct ms_thread *ms_own_begin(void);
void ms_own_end(struct ms_thread *t);
void ms_own_limit(struct ms_thread *t);
int ms_own_tick(struct ms_thread *t);
int ms_own_room(struct ms_thread *t, uint32_t words);
void ms_own_put(struct ms_thread *t, const uint64_t *row, uint32_t words);

/* stack.c */
enum ms_stack_by { MS_STACK_NONE, MS_STACK_FP, MS_STACK_DWARF }; /* as MEMSCOPE_STACK's words */
struct ms_stacks *ms_stacks_new(struct ms_stacks *old); /* old: one to use again, or NULL */
void ms_stacks_go_on(struct ms_stacks *stacks, const struct ms_stacks *old); /* its ids follow those of another of the thread */
void ms_stacks_leave(struct ms_stacks *stacks); /* a new chunk: no stack is in effect */
void ms_stack_put(struct ms_thread *t, uintptr_t ra); /* busy, before the row of a block given */
void ms_stack_outer(uintptr_t *ra_at); /* what is allocated within an operator new was called from there */
void ms_stack_first_thread(uintptr_t top);
void ms_stack_thread(uintptr_t top, size_t bytes); /* bytes: of the stack, without its guard */

/* stack_unwind.c */
void ms_unwind_load(void);
void ms_unwind_unloaded(void); /* a library is gone */
void ms_unwind_end(void); /* no more, unless ms_unwind_go_on follows */
void ms_unwind_go_on(void);
void ms_unwind_fork_prepare(void);
void ms_unwind_fork_done(void);
void ms_unwind_fork_child(void);

/* shared.c */
struct ms_slot {
  uint64_t word[MS_SLOT_WORDS];
  uint32_t used;
};
int ms_slot_begin(struct ms_slot *slot);
void ms_slot_put(struct ms_slot *slot, const uint64_t *row, uint32_t words);
uint64_t *ms_slot_end(struct ms_slot *slot, uint32_t events); /* where it went, NULL = lost */

/* chunk.c */
struct ms_window *ms_window_take(uint32_t class);
void ms_window_give(struct ms_window *window);
int ms_chunk_roll(struct ms_thread *t);
int ms_chunk_seal(struct ms_thread *t);
void ms_chunk_begin(struct ms_thread *t, void (*first)(struct ms_thread *)); /* first: writes the thread's first row */

/* checksum.c */
uint32_t ms_checksum(const void *payload, size_t bytes);
uint32_t ms_checksum_avx2(const void *payload, size_t bytes);

/* writer.c */
int ms_stream_open(struct ms_process *process);
uint64_t ms_stream_record(struct ms_record *record, size_t payload_bytes);
void ms_stream_stop(enum ms_lost_reason reason);
const char *ms_stream_reason(long error); /* why a file could not be made, -errno */
void ms_record_check(struct ms_record *record);
void ms_record_stands(uint64_t bytes); /* whole, in the stream's first file */
void ms_record_seal(struct ms_record *record, size_t payload_bytes);
void ms_lost(enum ms_lost_reason reason, uint64_t events);

/* room.c */
enum { MS_AHEAD_MOST = 64 << 20 };
void ms_room_open(void); /* the file's, and its volumes' when there are some */
uint64_t ms_room_put(const struct ms_os_piece *pieces, int count, uint64_t bytes); /* a record, which lies at the first piece; its offset, 0: the stream has stopped */
enum ms_need { MS_SPARED, MS_NEEDED }; /* without memory, or room ahead: there is another way; the stream ends */
void *ms_room_map(void *at, uint64_t bytes, const struct ms_os_piece *begin, int count, enum ms_need need); /* room that begins so, mapped, at `at` if that is not NULL; NULL: none */
uint64_t ms_room_ahead(void); /* maps room, that many bytes, and uses no other, so that no system call is made */
void ms_room_back(void);      /* undo */
int ms_room_is_ahead(void);
void ms_room_trim(void);
enum ms_lost_reason ms_room_reason(long error); /* of -errno */

MS_HOT_FN int ms_is_rotated(void) { return __atomic_load_n(&ms_process->header->volume_tail, __ATOMIC_RELAXED) != 0; }
/* volume.c */
void ms_volumes_open(struct ms_process *process);
int64_t ms_volume_put(const struct ms_os_piece *pieces, int count, uint64_t bytes); /* of a rotated stream: an offset, or minus an enum ms_lost_reason */
void ms_volumes_forget(int first, int last); /* of a process that records */

/* thread.c */
struct ms_thread *ms_thread_attach(void);
struct ms_thread *ms_thread_succeed(const struct ms_thread *old);
uint32_t ms_thread_id(void);
void ms_thread_init(void);

/* process.c */
void ms_boot(char **environment);
int ms_process_ready(void);
uint64_t ms_process_ns(uint64_t mono_ns);
void *ms_process_alloc(size_t bytes);
void ms_process_unalloc(void *p, size_t bytes); /* as it was, still zero */
void ms_process_ahead(void); /* room for some more, while system calls may be made */
int ms_process_lock(void); /* 0: held too long, by somebody who may never come back: do without */
void ms_process_unlock(void);
void ms_process_end(enum ms_end_how how, int32_t status);

/* sample.c: see sample.h; count.c: see count.h */

/* restrict.c */
enum ms_restricts { MS_RESTRICTS_NOBODY, MS_RESTRICTS_OTHERS, MS_RESTRICTS_US };
enum ms_restricts ms_restrict_begin(unsigned long mode, const void *filter); /* seccomp's; whom it would restrict */
void ms_restrict_failed(enum ms_restricts whom);

/* hear.c */
enum ms_heard ms_hear_prepare(void); /* before anything of libc's is called */
int ms_hear_begin(void);

/* control.c */
void ms_control_obey(struct ms_thread *t);
void ms_paused_look(void);
MS_HOT_FN int ms_control_is_asked(void) {
  const struct ms_file_header *header = ms_process->header;
  return MS_UNLIKELY(__atomic_load_n(&header->command_asked, __ATOMIC_RELAXED) != __atomic_load_n(&header->command_done, __ATOMIC_RELAXED));
}

/* guard.c */
enum ms_on_fork { MS_KEPT, MS_WIPED };
void *ms_reserve(size_t bytes, enum ms_on_fork on_fork); /* address space, touched on demand, and for the limits none of the host's; NULL: none */
void ms_unreserve(void *p);                              /* the newest one */
void ms_limit_hand_over(int back);

/* fork.c */
struct ms_parent {
  char path[1024];   /* the newest stream of this process or its forebears */
  uint64_t position; /* its tail when we were forked */
};
extern struct ms_parent ms_parent;
void ms_fork_init(void);

/* module.c */
struct ms_unit_at { /* one unit, as a note describes it */
  const struct ms_note *note;
  struct ms_unit *unit;
};
int ms_modules_know(uintptr_t code);                        /* is this address in an image we know? */
void ms_modules_look(struct ms_thread *t, uintptr_t code); /* the same, and one not known yet is looked for */
void ms_modules_scan(struct ms_thread *t);

/* tick.c */
extern const uint64_t ms_no_tick;
extern const volatile uint64_t *ms_tick; /* this changes when the coarse clock does; &ms_no_tick: nobody knows */
void ms_tick_find(void);

/* entry.S: unit.step, as compiled code calls it */
void ms_step_entry(void *block, struct ms_unit *unit, uint32_t bits);
/* step.c */
void ms_step(void *block, struct ms_unit *unit, uint32_t bits); /* bits: the site's index in its unit, and the flags of its bind */

#pragma GCC visibility pop
#endif
