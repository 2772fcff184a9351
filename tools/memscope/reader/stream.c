/* SPDX-License-Identifier: MIT
 *
 * The file: mapped, its header page believed or refused, its problems listed. A
 * packed one is unpacked into a file without a name first.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include "reader/index.h"

#include "base/arena.h"
#include "base/error.h"
#include "memscope/mode.h"
#include "pack/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { LIVE_TRIES = 20, PROBLEM_TEXT = 256, PROBLEM_BYTES = PROBLEM_TEXT + 32 };

/* Without the arena: the merge, which may run on a thread of its own, finds problems too. */
void ms_stream_problem(struct ms_stream *stream, uint64_t offset, const char *format, ...) {
  if (stream->problem_count == MS_PROBLEMS_MAX) {
    stream->problems_more++;
    return;
  }
  uint32_t volume = stream->header.volume_tail ? ms_volume_of(offset) : 1;
  char *text = stream->problem_texts + (size_t)stream->problem_count * PROBLEM_BYTES;
  int before = volume == 1 ? 0 : snprintf(text, PROBLEM_BYTES - PROBLEM_TEXT, "of volume %" PRIu32 ": ", volume);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + before, PROBLEM_TEXT, format, arguments);
  va_end(arguments);
  stream->problems[stream->problem_count++] =
      (struct ms_problem){.offset = volume == 1 ? offset : offset % MS_VOLUME_STRIDE, .text = text};
}

void ms_stream_report(const struct ms_stream *stream, struct ms_error *error) {
  if (!stream->problem_count || error->code) return;
  const struct ms_problem *first = &stream->problems[0];
  uint64_t more = stream->problem_count - 1 + stream->problems_more;
  error->offset = first->offset;
  ms_error_set(error, MS_ERROR_DATA,
               "%s: at offset %" PRIu64
               ": %s%s; everything else was read: record or copy it again for the rest",
               stream->path, first->offset, first->text, more ? " (and more problems behind)" : "");
}

static bool refuse(struct ms_error *error, const char *path, const char *why) {
  ms_error_set(error, MS_ERROR_DATA, "%s: %s", path, why);
  return false;
}

int ms_volume_refuse(const char *path, struct ms_error *error) {
  const char *end = strstr(path, ".vol");
  return ms_error_set(error, MS_ERROR_USAGE, "%s: is a further file of a rotated stream; give the first one%s%.*s", path, end ? ", " : "",
                      end ? (int)(end - path) : 0, path);
}

static bool sampling_known(const struct ms_file_header *header) {
  uint64_t period = header->sampling_period;
  if (header->mode != MS_MODE_SAMPLE) return false;
  if (header->sampling == MS_SAMPLING_RATE || header->sampling == MS_SAMPLING_LARGE) return period >= MS_SAMPLING_ONE && period / MS_SAMPLING_ONE <= MS_RATE_ONE;
  return header->sampling == MS_SAMPLING_BYTES && period && period <= MS_PERIOD_BYTES_MAX;
}

static bool header_check(const struct ms_stream *stream, struct ms_error *error) {
  const struct ms_file_header *header = &stream->header;
  uint64_t known = stream->size < sizeof header->magic ? stream->size : sizeof header->magic;
  if (!stream->size)
    return refuse(error, stream->path, "is empty: the recorded program never got to write; record it again");
  if (ms_volume_number(stream->bytes, stream->size)) return ms_volume_refuse(stream->path, error) == 0;
  if (stream->lost_parts && stream->bytes[0] == 0)
    return refuse(error, stream->path, "its first packed segment is damaged, which has its header: nothing can be read; copy or pack it again");
  static const char nothing[sizeof header->magic];
  if (memcmp(stream->bytes, nothing, known) == 0)
    return refuse(error, stream->path, "has nothing in it yet: the recorded program is about to write, or was killed before; try again, or record it again");
  if (memcmp(stream->bytes, MS_STREAM_MAGIC, known) != 0)
    return refuse(error, stream->path,
                  "is not a MemScope stream; give a file that `memscope run` wrote (*.memscope)");
  if (stream->size < MS_HEADER_BYTES)
    return refuse(error, stream->path,
                  "ends inside its header, nothing can be read; copy or record it again");
  if (header->byte_order != MS_BYTE_ORDER)
    return refuse(error, stream->path,
                  "its header is damaged or of another byte order; copy or record it again");
  if (header->version > MS_STREAM_VERSION_COUNTERS) {
    ms_error_set(error, MS_ERROR_DATA,
                 "%s: is of stream version %" PRIu32 ", this memscope reads up to %d: use a newer memscope",
                 stream->path, header->version, MS_STREAM_VERSION_COUNTERS);
    return false;
  }
  if (header->version && header->version < MS_STREAM_VERSION)
    return refuse(error, stream->path, "is of an older stream version than this memscope reads; record it again");
  if ((header->version == MS_STREAM_VERSION_SAMPLED || header->mode == MS_MODE_SAMPLE) && !sampling_known(header))
    return refuse(error, stream->path, "does not say how it was sampled: its header is damaged; copy or record it again");
  if ((header->version == MS_STREAM_VERSION_COUNTERS) != (header->mode == MS_MODE_COUNTERS))
    return refuse(error, stream->path, "does not say whether it is of counters: its header is damaged; copy or record it again");
  if (!header->version || header->header_bytes != MS_HEADER_BYTES || header->record_align != MS_RECORD_ALIGN)
    return refuse(error, stream->path, "its header is damaged; copy or record it again");
  return true;
}

