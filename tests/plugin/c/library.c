// SPDX-License-Identifier: MIT
// Functions of the C library that hand out a block: by value.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
int main(void) {
  char *copy = strdup("text");                 // CHECK: @[[@LINE]] copy : char in main, exact
  char *part = strndup("text", 2);             // CHECK: @[[@LINE]] part : char in main, exact
  int *aligned = aligned_alloc(64, 64);        // CHECK: @[[@LINE]] aligned : int in main, exact
  int *old = memalign(64, 64);                 // CHECK: @[[@LINE]] old : int in main, exact
  char *page = valloc(64);                     // CHECK: @[[@LINE]] page : char in main, exact
  wchar_t *wide = wcsdup(L"text");             // CHECK: @[[@LINE]] wide : wchar_t in main, exact
  char *path = realpath("/", NULL);            // CHECK: @[[@LINE]] path : char in main, exact
  return !copy || !part || !aligned || !old || !page || !wide || !path;
}
