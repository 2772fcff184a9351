/* SPDX-License-Identifier: MIT
 *
 * Rows of one window or chunk to columns and back.
 */
#ifndef MS_PACK_ROWS_H
#define MS_PACK_ROWS_H

#include "pack/column.h"
#include "pack/guess.h"

struct coder {
  struct columns columns;
  struct guess guess;
  uint64_t events; /* of the segment */
};

/* Before each segment: nothing in it rests on what is in others. */
void ms_coder_reset(struct coder *coder);

/* Writes the words' columns, or reads them into the words. */
void ms_code_rows(struct coder *coder, uint32_t thread, uint64_t *words, uint32_t count);

/* Is it a row that stands there, with nothing set beside its fields? Text and call stacks are not told. */
bool ms_row_known(const uint64_t *words, uint32_t left);

#endif
