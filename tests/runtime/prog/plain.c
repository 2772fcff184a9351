/* SPDX-License-Identifier: MIT
 *
 * A library without units that allocates and frees.
 */
#include <stdlib.h>

static volatile int seen;

void *plain(void) {
  void *volatile p = malloc(4242);
  return p;
}

void give_back(void *p) {
  free(p);
  seen = 1;
}
