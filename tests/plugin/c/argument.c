// SPDX-License-Identifier: MIT
// A block that goes to a parameter: named by the call unless somebody inside names it better.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct list { char *items[4]; int count; };
static struct list list;
static void look(const char *p) { (void)p; }
static void keep(struct list *l, char *p) { l->items[l->count++] = p; }
static int two(char *a, char *b) { return a == b; }
int main(void) {
  look(malloc(1));                             // CHECK: @[[@LINE]] look(…, #1) : {{(const )?}}char in main, exact
  keep(&list, malloc(2));                      // CHECK: @[[@LINE]] keep(…, #2) : char in main, exact
  two(malloc(3), malloc(4));
  // CHECK: @[[@LINE-1]] two(…, #1) : char in main, exact
  // CHECK: @[[@LINE-2]] two(…, #2) : char in main, exact
  free(malloc(5));                             // CHECK: @[[@LINE]] free(…, #1) : void in main, exact
  malloc(6);                                   // CHECK: @[[@LINE]] {{.*}} : void in main, exact
  (void)malloc(7);                             // CHECK: @[[@LINE]] {{.*}} : void in main, exact
  *(char *)malloc(8) = 1;                      // CHECK: @[[@LINE]] {{.*}} : char in main, exact
  ((struct list *)malloc(sizeof list))->count = 1; // CHECK: @[[@LINE]] {{.*}} : struct list in main, exact
  return 0;
}
