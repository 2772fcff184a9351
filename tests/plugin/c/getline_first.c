// SPDX-License-Identifier: MIT
// getline on a stream that has no buffer yet.
// RUN: %cc -O0 %s -o %t && %run %t | %find
// XFAIL: *
// Reason: the first getline on a stream obtains the line and then the stream's
// buffer, so the line is not the thread's last block when getline returns
// (design.md, section 1, "still open").
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  FILE *in = fopen("/proc/self/status", "r");
  char *line = NULL;
  size_t n = 0;
  if (getline(&line, &n, in) < 0) return 1;    // CHECK: @[[@LINE]] line : char in main,
  return 0;
}
