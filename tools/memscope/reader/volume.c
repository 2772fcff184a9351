/* SPDX-License-Identifier: MIT
 *
 * The further files of a rotated stream: found by the first one's name, mapped, and
 * held to be of that stream. One that is missing or foreign is a problem, no end.
 */
#define _GNU_SOURCE
#include "reader/index.h"

#include "base/arena.h"
#include "base/error.h"
#include "pack/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool volume_read(const unsigned char *bytes, uint64_t size, struct ms_volume_record *volume) {
  struct ms_record record;
  if (!bytes || size < MS_RECORD_ALIGN) return false;
  memcpy(&record, bytes, sizeof record);
  memcpy(volume, bytes + sizeof record, sizeof *volume);
  return record.magic == MS_RECORD_MAGIC && record.kind == MS_RECORD_VOLUME;
}

uint32_t ms_volume_number(const unsigned char *bytes, uint64_t size) {
  struct ms_volume_record volume;
  return volume_read(bytes, size, &volume) ? volume.number : 0;
}

/* The number of the newest one, as the writer has it now. */
static uint32_t newest(const struct ms_stream *stream) {
  uint64_t tail = 0;
  size_t at = offsetof(struct ms_file_header, volume_tail);
  if (stream->size >= at + sizeof tail) tail = *(const volatile uint64_t *)(stream->bytes + at);
  return ms_volumes(tail);
}

/* NULL: there is no such file, or it cannot be mapped. */
static const unsigned char *file_map(const char *path, uint64_t *size) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  void *bytes = MAP_FAILED;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size)
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (bytes == MAP_FAILED) return NULL;
  *size = (uint64_t)status.st_size;
  return bytes;
}

static bool is_of(const struct ms_stream *stream, const struct ms_volume_view *view) {
  struct ms_volume_record volume;
  return volume_read(view->bytes, view->size, &volume) && volume.number == view->number &&
         volume.pid == stream->header.pid && volume.start_unix_ns == stream->header.start_unix_ns;
}

static void view_add(struct ms_stream *stream, struct ms_volume_view view, uint32_t *room) {
  if (stream->volume_count == *room) {
    uint32_t more = *room ? *room * 2 : 16;
    stream->volumes = ms_arena_grow(stream->arena, stream->volumes, *room * sizeof view, more * sizeof view);
    *room = more;
  }
  stream->volumes[stream->volume_count++] = view;
}

/* Its first page is lost, which says whose it is; how many events the rest has nobody counts. */
static bool head_lost(struct ms_stream *stream, const struct ms_pack_losses *losses, bool there) {
  if (!losses->count || losses->parts[0].stream_offset) return false;
  stream->lost_parts_unknown |= there;
  return true;
}

/* False: there is no such file, or it cannot be read. */
static bool volume_open(struct ms_stream *stream, uint32_t number, uint32_t *room) {
  const char *path = ms_arena_print(stream->arena, "%s.vol%" PRIu32, stream->path, number);
  struct ms_volume_view view = {.number = number, .before = ms_stream_bytes(stream)};
  struct ms_pack_losses losses = {0};
  struct ms_error error = {0};
  view.bytes = file_map(path, &view.size);
  if (!view.bytes) return false;
  uint64_t end = view.size;
  bool there = !ms_is_packed(view.bytes, view.size) || ms_file_unpack(stream, &view.bytes, &view.size, &losses, &error);
  bool mine = there && is_of(stream, &view) && view.size <= MS_VOLUME_STRIDE, headless = head_lost(stream, &losses, there);
  if (mine || headless) ms_losses_take(stream, number, &losses, end);
  if (mine) {
    view_add(stream, view, room);
    return true;
  }
  ms_stream_problem(stream, ms_volume_start(number), "%s",
                    headless ? "its first packed segment is damaged, which says whose it is: nothing of it is read; copy or pack it again"
                    : there  ? "the file of that name is of another stream"
                             : error.text);
  munmap((void *)(uintptr_t)view.bytes, view.size);
  return true;
}

static void missing_say(struct ms_stream *stream, uint32_t first, uint32_t last) {
  if (first == last)
    ms_stream_problem(stream, ms_volume_start(first), "%s.vol%" PRIu32 " is not there; its events are missing", stream->path, first);
  else if (first < last)
    ms_stream_problem(stream, ms_volume_start(first), "%s.vol%" PRIu32 " to .vol%" PRIu32 " are not there; their events are missing",
                      stream->path, first, last);
}

void ms_volumes_open(struct ms_stream *stream) {
  uint32_t last = stream->mapped ? newest(stream) : 1, room = 0, due = 2;
  for (uint32_t number = 2; number <= last; number++) {
    if (!volume_open(stream, number, &room)) continue;
    missing_say(stream, due, number - 1);
    due = number + 1;
  }
  missing_say(stream, due, last);
}

void ms_volumes_close(struct ms_stream *stream) {
  for (uint32_t i = 0; i < stream->volume_count; i++)
    munmap((void *)(uintptr_t)stream->volumes[i].bytes, stream->volumes[i].size);
  stream->volume_count = 0;
}

uint64_t ms_stream_bytes(const struct ms_stream *stream) {
  const struct ms_volume_view *last = stream->volume_count ? &stream->volumes[stream->volume_count - 1] : NULL;
  return last ? last->before + last->size : stream->size;
}

uint64_t ms_stream_dense(const struct ms_stream *stream, uint64_t offset) {
  uint32_t number = ms_volume_of(offset);
  for (uint32_t i = 0; number > 1 && i < stream->volume_count; i++)
    if (stream->volumes[i].number == number) return stream->volumes[i].before + offset % MS_VOLUME_STRIDE;
  return offset;
}
