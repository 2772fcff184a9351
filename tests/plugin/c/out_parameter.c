// SPDX-License-Identifier: MIT
// Functions of the C library that store the block: asprintf, posix_memalign, getline.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct holder { char *text; int *numbers; };
static char *format(const char *f, ...) {
  char *text;
  va_list list;
  va_start(list, f);
  int n = vasprintf(&text, f, list);
  va_end(list);
  return n < 0 ? NULL : text;
}
int main(void) {
  struct holder h, *p = &h;
  char *local;
  // CHECK-DAG: @[[@LINE+1]] local : char in main, exact
  if (asprintf(&local, "%d", 5) < 0) return 1;
  // CHECK-DAG: @[[@LINE+1]] {{p->text|h.text}} : char in main, exact
  if (asprintf(&p->text, "%d", 5) < 0) return 1;
  // CHECK-DAG: @[[@LINE+1]] h.numbers : int in main, exact
  if (posix_memalign((void **)&h.numbers, 64, 64)) return 1;
  // CHECK-DAG: @[[@LINE+1]] made : char in main, exact <- text in format
  char *made = format("%s", "x");
  return !made;
}
