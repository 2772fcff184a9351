/* SPDX-License-Identifier: MIT
 *
 * A library without units that allocates.
 */
#include <stdlib.h>

void *plain(void) {
  void *volatile p = malloc(4242);
  return p;
}
