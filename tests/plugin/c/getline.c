// SPDX-License-Identifier: MIT
// getline and getdelim on a stream that has its buffer: the line is the last block.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
struct input { char *line; size_t size; };
int main(void) {
  FILE *in = fopen("/proc/self/status", "r");  // CHECK: @[[@LINE]] in : {{.*}}FILE in main, exact
  if (!in || getc(in) < 0) return 1;
  char *word = NULL;
  size_t n = 0;
  struct input input = {0}, *p = &input;
  if (getline(&p->line, &p->size, in) < 0) return 1; // CHECK: @[[@LINE]] p->line : char in main, exact
  if (getdelim(&word, &n, ':', in) < 0) return 1; // CHECK: @[[@LINE]] word : char in main, exact
  return 0;
}
