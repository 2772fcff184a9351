// SPDX-License-Identifier: MIT
// Casts are looked through; the holder's type counts, and a cast's where the holder has none.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdint.h>
#include <stdlib.h>
struct node { int v; };
int main(void) {
  struct node *n = (struct node *)malloc(sizeof *n); // CHECK: @[[@LINE]] n : struct node in main, exact
  char *text = (char *)(void *)malloc(4);      // CHECK: @[[@LINE]] text : char in main, exact
  void *any = (struct node *)malloc(4);        // CHECK: @[[@LINE]] any : struct node in main, exact
  n = (malloc(8));                             // CHECK: @[[@LINE]] n : struct node in main, exact
  uintptr_t number = (uintptr_t)malloc(5);     // CHECK: @[[@LINE]] number : {{.*}} in main, exact
  text = (char *)malloc(16) + 8;               // CHECK: @[[@LINE]] text : char in main, exact
  return !n || !text || !any || !number;
}
