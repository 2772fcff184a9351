/* SPDX-License-Identifier: MIT
 *
 * Threads: their ids, their structures, their start, name and end.
 */
#define _GNU_SOURCE
#include "count.h"
#include "real.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>

#ifndef MS_DESTRUCTOR_ROUNDS /* fewer where somebody else's last round must be behind ours */
#define MS_DESTRUCTOR_ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#endif

#define LAST_NONE(t) {MS_NO_BLOCK, MS_NO_BLOCK, MS_NAME_NONE, MS_NAME_TOLD, &(t)->newest}
__thread struct ms_tls ms_tls = {.last = LAST_NONE(&ms_fresh), .self = &ms_fresh};
struct ms_thread ms_fresh, ms_busy, ms_late;

static pthread_key_t exit_key;
static int exit_key_made;

/* ---- structures ---- */

static struct ms_thread *spare_take(void) {
  struct ms_process *process = ms_process;
  struct ms_thread *t = NULL;
  if (ms_process_lock()) {
    t = process->threads;
    if (t) process->threads = t->next;
    ms_process_unlock();
  }
  struct ms_stacks *stacks = t ? t->stacks : NULL;
  struct ms_counter **counters = t ? t->counters : NULL;
  if (t) memset(t, 0, sizeof *t);
  else t = ms_process_alloc(sizeof *t);
  if (t) t->counters = counters;
  if (t && ms_gate.stacks) t->stacks = ms_stacks_new(stacks);
  return t;
}

static void spare_give(struct ms_thread *t) {
  if (!ms_process_lock()) return;
  t->next = ms_process->threads;
  ms_process->threads = t;
  ms_process_unlock();
}

/* The thread's id in the stream of this process; 0 = recording has not begun. */
uint32_t ms_thread_id(void) {
  if (ms_tls.epoch == ms_epoch && ms_tls.id) return ms_tls.id;
  ms_tls.id = 1 + __atomic_fetch_add(&ms_process->header->threads, 1, __ATOMIC_RELAXED);
  ms_tls.epoch = ms_epoch;
  return ms_tls.id;
}

static struct ms_thread *thread_new(void) {
  ms_tls.last = (struct ms_last)LAST_NONE(&ms_fresh); /* of another process or window */
  struct ms_thread *t = spare_take();
  if (!t) return NULL;
  t->id = ms_thread_id();
  t->left_name = MS_NAME_NONE;
  t->window = ms_window_take(0);
  int counts = ms_process->mode == MS_MODE_COUNTERS;
  if (t->window && (!counts || ms_count_attach(t, t->counters))) {
    ms_tls.last.thread = &t->newest;
    return t;
  }
  if (t->window) ms_window_give(t->window);
  spare_give(t);
  return NULL;
}

/* ---- start ---- */

static void thread_row_put(struct ms_thread *t) {
  uint64_t row[2];
  ms_put_thread_start(row, (struct ms_row_thread_start){.tid = ms_os_tid(), .creator = ms_tls.creator});
  ms_own_put(t, row, 2);
}

/* It may allocate, which then is an event inside our row like a handler's. */
static void exit_key_set(void) {
  uintptr_t frame = ms_tls.frame;
  ms_tls.frame = UINTPTR_MAX;
  pthread_setspecific(exit_key, &ms_tls);
  ms_tls.frame = frame;
}

/* Busy. NULL: no memory or no room; the shared window serves. A handler that
 * jumps out of here leaves `own`, from which the next event goes on. */
struct ms_thread *ms_thread_attach(void) {
  int saved = errno;
  struct ms_thread *t = thread_new();
  if (t) {
    ms_tls.own = t;
    ms_chunk_begin(t, thread_row_put);
    if (exit_key_made) exit_key_set();
  }
  errno = saved;
  return t;
}

/* Busy. In place of one that is left in the middle of a row for ever. */
struct ms_thread *ms_thread_succeed(const struct ms_thread *old) {
  struct ms_thread *t = thread_new();
  if (!t) return NULL;
  uint64_t fill = old->record ? old->record->fill : ms_fill(old->chunk, 0);
  t->chunk = ms_fill_chunk(fill) + (ms_fill_bytes(fill) != 0);
  if (t->stacks && old->stacks) ms_stacks_go_on(t->stacks, old->stacks);
  t->time_ns = old->time_ns;
  ms_tls.own = t;
  ms_chunk_begin(t, t->chunk ? NULL : thread_row_put);
  return t;
}

/* ---- end ---- */

/* Last round but none: other destructors of this round may still come. */
static void thread_end(void *tls) {
  struct ms_thread *t = ms_tls.self;
  if (t == &ms_busy || !t->window) return;
  if (++t->dead_rounds < MS_DESTRUCTOR_ROUNDS) {
    pthread_setspecific(exit_key, tls);
    return;
  }
  t = ms_own_begin();
  if (!t) return;
  ms_count_end(t);
  uint64_t row;
  ms_put_thread_exit(&row, (struct ms_row_thread_exit){.unused_ = 0});
  ms_own_put(t, &row, 1);
  ms_tls.last = (struct ms_last)LAST_NONE(&ms_fresh);
  if (ms_chunk_seal(t)) {
    ms_window_give(t->window);
    ms_count_detach(t);
    spare_give(t);
  }
  ms_tls.own = NULL;
  ms_leave(&ms_late);
}

