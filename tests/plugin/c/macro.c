// SPDX-License-Identifier: MIT
// Macros: with one malloc, with two on one line, and as the holder itself.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#define NEW(type) ((type *)malloc(sizeof(type)))
#define NEW_TWO(a, b) do { (a) = malloc(1); (b) = malloc(2); } while (0)
#define FIELD(o) (o)->text
#define GROW(v, n) ((v) = realloc((v), (n) * sizeof *(v)))
#define MAKE(name, bytes) char *name = malloc(bytes)
struct object { char *text; int *numbers; };
int main(void) {
  struct object *o = NEW(struct object);       // CHECK: @[[@LINE]] o : struct object in main, exact
  NEW_TWO(o->text, o->numbers);
  // CHECK-DAG: @[[@LINE-1]] o->text : char in main, exact
  // CHECK-DAG: @[[@LINE-2]] o->numbers : int in main, exact
  FIELD(o) = malloc(3);                        // CHECK: @[[@LINE]] {{o->text|\(o\)->text|FIELD\(o\)}} : char in main, exact
  int *v = NULL;
  GROW(v, 4);                                  // CHECK: @[[@LINE]] {{v|\(v\)}} : int in main, exact
  MAKE(line, 5);                               // CHECK: @[[@LINE]] line : char in main, exact
  return !line || !v;
}
