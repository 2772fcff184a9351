/* SPDX-License-Identifier: MIT
 *
 * The stream's room: where its records go. There is one kind at a time, each a few
 * functions, and whoever has a record does not ask which:
 *
 *   file     the tail of the stream's file: taken by an atomic add, written, mapped piece by piece
 *   rotated  the same, but for chunks, which go to the newest volume (volume.c)
 *   ahead    a piece of the file that was mapped while that could be done; no system calls
 *
 * What one kind has refused because another took its place meanwhile, that one does. A
 * record that is refused then ends the stream; room to map that is refused for want of
 * memory, or of room ahead, does not, unless whoever wanted it cannot do without (count.c).
 */
#include "runtime.h"

enum {
  BLOCKS_BYTES = 4 << 20,
  AHEAD_LEAST = 256 << 10, /* some 20,000 events */
  ZEROS_MOST = 8 << 20,    /* where room is had by writing it, some milliseconds */
};

/* Offsets, or minus the reason why there is none. */
struct ms_room {
  int64_t (*put)(const struct ms_os_piece *pieces, int count, uint64_t bytes);
  int64_t (*map)(void **at, uint64_t bytes, const struct ms_os_piece *begin, int count);
};

enum ms_lost_reason ms_room_reason(long error) {
  switch (error) {
  case -28: /* ENOSPC */
  case -27: /* EFBIG */
  case -122: /* EDQUOT */ return MS_LOST_SPACE;
  case -2: /* ENOENT */ return MS_LOST_FILE_GONE;
  default: return MS_LOST_IO;
  }
}

/* ---- the file ---- */

static int64_t file_take(uint64_t bytes) {
  uint64_t offset = __atomic_fetch_add(&ms_process->header->tail, bytes, __ATOMIC_RELAXED);
  return offset + bytes <= ms_os_file_limit() ? (int64_t)offset : -MS_LOST_SPACE;
}

/* The host may have closed our descriptor by its number, and opened another
 * file under it. Then the stream is opened again by its name. Where nothing may be asked
 * any more, nothing is known of the number. */
static int file_check(struct ms_process *process) {
  if (ms_os_is(process->fd, &process->file)) return 0;
  if (ms_os_is_forbidden()) return -MS_LOST_IO;
  int fd = ms_os_open(process->path, 1);
  if (fd >= 0) process->fd = ms_os_dup_high(fd);
  if (fd >= 0 && ms_os_is(process->fd, &process->file)) return 0;
  if (fd >= 0) ms_os_close(process->fd);
  process->fd = -1;
  return -MS_LOST_FILE_GONE;
}

static int file_grow(uint64_t offset, uint64_t bytes) {
  struct ms_os_block block;
  int rc = file_check(ms_process);
  if (rc < 0) return rc;
  ms_os_xfsz_hold(&block);
  rc = ms_os_allocate(ms_process->fd, offset, bytes);
  ms_os_xfsz_release(&block);
  return rc < 0 ? -(int)ms_room_reason(rc) : 0;
}

/* The file system's blocks are taken ahead of the tail, behind the file's end:
 * with each write singly they cost a third of its time. No harm if it fails. */
