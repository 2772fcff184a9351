/* SPDX-License-Identifier: MIT
 *
 * The process: deciding once whether to record, starting a stream (again in a
 * forked child), and saying how it ended.
 *
 * ms_process lies in memory that a forked child finds zeroed, as do all threads'
 * structures: whatever a child does first, it meets MS_STATE_NEW.
 */
#define _GNU_SOURCE
#include "runtime.h"
#include "count.h"
#include "sample.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

struct ms_process *ms_process;
union ms_gate ms_gate = {.on = MS_ON}; /* until it is known */
uint8_t ms_on_again = MS_ON;
uint32_t ms_epoch;
enum ms_heard ms_heard;
static int hidden; /* our environment, from programs started by exec */

/* In the image that holds the runtime, for `memscope run` and a second runtime. */
__attribute__((used, section(".note.memscope.runtime,\"a\",@note#"), aligned(4))) static const struct {
  uint32_t namesz, descsz, type;
  char name[12];
} runtime_note = {9, 0, MS_NOTE_RUNTIME_TYPE, MS_NOTE_NAME};

/* ---- memory of the process: never given back, zero in a forked child ---- */

enum { ARENA_BYTES = 1 << 18 };

static int arena_renew(uint64_t old) {
  char *fresh = ms_os_pages_wiped_on_fork(2 * ARENA_BYTES);
  if (!fresh) return 0;
  char *aligned = (char *)(((uintptr_t)fresh + ARENA_BYTES - 1) & ~(uintptr_t)(ARENA_BYTES - 1));
  ms_os_unmap(aligned + ARENA_BYTES, ARENA_BYTES - (size_t)(aligned - fresh));
  if (aligned > fresh) ms_os_unmap(fresh, (size_t)(aligned - fresh));
  /* The first bytes stay unused: an offset of 0 in an arena means that it is full. */
  if (!__atomic_compare_exchange_n(&ms_process->arena, &old, (uint64_t)(uintptr_t)aligned + 64, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    ms_os_unmap(aligned, ARENA_BYTES);
  return 1;
}

/* Zeroed, aligned to 64. Lock-free: a handler may need it inside a locked region. */
void *ms_process_alloc(size_t bytes) {
  bytes = (bytes + 63) & ~(size_t)63;
  if (bytes > ARENA_BYTES / 2) return NULL;
  for (;;) {
    uint64_t at = __atomic_load_n(&ms_process->arena, __ATOMIC_ACQUIRE), in = at & (ARENA_BYTES - 1);
    if (in && in + bytes < ARENA_BYTES) {
      if (__atomic_compare_exchange_n(&ms_process->arena, &at, at + bytes, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (void *)(uintptr_t)at;
    } else if (!arena_renew(at)) {
      return NULL;
    }
  }
}

/* Unless somebody has taken more since: for one that cannot use it, and will ask again. */
void ms_process_unalloc(void *p, size_t bytes) {
  uint64_t at = (uint64_t)(uintptr_t)p, end = at + ((bytes + 63) & ~(uint64_t)63);
  __atomic_compare_exchange_n(&ms_process->arena, &end, at, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void ms_process_ahead(void) { arena_renew(__atomic_load_n(&ms_process->arena, __ATOMIC_ACQUIRE)); }

/* A signal handler that jumps out of a locked region leaves the lock taken for
 * ever: who waits too long does without. */
int ms_process_lock(void) {
  for (int i = 0; i < 200; i++) {
    if (!__atomic_exchange_n(&ms_process->lock, 1, __ATOMIC_ACQUIRE)) return 1;
    ms_os_yield();
  }
  return 0;
}

void ms_process_unlock(void) { __atomic_store_n(&ms_process->lock, 0, __ATOMIC_RELEASE); }

uint64_t ms_process_ns(uint64_t mono_ns) {
  uint64_t start = ms_process->header->start_mono_ns;
  return mono_ns > start ? mono_ns - start : 0;
}

/* ---- whether to record at all ---- */

static int image_holds_runtime(const struct dl_phdr_info *info, const char *name) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_NOTE) continue;
    const char *at = (const char *)(info->dlpi_addr + header->p_vaddr), *end = at + header->p_memsz;
    while (at + sizeof runtime_note <= end) {
      const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
      if (note->n_type == MS_NOTE_RUNTIME_TYPE && note->n_namesz == 9 && memcmp(note + 1, name, 9) == 0) return 1;
      at += sizeof *note + ((note->n_namesz + 3) & ~3u) + ((note->n_descsz + 3) & ~3u);
    }
  }
  return 0;
}

/* The first image that holds a runtime is the one that records. */
static int first_runtime(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  if (!image_holds_runtime(info, MS_NOTE_NAME)) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    if (info->dlpi_phdr[i].p_type == PT_LOAD && (uintptr_t)&ms_process - start < info->dlpi_phdr[i].p_memsz) *(int *)data = 1;
  }
  return 1;
}

static int runtime_is_first(void) {
  int ours = 0;
  return !dl_iterate_phdr(first_runtime, &ours) || ours;
}

static int wanted(char **environment) {
  if (getauxval(AT_SECURE)) return 0;
  ms_options_read(environment);
  if (!ms_options.enabled || !runtime_is_first()) return 0;
  if (!ms_heard) return ms_real_check(), 1;
  if (ms_hear_begin()) return 1;
  ms_say("the sanitizer in this program owns malloc and tells nobody of its blocks; it is not recorded");
  return 0;
}

/* A sanitizer that looks for leaks behind us must not find the newest block by our words. */
static void process_exit(int status, void *unused) {
  (void)unused;
  ms_process_end(MS_END_EXIT, status);
  if (!ms_heard) return;
  ms_tls.last.last_block = ms_tls.last.last_freed = MS_NO_BLOCK;
  ms_tls.passing = ms_tls.drawn = 0;
}

/* What recording becomes, by the plane its mode needs. */
static void planes_reserve(void) {
  uint32_t mode = ms_options.mode.mode;
  if (mode == MS_MODE_COUNTERS && ms_count_reserve()) {
    ms_on_again = MS_COUNTING;
    return;
  }
  ms_cells = mode == MS_MODE_COUNTERS ? NULL : ms_reserve(MS_PLANE_BYTES, MS_KEPT);
  if (ms_cells && mode == MS_MODE_SAMPLE && !ms_sample_init()) ms_unreserve(ms_cells), ms_cells = NULL;
  if (ms_cells && mode == MS_MODE_SAMPLE) {
    ms_on_again = MS_SAMPLING;
  } else if (!ms_cells && mode == MS_MODE_SAMPLE) {
    ms_say("no address space for the plane (ulimit -v?), and nothing else tells a sampled block from others: every event is recorded, in exact mode");
  } else if (mode == MS_MODE_COUNTERS) {
    ms_say("no address space for the plane (ulimit -v?), and nothing else tells what a block is counted as: every event is recorded, in exact mode");
  } else if (!ms_cells && ms_options.verbose) {
    ms_say("no room for the plane of generations; events are ordered by stamps");
  }
}

static int boot(char **environment) {
  ms_heard = ms_hear_prepare();
  ms_real_find();
  if (!wanted(environment)) return 0;
  ms_process = ms_os_pages_wiped_on_fork((sizeof *ms_process + MS_OS_PAGE - 1) & ~(size_t)(MS_OS_PAGE - 1));
  if (!ms_process) return 0;
  ms_names_reserve();
  planes_reserve();
  if (ms_real_is_libc()) ms_gate_straight();
  if (ms_options.mode.stacks && ms_options.stack == MS_STACK_NONE) ms_options.stack = MS_STACK_FP;
  ms_gate.stacks = ms_options.stack != MS_STACK_NONE && ms_on_again != MS_COUNTING && !ms_heard;
  if (ms_options.stack != MS_STACK_NONE && !ms_gate.stacks) ms_say("%s: there are no call stacks", ms_heard ? "a sanitizer owns malloc, and does not tell who called it" : "counters stand for sites");
  if (!ms_gate.stacks) ms_options.stack = MS_STACK_NONE;
#ifndef MS_KEEPS_FRAMES
  if (ms_options.stack == MS_STACK_FP) ms_say("this runtime was not built by GCC for x86-64: call stacks hold the return address only");
#endif
  ms_thread_init();
  ms_fork_init();
  on_exit(process_exit, NULL); /* the first handler runs last */
  return 1;
}

static uint32_t booted; /* 1: under way, 2: done */

static void environment_hide(char **environment) {
  if (!ms_on || hidden || ms_options.follow_exec || !environment) return;
  hidden = 1;
  ms_options_hide(environment);
}

MS_COLD void ms_boot(char **environment) {
  uint32_t none = 0;
  if (__atomic_load_n(&booted, __ATOMIC_ACQUIRE) == 2) return;
  if (!__atomic_compare_exchange_n(&booted, &none, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    while (__atomic_load_n(&booted, __ATOMIC_ACQUIRE) == 1 && ms_tls.self != &ms_busy) ms_os_yield();
    return;
  }
  int saved = errno;
  struct ms_thread *before = ms_tls.self;
  ms_tls.self = &ms_busy;
  ms_gate_set(!boot(environment) ? MS_OFF : ms_options.paused ? MS_PAUSED : ms_on_again);
  environment_hide(environment);
  ms_tls.self = before;
  errno = saved;
  __atomic_store_n(&booted, 2, __ATOMIC_RELEASE);
}

#ifdef MS_STATIC
#define FIRST_CONSTRUCTOR __attribute__((constructor(101)))
#else
#define FIRST_CONSTRUCTOR __attribute__((constructor))
#endif

/* What the dynamic linker allocates for it is none of the program's doing. */
static void unwinder_load(void) {
  uint8_t on = ms_on;
  ms_gate_set(MS_OFF);
  ms_unwind_load();
  ms_gate_set(on);
}

/* glibc gives constructors what main gets; libc's own environ may not be set yet. */
FIRST_CONSTRUCTOR static void process_begin(int argc, char **argv, char **environment) {
  (void)argc;
  ms_boot(environment);
  if (ms_os_tid() == ms_os_pid()) ms_stack_first_thread((uintptr_t)argv);
  if (ms_on && ms_options.stack == MS_STACK_DWARF) unwinder_load();
  environment_hide(environment);
  if (ms_on) ms_process_ready();
  if (!ms_on) ms_unbind();
}

/* ---- starting a stream ---- */

enum { ARGUMENTS_ROOM = 1 << 17, STRINGS_ROOM = ARGUMENTS_ROOM + 2 * 4096 };

/* argv as the kernel has it: NULs between. */
static size_t arguments_read(char *to, size_t room) {
  size_t used = ms_os_read_file("/proc/self/cmdline", to, room);
  if (used && to[used - 1]) to[used == room ? used - 1 : used++] = 0;
  return used;
}

static void program_put(void) {
  char *buffer = ms_os_pages(STRINGS_ROOM + MS_OS_PAGE);
  if (!buffer) return;
  struct ms_record *record = (struct ms_record *)buffer;
  struct ms_process_record *program = (struct ms_process_record *)(record + 1);
  char *strings = (char *)(program + 1), *to = strings;
  record->kind = MS_RECORD_PROCESS;
  ms_os_readlink("/proc/self/exe", to, 4096);
  to += strlen(to) + 1;
  ms_os_cwd(to, 4096);
  to += strlen(to) + 1;
  size_t bytes = arguments_read(to, ARGUMENTS_ROOM);
  for (size_t i = 0; i < bytes; i++) program->argc += to[i] == 0;
  program->strings_bytes = (uint32_t)(to + bytes - strings);
  ms_stream_record(record, sizeof *program + program->strings_bytes);
  ms_os_unmap(buffer, STRINGS_ROOM + MS_OS_PAGE);
}

static int process_start(struct ms_process *process) {
  process->pid = ms_os_pid();
  process->mode = ms_cells || ms_on_again == MS_COUNTING ? ms_options.mode.mode : MS_MODE_EXACT;
  process->exact = process->mode == MS_MODE_EXACT;
  process->seed = ms_sample_seed(process->pid);
  if (!ms_stream_open(process)) return 0;
  if (!ms_epoch++) ms_tick_find();
  size_t n = strlen(process->path);
  memcpy(ms_parent.path, process->path, n < sizeof ms_parent.path ? n + 1 : 0);
  ms_parent.position = 0;
  if (ms_on == MS_PAUSED) process->header->pauses = 1;
  process->header->recording = ms_on == MS_PAUSED ? MS_RECORDING_PAUSED : MS_RECORDING_ON;
  __atomic_store_n(&process->state, MS_STATE_RECORDING, __ATOMIC_RELEASE);
  program_put();
  if (ms_options.verbose) ms_say("recording to %s", process->path);
  return 1;
}

/* In a forked child all is new; only what was decided before stays. */
static int process_may_start(void) { return ms_epoch == 0 || ms_options.follow_fork; }

static MS_COLD int process_try(struct ms_process *process) {
  uint32_t state = MS_STATE_NEW;
  struct ms_os_block block;
  ms_os_signals_hold(&block); /* a handler that jumped out would leave it starting for ever */
  if (__atomic_compare_exchange_n(&process->state, &state, MS_STATE_STARTING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    process->starter = &ms_tls;
    int started = process_may_start() && process_start(process);
    if (!started) {
      ms_gate_set(MS_OFF);
      __atomic_store_n(&process->state, MS_STATE_STOPPED, __ATOMIC_RELEASE);
    }
    ms_os_signals_release(&block);
    return started;
  }
  ms_os_signals_release(&block);
  while (__atomic_load_n(&process->state, __ATOMIC_ACQUIRE) == MS_STATE_STARTING && process->starter != &ms_tls) ms_os_yield();
  return __atomic_load_n(&process->state, __ATOMIC_ACQUIRE) == MS_STATE_RECORDING;
}

/* True when events of this thread, now, are to be recorded. */
int ms_process_ready(void) {
  struct ms_process *process = ms_process;
  if (MS_LIKELY(process && __atomic_load_n(&process->state, __ATOMIC_ACQUIRE) == MS_STATE_RECORDING)) return 1;
  if (__atomic_load_n(&booted, __ATOMIC_ACQUIRE) != 2) ms_boot(environ);
  if (!ms_on || !ms_process || ms_process->state == MS_STATE_STOPPED) return 0;
  return process_try(ms_process);
}

/* ---- the end ---- */

/* Rows may still follow: other destructors, other threads. A vfork child runs
 * in our memory, but what it does is not our end. */
void ms_process_end(enum ms_end_how how, int32_t status) {
  struct ms_process *process = ms_process;
  if (!ms_on || !process || !process->header || process->pid != ms_os_pid()) return;
  /* In a static program exit's own _exit comes through ours too. */
  if (how == MS_END_QUICK && process->header->end_how == MS_END_EXIT) return;
  uint64_t row[MS_END_WORDS];
  if (how != MS_END_NONE && how != MS_END_EXEC) ms_emit_row(row, ms_end_put(row, how, status));
  process->header->end_status = status;
  process->header->end_ns = how ? ms_process_ns(ms_os_now()) : 0;
  __atomic_store_n(&process->header->end_how, how, __ATOMIC_RELEASE);
  if (how) ms_room_trim();
}
