/* SPDX-License-Identifier: MIT
 *
 * A thread and its own window, on the slow path: who may write, room, time.
 */
#include "emit.h"

/* A signal handler that left by siglongjmp never comes back to finish the row
 * it interrupted: we then run above the frame that was busy, on the ordinary
 * stack. Should that frame live on all the same (a coroutine), it finds its
 * window as it left it: the thread goes on with a new one. */
static int own_was_abandoned(void) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  return here > ms_tls.frame && here - ms_tls.frame < (uintptr_t)64 << 20 && !ms_os_on_signal_stack();
}

static void own_abandon(void) {
  struct ms_thread *old = ms_tls.own;
  ms_tls.self = &ms_fresh;
  if (!old || !old->window || ms_tls.epoch != ms_epoch) return;
  ms_tls.self = ms_thread_succeed(old);
}

/* The clock is looked at again soon after it has moved, ever more seldom while
 * it stands: a thread that allocates seldom has the time of each event, a busy
 * one pays for a look every MS_SOFT_WORDS. */
static void time_put(struct ms_thread *t) {
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

/* Makes the thread busy, for the rows of one event. NULL: it may not use its
 * window; its rows go to the shared one, or nothing is recorded. */
MS_COLD struct ms_thread *ms_own_begin(void) {
  if (ms_tls.self == &ms_busy) {
    if (!own_was_abandoned()) return NULL;
    own_abandon();
  }
  struct ms_thread *t = ms_tls.self, *before = t;
  if (t == &ms_late || t == &ms_busy) return NULL;
  ms_enter();
  if (!ms_process_ready() || !(t->window || (t = ms_thread_attach()))) {
    ms_leave(before);
    return NULL;
  }
  ms_settle(t);
  if (!ms_own_room(t, 0)) {
    ms_leave(t);
    return NULL;
  }
  time_put(t);
  ms_modules_look(t);
  return t;
}

void ms_own_end(struct ms_thread *t) {
  uint64_t *soft = t->pos + t->soft;
  t->limit = ms_process->exact || !ms_cells ? NULL : soft < t->hard ? soft : t->hard;
  ms_leave(t);
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
