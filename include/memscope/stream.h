/* SPDX-License-Identifier: MIT
 *
 * The stream's bytes around its rows (rows: stream.def), and the codec both
 * writer and reader use. Header only, no allocation, no libc calls.
 *
 * A file is a header page, then records, each aligned to MS_RECORD_ALIGN:
 *
 *   +----------+----------+----------+-----------+-------- - -
 *   | header   | record   | record   | zero page | record
 *   | 4 KiB    | WINDOW   | MODULE   | (hole)    | CHUNK
 *   +----------+----------+----------+-----------+-------- - -
 *
 * Space is taken by an atomic add on header.tail. A writer killed between
 * taking and writing leaves a hole: zero pages, skipped page by page.
 *
 * WINDOW is mapped MAP_SHARED by its thread, which writes rows into it and
 * then publishes them by one store to `fill`. When full its rows are written
 * to the tail as a CHUNK with a checksum, and then `fill` is replaced by
 * (chunk + 1, 0) in one store: at every instant each row is in a window, in a
 * whole CHUNK, or in both; (thread, chunk) tells both from one another, and a
 * CHUNK whose checksum fails is ignored in favour of the window.
 *
 * A rotated stream is several files, *volumes*. The first is as above but for its
 * chunks; F.vol2, F.vol3 … have those, behind a page with a VOLUME record. Offsets
 * count through: byte B of volume N is at (N - 1) * MS_VOLUME_STRIDE + B. Each of
 * its chunks defines the call stacks it uses; names are all in the first file.
 *
 * In counters mode no event has a row. Each thread counts in COUNTERS records of its own,
 * mapped as a WINDOW is: what it did to the blocks of each name, and its newest block,
 * which is not counted yet.
 *
 * A name is a word in a NAMES record, which is mapped as a WINDOW is and written to by
 * all threads: 0 until it means something, and then never changed. Its id counts words
 * through all such records as if they were one, the records' own headers included.
 */
#ifndef MEMSCOPE_STREAM_H
#define MEMSCOPE_STREAM_H

#include <stdint.h>
#include <string.h>

#include "memscope/abi.h"

enum {
  MS_STREAM_VERSION = 4,
  MS_STREAM_VERSION_SAMPLED = 5, /* of a sampled stream alone: who does not know sampling would show its rows as all there was */
  MS_STREAM_VERSION_COUNTERS = 6, /* of counters alone: the same */
  MS_HEADER_BYTES = 4096,
  MS_RECORD_ALIGN = 4096,
  MS_BYTE_ORDER = 0x01020304,
  MS_RECORD_MAGIC = 0x4352534d, /* "MSRC" */
  MS_VOLUMES_MOST = 1 << 16, /* that are looked for */
};
#define MS_VOLUME_STRIDE (UINT64_C(1) << 36) /* 64 GiB, more than a volume ever has */
#define MS_STREAM_MAGIC "\x89MemScop" /* 8 bytes, no NUL: the first is no ASCII, so text tools see a binary */

enum ms_mode { MS_MODE_FULL = 1, MS_MODE_EXACT = 2, MS_MODE_SAMPLE = 3, MS_MODE_COUNTERS = 4 };

/* How a sampled stream's allocations were chosen, each independently of all others.
 * An allocation of s bytes (0 counts as 1) is in it with probability p: */
enum ms_sampling {
  MS_SAMPLING_NONE,
  MS_SAMPLING_RATE,  /* p = MS_SAMPLING_ONE / period */
  MS_SAMPLING_BYTES, /* p = 1 - exp(-s / period) */
  MS_SAMPLING_LARGE, /* RATE's p; from ms_sampling_large(period) bytes on s / MS_SAMPLING_SURE where that is more, at most 1 */
};
#define MS_SAMPLING_ONE (UINT64_C(1) << 32)
#define MS_SAMPLING_SURE (UINT64_C(1) << 16) /* such a block is always drawn */

/* LARGE: the power of two from which s / MS_SAMPLING_SURE may be more than RATE's p.
 * Below 1 KiB sizes make no difference, however small p is: runtime/sample.c counts
 * on passing over fewer than that many allocations at once. */
static inline uint64_t ms_sampling_large(uint64_t period) {
  uint64_t from = 1024;
  while ((double)from * (double)period < (double)MS_SAMPLING_SURE * (double)MS_SAMPLING_ONE) from <<= 1;
  return from;
}

