// SPDX-License-Identifier: MIT
// Initialisers of structs, arrays, unions and compound literals.
// RUN: %cc -O0 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
// RUN: %cc -O2 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
#include <stdlib.h>

struct pair { int *first; char *second; };
struct deep { struct pair pairs[2]; struct { long *hidden; }; struct pair *link; unsigned : 4; short *last; };
union either { int *i; char *c; };

void use(void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
void by_value(struct pair p) { use(p.first); }

struct pair make(void) {
  return (struct pair){.second = malloc(90)}; // CHECK-DAG: {{^}}90 return.second : char in make{{$}}
}

int main(int argc, char **argv) {
  struct pair plain = {malloc(1), malloc(2)};
  // CHECK-DAG: {{^}}1 plain.first : int in main{{$}}
  // CHECK-DAG: {{^}}2 plain.second : char in main{{$}}
  struct pair designated = {.second = malloc(3)}; // CHECK-DAG: {{^}}3 designated.second : char in main{{$}}
  int *array[] = {malloc(4), malloc(5)};
  // CHECK-DAG: {{^}}4 array[0] : int in main{{$}}
  // CHECK-DAG: {{^}}5 array[1] : int in main{{$}}
  int *sparse[4] = {[2] = malloc(6)};            // CHECK-DAG: {{^}}6 sparse[2] : int in main{{$}}
  struct deep deep = {
    .pairs[1].second = malloc(7),                // CHECK-DAG: {{^}}7 deep.pairs[1].second : char in main{{$}}
    .hidden = malloc(8),                         // CHECK-DAG: {{^}}8 deep.hidden : long in main{{$}}
    .last = malloc(9),                           // CHECK-DAG: {{^}}9 deep.last : short in main{{$}}
  };
  union either u = {.c = malloc(10)};            // CHECK-DAG: {{^}}10 u.c : char in main{{$}}
  struct pair *p = &plain;
  *p = (struct pair){.first = malloc(11)};       // CHECK-DAG: {{^}}11 p->first : int in main{{$}}
  designated = (struct pair){malloc(12), 0};     // CHECK-DAG: {{^}}12 designated.first : int in main{{$}}
  struct pair *literal = &(struct pair){.first = malloc(13)}; // CHECK-DAG: {{^}}13 literal{{.*}}first : int in main{{$}}
  by_value((struct pair){.first = malloc(14)});  // CHECK-DAG: {{^}}14 by_value(…, #1).first : int in main{{$}}
  deep.link = (struct pair[]){{malloc(15), 0}};  // CHECK-DAG: {{^}}15 deep.link[0].first : int in main{{$}}
  int *braced = {malloc(16)};                    // CHECK-DAG: {{^}}16 braced : int in main{{$}}
  struct pair made = make();
  use(made.second), use(array), use(sparse), use(&deep), use(&u), use(literal), use(braced), use(p);
  return 0;
}
