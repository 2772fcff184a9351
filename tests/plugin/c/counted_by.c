// SPDX-License-Identifier: MIT
// The member that holds the element count of a flexible array.
// REQUIRES: clang-at-least-19
// RUN: %cc -O0 %s -o %t && %note --types %t | %FileCheck
#include <stdlib.h>
struct table {
  int used;
  unsigned count;
  long cells[] __attribute__((counted_by(count)));
};
int main(void) {
  struct table *t = malloc(sizeof *t + 4 * sizeof *t->cells);
  return !t;
}
// CHECK: type struct table struct size 8 align 8
// CHECK: struct table.cells : long[]{{.*}} at 8 size 0 flexible counted_by count