static void header_take(struct ms_stream *stream) {
  uint64_t bytes = stream->size < sizeof stream->header ? stream->size : sizeof stream->header;
  memcpy(&stream->header, stream->bytes, bytes);
  stream->header.host[sizeof stream->header.host - 1] = 0;
  stream->header.parent[sizeof stream->header.parent - 1] = 0;
}

static struct ms_stream *stream_new(struct ms_arena *arena, const char *path) {
  struct ms_stream *stream = ms_arena_get(arena, sizeof *stream);
  stream->arena = arena;
  stream->path = ms_arena_print(arena, "%s", path);
  stream->problems = ms_arena_array(arena, MS_PROBLEMS_MAX, sizeof *stream->problems);
  stream->problem_texts = ms_arena_array(arena, MS_PROBLEMS_MAX, PROBLEM_BYTES);
  stream->program = stream->directory = "";
  return stream;
}

/* Now, on the writer's clock, less what its rows may lag behind it. */
static uint64_t since_start(const struct ms_stream *stream) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, lag = 2 * (uint64_t)stream->header.clock_step_ns;
  return ns > stream->header.start_mono_ns + lag ? ns - stream->header.start_mono_ns - lag : 0;
}

static struct ms_stream *stream_index(struct ms_stream *stream, struct ms_error *error) {
  header_take(stream);
  if (!header_check(stream, error)) {
    ms_stream_close(stream);
    return NULL;
  }
  stream->live &= stream->header.end_how == MS_END_NONE;
  if (stream->live) stream->live_ns = since_start(stream);
  ms_index_build(stream);
  stream->stacks = ms_stacks_new(stream);
  return stream;
}

static struct ms_stream *path_refuse(struct ms_error *error, const char *path, const char *why) {
  ms_error_set(error, MS_ERROR_USAGE, "%s: %s", path, why);
  return NULL;
}

