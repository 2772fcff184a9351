/* SPDX-License-Identifier: MIT
 *
 * What names mean: the words of all NAMES records, side by side.
 */
#include "reader/index.h"

#include "base/arena.h"

#include <string.h>

/* Of a stream that is written to, words may appear while they are copied; those of the
 * rows that were copied before are all there. */
void ms_names_take(struct ms_stream *stream, const struct ms_record *record, const unsigned char *payload, uint64_t bytes) {
  uint64_t first = (uint64_t)record->thread + MS_NAMES_HEADER, count = bytes / sizeof(uint64_t);
  if (first >= MS_NAMES_MOST) return;
  if (count > MS_NAMES_MOST - first) count = MS_NAMES_MOST - first;
  if (first + count > stream->name_room) {
    stream->names = ms_arena_grow(stream->arena, stream->names, stream->name_room * sizeof *stream->names,
                                  (first + count) * sizeof *stream->names);
    stream->name_room = (uint32_t)(first + count);
  }
  memcpy(stream->names + first, payload, count * sizeof *stream->names);
}

/* The last words, of which one more name may leave one or two. */
bool ms_stream_names_are_all(const struct ms_stream *stream) {
  uint64_t last = 0;
  for (uint32_t id = MS_NAMES_MOST - 4; id < MS_NAMES_MOST && id < stream->name_room; id++) last |= stream->names[id];
  return last != 0;
}

struct ms_name ms_stream_name(const struct ms_stream *stream, uint32_t name) {
  uint64_t word = name < stream->name_room ? stream->names[name] : 0;
  if (!word) return (struct ms_name){.kind = MS_NAME_IS_NONE};
  if (word & MS_NAME_CALLER)
    return (struct ms_name){.kind = MS_NAME_IS_CALLER,
                            .address = ms_name_address(word),
                            .ns = name + 1 < stream->name_room ? stream->names[name + 1] : 0};
  if (!ms_name_parent(word)) return (struct ms_name){.kind = MS_NAME_IS_SITE, .site = ms_name_site(word)};
  return (struct ms_name){.kind = MS_NAME_IS_CHAIN, .site = ms_name_site(word), .parent = ms_name_parent(word)};
}
