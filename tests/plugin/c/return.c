// SPDX-License-Identifier: MIT
// What is returned: the caller's variable is the name, a plain return keeps its tail call and leaves no link.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct conn { int fd; };
static void *direct(size_t n) { return malloc(n); }
static struct conn *typed(void) { return malloc(sizeof(struct conn)); }
static void *through(size_t n) { void *p = malloc(n); return p; }
static char *assigned(void) { char *p; return p = malloc(9); }
static char *comma(void) { char *p; return (p = malloc(10), p); }
int main(void) {
  char *a = direct(1);
  // CHECK: @[[@LINE-1]] a : char in main, exact
  struct conn *c = typed();
  // CHECK: @[[@LINE-1]] c : struct conn in main, exact
  int *b = through(4);
  // CHECK: @[[@LINE-1]] b : int in main, exact <- p in through
  a = assigned();
  // CHECK: @[[@LINE-1]] a : char in main, exact <- p in assigned
  a = comma();
  // CHECK: @[[@LINE-1]] a : char in main, exact <- p in comma
  return !a || !b || !c;
}
