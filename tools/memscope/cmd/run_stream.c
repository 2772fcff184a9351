/* SPDX-License-Identifier: MIT
 *
 * Where the streams of a run will lie, and which files are its streams
 * afterwards: their headers tell, not their names, for the program may fork,
 * exec and find names taken.
 */
#define _GNU_SOURCE /* mkostemp */
#include "cmd/pack.h"
#include "cmd/run.h"
#include "memscope/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pattern's file has no name yet: then it is the folder that cannot be written to. */
static int output_error(const struct ms_run *run, int reason, struct ms_error *error) {
  bool named = !strchr(run->pattern, '%') || !*run->folder;
  return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s%s: %s; name another place with -o", named ? "" : "into ",
                      named ? run->pattern : run->folder, strerror(reason));
}

/* Relative to here: the program may change its folder before it forks. */
static int pattern_make(struct ms_run *run, struct ms_error *error) {
  char here[PATH_MAX] = "";
  if (run->output[0] != '/' && !getcwd(here, sizeof here))
    return ms_error_set(error, MS_ERROR_USAGE, "no current folder: %s; name the output's whole path with -o",
                        strerror(errno));
  int length = snprintf(run->pattern, PATH_MAX, "%s%s%s", here, *here ? "/" : "", run->output);
  if (length >= PATH_MAX) return output_error(run, ENAMETOOLONG, error);
  return 0;
}

/* Is there room for a stream's first page? As posix_fallocate. */
static int file_room(int file) {
  void (*before)(int) = signal(SIGXFSZ, SIG_IGN); /* over a limit it would end us */
  int reason = posix_fallocate(file, 0, MS_HEADER_BYTES);
  signal(SIGXFSZ, before);
  return reason;
}

int ms_run_output_check(struct ms_run *run, struct ms_error *error) {
  char probe[PATH_MAX];
  struct stat st;
  if (pattern_make(run, error)) return (int)error->code;
  size_t folder_bytes = (size_t)(strrchr(run->pattern, '/') - run->pattern);
  snprintf(run->folder, PATH_MAX, "%.*s", folder_bytes ? (int)folder_bytes : 1, run->pattern);
  if (memchr(run->pattern, '%', folder_bytes))
    return ms_error_set(error, MS_ERROR_USAGE,
                        "%% in a folder's name is not known beforehand: '%s'; use it in the file's name",
                        run->output);
  if (stat(run->pattern, &st) == 0 && !S_ISREG(st.st_mode))
    return ms_error_set(error, MS_ERROR_USAGE, "cannot write %s: %s; name another place with -o", run->pattern,
                        S_ISDIR(st.st_mode) ? strerror(EISDIR) : "no regular file");
  if (stat(run->folder, &st)) return output_error(run, errno, error);
  if (snprintf(probe, PATH_MAX, "%s/.memscope-XXXXXX", run->folder) >= PATH_MAX)
    return output_error(run, ENAMETOOLONG, error);
  int file = mkostemp(probe, O_CLOEXEC); /* access() says yes to root, and on a full disk */
  int reason = file < 0 ? errno : file_room(file);
  run->no_space = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
  if (file < 0) return run->no_space ? 0 : output_error(run, reason, error);
  close(file);
  unlink(probe);
  return 0;
}

static bool stream_read(struct ms_run_stream *stream, int folder, const char *name, uint64_t start_unix_ns) {
  struct ms_file_header header;
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  bool whole = pread(file, &header, sizeof header, 0) == sizeof header;
  close(file);
  if (!whole || memcmp(header.magic, MS_STREAM_MAGIC, sizeof header.magic) != 0 ||
      header.start_unix_ns < start_unix_ns)
    return false;
  stream->pid = header.pid;
  stream->parent_pid = header.parent_pid;
  stream->start_unix_ns = header.start_unix_ns;
  stream->lost_reason = header.lost_reason;
  stream->lost_events = header.lost_events;
  stream->ended = header.end_how != MS_END_NONE;
  stream->paused = header.recording == MS_RECORDING_PAUSED && header.pauses == 1;
  return true;
}

