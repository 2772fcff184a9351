// SPDX-License-Identifier: MIT
// A function that hands on its argument: the variable that receives it is the name.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct thing { int a; };
static struct thing *thing_init(struct thing *t) { t->a = 1; return t; }
int main(void) {
  struct thing *made = thing_init(malloc(sizeof *made));
  // CHECK: @[[@LINE-1]] made : struct thing in main, exact <- thing_init(…, #1) in main
  return !made;
}