enum ms_recording { MS_RECORDING_UNKNOWN, MS_RECORDING_ON, MS_RECORDING_PAUSED, MS_RECORDING_STOPPED };

/* What `memscope ctl` asks of a process; it obeys at its next event. */
enum ms_command { MS_COMMAND_NONE, MS_COMMAND_PAUSE, MS_COMMAND_RESUME, MS_COMMAND_MARK, MS_COMMAND_SNAPSHOT, MS_COMMAND_STOP };
enum { MS_COMMAND_TEXT = 64 };

enum ms_end_how {
  MS_END_NONE,   /* still running, or killed */
  MS_END_EXIT,   /* exit or return from main */
  MS_END_QUICK,  /* _exit, quick_exit */
  MS_END_EXEC,   /* became another program */
  MS_END_SIGNAL, /* abort or a fatal signal, seen */
  MS_END_STOPPED /* recording was ended, the program ran on */
};

/* The sanitizer that owns the process's malloc. Its hooks have told of blocks: all events
 * are of malloc and free, a reallocation is one of each, and no caller is known. */
enum ms_heard { MS_HEARD_NOBODY, MS_HEARD_ADDRESS, MS_HEARD_THREAD, MS_HEARD_MEMORY, MS_HEARD_LEAK, MS_HEARD_HWADDRESS };

enum ms_lost_reason {
  MS_LOST_NONE,
  MS_LOST_SPACE,     /* no room on the device, or over the file-size limit */
  MS_LOST_IO,        /* another error of the file system */
  MS_LOST_FILE_GONE, /* the descriptor no longer is our file */
  MS_LOST_MEMORY,    /* no memory for a window */
  MS_LOST_LATE,      /* thread or process was already torn down */
  MS_LOST_NESTED,    /* signal handler inside a row, shared window full */
  MS_LOST_SECCOMP,   /* the program had given up system calls, and the room mapped before was full */
};

/* First page. Mapped MAP_SHARED by the process; counters are relaxed atomics. */
struct ms_file_header {
  char magic[8];
  uint32_t byte_order;     /* MS_BYTE_ORDER as the writer stores it */
  uint32_t version;        /* MS_STREAM_VERSION, or that of its mode; a reader refuses larger ones */
  uint32_t header_bytes;   /* MS_HEADER_BYTES */
  uint32_t record_align;   /* MS_RECORD_ALIGN */
  uint32_t mode;           /* enum ms_mode */
  uint32_t pid;
  uint32_t parent_pid;
  uint32_t clock_step_ns;  /* how coarse TIME rows are */
  uint64_t start_unix_ns;
  uint64_t start_mono_ns;  /* CLOCK_MONOTONIC at start: times in rows count from here */
  uint64_t tail;           /* next free file offset */
  uint64_t lost_events;
  uint32_t lost_reason;    /* of the first loss, enum ms_lost_reason */
  uint32_t end_how;        /* enum ms_end_how */
  int32_t end_status;      /* exit status or signal number */
  uint32_t threads;        /* thread ids given out */
  uint64_t end_ns;         /* since start */
  uint64_t parent_position; /* forked: the parent's header.tail at fork */
  char host[128];          /* NUL-terminated */
  char parent[1024];       /* forked: the parent's stream, as a path; else "" */
  uint32_t recording;      /* enum ms_recording, now */
  uint32_t pauses;         /* how often it was paused; begun paused counts */
  uint32_t command;        /* enum ms_command; NONE when done: it could not be obeyed */
  uint32_t command_asked;  /* serial, written last by whoever asks */
  uint32_t command_done;   /* serial of the last one obeyed */
  char command_text[MS_COMMAND_TEXT]; /* name of a mark or snapshot, NUL-terminated */
  uint32_t sampling;        /* enum ms_sampling; NONE unless mode is MS_MODE_SAMPLE */
  uint64_t sampling_period; /* mean distance of samples: RATE and LARGE allocations times MS_SAMPLING_ONE, BYTES bytes */
  uint64_t volume_tail;     /* rotated: where the next chunk goes, counted through; 0: one file */
  uint32_t heard;           /* enum ms_heard */
  uint64_t restricted_ns;   /* when it gave up system calls that we need (seccomp), since start; 0: never */
  uint64_t written;         /* bytes of the records that stand in this file; 0: its writer did not count them */
};
MS_STATIC_ASSERT(sizeof(struct ms_file_header) <= MS_HEADER_BYTES, "header is one page");

