// SPDX-License-Identifier: MIT
// Both arms of a conditional, its short form, and a call in the condition.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
int main(int argc, char **argv) {
  (void)argv;
  char *a = argc ? malloc(1) : NULL;           // CHECK: @[[@LINE]] a : char in main, exact
  char *b = argc > 5 ? NULL : calloc(1, 2);    // CHECK: @[[@LINE]] b : char in main, exact
  char *c = argc ? argc > 5 ? NULL : malloc(3) : NULL; // CHECK: @[[@LINE]] c : char in main, exact
  char *d;
  d = malloc(4) ?: b;                          // CHECK: @[[@LINE]] d : char in main, exact
  d = a ? malloc(5)                            // CHECK: @[[@LINE]] d : char in main, exact
        : malloc(6);
  d = a == b ? malloc(7)
             : malloc(8);                      // CHECK: @[[@LINE]] d : char in main, exact
  return !c || !d;
}
