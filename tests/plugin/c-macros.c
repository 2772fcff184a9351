// SPDX-License-Identifier: MIT
// Macros, statement expressions: nothing may be matched by line or column.
// RUN: %cc -O0 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
// RUN: %cc -O2 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
#include <stdlib.h>
#define NEW(T, n) ((T *)malloc(sizeof(T) + (n)))
#define SET(x, n) do { (x) = malloc(n); if (!(x)) abort(); } while (0)
#define BOTH(a, n, b, m) do { (a) = malloc(n); (b) = malloc(m); } while (0)
#define CHECKED(n) ({ void *p_ = malloc(n); if (!p_) abort(); p_; })
#define GROW(v, n, T) ((v) = (T *)realloc(v, (n)))
#define WEIRD(x) x = CHECKED(sizeof *x + 60)

struct s { int *p, *q; char *text; };
struct t { long x, y; };
struct s s;

int main(int argc, char **argv) {
  struct t *one = NEW(struct t, 1);                  // CHECK-DAG: {{^}}17 one : struct t in main
  void *unknown = NEW(struct t, 2);                  // CHECK-DAG: {{^}}18 unknown : struct t in main
  SET(s.p, 101);                                     // CHECK-DAG: {{^}}101 s.p : int in main
  BOTH(s.p, 102, s.q, 103);
  // CHECK-DAG: {{^}}102 s.p : int in main
  // CHECK-DAG: {{^}}103 s.q : int in main
  int *a = malloc(104), *b = malloc(105);
  // CHECK-DAG: {{^}}104 a : int in main
  // CHECK-DAG: {{^}}105 b : int in main
  int *checked = CHECKED(106);                       // CHECK-DAG: {{^}}106 checked : int in main <- p_ in main
  s.text = CHECKED(107);                             // CHECK-DAG: {{^}}107 s.text : char in main <- p_ in main
  GROW(s.q, 108, int);                               // CHECK-DAG: {{^}}108 s.q : int in main
  struct t *WEIRD(weird);                            // CHECK-DAG: {{^}}76 weird : struct t in main <- p_ in main
  return 0;
}
