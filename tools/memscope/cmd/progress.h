/* SPDX-License-Identifier: MIT
 *
 * A line on the terminal that says how far long work has come, how fast it goes and
 * how long it will take. It stands on stderr, not before 0.3 s, and is gone when the work is done.
 */
#ifndef MS_CMD_PROGRESS_H
#define MS_CMD_PROGRESS_H

#include "base/progress.h"

struct ms_progress_line {
  struct ms_progress progress;
  const char *what; /* "reading" */
  uint64_t begin_ns, shown_ns;
};

/* NULL when stderr is no terminal: then there is no line, and no _end. */
const struct ms_progress *ms_progress_begin(struct ms_progress_line *line, const char *what);
void ms_progress_end(const struct ms_progress_line *line);

#endif
