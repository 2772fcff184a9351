/* SPDX-License-Identifier: MIT
 *
 * memscope ctl: asks a running process through the header page of its stream,
 * which both have mapped. It obeys at its next event; nothing interrupts it.
 */
#define _GNU_SOURCE
#include "cmd/cmd.h"

#include "base/text.h"
#include "memscope/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 2000, PATH_ROOM = PATH_MAX + 64 };
#define DELETED " (deleted)" /* behind a name that is gone, in /proc */

static const struct verb {
  const char *name;
  enum ms_command command; /* NONE: status */
  bool named;
  const char *done;
} verbs[] = {
    {"pause", MS_COMMAND_PAUSE, false, "recording is paused"},
    {"resume", MS_COMMAND_RESUME, false, "recording goes on"},
    {"stop", MS_COMMAND_STOP, false, "recording has ended"},
    {"mark", MS_COMMAND_MARK, true, "marked"},
    {"snapshot", MS_COMMAND_SNAPSHOT, true, "kept"},
    {"status", MS_COMMAND_NONE, false, NULL},
};

struct ctl {
  pid_t pid;
  const struct verb *verb;
  const char *name;
  char path[PATH_ROOM]; /* of the stream, as we reach it */
  struct ms_file_header *header;
  int fd;
};

static const struct verb *verb_find(const char *name) {
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
    if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
  return NULL;
}

static int arguments_read(struct ms_cmd_context *context, struct ctl *ctl, int argc, char **argv) {
  char *end = NULL;
  long pid = argc > 1 ? strtol(argv[1], &end, 10) : 0;
  if (argc < 2) return ms_cmd_usage(context, "no process given");
  if (pid <= 0 || pid > INT_MAX || *end) return ms_cmd_usage(context, "%s is no process id", argv[1]);
  if (argc < 3) return ms_cmd_usage(context, "what shall process %ld do?", pid);
  const struct verb *verb = verb_find(argv[2]);
  if (!verb) return ms_cmd_usage(context, "no command '%s'", argv[2]);
  if (verb->named && (argc < 4 || !*argv[3])) return ms_cmd_usage(context, "%s needs a name", verb->name);
  if (argc > 3 + verb->named)
    return ms_cmd_usage(context, "too many words: %s%s", argv[3 + verb->named], verb->named ? "; a name of several words stands in quotes" : "");
  if (verb->named && strlen(argv[3]) >= MS_COMMAND_TEXT)
    return ms_cmd_usage(context, "a name has at most %d bytes", MS_COMMAND_TEXT - 1);
  *ctl = (struct ctl){.pid = (pid_t)pid, .verb = verb, .name = verb->named ? argv[3] : "", .fd = -1};
  return 0;
}

/* ---- its stream ---- */

/* The header page if that file is a stream, which the process has mapped for writing. */
static struct ms_file_header *header_map(struct ctl *ctl, const char *path) {
  ctl->fd = open(path, O_RDWR | O_CLOEXEC);
  if (ctl->fd < 0) return NULL;
  struct ms_file_header *header = mmap(NULL, MS_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ctl->fd, 0);
  bool fits = header != MAP_FAILED && lseek(ctl->fd, 0, SEEK_END) >= MS_HEADER_BYTES &&
              memcmp(header->magic, MS_STREAM_MAGIC, sizeof header->magic) == 0 && header->version >= MS_STREAM_VERSION &&
              header->version <= MS_STREAM_VERSION_COUNTERS;
  if (fits) return header;
  if (header != MAP_FAILED) munmap(header, MS_HEADER_BYTES);
  close(ctl->fd);
  ctl->fd = -1;
  return NULL;
}

/* One line of /proc/PID/maps: a shared, writable mapping of a file's first page? */
static bool map_line(const char *line, char *path) {
  char mode[8];
  uint64_t offset;
  int at = 0;
  if (sscanf(line, "%*[0-9a-f-] %7s %" SCNx64 " %*s %*s %n", mode, &offset, &at) < 2 || !at) return false;
  if (mode[1] != 'w' || mode[3] != 's' || offset || line[at] != '/') return false;
  snprintf(path, PATH_MAX, "%.*s", (int)strcspn(line + at, "\n"), line + at);
  return true;
}

