/* SPDX-License-Identifier: MIT
 *
 * The shared window: rows of threads that may not use their own (a signal
 * handler inside a row; after thread exit; no memory for a window). Lock-free,
 * any thread, any time.
 *
 * It is a row of slots of MS_SLOT_WORDS words. A slot is reserved by moving
 * `fill` over it, written from its second word on, and its first word last:
 *
 *   reserved    | 0x7f, 15 words            skipped by every reader  ... |
 *   written     | OF_THREAD | TIME | rows … | OF_THREAD … (filling)      |
 *
 * A full one is left as it is and stays a WINDOW; the next gets the next chunk
 * number of thread 0.
 */
#include "emit.h"

static const uint64_t slot_unfinished = 0x7f | (uint64_t)(MS_SLOT_WORDS - 1) << 8;

static struct ms_window *shared_new(void) {
  struct ms_window *window = ms_window_take(2);
  if (!window) return NULL;
  uint64_t *words = (uint64_t *)(window->record + 1), *end = (uint64_t *)((char *)window->record + window->bytes);
  for (; words + MS_SLOT_WORDS <= end; words += MS_SLOT_WORDS) words[0] = slot_unfinished;
  return window;
}

/* Installs a window in place of a full one; another thread may be quicker. */
static int shared_replace(struct ms_process *process, struct ms_window *full) {
  struct ms_window *window = shared_new();
  if (!window) return 0;
  struct ms_record *record = window->record;
  record->thread = 0;
  record->start_ns = ms_process_ns(ms_os_now_coarse());
  record->fill = ms_fill(full ? ms_fill_chunk(full->record->fill) + 1 : 0, 0);
  if (!__atomic_compare_exchange_n(&process->shared, &full, window, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    ms_window_give(window);
  return 1;
}

static uint64_t *slot_reserve(struct ms_process *process) {
  for (;;) {
    struct ms_window *window = __atomic_load_n(&process->shared, __ATOMIC_ACQUIRE);
    if (window) {
      uint64_t fill = __atomic_load_n(&window->record->fill, __ATOMIC_RELAXED);
      uint32_t bytes = MS_SLOT_WORDS * sizeof(uint64_t);
      while (sizeof(struct ms_record) + ms_fill_bytes(fill) + bytes <= window->bytes)
        if (__atomic_compare_exchange_n(&window->record->fill, &fill, fill + bytes, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
          return (uint64_t *)((char *)(window->record + 1) + ms_fill_bytes(fill));
    }
    if (!shared_replace(process, window)) return NULL;
  }
}

static void filling_put(uint64_t *word) {
  ms_put_of_thread(word, (struct ms_row_of_thread){.thread = ms_tls.id});
}

/* False: no thread id or no recording. The rows go in before slot_end. */
int ms_slot_begin(struct ms_slot *slot) {
  if (!ms_process_ready() || !ms_thread_id()) return 0;
  filling_put(slot->word);
  ms_put_time(slot->word + 1, (struct ms_row_time){.ns = ms_process_ns(ms_os_now_coarse())});
  slot->used = 2;
  return 1;
}

void ms_slot_put(struct ms_slot *slot, const uint64_t *row, uint32_t words) {
  for (uint32_t i = 0; i < words && slot->used < MS_SLOT_WORDS; i++) slot->word[slot->used++] = row[i];
}

uint64_t *ms_slot_end(struct ms_slot *slot, uint32_t events) {
  uint64_t *to = slot_reserve(ms_process);
  if (!to) return ms_lost(MS_LOST_MEMORY, events), NULL;
  while (slot->used < MS_SLOT_WORDS) filling_put(&slot->word[slot->used++]);
  for (uint32_t i = 1; i < MS_SLOT_WORDS; i++) to[i] = slot->word[i];
  __atomic_store_n(to, slot->word[0], __ATOMIC_RELEASE);
  return to;
}
