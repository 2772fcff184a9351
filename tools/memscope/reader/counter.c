/* SPDX-License-Identifier: MIT
 *
 * COUNTERS records, in the order of the file.
 */
#include "reader/index.h"

#include "base/arena.h"

#include <string.h>

/* Of a stream that is written to they are copied, before the names they mean; those of
 * one event may be some of its numbers apart. */
void ms_counters_take(struct ms_stream *stream, const struct ms_record *record, const unsigned char *payload, uint64_t bytes) {
  const struct ms_counters_head *head = (const struct ms_counters_head *)payload;
  if (bytes < sizeof *head) return;
  if (stream->live) {
    void *copy = ms_arena_get(stream->arena, bytes);
    head = memcpy(copy, payload, bytes);
  }
  if (stream->counters_count == stream->counters_room) {
    uint32_t room = stream->counters_room ? stream->counters_room * 2 : 16;
    stream->counters = ms_arena_grow(stream->arena, stream->counters, stream->counters_room * sizeof *stream->counters,
                                     room * sizeof *stream->counters);
    stream->counters_room = room;
  }
  stream->counters[stream->counters_count++] =
      (struct ms_counters_view){.thread = record->thread,
                                .head = head,
                                .counters = (const struct ms_counter *)(head + 1),
                                .count = (uint32_t)((bytes - sizeof *head) / sizeof(struct ms_counter))};
}
