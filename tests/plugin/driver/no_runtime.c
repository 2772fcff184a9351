// SPDX-License-Identifier: MIT
// Without a runtime the program runs as it would without the plugin.
// RUN: %cc -O0 %s -o %t && %t | %FileCheck
// RUN: %cc -O3 -static %s -o %t && %t | %FileCheck
// RUN: %cc -O2 -fno-pie -no-pie %s -o %t && %t | %FileCheck
// RUN: %cc -O2 -fPIC -shared -DLIBRARY %s -o %t.so && %plain_cc -DMAIN_ONLY %s %t.so -o %t && %t | %FileCheck
// RUN: %cc -Os -g -ffunction-sections -fdata-sections -Wl,--gc-sections -s %s -o %t && %t | %FileCheck
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int work(void);
#ifndef MAIN_ONLY
struct pair { char *a, *b; };
int work(void) {
  struct pair *p = malloc(sizeof *p);
  p->a = strdup("one");
  p->b = malloc(10);
  strcpy(p->b, p->a);
  p->b = realloc(p->b, 100);
  int same = !strcmp(p->a, p->b);
  free(p->a), free(p->b), free(p);
  return same;
}
#endif
#ifndef LIBRARY
int main(void) {
  printf("same %d\n", work()); // CHECK: same 1
  return 0;
}
#endif
