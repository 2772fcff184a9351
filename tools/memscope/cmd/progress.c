/* SPDX-License-Identifier: MIT
 *
 * The line of progress.h.
 */
#include "cmd/progress.h"

#include "base/text.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const uint64_t EACH_NS = 200000000, FIRST_NS = 300000000; /* work shorter than that shows no line */

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void line_show(const struct ms_progress_line *line, uint64_t done, uint64_t all, uint64_t ns) {
  char rate[32];
  double seconds = (double)ns / 1e9, share = all && done < all ? (double)done / (double)all : 1;
  ms_format_bytes(rate, (uint64_t)((double)done / seconds));
  fprintf(stderr, "\r\033[K%s %.0f %%, %s/s, %.0f s left", line->what, share * 100, rate, seconds * (1 / share - 1));
}

static void step(void *context, uint64_t done, uint64_t all) {
  struct ms_progress_line *line = context;
  uint64_t ns = now();
  if (!done || ns - line->begin_ns < FIRST_NS || ns - line->shown_ns < EACH_NS) return;
  line->shown_ns = ns;
  line_show(line, done, all, ns - line->begin_ns);
}

const struct ms_progress *ms_progress_begin(struct ms_progress_line *line, const char *what) {
  *line = (struct ms_progress_line){.progress = {step, line}, .what = what, .begin_ns = now()};
  return isatty(STDERR_FILENO) ? &line->progress : NULL;
}

void ms_progress_end(const struct ms_progress_line *line) {
  if (line->shown_ns) fputs("\r\033[K", stderr);
}
