/* SPDX-License-Identifier: MIT
 *
 * The stream's room: where its records go. There is one kind at a time, each a few
 * functions, and whoever has a record does not ask which:
 *
 *   file     the tail of the stream's file: taken by an atomic add, written, mapped piece by piece
 *   rotated  the same, but for chunks, which go to the newest volume (volume.c)
 *   ahead    a piece of the file that was mapped while that could be done; no system calls
 *
 * What one kind has refused because another took its place meanwhile, that one does. So
 * nothing stops a stream but what is left of a refusal then.
 */
#include "runtime.h"

enum {
  BLOCKS_BYTES = 4 << 20,
  AHEAD_LEAST = 256 << 10, /* some 20,000 events */
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
 * file under it. Then the stream is opened again by its name. */
static int file_check(struct ms_process *process) {
  if (ms_os_is(process->fd, &process->file)) return 0;
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

/* Gives back what was taken too much, if no other thread can be writing. */
void ms_room_trim(void) {
  struct ms_process *process = ms_process;
  uint64_t tail = process->header->tail, size;
  if ((!process->blocks && !process->ahead.bytes) || process->header->threads != 1 || !ms_os_is(process->fd, &process->file)) return;
  size = ms_os_size(process->fd);
  ms_os_resize(process->fd, size < tail ? size : tail);
}

/* ---- rotated ---- */

static int64_t rotated_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  const struct ms_record *record = pieces->from;
  return record->kind == MS_RECORD_CHUNK ? ms_volume_put(pieces, count, bytes) : file_put(pieces, count, bytes);
}

/* ---- ahead ---- */

/* NULL: there is no more. */
static char *ahead_take(uint64_t bytes, int64_t *offset) {
  struct ms_process *process = ms_process;
  uint64_t used = process->ahead.at ? __atomic_fetch_add(&process->ahead.used, bytes, __ATOMIC_RELAXED) : 0;
  if (!process->ahead.at || used + bytes > process->ahead.bytes) return *offset = -MS_LOST_SECCOMP, NULL;
  *offset = (int64_t)(process->ahead.offset + used);
  return process->ahead.at + used;
}

static void pieces_copy(char *to, const struct ms_os_piece *pieces, int count) {
  for (int i = 0; i < count; to += pieces[i++].bytes) memcpy(to, pieces[i].from, pieces[i].bytes);
}

static int64_t ahead_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  int64_t offset;
  char *to = ahead_take(bytes, &offset);
  if (!to) return offset;
  pieces_copy(to, pieces, count);
  ms_record_stands(bytes);
  return offset;
}

/* It lies where it lies. */
static int64_t ahead_map(void **at, uint64_t bytes, const struct ms_os_piece *begin, int count) {
  int64_t offset;
  if (*at) return *at = NULL, -MS_LOST_MEMORY;
  *at = ahead_take(bytes, &offset);
  if (*at) pieces_copy(*at, begin, count);
  return offset;
}

/* ---- which it is ---- */

static const struct ms_room file = {file_put, file_map}, rotated = {rotated_put, file_map}, ahead = {ahead_put, ahead_map};

static const struct ms_room *room_now(void) { return __atomic_load_n(&ms_process->room, __ATOMIC_ACQUIRE); }
static void room_set(const struct ms_room *room) { __atomic_store_n(&ms_process->room, room, __ATOMIC_RELEASE); }

void ms_room_open(void) { room_set(ms_is_rotated() ? &rotated : &file); }

/* Its addresses first, and as many again that stay the host's, which may have few. */
static char *addresses_find(const struct ms_process *process, uint64_t bytes) {
  char *at = ms_os_map(process->fd, 0, 2 * bytes);
  if (at) ms_os_unmap(at + bytes, bytes);
  return at;
}

static int file_has(const struct ms_process *process, uint64_t bytes) {
  uint64_t tail = __atomic_load_n(&process->header->tail, __ATOMIC_RELAXED);
  return tail + bytes <= ms_os_file_limit() && ms_os_reserve(process->fd, tail, bytes) >= 0;
}

static int ahead_try(struct ms_process *process, uint64_t bytes) {
  char *at = addresses_find(process, bytes);
  if (!at) return 0;
  int64_t offset = file_has(process, bytes) ? file_take(bytes) : -MS_LOST_SPACE;
  if (offset < 0 || file_grow((uint64_t)offset, bytes) < 0 || !ms_os_map_at(at, process->fd, (uint64_t)offset, bytes)) {
    ms_os_unmap(at, bytes);
    return 0;
  }
  ms_os_map_inherit(at, bytes, 0);
  process->ahead.at = at;
  process->ahead.offset = (uint64_t)offset;
  process->ahead.bytes = bytes;
  return 1;
}

uint64_t ms_room_ahead(void) {
  struct ms_process *process = ms_process;
  memset(&process->ahead, 0, sizeof process->ahead);
  uint64_t bytes = file_check(process) < 0 ? 0 : MS_AHEAD_MOST;
  while (bytes >= AHEAD_LEAST && !ahead_try(process, bytes)) bytes /= 2;
  room_set(&ahead);
  return process->ahead.bytes;
}

/* What was put there meanwhile stays, and threads have windows in it; the rest is a hole of
 * the file, if anything has been taken behind it. */
void ms_room_back(void) {
  struct ms_process *process = ms_process;
  uint64_t bytes = process->ahead.bytes, end = process->ahead.offset + bytes;
  ms_room_open();
  uint64_t used = __atomic_exchange_n(&process->ahead.used, bytes, __ATOMIC_RELAXED);
  if (used >= bytes) return;
  ms_os_unmap(process->ahead.at + used, bytes - used);
  if (file_check(process) == 0) ms_os_give_back(process->fd, process->ahead.offset + used, bytes - used);
  __atomic_compare_exchange_n(&process->header->tail, &end, process->ahead.offset + used, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* ---- putting a record there ---- */

static int is_another(const struct ms_room **in) {
  const struct ms_room *before = *in;
  *in = room_now();
  return *in != before;
}

uint64_t ms_room_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  const struct ms_room *in = room_now();
  int64_t offset;
  do offset = in->put(pieces, count, bytes);
  while (offset < 0 && is_another(&in));
  if (offset < 0) ms_stream_stop((enum ms_lost_reason)-offset);
  return offset < 0 ? 0 : (uint64_t)offset;
}

/* Without memory a window or a name is not to be had, and the stream goes on. */
void *ms_room_map(void *at, uint64_t bytes, const struct ms_os_piece *begin, int count) {
  const struct ms_room *in = room_now();
  void *mapped;
  int64_t offset;
  do {
    mapped = at;
    offset = in->map(&mapped, bytes, begin, count);
  } while (offset < 0 && is_another(&in));
  if (offset < 0 && offset != -MS_LOST_MEMORY) ms_stream_stop((enum ms_lost_reason)-offset);
  return offset < 0 ? NULL : mapped;
}
