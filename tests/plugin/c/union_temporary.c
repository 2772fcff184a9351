// SPDX-License-Identifier: MIT
// A member of a local record or union that only carries the block, as parser
// generators write it: the stack slot it is copied to is the holder.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct expr { int op; };
struct list { int count; };
union minor { struct expr *expr; struct list *list; int token; };
struct entry { int state; union minor minor; };
static struct expr *expr_new(int op) { struct expr *e = malloc(sizeof *e); if (e) e->op = op; return e; }
static struct list *list_new(struct expr *e) { struct list *l = malloc(sizeof *l); if (l) l->count = !!e; return l; }
static void reduce(struct entry *top, int rule) {
  union minor left;
  switch (rule) {
  case 0:
    left.expr = expr_new(top[0].minor.token);
    top[0].minor.expr = left.expr;             // CHECK: @[[@LINE]] top[0].minor.expr : struct expr in reduce, exact <- e in expr_new
    break;
  case 1:
    left.list = list_new(top[0].minor.expr);
    top[-2].minor.list = left.list;            // CHECK: @[[@LINE]] top[-2].minor.list : struct list in reduce, exact <- l in list_new
    break;
  case 2:
    left.list = list_new(NULL);                // CHECK: @[[@LINE]] left.list : struct list in reduce, exact <- l in list_new
    free(left.list);
    break;
  }
}
int main(void) {
  struct entry stack[4] = {{0}};
  reduce(stack + 2, 0);
  reduce(stack + 2, 1);
  reduce(stack + 2, 2);
  return 0;
}
