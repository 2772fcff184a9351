/* SPDX-License-Identifier: MIT
 *
 * The stream's file: creating it, making records whole, and stopping when they
 * can no longer be put anywhere (room.c). The host comes first: whatever fails
 * here costs rows, counted in the header, and nothing else.
 */
#include "runtime.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- the name ---- */

static const char *base_name(const char *path) {
  const char *base = path;
  for (; *path; path++)
    if (*path == '/') base = path + 1;
  return base;
}

static size_t field_print(char *to, size_t room, char what, const struct ms_process *process, const char *exe) {
  char host[128];
  switch (what) {
  case 'p': return ms_print(to, room, "%u", process->pid);
  case 'e': return ms_print(to, room, "%s", *exe ? base_name(exe) : "program");
  case 'h': ms_os_host(host, sizeof host); return ms_print(to, room, "%s", host);
  case 't': return ms_print(to, room, "%u", (uint32_t)(ms_os_unix_now() / 1000000000u));
  case '%': return ms_print(to, room, "%s", "%");
  default: to[0] = 0; return 0;
  }
}

/* The pattern with its fields filled in, absolute: the host may change its directory. */
static void path_make(struct ms_process *process) {
  char exe[4096], *to = process->path, *end = process->path + sizeof process->path - 8;
  ms_os_readlink("/proc/self/exe", exe, sizeof exe);
  const char *pattern = ms_options.output;
  if (*pattern != '/' && ms_os_cwd(to, (size_t)(end - to)) > 0) {
    to += strlen(to);
    if (to[-1] != '/') *to++ = '/';
  }
  for (; *pattern && to < end - 1; pattern++) {
    if (*pattern == '%' && pattern[1]) to += field_print(to, (size_t)(end - to), *++pattern, process, exe);
    else *to++ = *pattern;
  }
  *to = 0;
}

/* Never one that exists: another process may have it mapped. */
static int path_create(struct ms_process *process) {
  char *number = process->path + strlen(process->path);
  int fd = ms_os_create(process->path);
  for (uint32_t n = 2; fd == -17 /* EEXIST */ && n < 10000; n++) {
    ms_print(number, 8, ".%u", n);
    fd = ms_os_create(process->path);
  }
  return fd;
}

/* ---- stopping ---- */

