// SPDX-License-Identifier: MIT
// The name of a counted array type is the one it has without the attribute.
// REQUIRES: clang-at-least-19
// RUN: %cc -O0 %s -o %t && %note --types %t | %find
#include <stdlib.h>
struct table { unsigned count; long cells[] __attribute__((counted_by(count))); };
int main(void) {
  struct table *t = malloc(sizeof *t + 4 * sizeof *t->cells);
  return !t;
}
// CHECK: struct table.cells : long[] at 8
