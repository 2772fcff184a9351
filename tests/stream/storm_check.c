/* SPDX-License-Identifier: MIT
 *
 * storm_check STREAM FOLDER: three pairings of the same events must be one: by
 * generations, by the serials of exact mode, and by the serials the program
 * itself wrote into its blocks and logged. (A stream of full mode has no serials:
 * two pairings.) Prints the counts; exit 1 when they differ, when an event was
 * forced, or when a logged one is not in the stream.
 */
#include "storm.h"

#include "base/arena.h"
#include "base/error.h"
#include "reader/pairs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct check {
  struct ms_stream *stream;
  uint64_t *serials; /* file offset / 8 of a row -> the block's serial + 1, 0 = not logged */
  uint64_t logged, missing, pairs, wrong;
};

static const struct storm_entry *log_open(const char *folder, uint64_t tid) {
  char path[4096];
  struct stat status;
  snprintf(path, sizeof path, "%s/log.%" PRIu64, folder, tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) return NULL; /* the main thread storms not */
  void *log = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  return log == MAP_FAILED ? NULL : log;
}

static enum storm_op row_op(const uint64_t *row) {
  static const uint8_t ops[] = {STORM_ALLOC, STORM_FREE, STORM_LEAVE, STORM_ARRIVE};
  return ops[ms_word_op(*row)];
}

/* The log's entries are a subsequence of the lane's hot rows: what lies between
 * are the C library's own blocks. */
static void lane_match(struct check *check, const struct ms_lane *lane, const char *folder) {
  struct ms_rows rows;
  uint64_t offset;
  const uint64_t *row;
  const struct storm_entry *log = NULL;
  ms_rows_open(&rows, check->stream, lane);
  while ((row = ms_rows_next(&rows, &offset))) {
    if ((uint8_t)*row == MS_TAG_THREAD_START) log = log_open(folder, ms_get_thread_start(row).tid);
    if (!log || !(*row & MS_HOT)) continue;
    if (log->word != (*row >> 20 << 3 << 4 | row_op(row))) continue;
    check->serials[offset / 8] = log->serial + 1;
    check->logged++;
    log++;
  }
  for (; log && log->word; log++) check->missing++;
}

static void pair_check(void *context, const struct ms_event *event, uint64_t birth) {
  struct check *check = context;
  uint64_t serial = check->serials[event->offset / 8];
  if (!serial) return;
  check->pairs++;
  check->wrong += !birth || check->serials[birth / 8] != serial;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct ms_arena *arena = ms_arena_new();
  struct ms_error error = {0};
  struct check check = {.stream = ms_stream_open(arena, argv[1], &error)};
  if (check.stream) ms_stream_report(check.stream, &error);
  if (error.code) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  check.serials = ms_arena_array(arena, check.stream->size / 8 + 1, sizeof *check.serials);
  for (uint32_t i = 0; i < check.stream->lane_count; i++)
    lane_match(&check, &check.stream->lanes[i], argv[2]);

  struct ms_pairs_check oracle = {0};
  struct ms_merge_counts counts;
  bool exact = check.stream->header.mode == MS_MODE_EXACT;
  if (exact && !ms_pairs_compare(check.stream, &oracle)) return 1;
  if (!ms_pairs_walk(check.stream, MS_ORDER_GENERATIONS, pair_check, &check, &counts)) return 1;
  printf("%s: events %" PRIu64 "; of %" PRIu64 " pairs against serials %" PRIu64 " wrong; of %" PRIu64 " logged %" PRIu64
         " wrong; %" PRIu64 " forced, %" PRIu64 " parked, %" PRIu64 " logged ones missing\n",
         exact ? "exact" : "full", counts.events, oracle.pairs, oracle.mismatches, check.pairs, check.wrong, counts.forced,
         counts.parked, check.missing);
  bool right = !check.wrong && !counts.forced && !check.missing && check.pairs > counts.events / 3;
  if (exact) right &= !oracle.mismatches && oracle.events == oracle.oracle_events && oracle.events == counts.events;
  ms_stream_close(check.stream);
  ms_arena_free(arena);
  return right ? 0 : 1;
}