void ms_lost(enum ms_lost_reason reason, uint64_t events) {
  struct ms_process *process = ms_process;
  if (!process || !process->header) return;
  uint32_t none = MS_LOST_NONE;
  __atomic_fetch_add(&process->header->lost_events, events, __ATOMIC_RELAXED);
  if (reason) __atomic_compare_exchange_n(&process->header->lost_reason, &none, reason, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static const char *reason_text(enum ms_lost_reason reason) {
  switch (reason) {
  case MS_LOST_SPACE: return "no room is left for it";
  case MS_LOST_FILE_GONE: return "its file was closed or replaced";
  case MS_LOST_MEMORY: return "there is no memory for it";
  case MS_LOST_SECCOMP: return "the program gave up system calls, and no room is mapped";
  default: return "its file cannot be written";
  }
}

void ms_stream_stop(enum ms_lost_reason reason) {
  struct ms_process *process = ms_process;
  uint32_t recording = MS_STATE_RECORDING;
  if (!__atomic_compare_exchange_n(&process->state, &recording, MS_STATE_STOPPED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  ms_lost(reason, 0);
  ms_say("recording to %s ends here: %s; the program runs on", process->path, reason_text(reason));
}

/* ---- records ---- */

/* All else that comes before it is filled in. */
void ms_record_check(struct ms_record *record) {
  record->magic = MS_RECORD_MAGIC;
  record->check = XXH3_64bits_withSeed(record, offsetof(struct ms_record, fill), MS_RECORD_MAGIC);
  if (record->kind == MS_RECORD_CHUNK) record->place = XXH3_64bits_withSeed(&record->fill, 2 * sizeof record->fill, record->check);
}

/* Room at the tail may never be written to, by a thread that the process's end overtakes.
 * A file that holds this much is not a part of itself all the same. */
void ms_record_stands(uint64_t bytes) { __atomic_fetch_add(&ms_process->header->written, bytes, __ATOMIC_RELEASE); }

/* Fills in what a record says of its payload, which lies behind it. */
void ms_record_seal(struct ms_record *record, size_t payload_bytes) {
  record->bytes = (sizeof *record + payload_bytes + MS_RECORD_ALIGN - 1) & ~(uint64_t)(MS_RECORD_ALIGN - 1);
  record->checksum = ms_checksum(record + 1, payload_bytes);
  record->fill = ms_fill(0, (uint32_t)payload_bytes);
  ms_record_check(record);
}

/* Writes a record whose payload lies behind its header; 0 = not written. */
uint64_t ms_stream_record(struct ms_record *record, size_t payload_bytes) {
  static const char zeros[MS_RECORD_ALIGN];
  size_t used = sizeof *record + payload_bytes;
  ms_record_seal(record, payload_bytes);
  struct ms_os_piece pieces[] = {{record, used}, {zeros, record->bytes - used}};
  return ms_room_put(pieces, 2, record->bytes);
}

/* ---- opening ---- */

static void header_fill(struct ms_process *process) {
  struct ms_file_header *header = process->header;
  header->byte_order = MS_BYTE_ORDER;
  int sampled = process->mode == MS_MODE_SAMPLE;
  int counters = process->mode == MS_MODE_COUNTERS;
  header->version = counters ? MS_STREAM_VERSION_COUNTERS : sampled ? MS_STREAM_VERSION_SAMPLED : MS_STREAM_VERSION;
  header->header_bytes = MS_HEADER_BYTES;
  header->record_align = MS_RECORD_ALIGN;
  header->mode = process->mode;
  header->sampling = sampled ? ms_options.mode.sampling : MS_SAMPLING_NONE;
  header->sampling_period = sampled ? ms_options.mode.period : 0;
  header->pid = process->pid;
  header->parent_pid = ms_os_parent_pid();
  header->clock_step_ns = (uint32_t)ms_os_coarse_step();
  header->start_unix_ns = ms_os_unix_now();
  header->start_mono_ns = ms_os_now();
  header->tail = MS_HEADER_BYTES;
  header->heard = ms_heard;
  header->parent_position = ms_parent.position;
  ms_os_host(header->host, sizeof header->host);
  memcpy(header->parent, ms_parent.path, sizeof header->parent);
  header->parent[sizeof header->parent - 1] = 0;
  memcpy(header->magic, MS_STREAM_MAGIC, sizeof header->magic); /* last: now it is a stream */
}

static long header_map(struct ms_process *process) {
  struct ms_os_block block;
  if (MS_HEADER_BYTES > ms_os_file_limit()) return -27;
  ms_os_xfsz_hold(&block);
  int rc = ms_os_allocate(process->fd, 0, MS_HEADER_BYTES);
  ms_os_xfsz_release(&block);
  if (rc < 0) return rc;
  if ((rc = ms_os_identify(process->fd, &process->file)) < 0) return rc;
  process->header = ms_os_map(process->fd, 0, MS_HEADER_BYTES);
  return process->header ? 0 : -12 /* ENOMEM */;
}

const char *ms_stream_reason(long error) {
  return error == -2    ? "no such directory"
         : error == -13 ? "permission denied"
         : error == -17 ? "it exists already"
         : error == -30 ? "read-only file system"
         : error == -28 ? "no space left on device"
         : error == -27 ? "over the file-size limit"
         : error == -7  ? "a stream has no more files than that"
         : error == -24 ? "too many open files"
         : error == -36 ? "name too long"
                        : "it cannot be created";
}

static void complain(const struct ms_process *process, long error) {
  ms_say("cannot write %s: %s; the program runs unrecorded (set MEMSCOPE_OUTPUT or use run -o)", process->path,
         ms_stream_reason(error));
}

int ms_stream_open(struct ms_process *process) {
  path_make(process);
  int fd = path_create(process);
  if (fd < 0) return complain(process, fd), 0;
  process->fd = ms_os_dup_high(fd);
  long rc = header_map(process);
  if (rc == 0) header_fill(process);
  if (rc == 0) ms_room_open();
  if (rc == 0 && !ms_names_begin()) rc = -28 /* ENOSPC */;
  if (rc < 0) {
    ms_os_close(process->fd);
    ms_os_unlink(process->path);
    return complain(process, rc), 0;
  }
  ms_volumes_open(process);
  ms_room_open();
  return 1;
}
