// SPDX-License-Identifier: MIT
// The members of a compound literal are those of what it is assigned or passed to.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct pair { char *key; int *value; };
static void take(struct pair p) { (void)p; }
static struct pair make(void) {
  return (struct pair){.key = malloc(3)};      // CHECK: @[[@LINE]] return.key : char in make, exact
}
int main(void) {
  struct pair a, *heap = malloc(sizeof *heap); // CHECK: @[[@LINE]] heap : struct pair in main, exact
  *heap = (struct pair){malloc(13), .value = malloc(14)};
  // CHECK-DAG: @[[@LINE-1]] heap->key : char in main, exact
  // CHECK-DAG: @[[@LINE-2]] heap->value : int in main, exact
  a = (struct pair){.key = malloc(15)};        // CHECK: @[[@LINE]] a.key : char in main, exact
  take((struct pair){malloc(16), NULL});       // CHECK: @[[@LINE]] take(…, #1).key : char in main, exact
  char **literal = (char *[]){malloc(17), NULL}; // CHECK: @[[@LINE]] literal[0] : char in main, exact
  a = make();
  return !literal;
}
