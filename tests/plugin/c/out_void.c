// SPDX-License-Identifier: MIT
// An out-parameter for void: the variable holds a pointer to void, not to void *.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct box { void *raw; };
int main(void) {
  struct box box, *p = &box;
  void *block;
  if (posix_memalign(&block, 64, 64)) return 1; // CHECK: @[[@LINE]] block : void in main, exact
  if (posix_memalign(&p->raw, 64, 64)) return 1; // CHECK: @[[@LINE]] p->raw : void in main, exact
  return !block;
}