enum ms_record_kind {
  MS_RECORD_WINDOW = 1, /* rows, live */
  MS_RECORD_CHUNK = 2,  /* rows, sealed */
  MS_RECORD_MODULE = 3, /* struct ms_module_record */
  MS_RECORD_PROCESS = 4, /* struct ms_process_record */
  MS_RECORD_VOLUME = 5,  /* struct ms_volume_record */
  MS_RECORD_NAMES = 6,   /* names, one word each; checksum and fill are 0 */
  MS_RECORD_COUNTERS = 7, /* struct ms_counters_head, then struct ms_counter to the end; checksum and fill are 0 */
};

/* Before every record's payload. */
struct ms_record {
  uint32_t magic;    /* MS_RECORD_MAGIC */
  uint32_t kind;     /* enum ms_record_kind; unknown kinds are skipped by bytes */
  uint64_t bytes;    /* whole record, this header included; a multiple of MS_RECORD_ALIGN */
  uint32_t thread;   /* rows: whose; 0 = shared, see OF_THREAD. NAMES: the id its own first word would have */
  uint32_t checksum; /* low half of XXH3-64(payload[0 .. fill.bytes)); 0 in a WINDOW */
  uint64_t fill;     /* payload bytes in use, low half; chunk number of the thread, high half */
  uint64_t start_ns; /* rows: time at the first row, since start */
  uint64_t check;    /* XXH3-64 of the 24 bytes before `fill`'s place: magic .. checksum, seed MS_RECORD_MAGIC; 0 in a WINDOW */
  uint64_t place;    /* XXH3-64 of fill and start_ns, seed `check`, of a CHUNK; else 0, and in older streams */
  uint64_t reserved;
};
MS_STATIC_ASSERT(sizeof(struct ms_record) == 64, "streams on disk carry this layout: raise MS_STREAM_VERSION");

static inline uint64_t ms_fill(uint32_t chunk, uint32_t bytes) { return (uint64_t)chunk << 32 | bytes; }
static inline uint32_t ms_fill_bytes(uint64_t fill) { return (uint32_t)fill; }
static inline uint32_t ms_fill_chunk(uint64_t fill) { return (uint32_t)(fill >> 32); }

/* MODULE payload: this, then segments, path, then the units one behind the other. */
struct ms_module_record {
  uint32_t module;       /* id, from 1 */
  uint32_t unit_count;   /* 0: not instrumented */
  uint64_t bias;         /* load address minus the file's own addresses */
  uint64_t start, end;   /* lowest and highest mapped address */
  uint64_t loaded_ns;
  uint32_t first_site;   /* id of the first unit's first site, 0 = none */
  uint32_t segment_count; /* of struct ms_segment: executable ones */
  uint32_t path_bytes;   /* with its NUL, padded to 8 behind */
  uint32_t build_id_bytes;
  uint8_t build_id[32];
  uint8_t is_main;       /* the program itself */
  uint8_t reserved[7];
};
MS_STATIC_ASSERT(sizeof(struct ms_module_record) == 96, "streams on disk carry this layout: raise MS_STREAM_VERSION");

struct ms_segment { uint64_t start, end; };

/* In front of each unit in a MODULE: then sites, types, fields, strings as in
 * the object file, each padded with zeros to 8 bytes. */
struct ms_unit_record {
  uint32_t first_site;
  uint32_t site_count, type_count, field_count, strings_bytes;
  uint32_t source, compiler; /* strings */
  uint32_t reserved;
};
MS_STATIC_ASSERT(sizeof(struct ms_unit_record) == 32, "streams on disk carry this layout: raise MS_STREAM_VERSION");

/* PROCESS payload: this, then executable path, working directory, and argc
 * arguments, each NUL-terminated. */
struct ms_process_record {
  uint32_t argc;
  uint32_t strings_bytes;
};

/* VOLUME payload: which one this is, and of which stream. */
struct ms_volume_record {
  uint64_t start_unix_ns; /* the header's */
  uint32_t pid;           /* the header's */
  uint32_t number;        /* from 2 */
};

/* COUNTERS payload: this, then counters to the record's end. Of a thread's records the
 * first alone has a newest block. Of thread 0 are those that all threads add to, when
 * their own are not to be used. */
