/* SPDX-License-Identifier: MIT
 *
 * Volumes: the further files of a rotated stream, which hold its chunks (see
 * stream.h). The first file keeps what is small and always needed. Only threads
 * that seal a chunk come here.
 *
 * The next volume is made by whoever first needs it, before the tail moves there:
 * an offset is only given out in a file that exists. It is made with O_EXCL, so
 * one thread makes it and the others wait for the tail. Where it cannot be made
 * the newest one just goes on, without a limit: no event is lost for that.
 */
#include "runtime.h"

enum { TRIES = 1000 };

static void name_make(char *to, size_t room, uint32_t number) {
  size_t used = ms_print(to, room, "%s", ms_process->path);
  ms_print(to + used, room - used, ".vol%u", number);
}

/* ---- beginning one ---- */

/* What the slot held before is closed: its writers have had a whole volume's time,
 * and one that has not come to it yet opens the file again. */
static void slot_put(struct ms_process *process, uint32_t number, int fd) {
  struct ms_volume *slot = &process->volumes[number & 1];
  if (__atomic_exchange_n(&slot->number, 0, __ATOMIC_ACQ_REL)) ms_os_close(slot->fd);
  slot->fd = ms_os_dup_high(fd);
  ms_os_identify(slot->fd, &slot->file);
  __atomic_store_n(&slot->number, number, __ATOMIC_RELEASE);
}

static long page_write(struct ms_process *process, uint32_t number, int fd) {
  struct {
    struct ms_record record;
    struct ms_volume_record volume;
    char zeros[MS_RECORD_ALIGN - sizeof(struct ms_record) - sizeof(struct ms_volume_record)];
  } page = {.record.kind = MS_RECORD_VOLUME,
            .volume = {.start_unix_ns = process->header->start_unix_ns, .pid = process->pid, .number = number}};
  struct ms_os_block block;
  ms_record_seal(&page.record, sizeof page.volume);
  ms_os_xfsz_hold(&block);
  long rc = ms_os_pwrite(fd, &page, sizeof page, 0);
  ms_os_xfsz_release(&block);
  return rc;
}

/* 0, or -errno: -17 (EEXIST), another thread is about it, or the name is taken. */
static long volume_make(struct ms_process *process, uint32_t number) {
  char path[sizeof process->path + 16];
  name_make(path, sizeof path, number);
  int fd = ms_os_create(path);
  if (fd < 0) return fd;
  long rc = page_write(process, number, fd);
  if (rc < 0) {
    ms_os_close(fd);
    ms_os_unlink(path);
    return rc;
  }
  slot_put(process, number, fd);
  return 0;
}

static void go_on(struct ms_process *process, uint32_t number, long error) {
  char path[sizeof process->path + 16];
  process->volume_bytes = process->volume_due_ns = UINT64_MAX;
  name_make(path, sizeof path, number);
  ms_say("cannot begin %s: %s; the file before it goes on", path, ms_stream_reason(error));
}

/* Is the file of that name one of this stream's? */
static int volume_is_there(struct ms_process *process, uint32_t number) {
  struct {
    struct ms_record record;
    struct ms_volume_record volume;
  } page = {.volume = {.number = 0}};
  char path[sizeof process->path + 16];
  name_make(path, sizeof path, number);
  ms_os_read_file(path, (char *)&page, sizeof page);
  return page.volume.number == number && page.volume.pid == process->pid &&
         page.volume.start_unix_ns == process->header->start_unix_ns;
}

/* True when the tail is in that volume or behind it. */
static int tail_arrives(const struct ms_process *process, uint32_t number) {
  for (int i = 0; i < TRIES; i++) {
    if (ms_volume_of(__atomic_load_n(&process->header->volume_tail, __ATOMIC_ACQUIRE)) >= number) return 1;
    ms_os_yield();
  }
  return 0;
}

/* The tail goes on behind that volume's first page; or whoever makes it sleeps, and
 * it stays where it is for once. */
