// SPDX-License-Identifier: MIT
// Members and elements set by braces: struct, array, nested, designated.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct pair { char *key; int *value; };
struct outer { struct pair pair; char *names[3]; };
int main(void) {
  struct pair a = {malloc(1), malloc(2)};
  // CHECK: @[[@LINE-1]] a.key : char in main, exact
  // CHECK: @[[@LINE-2]] a.value : int in main, exact
  struct pair b = {.value = malloc(3), .key = malloc(4)};
  // CHECK: @[[@LINE-1]] b.value : int in main, exact
  // CHECK: @[[@LINE-2]] b.key : char in main, exact
  char *texts[] = {malloc(5), NULL, malloc(6)};
  // CHECK: @[[@LINE-1]] texts[0] : char in main, exact
  // CHECK: @[[@LINE-2]] texts[2] : char in main, exact
  char *some[8] = {[3] = malloc(7), [6] = malloc(8)};
  // CHECK: @[[@LINE-1]] some[3] : char in main, exact
  // CHECK: @[[@LINE-2]] some[6] : char in main, exact
  struct outer o = {{malloc(9), NULL}, {NULL, malloc(10)}};
  // CHECK: @[[@LINE-1]] o.pair.key : char in main, exact
  // CHECK: @[[@LINE-2]] o.names[1] : char in main, exact
  struct outer d = {.pair.key = malloc(11), .names[2] = malloc(12)};
  // CHECK: @[[@LINE-1]] d.pair.key : char in main, exact
  // CHECK: @[[@LINE-2]] d.names[2] : char in main, exact
  return !b.key || !texts[0] || !some[3] || !o.names[1] || !d.names[2];
}