static size_t folder_read(const char *path, uint64_t start_unix_ns, struct ms_run_stream **streams) {
  size_t count = 0;
  DIR *folder = opendir(path);
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    struct stat st;
    if (fstatat(dirfd(folder), entry->d_name, &st, 0) || !S_ISREG(st.st_mode) ||
        st.st_size < MS_HEADER_BYTES || (uint64_t)st.st_mtim.tv_sec + 1 < start_unix_ns / 1000000000)
      continue;
    struct ms_run_stream stream, *grown;
    if (!stream_read(&stream, dirfd(folder), entry->d_name, start_unix_ns)) continue;
    snprintf(stream.path, PATH_MAX, "%s/%s", path, entry->d_name);
    grown = realloc(*streams, (count + 1) * sizeof stream);
    if (!grown) break;
    *streams = grown;
    grown[count++] = stream;
  }
  if (folder) closedir(folder);
  return count;
}

/* A run beside ours may write into the same folder: ours descend from pid. */
static size_t descendants_keep(struct ms_run_stream *streams, size_t count, pid_t pid) {
  size_t kept = 0;
  for (bool more = true; more;) {
    more = false;
    for (size_t i = kept; i < count; i++) {
      bool ours = streams[i].pid == (uint32_t)pid || streams[i].parent_pid == (uint32_t)pid;
      for (size_t k = 0; k < kept && !ours; k++)
        ours = streams[i].parent_pid == streams[k].pid || streams[i].pid == streams[k].pid;
      if (!ours) continue;
      struct ms_run_stream swap = streams[kept];
      streams[kept++] = streams[i];
      streams[i] = swap;
      more = true;
    }
  }
  return kept;
}

static uint32_t first_pid; /* qsort has no argument */

static int stream_order(const void *a, const void *b) {
  const struct ms_run_stream *x = a, *y = b;
  int first = (y->pid == first_pid) - (x->pid == first_pid);
  return first ? first : (x->start_unix_ns > y->start_unix_ns) - (x->start_unix_ns < y->start_unix_ns);
}

size_t ms_run_streams(const struct ms_run *run, pid_t pid, uint64_t start_unix_ns,
                      struct ms_run_stream **streams) {
  *streams = NULL;
  size_t count = folder_read(run->folder, start_unix_ns, streams);
  count = descendants_keep(*streams, count, pid);
  first_pid = (uint32_t)pid;
  if (count) qsort(*streams, count, sizeof **streams, stream_order);
  return count;
}

/* What the header says of the end; false: that is true already. */
static bool header_end(struct ms_file_header *header, const struct ms_run_end *end, uint64_t now_unix_ns) {
  bool other_code = header->end_how == MS_END_EXIT && !end->signal && (header->end_status & 255) != end->exit_code;
  if (header->end_how != MS_END_NONE && !other_code) return false;
  header->end_status = end->signal ? end->signal : end->exit_code;
  if (other_code) return true;
  header->end_how = end->signal ? MS_END_SIGNAL : MS_END_QUICK;
  header->end_ns = now_unix_ns > header->start_unix_ns ? now_unix_ns - header->start_unix_ns : 0;
  return true;
}

void ms_run_stream_end(struct ms_run_stream *stream, const struct ms_run_end *end, uint64_t now_unix_ns) {
  struct ms_file_header header;
  int file = open(stream->path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  if (pread(file, &header, sizeof header, 0) == sizeof header && header_end(&header, end, now_unix_ns))
    stream->ended = pwrite(file, &header, sizeof header, 0) == sizeof header;
  close(file);
}

void ms_run_stream_pack(struct ms_run_stream *stream, bool quiet) {
  struct ms_error error = {0};
  struct ms_packing packing = {.input = stream->path, .quiet = quiet};
  if (!stream->ended) {
    fprintf(stderr, "memscope: %s is not packed: its process may still run\n", stream->path);
    return;
  }
  struct ms_arena *arena = ms_arena_new();
  if (ms_pack_replace(arena, &packing, &error))
    fprintf(stderr, "memscope: %s\n", error.text);
  else
    snprintf(stream->path, sizeof stream->path, "%s", packing.output);
  ms_arena_free(arena);
}
