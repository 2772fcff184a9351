/* SPDX-License-Identifier: MIT
 *
 * The storm's own log of what it did, by thread, in order.
 */
#ifndef TESTS_STREAM_STORM_H
#define TESTS_STREAM_STORM_H

#include <stdint.h>

enum storm_op { STORM_NONE, STORM_ALLOC, STORM_FREE, STORM_LEAVE, STORM_ARRIVE };

struct storm_entry { /* all zero: the log's end */
  uint64_t word;     /* address << 4 | op */
  uint64_t serial;   /* of the block */
};

#endif
