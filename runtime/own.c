/* SPDX-License-Identifier: MIT
 *
 * A thread and its own window, on the slow path: who may write, room, time.
 */
#include "emit.h"

enum { SIGNAL_FRAME_LEAST = 1024, STACK_MOST = 64 << 20 };

/* A signal handler that left by siglongjmp never comes back to finish the row
 * it interrupted. We know when we run above the frame that was busy, or so
 * little below it that no signal's frame fits between, on the ordinary stack.
 * Should the busy frame live on all the same (a coroutine), it finds its window
 * as it left it: the thread goes on with a new one. */
static int own_was_abandoned(void) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0), busy = ms_tls.frame;
  if (here > busy ? here - busy > STACK_MOST : busy - here > SIGNAL_FRAME_LEAST) return 0;
  return !ms_os_on_signal_stack();
}

/* Still busy, from here on with this frame. */
static struct ms_thread *own_succeed(void) {
  ms_enter();
  return ms_tls.own && ms_tls.epoch == ms_epoch ? ms_thread_succeed(ms_tls.own) : ms_thread_attach();
}

static void time_put(struct ms_thread *t) {
  t->tick = *ms_tick; /* before the clock, so that none is missed */
  uint64_t now = ms_process_ns(ms_os_now_coarse());
  if (now <= t->time_ns) {
    t->soft = t->soft < MS_SOFT_WORDS ? t->soft * 2 : MS_SOFT_WORDS;
    return;
  }
  t->soft = 1;
  uint64_t row;
  ms_put_time(&row, (struct ms_row_time){.ns = now});
  ms_own_put(t, &row, 1);
  t->time_ns = now;
}

/* Busy, with a window; NULL: there is none to be had. */
static struct ms_thread *own_take(void) {
  struct ms_thread *t = ms_tls.self, *found = NULL;
  if (t == &ms_busy) {
    if (!own_was_abandoned() || !ms_process_ready()) return NULL;
    t = &ms_fresh;
    found = own_succeed();
  } else if (t != &ms_late) {
    ms_enter();
    if (ms_process_ready()) found = t->window ? t : ms_thread_attach();
  } else {
    return NULL;
  }
  if (!found) ms_leave(t);
  return found;
}

/* Makes the thread busy, for the rows of one event. NULL: it may not use its
 * window; its rows go to the shared one, or nothing is recorded. */
MS_COLD struct ms_thread *ms_own_begin(void) {
  struct ms_thread *t = own_take();
  if (!t) return NULL;
  ms_settle(t);
  if (!ms_own_room(t, 0)) {
    ms_leave(t);
    return NULL;
  }
  time_put(t);
  if (MS_UNLIKELY(!__atomic_load_n(&ms_process->scan_count, __ATOMIC_RELAXED))) ms_modules_scan(t);
  if (ms_control_is_asked()) ms_control_obey(t);
  return t;
}

/* Where the hot path ends. That of counters writes no rows: without a tick it is never
 * taken, nor while the place of a bad free is awaited. */
void ms_own_limit(struct ms_thread *t) {
  int ticks = ms_tick != &ms_no_tick, never = ms_process->exact || (t->head && (!ticks || t->freed_here));
  uint64_t *soft = t->pos + t->soft, *due = !ticks && soft < t->hard ? soft : t->hard;
  t->limit = never ? NULL : due;
  t->birth_limit = t->stacks ? NULL : t->limit;
}

void ms_own_end(struct ms_thread *t) {
  ms_own_limit(t);
  ms_leave(t);
}

/* The clock is due, and nothing else stands in the way of the hot path? */
int ms_own_tick(struct ms_thread *t) {
  if (!t->window || ms_process->exact || !ms_own_begin()) return 0;
  ms_own_end(t);
  return t->pos < t->limit;
}

/* Room for a row of that many words beside the slack. */
int ms_own_room(struct ms_thread *t, uint32_t words) {
  return t->pos + words <= t->hard || ms_chunk_roll(t);
}

void ms_own_put(struct ms_thread *t, const uint64_t *row, uint32_t words) {
  uint64_t *w = t->pos;
  for (uint32_t i = 0; i < words; i++) w[i] = row[i];
  ms_publish(t, w + words);
}
