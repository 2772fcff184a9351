/* SPDX-License-Identifier: MIT
 *
 * Streams that show one thing each; golden texts in golden/ say how they read.
 */
#ifndef TESTS_STREAM_SAMPLE_H
#define TESTS_STREAM_SAMPLE_H

#include "scribe.h"

struct sample {
  const char *name;
  void (*write)(struct book *book);
};

extern const struct sample samples[]; /* ended by a NULL name */

#endif
