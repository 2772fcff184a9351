// SPDX-License-Identifier: MIT
// The stream of the C library goes by the name users know.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdio.h>
int main(void) {
  FILE *in = fopen("/proc/self/status", "r");  // CHECK: @[[@LINE]] in : FILE in main, exact
  return !in;
}