static void volume_begin(struct ms_process *process, uint32_t number) {
  long rc = volume_make(process, number);
  if (rc == -17 && (tail_arrives(process, number) || volume_is_there(process, number))) return;
  if (rc < 0) return go_on(process, number, rc);
  uint64_t *tail = &process->header->volume_tail, at = __atomic_load_n(tail, __ATOMIC_RELAXED);
  if (ms_options.rotate.ns) process->volume_due_ns = ms_process_ns(ms_os_now_coarse()) + ms_options.rotate.ns;
  while (ms_volume_of(at) < number)
    if (__atomic_compare_exchange_n(tail, &at, ms_volume_start(number) + MS_RECORD_ALIGN, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
}

/* ---- room ---- */

static int is_due(const struct ms_process *process, uint64_t at, uint64_t bytes) {
  uint64_t used = at % MS_VOLUME_STRIDE;
  if (used <= MS_RECORD_ALIGN) return 0; /* there is none that is empty */
  return used + bytes > process->volume_bytes || ms_process_ns(ms_os_now_coarse()) >= process->volume_due_ns;
}

uint64_t ms_volume_take(uint64_t bytes) {
  struct ms_process *process = ms_process;
  uint64_t *tail = &process->header->volume_tail, at = __atomic_load_n(tail, __ATOMIC_ACQUIRE);
  if (!at) return ms_stream_take(bytes);
  do {
    if (is_due(process, at, bytes)) {
      volume_begin(process, ms_volume_of(at) + 1);
      at = __atomic_load_n(tail, __ATOMIC_ACQUIRE);
    }
    uint64_t end = at % MS_VOLUME_STRIDE + bytes;
    if (end > MS_VOLUME_STRIDE || end > ms_os_file_limit()) return ms_stream_stop(MS_LOST_SPACE), 0;
  } while (!__atomic_compare_exchange_n(tail, &at, at + bytes, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  return at;
}

/* ---- writing ---- */

/* The volume's descriptor; *own: opened for this once. Negative: -errno. */
static int volume_fd(struct ms_process *process, uint32_t number, int *own) {
  const struct ms_volume *slot = &process->volumes[number & 1];
  *own = 0;
  if (__atomic_load_n(&slot->number, __ATOMIC_ACQUIRE) == number && ms_os_is(slot->fd, &slot->file)) return slot->fd;
  char path[sizeof process->path + 16];
  name_make(path, sizeof path, number);
  int fd = ms_os_open(path, 1);
  *own = fd >= 0;
  return fd;
}

int ms_volume_write(const struct ms_os_piece *pieces, int count, uint64_t offset) {
  struct ms_os_block block;
  int own;
  if (offset < MS_VOLUME_STRIDE) return ms_stream_write(pieces, count, offset);
  int fd = volume_fd(ms_process, ms_volume_of(offset), &own);
  if (fd < 0) return ms_stream_stop(MS_LOST_FILE_GONE), 0;
  ms_os_xfsz_hold(&block);
  long rc = ms_os_pwrite_all(fd, pieces, count, offset % MS_VOLUME_STRIDE);
  ms_os_xfsz_release(&block);
  if (own) ms_os_close(fd);
  if (rc < 0) ms_stream_fail(rc);
  return rc >= 0;
}

/* Behind the header's making. Without a second volume the stream is one file. */
void ms_volumes_open(struct ms_process *process) {
  if (!ms_options.rotate.bytes && !ms_options.rotate.ns) return;
  long rc = volume_make(process, 2);
  if (rc < 0) return go_on(process, 2, rc);
  process->volume_bytes = ms_options.rotate.bytes ? ms_options.rotate.bytes : UINT64_MAX;
  if (ms_options.window > process->volume_bytes / 4) ms_options.window = process->volume_bytes / 4; /* some chunks each */
  process->volume_due_ns = ms_options.rotate.ns ? ms_options.rotate.ns : UINT64_MAX;
  process->header->volume_tail = ms_volume_start(2) + MS_RECORD_ALIGN;
}