static void blocks_take(struct ms_process *process, uint64_t end) {
  uint64_t taken = __atomic_load_n(&process->blocks, __ATOMIC_RELAXED);
  if (end < BLOCKS_BYTES / 4 || end <= taken) return;
  if (!__atomic_compare_exchange_n(&process->blocks, &taken, end + BLOCKS_BYTES, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
  if (ms_os_reserve(process->fd, end, BLOCKS_BYTES) < 0) __atomic_store_n(&process->blocks, UINT64_MAX, __ATOMIC_RELAXED);
}

static int file_write(const struct ms_os_piece *pieces, int count, uint64_t offset) {
  struct ms_os_block block;
  uint64_t end = offset;
  int rc = file_check(ms_process);
  if (rc < 0) return rc;
  for (int i = 0; i < count; i++) end += pieces[i].bytes;
  ms_os_xfsz_hold(&block);
  blocks_take(ms_process, end);
  long put = ms_os_pwrite_all(ms_process->fd, pieces, count, offset);
  ms_os_xfsz_release(&block);
  return put < 0 ? -(int)ms_room_reason(put) : 0;
}

static int64_t file_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  int64_t offset = file_take(bytes);
  int rc = offset < 0 ? (int)offset : file_write(pieces, count, (uint64_t)offset);
  if (rc < 0) return rc;
  ms_record_stands(bytes);
  return offset;
}

static int64_t file_map(void **at, uint64_t bytes, const struct ms_os_piece *begin, int count) {
  int64_t offset = file_take(bytes);
  int rc = offset < 0 ? (int)offset : file_grow((uint64_t)offset, bytes);
  if (rc == 0 && count) rc = file_write(begin, count, (uint64_t)offset);
  if (rc < 0) return rc;
  if (!*at) *at = ms_os_map(ms_process->fd, (uint64_t)offset, bytes);
  else if (!ms_os_map_at(*at, ms_process->fd, (uint64_t)offset, bytes)) *at = NULL;
  return *at ? offset : -MS_LOST_MEMORY;
}

/* Where the file may end: what was mapped ahead and given back is behind the tail. */
static uint64_t file_end(const struct ms_process *process) {
  uint64_t size = ms_os_size(process->fd), tail = __atomic_load_n(&process->header->tail, __ATOMIC_RELAXED);
  return process->ahead && tail < size ? tail : size;
}

/* Gives back what was taken too much, if no other thread can be writing: which is looked at
 * last, for one that comes before takes its window behind the end. */
void ms_room_trim(void) {
  struct ms_process *process = ms_process;
  if ((!process->blocks && !process->ahead) || !ms_os_is(process->fd, &process->file)) return;
  uint64_t end = file_end(process);
  if (__atomic_load_n(&process->header->threads, __ATOMIC_SEQ_CST) == 1) ms_os_resize(process->fd, end);
}

/* ---- rotated ---- */

static int64_t rotated_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  const struct ms_record *record = pieces->from;
  return record->kind == MS_RECORD_CHUNK ? ms_volume_put(pieces, count, bytes) : file_put(pieces, count, bytes);
}

/* ---- ahead ---- */