/* A new file that is gone when it is closed. */
static int nameless_file(struct ms_arena *arena, const char **folder) {
  const char *wanted = getenv("TMPDIR");
  *folder = wanted && *wanted ? wanted : "/var/tmp";
  int fd = open(*folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  char *name = ms_arena_print(arena, "%s/memscope-XXXXXX", *folder); /* a file system without such files */
  fd = mkostemp(name, O_CLOEXEC);
  if (fd >= 0) unlink(name);
  return fd;
}

/* Each lost part; what is said of it stands before the figures, too. */
void ms_losses_take(struct ms_stream *stream, uint32_t number, const struct ms_pack_losses *losses, uint64_t end) {
  uint64_t start = ms_volume_start(number);
  for (uint32_t i = 0; i < losses->count; i++) {
    const struct ms_pack_lost *part = &losses->parts[i];
    char events[32] = "its";
    if (part->events != MS_PACK_UNKNOWN) snprintf(events, sizeof events, "%" PRIu64, part->events);
    if (!stream->lost_parts++) stream->lost_parts_offset = start + part->offset;
    if (part->events != MS_PACK_UNKNOWN) stream->lost_parts_events += part->events;
    else stream->lost_parts_unknown = true;
    ms_stream_problem(stream, start + part->offset,
                      "a packed segment is damaged: %" PRIu64 " bytes of the stream from %" PRIu64 " on, with %s events, are missing",
                      part->stream_bytes, part->stream_offset, events);
  }
  if (!losses->cut) return;
  stream->cut = true;
  ms_stream_problem(stream, start + end, "the packed file is damaged or cut, all behind it is missing");
}

/* What a damaged file still has is read. */
bool ms_file_unpack(struct ms_stream *stream, const unsigned char **bytes, uint64_t *size, struct ms_pack_losses *losses,
                    struct ms_error *error) {
  struct ms_error why = {0};
  struct stat status;
  const char *folder;
  int fd = nameless_file(stream->arena, &folder);
  if (fd < 0)
    return ms_error_set(error, MS_ERROR_USAGE, "%s: no room to unpack it in %s: %s; set TMPDIR to another folder", stream->path,
                        folder, strerror(errno)),
           false;
  void *unpacked = MAP_FAILED;
  int code = ms_unpack(stream->arena, *bytes, *size, stream->path, fd, NULL, losses, &why);
  if ((!code || code == MS_ERROR_DATA) && fstat(fd, &status) == 0 && status.st_size)
    unpacked = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (unpacked == MAP_FAILED) {
    *error = code ? why : *error;
    ms_error_set(error, MS_ERROR_USAGE, "%s: cannot be mapped: the machine has too little memory or address space", stream->path);
    return false;
  }
  munmap((void *)(uintptr_t)*bytes, *size);
  *bytes = unpacked;
  *size = (uint64_t)status.st_size;
  return true;
}

static bool process_has(uint32_t pid, uint64_t device, uint64_t inode) {
  char path[64];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%" PRIu32 "/fd", pid);
  DIR *folder = opendir(path);
  if (!folder) return errno == EACCES || errno == EPERM;
  bool has = false;
  for (struct dirent *entry; !has && (entry = readdir(folder));)
    has = fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && status.st_dev == device && status.st_ino == inode;
  closedir(folder);
  return has;
}

bool ms_stream_has_writer(const struct ms_stream *stream) {
  struct ms_file_header header;
  struct utsname here;
  if (!stream->bytes || stream->size < sizeof header) return false;
  memcpy(&header, stream->bytes, sizeof header);
  header.host[sizeof header.host - 1] = 0;
  if (memcmp(header.magic, MS_STREAM_MAGIC, sizeof header.magic) != 0 || header.end_how != MS_END_NONE) return false;
  return uname(&here) == 0 && strncmp(here.nodename, header.host, sizeof header.host - 1) == 0 &&
         process_has(header.pid, stream->device, stream->inode);
}

/* live: also when nobody can be seen to write. */
static struct ms_stream *stream_open(struct ms_arena *arena, const char *path, bool live, struct ms_error *error) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    int why = errno;
    if (fd >= 0) close(fd);
    ms_error_set(error, MS_ERROR_USAGE, "%s: cannot be read: %s; give the stream that `memscope run` wrote",
                 path, strerror(why));
    return NULL;
  }
  struct ms_stream *stream = stream_new(arena, path);
  stream->size = (uint64_t)status.st_size;
  stream->device = status.st_dev;
  stream->inode = status.st_ino;
  void *bytes = NULL;
  if (S_ISREG(status.st_mode) && stream->size)
    bytes = mmap(NULL, stream->size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (S_ISDIR(status.st_mode))
    return path_refuse(error, path, "is a directory; name one stream in it (*.memscope)");
  if (!S_ISREG(status.st_mode))
    return path_refuse(error, path, "is no regular file; save the stream to a file first");
  if (bytes == MAP_FAILED)
    return path_refuse(error, path, "cannot be mapped: the machine has too little memory or address space");
  stream->bytes = bytes;
  stream->mapped = bytes != NULL;
  bool packed = bytes && ms_is_packed(bytes, stream->size);
  struct ms_pack_losses losses = {0};
  if (packed && !ms_file_unpack(stream, &stream->bytes, &stream->size, &losses, error)) {
    ms_stream_close(stream);
    return NULL;
  }
  ms_losses_take(stream, 1, &losses, (uint64_t)status.st_size);
  stream->live = !packed && (live || ms_stream_has_writer(stream));
  return stream_index(stream, error);
}

void ms_stream_grow(struct ms_stream *stream) {
  struct stat status;
  int fd = open(stream->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return; /* the name is gone: what is mapped is all there is */
  if (fstat(fd, &status) == 0 && (uint64_t)status.st_size > stream->size) {
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
      munmap((void *)(uintptr_t)stream->bytes, stream->size);
      stream->bytes = bytes;
      stream->size = (uint64_t)status.st_size;
    }
  }
  close(fd);
}

/* The last record of one that is written to may be half there: that mends itself, and
 * what does not is real damage. */
static struct ms_stream *open_settled(struct ms_arena *arena, const char *path, bool live, struct ms_error *error) {
  struct ms_stream *stream = NULL;
  for (int i = 0; i < LIVE_TRIES; i++) {
    ms_stream_close(stream);
    stream = stream_open(arena, path, live, error);
    if (!stream || !stream->live || (!stream->problem_count && !stream->missing_chunks)) break;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return stream;
}

struct ms_stream *ms_stream_open(struct ms_arena *arena, const char *path, struct ms_error *error) {
  return open_settled(arena, path, false, error);
}

struct ms_stream *ms_stream_open_live(struct ms_arena *arena, const char *path, struct ms_error *error) {
  return open_settled(arena, path, true, error);
}

struct ms_stream *ms_stream_open_memory(struct ms_arena *arena, const void *bytes, uint64_t size,
                                        struct ms_error *error) {
  struct ms_stream *stream = stream_new(arena, "memory");
  stream->size = size;
  stream->bytes = bytes;
  if ((uintptr_t)bytes % sizeof(uint64_t)) {
    void *aligned = ms_arena_get(arena, size);
    stream->bytes = memcpy(aligned, bytes, size);
  }
  return stream_index(stream, error);
}

void ms_stream_close(struct ms_stream *stream) {
  if (stream) ms_volumes_close(stream);
  if (stream && stream->mapped) munmap((void *)stream->bytes, stream->size);
  if (stream) stream->mapped = false;
}
