// SPDX-License-Identifier: MIT
// Given back through a function pointer.
// RUN: %cc -O0 %s -o %t && %run --dump %t | %find
#include <stdlib.h>
struct hooks { void (*release)(void *); };
static struct hooks hooks = {free};
int main(void) {
  char *text = malloc(3);
  hooks.release(text);
  // CHECK: free #[[#]] free at "text : char" in main free_pointer.c:[[@LINE-1]]:3
  return 0;
}