struct ms_counters_head {
  uint64_t newest[2];  /* ALLOC or REALLOC_END row of the thread's newest block, generation 0; word 0 is 0: all are counted */
  uint64_t bytes;      /* its size */
  uint64_t from_bytes; /* REALLOC_END: what the block was before, its name and size */
  uint32_t from;
  uint32_t reserved;
  uint64_t seen_ns;    /* the thread's last look at the clock */
  uint64_t reserved_[2];
};
MS_STATIC_ASSERT(sizeof(struct ms_counters_head) == 64, "streams on disk carry this layout: raise MS_STREAM_VERSION");

/* What one thread did to the blocks of one name: sums modulo 2^64, over all threads they
 * are what happened. live blocks = allocations + reallocations - frees - resized - ended
 * - vanished; live bytes = allocated_bytes - gone_bytes. */
struct ms_counter {
  uint32_t name;            /* its id; MS_COUNTER_UNSEEN; MS_NAMES_MOST + a thread's id modulo that: that thread's newest block, taken by this one before it had a name (no bytes), and less what its own thread has counted of that since; 0: unused */
  uint32_t vanished;        /* their address was given out again */
  uint64_t allocations;
  uint64_t reallocations;   /* that gave a block this name */
  uint64_t allocated_bytes; /* of both */
  uint64_t frees;
  uint64_t resized;         /* reallocations that a block of this name went into */
  uint64_t ended;           /* freed or resized while recording was paused */
  uint64_t gone_bytes;      /* of frees, resized, ended, vanished */
};
MS_STATIC_ASSERT(sizeof(struct ms_counter) == 64, "streams on disk carry this layout: raise MS_STREAM_VERSION");
enum { MS_COUNTER_UNSEEN = 3 }; /* no name: of blocks that are not in the stream, from before a fork or a pause */

static inline uint32_t ms_volume_of(uint64_t offset) { return (uint32_t)(offset / MS_VOLUME_STRIDE) + 1; }
/* By a header's volume_tail, which may be damaged: the last one's number. */
static inline uint32_t ms_volumes(uint64_t volume_tail) {
  uint32_t number = volume_tail ? ms_volume_of(volume_tail) : 1;
  return number < MS_VOLUMES_MOST ? number : MS_VOLUMES_MOST;
}
static inline uint64_t ms_volume_start(uint32_t number) { return (number - 1) * MS_VOLUME_STRIDE; }

/* ---- rows ---- */

enum ms_tag {
#define MS_ROW(tag, NAME, name, words, FIELDS, help) MS_TAG_##NAME = tag,
#include "memscope/stream.def"
};

enum ms_op { MS_OP_ALLOC, MS_OP_FREE, MS_OP_REALLOC_BEGIN, MS_OP_REALLOC_END, MS_OP_ENDED };
enum {
  MS_HOT = 0x80,
  MS_HOT_TAKES = 0x40, /* of a hot tag: the row ends a block */
  MS_FREE_FN = 15,     /* of a FREE's tag: its function; 0: a REALLOC_BEGIN */
  MS_PLACE_SLOTS = 4,  /* freeing places a thread has at hand */
  MS_FN_REALLOC_NULL = 16,
  MS_GEN_BITS = 12,
  MS_GEN_MASK = (1 << MS_GEN_BITS) - 1,
  MS_STACK_FRAMES = 64 /* of a STACK row at most */
};

#define MS_STACK_ID UINT32_C(0x3fffffff)
#define MS_SITE_MAX UINT32_C(0x0fffffff)

/* ---- names ---- */

/*   63 62          48 47                                        0
 *   +-+--------------+------------------------------------------+
 *   |1| unloads (15) | return address (48)                      |  no site: a caller in code without sites
 *   +-+--------------+-------------------+----------------------+
 *   |0| parent: a name, 0 = none (31)    | bind flags (4), site (28) |  handed on to a site
 *   +-+----------------------------------+----------------------+
 *
 * unloads: how often images had been unmapped by then, so that what is mapped at an
 * address later has names of its own. The word behind a caller's is no name but the
 * time when it was met, ns since start. */
#define MS_NAME_CALLER (UINT64_C(1) << 63)
#define MS_NAME_ADDRESS ((UINT64_C(1) << 48) - 1)
enum {
  MS_NAMES_HEADER = sizeof(struct ms_record) / sizeof(uint64_t), /* words of a NAMES record that are no names */
  MS_NAMES_WORDS = 2048, /* of a record, its header's included */
  MS_NAMES_MOST = 1 << 20, /* words of all of them */
};

