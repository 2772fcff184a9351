/* SPDX-License-Identifier: MIT
 *
 * memscope dump --check-merge: in exact mode every row carries a process-wide
 * serial beside its generation, so the same stream can be merged both ways. The
 * pairs (which row gave the block that this row ends) must be the same.
 */
#include "cmd/dump.h"

#include "reader/pairs.h"

#include <inttypes.h>

int ms_dump_check_merge(struct ms_stream *stream, const struct ms_dump_options *options, FILE *out, struct ms_error *error) {
  (void)options;
  if (stream->header.mode != MS_MODE_EXACT)
    return ms_error_set(error, MS_ERROR_USAGE,
                        "%s: has no serials to check the merge against; record it with --mode exact",
                        stream->path);
  struct ms_pairs_check check;
  if (!ms_pairs_compare(stream, &check))
    return ms_error_set(error, MS_ERROR_USAGE, "no memory for the pairs; free some");
  fprintf(out,
          "events %" PRIu64 "\npairs %" PRIu64 "\nmismatches %" PRIu64 "\nforced %" PRIu64 "\nparked %" PRIu64
          "\n",
          check.events, check.pairs, check.mismatches, check.forced, check.parked);
  if (check.mismatches || check.forced || check.events != check.oracle_events)
    return ms_error_set(
        error, MS_ERROR_DATA,
        "%s: the merge by generations differs from the serials; please report it with the stream",
        stream->path);
  return 0;
}
