// SPDX-License-Identifier: MIT
// A reallocated block: grown in place of itself, through a temporary, and in a wrapper.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#define _GNU_SOURCE
#include <stdlib.h>
struct vec { int *data; size_t n; };
static void *xrealloc(void *p, size_t n) { void *q = realloc(p, n); if (!q) abort(); return q; }
static void grow(struct vec *v) {
  v->data = xrealloc(v->data, ++v->n * 4096 * sizeof *v->data);
}
int main(void) {
  struct vec v = {0, 0};
  grow(&v);                                    // CHECK: @[[@LINE-4]] v->data : int in grow, exact{{.*}} <- q in xrealloc
  char *line = NULL;
  line = realloc(line, 10);                    // CHECK: @[[@LINE]] line : char in main, exact
  char *text = realloc(NULL, 5);               // CHECK: @[[@LINE]] text : char in main, exact
  long *numbers = reallocarray(NULL, 3, 8);    // CHECK: @[[@LINE]] numbers : long in main, exact
  return !line || !text || !numbers;
}
