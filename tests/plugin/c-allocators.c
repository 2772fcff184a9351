// SPDX-License-Identifier: MIT
// The allocators of the C library, through every kind of call.
// RUN: %cc -O0 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
// RUN: %cc -O2 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
// RUN: %cc -O2 -D_FORTIFY_SOURCE=2 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct ops { void *(*alloc)(size_t); void (*drop)(void *); };
struct box { char *text; void *raw; };
static void *(*pointer)(size_t) = malloc;
void use(void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }

// no prototype, and a definition of the old kind
void *old_style();
int *knr(n, m) int n; int m; {
  int *grown = (int *)old_style(n + m);             // CHECK-DAG: {{^}}120 r : int in main <- grown in knr{{$}}
  return grown;
}
void *old_style(n) int n; { return malloc(n); }

int main(int argc, char **argv) {
  struct ops ops = {malloc, free}, *o = &ops;
  struct box box, *bp = &box;
  char text[200];
  memset(text, 'x', 199);
  text[100 + argc * 0] = 0;

  int *c = calloc(4, 25);                           // CHECK-DAG: {{^}}100 c : int in main{{$}}
  c = realloc(c, 102);                              // CHECK-DAG: {{^}}102 c : int in main{{$}}
  c = reallocarray(c, 1, 103);                      // CHECK-DAG: {{^}}103 c : int in main{{$}}
  box.text = strdup(text);                          // CHECK-DAG: {{^}}101 box.text : char in main{{$}}
  bp->text = strndup(text, 90);                     // CHECK-DAG: {{^}}91 bp->text : char in main{{$}}
  wchar_t *wide = wcsdup(L"abcdefgh");              // CHECK-DAG: {{^}}36 wide : wchar_t in main{{$}}
  char *printed;
  asprintf(&printed, "%0100d", 7);                  // CHECK-DAG: {{^}}{{[0-9]+}} printed : char in main{{$}}
  posix_memalign(&bp->raw, 16, 105);                // CHECK-DAG: {{^}}105 bp->raw : void in main{{$}}
  double *aligned = aligned_alloc(16, 112);         // CHECK-DAG: {{^}}112 aligned : double in main{{$}}
  short *mem = memalign(16, 113);                   // CHECK-DAG: {{^}}113 mem : short in main{{$}}
  long *through = pointer(114);                     // CHECK-DAG: {{^}}114 through : long in main{{$}}
  long *member = o->alloc(115);                     // CHECK-DAG: {{^}}115 member : long in main{{$}}
  long *starred = (*pointer)(116);                  // CHECK-DAG: {{^}}116 starred : long in main{{$}}
  long *builtin = __builtin_malloc(117);            // CHECK-DAG: {{^}}117 builtin : long in main{{$}}
  int *r = knr(60, 60);
  FILE *f = fopen("/dev/null", "r");                // CHECK-DAG: {{^}}{{[0-9]+}} f : FILE in main
  use(wide), use(printed), use(aligned), use(mem), use(through), use(member), use(starred), use(builtin), use(r), use(f);
  use(c), use(box.text);
  return 0;
}
