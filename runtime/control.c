/* SPDX-License-Identifier: MIT
 *
 * Recording switched while the program runs: by the program (memscope.h), or by
 * a command that `memscope ctl` leaves in the stream's header page, which whoever
 * has the next event obeys. No signal, no thread, no socket.
 */
#include "emit.h"
#include "memscope.h"

#include <errno.h>

enum { TEXT_WORDS = MS_COMMAND_TEXT / 8 };

/* ---- rows ---- */

/* Busy; whether it could be written. */
static int row_put(struct ms_thread *t, const uint64_t *row, uint32_t words) {
  if (!ms_own_room(t, words)) return 0;
  ms_own_put(t, row, words);
  return 1;
}

static int text_put(struct ms_thread *t, enum ms_tag tag, const char *text) {
  uint64_t row[1 + TEXT_WORDS] = {0};
  uint32_t bytes = (uint32_t)strnlen(text, MS_COMMAND_TEXT - 1), words = (bytes + 7) / 8;
  ms_put_mark(row, (struct ms_row_mark){.words = words, .bytes = bytes});
  *(uint8_t *)row = (uint8_t)tag;
  memcpy(row + 1, text, bytes);
  return row_put(t, row, 1 + words);
}

static int recording_put(struct ms_thread *t, int on) {
  uint64_t row[2];
  ms_put_recording(row, (struct ms_row_recording){.on = (uint64_t)on, .ns = ms_process_ns(ms_os_now())});
  ms_process->header->recording = on ? MS_RECORDING_ON : MS_RECORDING_PAUSED;
  return row_put(t, row, 2);
}

/* ---- what can be asked ---- */

static int pause_now(struct ms_thread *t) {
  uint8_t on = ms_on_again;
  if (!__atomic_compare_exchange_n(&ms_gate.on, &on, MS_PAUSED, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return on == MS_PAUSED;
  ms_gate_follow();
  __atomic_fetch_add(&ms_process->header->pauses, 1, __ATOMIC_RELAXED);
  return recording_put(t, 0);
}

static int resume_now(struct ms_thread *t) {
  uint8_t paused = MS_PAUSED;
  if (!__atomic_compare_exchange_n(&ms_gate.on, &paused, ms_on_again, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return paused == ms_on_again;
  ms_gate_follow();
  return recording_put(t, 1);
}

/* Rows of this thread stand in its window; the process records no more. */
static int stop_now(struct ms_thread *t) {
  uint64_t row[MS_END_WORDS];
  row_put(t, row, ms_end_put(row, MS_END_STOPPED, 0));
  struct ms_file_header *header = ms_process->header;
  header->end_ns = ms_process_ns(ms_os_now());
  header->recording = MS_RECORDING_STOPPED;
  __atomic_store_n(&header->end_how, MS_END_STOPPED, __ATOMIC_RELEASE);
  __atomic_store_n(&ms_process->state, MS_STATE_STOPPED, __ATOMIC_RELEASE);
  ms_gate_set(MS_OFF);
  return 1;
}

static int command_run(struct ms_thread *t, enum ms_command command, const char *text) {
  switch (command) {
  case MS_COMMAND_PAUSE: return pause_now(t);
  case MS_COMMAND_RESUME: return resume_now(t);
  case MS_COMMAND_MARK: return text_put(t, MS_TAG_MARK, text);
  case MS_COMMAND_SNAPSHOT: return text_put(t, MS_TAG_SNAPSHOT, text);
  case MS_COMMAND_STOP: return stop_now(t);
  default: return 0;
  }
}

/* ---- from outside ---- */

/* One thread takes it: the page is another process's to write, so its text is copied first. */
void ms_control_obey(struct ms_thread *t) {
  struct ms_file_header *header = ms_process->header;
  uint32_t asked = __atomic_load_n(&header->command_asked, __ATOMIC_ACQUIRE), before = ms_process->command_taken;
  if (asked == before || !__atomic_compare_exchange_n(&ms_process->command_taken, &before, asked, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
  char text[MS_COMMAND_TEXT];
  memcpy(text, header->command_text, sizeof text);
  text[sizeof text - 1] = 0;
  if (!command_run(t, header->command, text)) header->command = MS_COMMAND_NONE;
  __atomic_store_n(&header->command_done, asked, __ATOMIC_RELEASE);
}

/* While recording is paused: an event that is not recorded. */
MS_COLD void ms_paused_look(void) {
  if (!ms_process || !ms_process->header || !ms_control_is_asked()) return;
  struct ms_thread *t = ms_own_begin();
  if (t) ms_own_end(t);
}

/* ---- from inside ---- */

static int ask(enum ms_command command, const char *text) {
  int saved = errno, done = 0;
  if (ms_on && ms_process_ready()) {
    struct ms_thread *t = ms_own_begin();
    if (t) {
      done = command ? command_run(t, command, text ? text : "") : 1;
      ms_own_end(t);
    }
  }
  errno = saved;
  return done ? 0 : -1;
}

MS_EXPORT int memscope_pause(void) { return ask(MS_COMMAND_PAUSE, NULL); }
MS_EXPORT int memscope_resume(void) { return ask(MS_COMMAND_RESUME, NULL); }
MS_EXPORT int memscope_recording(void) { return ms_on == ms_on_again && ms_process_ready() ? 1 : ms_on == MS_PAUSED ? 0 : -1; }
MS_EXPORT int memscope_mark(const char *name) { return ask(MS_COMMAND_MARK, name); }
MS_EXPORT int memscope_snapshot(const char *name) { return ask(MS_COMMAND_SNAPSHOT, name); }
MS_EXPORT int memscope_flush(void) { return ask(MS_COMMAND_NONE, NULL); }
