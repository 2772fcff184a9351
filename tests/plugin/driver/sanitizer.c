// SPDX-License-Identifier: MIT
// Beside AddressSanitizer and UBSan, and ThreadSanitizer: compiles, runs, says nothing.
// REQUIRES: sanitizers
// RUN: %cc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all %s -o %t && env ASAN_OPTIONS=detect_leaks=0 %t 2>&1 | %FileCheck
// RUN: %cc -O0 -fsanitize=thread %s -o %t && setarch -R %t 2>&1 | %FileCheck
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct list { struct list *next; char *text; };
int main(void) {
  struct list *all = NULL;
  for (int i = 0; i < 5; i++) {
    struct list *one = calloc(1, sizeof *one);
    one->text = strdup("text");
    one->next = all;
    all = one;
  }
  int n = 0;
  while (all) {
    struct list *next = all->next;
    free(all->text);
    free(all);
    all = next, n++;
  }
  printf("freed %d\n", n); // CHECK: freed 5
  return 0;
}
