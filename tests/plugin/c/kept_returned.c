// SPDX-License-Identifier: MIT
// A block both stored and returned: the outermost function that received it names it. Where
// something else was allocated before, it keeps the holder its constructor gave it.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct part { struct part *next; char *text; };
struct whole { struct part *all; struct part *spare; };
static struct whole whole;
static struct part *linked(struct whole *w) {
  struct part *p = malloc(sizeof *p);
  p->next = w->all;
  w->all = p;
  return p;
}
static struct part *nested(struct whole *w) {
  struct part *p;
  w->spare = p = malloc(sizeof *p);
  return p;
}
static struct part *filled(struct whole *w) {
  struct part *p = malloc(sizeof *p);
  w->spare = p;                                // CHECK: @[[@LINE]] w->spare : struct part in filled, exact
  p->text = malloc(2);                         // CHECK: @[[@LINE]] p->text : char in filled, exact
  return p;
}
static char *text(struct whole *w, int fail) { // calls between, so no wrapper: a local that returned it holds nothing
  char *made = malloc(5);
  if (fail) linked(w);
  return made;
}
static void use(const char *t) { (void)t; }
int main(int argc, char **argv) {
  struct part *mine = linked(&whole);          // CHECK: @[[@LINE]] mine : struct part in main, exact <- w->all in linked
  mine = nested(&whole);                       // CHECK: @[[@LINE]] mine : struct part in main, exact <- w->spare in nested
  struct part *late = filled(&whole);
  use(text(&whole, argc > 1));                 // CHECK: @[[@LINE]] use(…, #1) : {{(const )?}}char in main, exact <- made in text
  return !mine || !late;
}
