// SPDX-License-Identifier: MIT
// Every place an expression can hand a block to.
// RUN: %cc -O0 %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
// RUN: %cc -O2 -g %s %harness -fplugin-arg-memscope-exclude=harness.c -o %t && %t | FileCheck %s
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct inner { int *b[4]; char *name; };
struct outer { struct inner a; struct inner *p; struct outer *next; union { int *i; float *f; }; int *grid[2][3]; };

int *global;
static int *internal;
int *table[8];
struct outer place;
static volatile int zero = 0, one = 1;

void use(void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
void use2(int n, void *p) { use(p); }

void destinations(struct outer *p, int i) {
  int *init = malloc(101);                 // CHECK-DAG: {{^}}101 init : int in destinations{{$}}
  int *later;
  later = malloc(102);                     // CHECK-DAG: {{^}}102 later : int in destinations{{$}}
  p->a.b[i] = malloc(103);                 // CHECK-DAG: {{^}}103 p->a.b[i] : int in destinations{{$}}
  p->p = malloc(104);                      // CHECK-DAG: {{^}}104 p->p : struct inner in destinations{{$}}
  p->p->b[2] = malloc(105);                // CHECK-DAG: {{^}}105 p->p->b[2] : int in destinations{{$}}
  (*p).a.name = malloc(106);               // CHECK-DAG: {{^}}106 p->a.name : char in destinations{{$}}
  p->i = malloc(107);                      // CHECK-DAG: {{^}}107 p->i : int in destinations{{$}}
  global = malloc(108);                    // CHECK-DAG: {{^}}108 global : int in destinations{{$}}
  internal = malloc(109);                  // CHECK-DAG: {{^}}109 internal : int in destinations{{$}}
  table[i + 2] = malloc(110);              // CHECK-DAG: {{^}}110 table[…] : int in destinations{{$}}
  place.a.b[one] = malloc(111);            // CHECK-DAG: {{^}}111 place.a.b[one] : int in destinations{{$}}
  p->grid[1][i] = malloc(112);             // CHECK-DAG: {{^}}112 p->grid[1][i] : int in destinations{{$}}
  *(table + 7) = malloc(113);              // CHECK-DAG: {{^}}113 *table : int in destinations{{$}}

  int *cast = (int *)(char *)malloc(120);  // CHECK-DAG: {{^}}120 cast : int in destinations{{$}}
  uintptr_t number = (uintptr_t)malloc(121); // CHECK-DAG: {{^}}121 number : void in destinations{{$}}
  void *typed = (struct outer *)malloc(122); // CHECK-DAG: {{^}}122 typed : struct outer in destinations{{$}}
  int *arm = zero ? 0 : malloc(123);       // CHECK-DAG: {{^}}123 arm : int in destinations{{$}}
  arm = one ? malloc(124) : malloc(125);   // CHECK-DAG: {{^}}124 arm : int in destinations{{$}}
  int *elvis = malloc(126) ?: later;       // CHECK-DAG: {{^}}126 elvis : int in destinations{{$}}
  int *comma = (zero, malloc(127));        // CHECK-DAG: {{^}}127 comma : int in destinations{{$}}
  char *offset = (char *)malloc(128) + 16; // CHECK-DAG: {{^}}128 offset : char in destinations{{$}}
  int *chained = global = malloc(129);     // CHECK-DAG: {{^}}129 global : int in destinations{{$}}
  int *condition;
  if ((condition = malloc(130)) == NULL) abort(); // CHECK-DAG: {{^}}130 condition : int in destinations{{$}}
  while (!(later = malloc(131)));          // CHECK-DAG: {{^}}131 later : int in destinations{{$}}
  for (int *turn = malloc(132); turn; turn = 0) use(turn); // CHECK-DAG: {{^}}132 turn : int in destinations{{$}}
  char **field = &((struct inner *)malloc(133))->name; // CHECK-DAG: {{^}}133 field : {{.*}} in destinations{{$}}

  use2(1, malloc(140));                    // CHECK-DAG: {{^}}140 use2(…, #2) : void in destinations{{$}}
  use2(1, (int *)malloc(141));             // CHECK-DAG: {{^}}141 use2(…, #2) : int in destinations{{$}}
  ((struct inner *)malloc(142))->name = 0; // CHECK-DAG: {{^}}142 malloc(…) : struct inner in destinations{{$}}
  *(int *)malloc(143) = 1;                 // CHECK-DAG: {{^}}143 malloc(…) : int in destinations{{$}}
  malloc(144);                             // CHECK-DAG: {{^}}144 malloc(…) : void in destinations{{$}}
  (void)malloc(145);                       // CHECK-DAG: {{^}}145 malloc(…) : void in destinations{{$}}
  use(strcpy(malloc(146), "x"));           // CHECK-DAG: {{^}}146 use(…, #1) : char in destinations{{$}}
  char *copied = strcpy(malloc(147), "x"); // CHECK-DAG: {{^}}147 copied : char in destinations{{$}}
  use(typed), use(chained), use(elvis), use(arm), use(cast), use(init), use(comma), use(copied), use(field);
  use((void *)number), use(offset);
  switch (one) {
  case 1: later = malloc(150); break;      // CHECK-DAG: {{^}}150 later : int in destinations{{$}}
  default: break;
  }
  static int *kept;
  kept = malloc(151);                      // CHECK-DAG: {{^}}151 kept : int in destinations{{$}}
  label: later = malloc(152);              // CHECK-DAG: {{^}}152 later : int in destinations{{$}}
  do later = malloc(153); while (zero);    // CHECK-DAG: {{^}}153 later : int in destinations{{$}}
  int *_Atomic shared = malloc(154);       // CHECK-DAG: {{^}}154 shared : int in destinations{{$}}
  use(shared), use(later), use(kept);
}

static void *passed(size_t n) { return malloc(n); }

int main(int argc, char **argv) {
  struct outer o;
  destinations(&o, argc);
  use(passed(160));                        // CHECK-DAG: {{^}}160 use(…, #1) : void in main{{$}}
  return 0;
}
