/* SPDX-License-Identifier: MIT
 *
 * How far long work has come, for who wants to look.
 */
#ifndef MS_BASE_PROGRESS_H
#define MS_BASE_PROGRESS_H

#include <stdint.h>

/* NULL where nobody looks. */
struct ms_progress {
  void (*step)(void *context, uint64_t done, uint64_t all); /* bytes of the input; called every few microseconds */
  void *context;
};

static inline void ms_progress_step(const struct ms_progress *progress, uint64_t done, uint64_t all) {
  if (progress) progress->step(progress->context, done, all);
}

#endif
