/* SPDX-License-Identifier: MIT
 *
 * Volumes: the further files of a rotated stream, which hold its chunks (see
 * stream.h). The first file keeps what is small and always needed. Only threads
 * that seal a chunk come here.
 *
 * The next volume is made before the tail moves there: an offset is only given out
 * in a file that exists. One thread makes it, the others go on in the old one
 * meanwhile. Where it cannot be made, or there are MS_VOLUMES_MOST, the old one just goes
 * on, without a limit: no event is lost for that.
 *
 * The two newest are held open, each as long as somebody writes to it; a number that
 * the host has closed or taken is noticed before a write, and the file opened again.
 */
#include "runtime.h"

enum { TRIES = 1000 };

static void name_make(char *to, size_t room, uint32_t number) {
  size_t used = ms_print(to, room, "%s", ms_process->path);
  ms_print(to + used, room - used, ".vol%u", number);
}

/* ---- beginning one ---- */

/* What the slot held is closed when nobody writes to it any more; where that takes
 * too long it stays open. */
static void slot_put(struct ms_process *process, uint32_t number, int fd) {
  struct ms_volume *slot = &process->volumes[number & 1];
  int held = __atomic_exchange_n(&slot->number, 0, __ATOMIC_SEQ_CST) != 0, i = 0;
  while (__atomic_load_n(&slot->writers, __ATOMIC_SEQ_CST) && i++ < TRIES) ms_os_yield();
  if (held && i < TRIES && ms_os_is(slot->fd, &slot->file)) ms_os_close(slot->fd);
  slot->fd = ms_os_dup_high(fd);
  ms_os_identify(slot->fd, &slot->file);
  __atomic_store_n(&slot->number, number, __ATOMIC_SEQ_CST);
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

/* 0, or -errno. */
static long volume_make(struct ms_process *process, uint32_t number) {
  if (number > MS_VOLUMES_MOST) return -7 /* E2BIG */;
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

/* The tail goes on behind that volume's first page, unless another thread is about
 * it: then it stays where it is for once. */
static void volume_begin(struct ms_process *process, uint32_t number) {
  uint64_t *tail = &process->header->volume_tail, at;
  if (__atomic_exchange_n(&process->volume_making, 1, __ATOMIC_ACQUIRE)) return;
  at = __atomic_load_n(tail, __ATOMIC_ACQUIRE);
  long rc = ms_volume_of(at) < number ? volume_make(process, number) : 0;
  if (rc < 0) go_on(process, number, rc);
  if (rc >= 0 && ms_options.rotate.ns) process->volume_due_ns = ms_process_ns(ms_os_now_coarse()) + ms_options.rotate.ns;
  while (rc >= 0 && ms_volume_of(at) < number)
    if (__atomic_compare_exchange_n(tail, &at, ms_volume_start(number) + MS_RECORD_ALIGN, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) break;
  __atomic_store_n(&process->volume_making, 0, __ATOMIC_RELEASE);
}

/* ---- room ---- */

/* What no file may grow beyond. */
static uint64_t file_most(void) {
  uint64_t limit = ms_os_file_limit();
  return limit < MS_VOLUME_STRIDE ? limit : MS_VOLUME_STRIDE;
}

static int is_due(const struct ms_process *process, uint64_t at, uint64_t bytes) {
  uint64_t used = at % MS_VOLUME_STRIDE;
  if (used <= MS_RECORD_ALIGN) return 0; /* there is none that is empty */
  if (used + bytes > process->volume_bytes || used + bytes > file_most()) return 1;
  return process->volume_due_ns != UINT64_MAX && ms_process_ns(ms_os_now_coarse()) >= process->volume_due_ns;
}

static int64_t tail_take(uint64_t bytes) {
  struct ms_process *process = ms_process;
  uint64_t *tail = &process->header->volume_tail, at = __atomic_load_n(tail, __ATOMIC_ACQUIRE);
  do {
    if (is_due(process, at, bytes)) {
      volume_begin(process, ms_volume_of(at) + 1);
      at = __atomic_load_n(tail, __ATOMIC_ACQUIRE);
    }
    if (at % MS_VOLUME_STRIDE + bytes > file_most()) return -MS_LOST_SPACE;
  } while (!__atomic_compare_exchange_n(tail, &at, at + bytes, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  return (int64_t)at;
}

/* ---- writing ---- */

/* -errno when it could not be written. */
static long file_write(int fd, const struct ms_os_piece *pieces, int count, uint64_t offset) {
  struct ms_os_block block;
  ms_os_xfsz_hold(&block);
  long rc = ms_os_pwrite_all(fd, pieces, count, offset);
  ms_os_xfsz_release(&block);
  return rc;
}

/* 0: the volume is not held open, or no longer. */
static int slot_write(struct ms_volume *slot, uint32_t number, const struct ms_os_piece *pieces, int count, uint64_t offset, long *rc) {
  __atomic_fetch_add(&slot->writers, 1, __ATOMIC_SEQ_CST);
  int held = __atomic_load_n(&slot->number, __ATOMIC_SEQ_CST) == number && ms_os_is(slot->fd, &slot->file);
  if (held) *rc = file_write(slot->fd, pieces, count, offset);
  __atomic_fetch_sub(&slot->writers, 1, __ATOMIC_SEQ_CST);
  return held;
}

/* By its name, for this once. */
static long named_write(uint32_t number, const struct ms_os_piece *pieces, int count, uint64_t offset) {
  char path[sizeof ms_process->path + 16];
  struct ms_os_file file;
  name_make(path, sizeof path, number);
  int fd = ms_os_open(path, 1);
  if (fd < 0) return fd;
  long rc = ms_os_identify(fd = ms_os_dup_high(fd), &file);
  if (rc >= 0) rc = file_write(fd, pieces, count, offset);
  if (ms_os_is(fd, &file)) ms_os_close(fd);
  return rc;
}

int64_t ms_volume_put(const struct ms_os_piece *pieces, int count, uint64_t bytes) {
  int64_t taken = tail_take(bytes);
  if (taken < 0) return taken;
  uint32_t number = ms_volume_of((uint64_t)taken);
  uint64_t offset = (uint64_t)taken % MS_VOLUME_STRIDE;
  long rc;
  if (!slot_write(&ms_process->volumes[number & 1], number, pieces, count, offset, &rc)) rc = named_write(number, pieces, count, offset);
  return rc < 0 ? -(int64_t)ms_room_reason(rc) : taken;
}

/* The host is about to close these numbers, or to make one its own. */
void ms_volumes_forget(int first, int last) {
  for (int i = 0; i < 2; i++) {
    struct ms_volume *slot = &ms_process->volumes[i];
    if (slot->fd >= first && slot->fd <= last) __atomic_store_n(&slot->number, 0, __ATOMIC_SEQ_CST);
  }
}

/* Behind the header's making. Without a second volume the stream is one file. */
void ms_volumes_open(struct ms_process *process) {
  if (!ms_options.rotate.bytes && !ms_options.rotate.ns) return;
  long rc = volume_make(process, 2);
  if (rc < 0) return go_on(process, 2, rc);
  process->volume_bytes = ms_options.rotate.bytes ? ms_options.rotate.bytes : UINT64_MAX; /* what a file can have at most is looked at, too */
  if (ms_options.window > process->volume_bytes / 4) ms_options.window = process->volume_bytes / 4; /* some chunks each */
  process->volume_due_ns = ms_options.rotate.ns ? ms_options.rotate.ns : UINT64_MAX;
  process->header->volume_tail = ms_volume_start(2) + MS_RECORD_ALIGN;
}
