// SPDX-License-Identifier: MIT
// The right side of a comma goes where the comma goes.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
static int calls;
int main(void) {
  char *a = (calls++, malloc(1));              // CHECK: @[[@LINE]] a : char in main, exact
  char *b, *c;
  b = malloc(2), c = malloc(3);
  // CHECK: @[[@LINE-1]] b : char in main, exact
  // CHECK: @[[@LINE-2]] c : char in main, exact
  for (b = malloc(4), c = b; calls < 3; calls++, c = malloc(5)) {}
  // CHECK: @[[@LINE-1]] b : char in main, exact
  // CHECK: @[[@LINE-2]] c : char in main, exact x2
  return !a || !b || !c;
}
