// SPDX-License-Identifier: MIT
// Static variables, at the top and in functions; set once.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
static struct { char *buffer; } cache;
static char **table[2];
static char *once(void) {
  static char *made;
  if (!made) made = malloc(3);                 // CHECK: @[[@LINE]] made : char in once, exact
  return made;
}
__attribute__((constructor)) static void early(void) {
  cache.buffer = malloc(4);                    // CHECK: @[[@LINE]] cache.buffer : char in early, exact
}
int main(void) {
  table[1] = calloc(2, sizeof **table);        // CHECK: @[[@LINE]] table[1] : char * in main, exact
  char *a = once(), *b = once();
  return a != b;
}