/* Leaves errno of the first stream that could not be opened. */
static bool stream_find(struct ctl *ctl, FILE *maps) {
  char *line = NULL, path[PATH_MAX];
  size_t room = 0;
  int why = 0;
  while (!ctl->header && getline(&line, &room, maps) > 0) {
    if (!map_line(line, path)) continue;
    snprintf(ctl->path, sizeof ctl->path, "/proc/%d/root%s", (int)ctl->pid, path);
    ctl->header = header_map(ctl, ctl->path);
    if (!ctl->header && !why) why = errno;
    if (ctl->header) memmove(ctl->path, path, strlen(path) + 1);
  }
  free(line);
  errno = why;
  return ctl->header != NULL;
}

/* A stream whose name is gone: its process has it open. Leaves its path there. */
static bool stream_find_deleted(struct ctl *ctl, char *was) {
  char folder[64], to[PATH_MAX];
  snprintf(folder, sizeof folder, "/proc/%d/fd", (int)ctl->pid);
  DIR *open_files = opendir(folder);
  for (struct dirent *entry; !ctl->header && open_files && (entry = readdir(open_files));) {
    ssize_t length = readlinkat(dirfd(open_files), entry->d_name, to, sizeof to - 1), ending = sizeof DELETED - 1;
    if (length <= ending || memcmp(to + length - ending, DELETED, sizeof DELETED - 1) != 0) continue;
    snprintf(was, PATH_MAX, "%.*s", (int)(length - ending), to);
    snprintf(ctl->path, sizeof ctl->path, "%s/%s", folder, entry->d_name);
    ctl->header = header_map(ctl, ctl->path);
  }
  if (open_files) closedir(open_files);
  return ctl->header != NULL;
}

static int deleted(struct ctl *ctl, const char *was, struct ms_error *error) {
  munmap(ctl->header, MS_HEADER_BYTES);
  close(ctl->fd);
  return ms_error_set(error, MS_ERROR_USAGE, "the stream of process %d was deleted (%s); while it runs, save what it has: cp %s saved.memscope",
                      (int)ctl->pid, was, ctl->path);
}

/* Root may be kept out too: in a container, say. */
static int closed(const struct ctl *ctl, struct ms_error *error) {
  if (geteuid() == 0)
    return ms_error_set(error, MS_ERROR_USAGE, "process %d lets not even root look into it: CAP_SYS_PTRACE is missing here; run memscope ctl where root has it",
                        (int)ctl->pid);
  return ms_error_set(error, MS_ERROR_USAGE, "process %d %s; run memscope ctl as its user, or as root", (int)ctl->pid,
                      kill(ctl->pid, 0) ? "belongs to another user" : "is not yours to look into");
}

static int stream_open(struct ctl *ctl, struct ms_error *error) {
  char was[PATH_MAX];
  char maps[64];
  snprintf(maps, sizeof maps, "/proc/%d/maps", (int)ctl->pid);
  FILE *file = fopen(maps, "re");
  bool found = file && stream_find(ctl, file);
  int why = errno;
  if (file) fclose(file);
  if (found) return 0;
  if (stream_find_deleted(ctl, was)) return deleted(ctl, was, error);
  if (!file && kill(ctl->pid, 0) && errno == ESRCH)
    return ms_error_set(error, MS_ERROR_USAGE, "there is no process %d", (int)ctl->pid);
  if (!file || why == EACCES || why == EPERM) return closed(ctl, error);
  return ms_error_set(error, MS_ERROR_USAGE, "process %d is not being recorded; start it with `memscope run`", (int)ctl->pid);
}

/* ---- asking ---- */

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