static inline uint64_t ms_name_of_site(uint32_t parent, uint32_t site) { return (uint64_t)parent << 32 | site; }
static inline uint64_t ms_name_of_caller(uint32_t unloads, uint64_t address) {
  return MS_NAME_CALLER | (uint64_t)(unloads & 0x7fff) << 48 | (address & MS_NAME_ADDRESS);
}
static inline uint32_t ms_name_parent(uint64_t name) { return (uint32_t)(name >> 32); }
static inline uint32_t ms_name_site(uint64_t name) { return (uint32_t)name & MS_SITE_MAX; }
static inline uint64_t ms_name_address(uint64_t name) { return name & MS_NAME_ADDRESS; }

/* Row length in words from word 0; 0 = no row. */
static inline uint32_t ms_row_words(uint64_t word0) {
  uint8_t tag = (uint8_t)word0;
  if (tag & MS_HOT) return 2 - !!(tag & MS_HOT_TAKES);
  if (tag >= 0x70) return 1 + (uint32_t)(word0 >> 8 & 0xffff);
  return tag >= 0x60 ? 4 : tag >= 0x50 ? 3 : tag >= 0x30 ? 2 : tag > 0;
}

static inline enum ms_op ms_word_op(uint64_t word0) {
  if (word0 & MS_HOT_TAKES)
    return word0 & MS_FREE_FN ? MS_OP_FREE : (uint8_t)word0 == MS_TAG_ENDED ? MS_OP_ENDED : MS_OP_REALLOC_BEGIN;
  return word0 & 0x20 ? MS_OP_REALLOC_END : MS_OP_ALLOC;
}

/* One kind per tag: hot tags lose their fn. */
static inline uint8_t ms_row_tag(uint64_t word0) {
  static const uint8_t hot[] = {[MS_OP_ALLOC] = MS_TAG_ALLOC,
                                [MS_OP_FREE] = MS_TAG_FREE,
                                [MS_OP_REALLOC_BEGIN] = MS_TAG_REALLOC_BEGIN,
                                [MS_OP_REALLOC_END] = MS_TAG_REALLOC_END,
                                [MS_OP_ENDED] = MS_TAG_ENDED};
  return word0 & MS_HOT ? hot[ms_word_op(word0)] : (uint8_t)word0;
}

#define MS_MASK(bits) ((bits) == 64 ? ~UINT64_C(0) : (UINT64_C(1) << ((bits) & 63)) - 1)
#define MS_FIELD_MEMBER(field, word, shift, bits) uint64_t field;
#define MS_FIELD_PUT(field, word, shift, bits) w[word] = (w[word] & ~(MS_MASK(bits) << (shift))) | (r.field & MS_MASK(bits)) << (shift);
#define MS_FIELD_GET(field, word, shift, bits) r.field = w[word] >> (shift) & MS_MASK(bits);

#define MS_ROW(tag, NAME, name, words, FIELDS, help)                                        \
  struct ms_row_##name {                                                                    \
    FIELDS(MS_FIELD_MEMBER)                                                                 \
    uint8_t unused_;                                                                        \
  };                                                                                        \
  static inline void ms_put_##name(uint64_t *w, struct ms_row_##name r) {                   \
    w[0] = tag;                                                                             \
    if ((words) > 1) w[1] = 0;                                                              \
    FIELDS(MS_FIELD_PUT)                                                                    \
    (void)r;                                                                                \
  }                                                                                         \
  static inline struct ms_row_##name ms_get_##name(const uint64_t *w) {                     \
    struct ms_row_##name r;                                                                 \
    FIELDS(MS_FIELD_GET)                                                                    \
    (void)w;                                                                                \
    r.unused_ = 0;                                                                          \
    return r;                                                                               \
  }
#include "memscope/stream.def"

/* A FREE's slot is 0. */
static inline uint8_t ms_hot_tag(enum ms_op op, unsigned fn) {
  switch (op) {
  case MS_OP_ALLOC: return (uint8_t)(0x80 | fn);
  case MS_OP_REALLOC_END: return (uint8_t)(0xa0 | fn);
  case MS_OP_FREE: return (uint8_t)(0xc0 | fn);
  case MS_OP_ENDED: return MS_TAG_ENDED;
  default: return (uint8_t)(0xc0 | fn << 4);
  }
}

static inline uint64_t ms_hot_word(enum ms_op op, unsigned fn, uint32_t gen, uintptr_t address) {
  return ms_hot_tag(op, fn) | (uint64_t)gen << 8 | (uint64_t)(address >> 3) << 20;
}

#endif
