// SPDX-License-Identifier: MIT
// GNU statement expressions: their last value goes where they go.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#define CHECKED(n) ({ void *checked = malloc(n); if (!checked) abort(); checked; })
int main(void) {
  char *a = ({ malloc(1); });                  // CHECK: @[[@LINE]] a : char in main, exact
  int *b = ({ int *t = malloc(4); *t = 1; t; }); // CHECK: @[[@LINE]] {{b : int in main, exact <- t in main|b : int in main, exact}}
  char *c = CHECKED(5);                        // CHECK: @[[@LINE]] {{c : char in main, exact <- checked in main|c : char in main, exact}}
  return !a || !b || !c;
}