/* Whether it was obeyed in time. One asks at a time: the file is locked. */
static bool ask(struct ctl *ctl) {
  struct ms_file_header *header = ctl->header;
  flock(ctl->fd, LOCK_EX);
  uint32_t serial = __atomic_load_n(&header->command_asked, __ATOMIC_ACQUIRE) + 1;
  snprintf(header->command_text, sizeof header->command_text, "%s", ctl->name);
  header->command = ctl->verb->command;
  __atomic_store_n(&header->command_asked, serial, __ATOMIC_RELEASE);
  bool done = false;
  for (int i = 0; i < WAIT_MS && !done; i++) {
    done = __atomic_load_n(&header->command_done, __ATOMIC_ACQUIRE) == serial;
    if (!done) nap();
  }
  flock(ctl->fd, LOCK_UN);
  return done;
}

static int ended(const struct ctl *ctl, struct ms_error *error) {
  return ms_error_set(error, MS_ERROR_USAGE, "the recording of process %d has ended; its stream is %s", (int)ctl->pid, ctl->path);
}

static int command_run(struct ctl *ctl, struct ms_error *error) {
  if (ctl->header->end_how) return ended(ctl, error);
  bool done = ask(ctl);
  if (done && ctl->header->command == MS_COMMAND_NONE)
    return ms_error_set(error, MS_ERROR_USAGE, "process %d could not %s: its stream %s cannot be written to any more", (int)ctl->pid,
                        ctl->verb->name, ctl->path);
  if (done) {
    printf("%d: %s%s%s\n", (int)ctl->pid, ctl->verb->done, *ctl->name ? " " : "", ctl->name);
    return 0;
  }
  if (ctl->header->end_how || kill(ctl->pid, 0)) return ended(ctl, error);
  printf("%d: nothing was recorded for %d s; it will %s at its next event\n", (int)ctl->pid, WAIT_MS / 1000, ctl->verb->name);
  return 0;
}

/* Of a rotated stream all files that are still there, under the process's own names. */
static void written_print(const struct ctl *ctl) {
  char path[2 * PATH_ROOM], text[32];
  uint64_t bytes = __atomic_load_n(&ctl->header->tail, __ATOMIC_RELAXED);
  uint32_t last = ms_volumes(__atomic_load_n(&ctl->header->volume_tail, __ATOMIC_RELAXED)), gone = 0;
  for (uint32_t number = 2; number <= last; number++) {
    struct stat file;
    snprintf(path, sizeof path, "/proc/%d/root%s.vol%" PRIu32, (int)ctl->pid, ctl->path, number);
    if (stat(path, &file) == 0) bytes += (uint64_t)file.st_size;
    else gone++;
  }
  printf("written    %s", ms_format_bytes(text, bytes));
  if (last > 1) printf(" in %" PRIu32 " files", last - gone);
  if (gone) printf("; %" PRIu32 " more %s not there any more", gone, gone == 1 ? "is" : "are");
  putchar('\n');
}

static int status_print(const struct ctl *ctl) {
  static const char *const states[] = {"unknown", "on", "paused", "stopped"};
  const struct ms_file_header *header = ctl->header;
  struct timespec now;
  char text[32];
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
  uint32_t state = header->end_how ? MS_RECORDING_STOPPED : header->recording;
  printf("recording  %s\n", states[state < 4 ? state : 0]);
  printf("stream     %s\n", ctl->path);
  written_print(ctl);
  if (now_ns > header->start_unix_ns) printf("since      %s\n", ms_format_ns(text, now_ns - header->start_unix_ns));
  printf("threads    %" PRIu32 " so far\n", header->threads);
  printf("pauses     %" PRIu32 "\n", header->pauses);
  printf("lost       %" PRIu64 " events\n", header->lost_events);
  return 0;
}

int ms_cmd_ctl(struct ms_cmd_context *context, int argc, char **argv) {
  struct ctl ctl;
  if (arguments_read(context, &ctl, argc, argv) || stream_open(&ctl, &context->error)) return (int)context->error.code;
  int code = ctl.verb->command ? command_run(&ctl, &context->error) : status_print(&ctl);
  munmap(ctl.header, MS_HEADER_BYTES);
  close(ctl.fd);
  return code;
}
