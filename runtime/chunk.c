/* SPDX-License-Identifier: MIT
 *
 * Windows: pieces of the file, mapped, into which threads write rows; and the
 * chunks they are written to when full. A thread owns its window; the lists of
 * spare ones are under the process's lock. Only busy threads come here.
 */
#include "emit.h"

static uint32_t class_bytes(uint32_t class) { return (uint32_t)MS_WINDOW_FIRST << class; }

/* magic, kind and bytes in one store: killed or jumped out of here, the page is
 * a hole or a whole window. */
static void record_begin(struct ms_record *record, uint32_t bytes) {
  typedef uint64_t two_words __attribute__((vector_size(16)));
  *(volatile two_words *)record = (two_words){MS_RECORD_MAGIC | (uint64_t)MS_RECORD_WINDOW << 32, bytes};
}

static struct ms_window *window_new(uint32_t class) {
  uint32_t bytes = class_bytes(class), room = bytes + MS_SLACK_BYTES;
  struct ms_window *window = ms_process_alloc(sizeof *window);
  if (!window) return NULL;
  window->record = ms_room_map(NULL, room, NULL, 0, MS_SPARED);
  if (!window->record) return ms_process_unalloc(window, sizeof *window), NULL;
  window->bytes = bytes;
  window->class = class;
  record_begin(window->record, room);
  ms_record_stands(room);
  return window;
}

/* A spare one, else a new one; empty, of no thread. */
struct ms_window *ms_window_take(uint32_t class) {
  struct ms_process *process = ms_process;
  struct ms_window *window = NULL;
  if (ms_process_lock()) {
    window = process->windows[class];
    if (window) process->windows[class] = window->next;
    ms_process_unlock();
  }
  if (!window) return window_new(class);
  __atomic_store_n(&window->record->fill, 0, __ATOMIC_RELEASE);
  return window;
}

/* Its rows are in a chunk by now: fill is (chunk + 1, 0). */
void ms_window_give(struct ms_window *window) {
  struct ms_process *process = ms_process;
  if (!ms_process_lock()) return; /* it stays unused */
  window->next = process->windows[window->class];
  process->windows[window->class] = window;
  ms_process_unlock();
}

/* Points the thread at its (empty) window. */
void ms_chunk_begin(struct ms_thread *t, void (*first)(struct ms_thread *)) {
  struct ms_record *record = t->window->record;
  uint64_t now = ms_process_ns(ms_os_now_coarse());
  if (now < t->time_ns) now = t->time_ns;
  record->thread = t->id;
  record->start_ns = now;
  __atomic_store_n(&record->fill, ms_fill(t->chunk, 0), __ATOMIC_RELEASE);
  t->record = record;
  t->pos = (uint64_t *)(record + 1);
  t->hard = (uint64_t *)((char *)record + t->window->bytes) - MS_SLOT_WORDS;
  t->limit = t->birth_limit = NULL;
  if (t->stacks) ms_stacks_leave(t->stacks);
  t->place_name = MS_NAME_TOLD;
  memset(t->places, 0, sizeof t->places);
  if (ms_is_rotated()) t->telling++;
  t->time_ns = now;
  t->soft = 1;
  if (first) first(t);
  uint64_t row;
  ms_put_time(&row, (struct ms_row_time){.ns = now});
  ms_own_put(t, &row, 1);
}

/* Writes the window's rows to the tail. The window is emptied only after that:
 * killed between, both have them, and (thread, chunk) says that they are one. */
int ms_chunk_seal(struct ms_thread *t) {
  static const char zeros[MS_RECORD_ALIGN];
  uint32_t used = (uint32_t)((char *)t->pos - (char *)(t->record + 1));
  size_t whole = (sizeof(struct ms_record) + used + MS_RECORD_ALIGN - 1) & ~(size_t)(MS_RECORD_ALIGN - 1);
  struct ms_record record = {.kind = MS_RECORD_CHUNK,
                             .bytes = whole,
                             .thread = t->id,
                             .checksum = ms_checksum(t->record + 1, used),
                             .fill = ms_fill(t->chunk, used),
                             .start_ns = t->record->start_ns};
  ms_record_check(&record);
  struct ms_os_piece pieces[] = {{&record, sizeof record}, {t->record + 1, used}, {zeros, whole - sizeof record - used}};
  if (!ms_room_put(pieces, 3, whole)) return 0;
  t->chunk++;
  __atomic_store_n(&t->record->fill, ms_fill(t->chunk, 0), __ATOMIC_RELEASE);
  return 1;
}

/* The next larger window, as long as there is one; else the old one again. Room that was
 * mapped ahead is for rows. */
static void window_grow(struct ms_thread *t) {
  if (t->window->bytes >= ms_options.window || ms_room_is_ahead()) return;
  struct ms_window *larger = ms_window_take(t->window->class + 1);
  if (!larger) return;
  t->record = NULL; /* a handler that jumps out of here: the old one may be another thread's by then */
  ms_window_give(t->window);
  t->window = larger;
}

/* The cells of 16 MiB of heap are one huge page's worth. Where a thread's newest block
 * lies twice in a row when a whole window has been filled, thousands of cells are in use:
 * as one huge page they cost no misses of the TLB any more, a tenth of the hot path's
 * time. Elsewhere pages stay small, for a large array touches one cell. */
static void cells_join(struct ms_thread *t) {
  uintptr_t p = ms_newest(t), dense = ms_cells && p ? (uintptr_t)ms_cell(p) & ~(uintptr_t)(MS_OS_HUGE - 1) : 0;
  int again = dense && dense == t->dense;
  if (again && !t->dense_joined) ms_os_pages_join((void *)dense);
  t->dense_joined = again;
  t->dense = dense;
}

/* False: nothing more can be recorded; the rows so far stay in the window. */
int ms_chunk_roll(struct ms_thread *t) {
  t->limit = t->birth_limit = NULL;
  if (t->window->bytes >= ms_options.window) cells_join(t);
  ms_newest_leaves(t);
  if (!ms_chunk_seal(t)) return 0;
  window_grow(t);
  ms_chunk_begin(t, NULL);
  return 1;
}
