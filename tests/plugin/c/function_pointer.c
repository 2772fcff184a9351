// SPDX-License-Identifier: MIT
// Calls through pointers, tables and members.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct hooks { void *(*allocate)(size_t); void (*release)(void *); };
static void *counted(size_t n) { return malloc(n); }
static struct hooks hooks = {counted, free};
static void *(*table[2])(size_t) = {malloc, counted};
int main(int argc, char **argv) {
  (void)argv;
  void *(*f)(size_t) = argc > 3 ? counted : malloc;
  char *a = f(1);                              // CHECK: @[[@LINE]] a : char in main, exact
  int *b = hooks.allocate(4);                  // CHECK: @[[@LINE]] b : int in main, exact
  char *c = table[argc](3);                    // CHECK: @[[@LINE]] c : char in main, exact
  struct hooks *h = &hooks;
  char *d = (*h->allocate)(5);                 // CHECK: @[[@LINE]] d : char in main, exact
  h->release(d);
  return !a || !b || !c;
}