/* NULL: there is not so much any more; who wants less may still get it. */
static char *ahead_take(struct ms_ahead *in, uint64_t bytes, int64_t *offset) {
  uint64_t used = __atomic_load_n(&in->used, __ATOMIC_ACQUIRE);
  do
    if (used + bytes > in->bytes) return *offset = -MS_LOST_SECCOMP, NULL;
  while (!__atomic_compare_exchange_n(&in->used, &used, used + bytes, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  *offset = (int64_t)(in->offset + used);
  return in->at + used;
}

static struct ms_ahead *ahead_now(void) { return __atomic_load_n(&ms_process->ahead, __ATOMIC_ACQUIRE); }

static void pieces_copy(char *to, const struct ms_os_piece *pieces, int count) {
  for (int i = 0; i < count; to += pieces[i++].bytes) memcpy(to, pieces[i].from, pieces[i].bytes);
}

static int64_t ahead_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  int64_t offset;
  char *to = ahead_take(ahead_now(), bytes, &offset);
  if (!to) return offset;
  pieces_copy(to, pieces, count);
  ms_record_stands(bytes);
  return offset;
}

/* Half of all is kept for what windows are sealed to: who gets none shares one. */
static char *half_take(struct ms_ahead *in, uint64_t bytes, int64_t *offset) {
  uint64_t mapped = __atomic_add_fetch(&in->mapped, bytes, __ATOMIC_RELAXED);
  char *at = mapped <= in->bytes / 2 ? ahead_take(in, bytes, offset) : NULL;
  if (!at) __atomic_fetch_sub(&in->mapped, bytes, __ATOMIC_RELAXED);
  return at;
}

/* It lies where it lies. */
static int64_t ahead_map(void **at, uint64_t bytes, const struct ms_os_piece *begin, int count) {
  int64_t offset;
  if (*at) return *at = NULL, -MS_LOST_MEMORY;
  *at = half_take(ahead_now(), bytes, &offset);
  if (!*at) return -MS_LOST_SECCOMP;
  pieces_copy(*at, begin, count);
  return offset;
}

/* ---- which it is ---- */

static const struct ms_room file = {file_put, file_map}, rotated = {rotated_put, file_map}, ahead = {ahead_put, ahead_map};

static const struct ms_room *room_now(void) { return __atomic_load_n(&ms_process->room, __ATOMIC_ACQUIRE); }

/* Counted, for it may be the same one again: of a filter that was refused. */
static void room_set(const struct ms_room *room) {
  __atomic_store_n(&ms_process->room, room, __ATOMIC_RELEASE);
  __atomic_fetch_add(&ms_process->rooms, 1, __ATOMIC_RELEASE);
}

void ms_room_open(void) { room_set(ms_is_rotated() ? &rotated : &file); }

/* Its addresses first, and as many again that stay the host's, which may have few. */
static char *addresses_find(const struct ms_process *process, uint64_t bytes) {
  char *at = ms_os_map(process->fd, 0, 2 * bytes);
  if (at) ms_os_unmap(at + bytes, bytes);
  return at;
}

/* What cannot be reserved is written (ms_os_allocate). */
static int file_has(const struct ms_process *process, uint64_t bytes) {
  uint64_t tail = __atomic_load_n(&process->header->tail, __ATOMIC_RELAXED);
  if (tail + bytes > ms_os_file_limit()) return 0;
  int rc = ms_os_reserve(process->fd, tail, bytes);
  return rc >= 0 || (ms_os_is_unknown(rc) && bytes <= ZEROS_MOST);
}

static int ahead_try(struct ms_process *process, struct ms_ahead *made, uint64_t bytes) {
  char *at = addresses_find(process, bytes);
  if (!at) return 0;
  int64_t offset = file_has(process, bytes) ? file_take(bytes) : -MS_LOST_SPACE;
  if (offset < 0 || file_grow((uint64_t)offset, bytes) < 0 || !ms_os_map_at(at, process->fd, (uint64_t)offset, bytes)) {
    ms_os_unmap(at, bytes);
    return 0;
  }
  ms_os_map_inherit(at, bytes, 0);
  *made = (struct ms_ahead){.at = at, .offset = (uint64_t)offset, .bytes = bytes};
  return 1;
}

/* A new one each time: of one before, given back, threads may still be about to take. */
uint64_t ms_room_ahead(void) {
  static struct ms_ahead none;
  struct ms_process *process = ms_process;
  struct ms_ahead *made = ms_process_alloc(sizeof *made);
  uint64_t bytes = !made || file_check(process) < 0 ? 0 : MS_AHEAD_MOST;
  while (bytes >= AHEAD_LEAST && !ahead_try(process, made, bytes)) bytes /= 2;
  __atomic_store_n(&process->ahead, made ? made : &none, __ATOMIC_RELEASE);
  room_set(&ahead);
  return process->ahead->bytes;
}

int ms_room_is_ahead(void) { return room_now() == &ahead; }

/* What was put there meanwhile stays, and threads have windows in it; the rest is a hole of
 * the file, if anything has been taken behind it. */
void ms_room_back(void) {
  struct ms_process *process = ms_process;
  struct ms_ahead *in = process->ahead;
  uint64_t bytes = in->bytes, end = in->offset + bytes;
  ms_room_open();
  uint64_t used = __atomic_exchange_n(&in->used, bytes, __ATOMIC_ACQ_REL);
  if (used >= bytes) return;
  ms_os_unmap(in->at + used, bytes - used);
  if (file_check(process) == 0) ms_os_give_back(process->fd, in->offset + used, bytes - used);
  __atomic_compare_exchange_n(&process->header->tail, &end, in->offset + used, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* ---- putting a record there ---- */

static uint32_t rooms_now(void) { return __atomic_load_n(&ms_process->rooms, __ATOMIC_ACQUIRE); }

static int is_another(uint32_t *rooms) {
  uint32_t before = *rooms;
  *rooms = rooms_now();
  return *rooms != before;
}

uint64_t ms_room_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  uint32_t rooms = rooms_now();
  int64_t offset;
  do offset = room_now()->put(pieces, count, bytes);
  while (offset < 0 && is_another(&rooms));
  if (offset < 0) ms_stream_stop((enum ms_lost_reason)-offset);
  return offset < 0 ? 0 : (uint64_t)offset;
}

/* A window or a name can be done without, but not for ever: the reason of what is lost later is known now. */
static void map_refused(enum ms_lost_reason reason, enum ms_need need) {
  int is_borne = reason == MS_LOST_MEMORY || reason == MS_LOST_SECCOMP;
  if (need == MS_NEEDED || !is_borne) ms_stream_stop(reason);
  else if (reason == MS_LOST_SECCOMP) ms_lost(reason, 0);
}

void *ms_room_map(void *at, uint64_t bytes, const struct ms_os_piece *begin, int count, enum ms_need need) {
  uint32_t rooms = rooms_now();
  void *mapped;
  int64_t offset;
  do {
    mapped = at;
    offset = room_now()->map(&mapped, bytes, begin, count);
  } while (offset < 0 && is_another(&rooms));
  if (offset < 0) map_refused((enum ms_lost_reason)-offset, need);
  return offset < 0 ? NULL : mapped;
}
