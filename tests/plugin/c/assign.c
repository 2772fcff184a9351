// SPDX-License-Identifier: MIT
// Assignment to variables of every storage, and chained assignment.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
static char *kept;
char *shared;
static _Thread_local char *own;
static int *first, *second;
static void parameter(char *p) {
  p = malloc(3);                               // CHECK: @[[@LINE]] p : char in parameter, exact
  (void)p;
}
int main(void) {
  char *local;
  local = malloc(4);                           // CHECK: @[[@LINE]] local : char in main, exact
  kept = malloc(5);                            // CHECK: @[[@LINE]] kept : char in main, exact
  shared = malloc(6);                          // CHECK: @[[@LINE]] shared : char in main, exact
  own = malloc(7);                             // CHECK: @[[@LINE]] own : char in main, exact
  first = second = malloc(8);                  // CHECK: @[[@LINE]] {{first|second}} : int in main, exact
  if ((local = malloc(9)) == NULL) return 1;   // CHECK: @[[@LINE]] local : char in main, exact
  while (!(local = malloc(10))) abort();       // CHECK: @[[@LINE]] local : char in main, exact
  parameter(local);
  return 0;
}
