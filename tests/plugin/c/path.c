// SPDX-License-Identifier: MIT
// Holders as the source writes them: members, elements, dereferences. An index
// that is not one word stays out.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct leaf { char *text; char *names[3]; };
struct tree { struct leaf *leaf; struct { struct leaf b[4]; } a; struct tree *next; int index; };
enum { LAST = 2 };
static struct tree global;
int main(void) {
  struct tree *p = calloc(1, sizeof *p);       // CHECK: @[[@LINE]] p : struct tree in main, exact
  struct tree value, **pp = &p;
  int i = 1;
  p->leaf = calloc(2, sizeof *p->leaf);        // CHECK: @[[@LINE]] p->leaf : struct leaf in main, exact
  p->a.b[i].text = malloc(1);                  // CHECK: @[[@LINE]] p->a.b[i].text : char in main, exact
  p->a.b[LAST].names[i + 1] = malloc(2);       // CHECK: @[[@LINE]] p->a.b[LAST].names[…] : char in main, exact
  value.a.b[0].text = malloc(3);               // CHECK: @[[@LINE]] value.a.b[0].text : char in main, exact
  global.a.b[i++].text = malloc(4);            // CHECK: @[[@LINE]] global.a.b[…].text : char in main, exact
  (*pp)->leaf[1].text = malloc(5);             // CHECK: @[[@LINE]] (*pp)->leaf[1].text : char in main, exact
  char **out = &value.leaf->text;
  value.leaf = p->leaf;
  out = &p->leaf->text;
  *out = malloc(6);                            // CHECK: @[[@LINE]] *out : char in main, exact
  out[0] = malloc(7);                          // CHECK: @[[@LINE]] out[0] : char in main, exact
  *(out + 0) = malloc(8);                      // CHECK: @[[@LINE]] *out : char in main, exact
  (*pp)->next = calloc(1, sizeof **pp);        // CHECK: @[[@LINE]] (*pp)->next : struct tree in main, exact
  p->next->next = malloc(sizeof *p);           // CHECK: @[[@LINE]] p->next->next : struct tree in main, exact
  return 0;
}