void ms_thread_init(void) { exit_key_made = pthread_key_create(&exit_key, thread_end) == 0; }

/* ---- creator ---- */

struct birth {
  void *(*run)(void *);
  void *argument;
  uint32_t creator;
  size_t stack_bytes; /* without its guard; 0: nobody wants to know */
  struct birth *next;
};

static struct birth *births_free; /* of this process; pushed and popped under births_lock */
static uint32_t births_lock;

static int births_try(void) {
  for (int i = 0; i < 1000; i++) {
    if (!__atomic_exchange_n(&births_lock, 1, __ATOMIC_ACQUIRE)) return 1;
    ms_os_yield();
  }
  return 0;
}

static struct birth *birth_take(void) {
  struct birth *birth = NULL;
  if (births_try()) {
    birth = births_free;
    if (birth) births_free = birth->next;
    __atomic_store_n(&births_lock, 0, __ATOMIC_RELEASE);
  }
  return birth ? birth : ms_process_alloc(sizeof *birth);
}

static void birth_give(struct birth *birth) {
  if (!births_try()) return;
  birth->next = births_free;
  births_free = birth;
  __atomic_store_n(&births_lock, 0, __ATOMIC_RELEASE);
}

/* Ends in a jump: no frame of ours stays beneath the thread's own. */
static void *thread_run(void *argument) {
  struct birth *birth = argument;
  void *(*run)(void *) = birth->run;
  argument = birth->argument;
  ms_tls.creator = birth->creator;
  if (birth->stack_bytes) ms_stack_thread((uintptr_t)__builtin_frame_address(0) + 2 * sizeof(void *), birth->stack_bytes);
  birth_give(birth);
  return run(argument);
}

/* Of a thread that will be made with these attributes. */
static size_t stack_bytes(const pthread_attr_t *attr) {
  pthread_attr_t standard;
  size_t bytes = 0, guard = 0;
  if (!attr && pthread_attr_init(&standard)) return 0;
  pthread_attr_getstacksize(attr ? attr : &standard, &bytes);
  pthread_attr_getguardsize(attr ? attr : &standard, &guard);
  if (!attr) pthread_attr_destroy(&standard);
  return bytes > guard ? bytes - guard : 0;
}

MS_DECLARE_HOST(pthread_create)
MS_PUBLIC int MS_FN(pthread_create)(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *argument) {
  struct birth *birth = ms_on && ms_process_ready() ? birth_take() : NULL;
  ms_count_many(); /* before it can free what is ours */
  if (!birth) return MS_NEXT_HOST(pthread_create)(thread, attr, run, argument);
  birth->run = run;
  birth->argument = argument;
  birth->creator = ms_thread_id();
  birth->stack_bytes = ms_gate.stacks ? stack_bytes(attr) : 0;
  int rc = MS_NEXT_HOST(pthread_create)(thread, attr, thread_run, birth);
  if (rc) birth_give(birth);
  return rc;
}

/* ---- names ---- */

static void name_put(const char *name) {
  uint64_t row[1 + 2] = {0};
  uint32_t bytes = (uint32_t)strnlen(name, 15);
  ms_put_thread_name(row, (struct ms_row_thread_name){.words = (bytes + 7) / 8, .bytes = bytes});
  memcpy(row + 1, name, bytes);
  ms_emit_row(row, 1 + (bytes + 7) / 8);
}

MS_DECLARE_HOST(pthread_setname_np)
MS_PUBLIC int MS_FN(pthread_setname_np)(pthread_t thread, const char *name) {
  int rc = MS_NEXT_HOST(pthread_setname_np)(thread, name);
  if (rc == 0 && ms_on && pthread_equal(thread, pthread_self())) name_put(name);
  return rc;
}

MS_DECLARE_HOST(prctl)
MS_PUBLIC int MS_FN(prctl)(int option, ...) {
  va_list list;
  va_start(list, option);
  unsigned long a = va_arg(list, unsigned long), b = va_arg(list, unsigned long), c = va_arg(list, unsigned long),
                d = va_arg(list, unsigned long);
  va_end(list);
  enum ms_restricts whom = option == PR_SET_SECCOMP ? ms_restrict_begin(a, (const void *)b) : MS_RESTRICTS_NOBODY;
  int rc = MS_NEXT_HOST(prctl)(option, a, b, c, d);
  if (rc) ms_restrict_failed(whom);
  if (rc == 0 && ms_on && option == PR_SET_NAME) name_put((const char *)a);
  return rc;
}
