// SPDX-License-Identifier: MIT
// A field, global, element or *out that a local's block is stored in is the holder, wherever
// the store stands: later, behind another allocation, by way of another local, nested, in a
// branch. Of several the one under the fewest conditions counts, then the first behind it.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#include <string.h>
struct node { struct node *next, *prev; char *name; void *data; };
struct list { struct node *head, *tail; char *names[4]; void *state; };
static struct list list, mirror;
static struct node *global;
static void *other(size_t n) { void *p = malloc(n); if (!p) abort(); return p; }
static void look(const void *p) { (void)p; }

static void append(struct list *l) {
  struct node *n;
  if ((n = malloc(sizeof *n)) == NULL) return;
  n->prev = n->next = n;
  if (!l->tail) {
    l->head = l->tail = n;                     // CHECK: @[[@LINE]] l->head : struct node in append, exact x2
  } else {
    n->prev = l->tail;
    l->tail->next = n;
    l->tail = n;
  }
}
static void push(struct list *l) {
  struct node *n = malloc(sizeof *n);
  n->next = l->head;
  if (n->next) n->next->prev = n;
  l->head = n;                                 // CHECK: @[[@LINE]] l->head : struct node in push, exact
}
static struct node *extend(struct list *l, int count) { // the last one's next, before last is the new one
  struct node *last = l->head, *n;
  while (count-- > 0) {
    n = malloc(sizeof *n);
    n->next = NULL;
    last->next = n;                            // CHECK: @[[@LINE]] last->next : struct node in extend, exact x2
    last = n;
  }
  return l->head;
}
static void chained(struct node **at, int count) { // a store of the next turn comes after those of this one
  struct node *before = NULL;
  while (count-- > 0) {
    struct node *n = malloc(sizeof *n);
    n->next = before;
    n->name = NULL;
    *at = n;                                   // CHECK: @[[@LINE]] *at : struct node in chained, exact x2
    at = &n->prev;
    before = n;
  }
}
static void descend(struct node **out, int depth) { // given back on its way, another is stored
  struct node *n = malloc(sizeof *n), *child;  // CHECK: @[[@LINE]] n : struct node in descend, exact
  while (depth-- > 0) {
    child = malloc(sizeof *child);
    free(n);
    n = child;
  }
  *out = n;
}
static void late(struct list *l) {
  char *name = malloc(1);
  char *between = malloc(2);                   // CHECK: @[[@LINE]] between : char in late, exact
  look(between);
  char *same = name;
  l->names[1] = same;                          // CHECK: @[[@LINE]] l->names[1] : char in late, exact
}
static void nested(struct list *l) {
  struct node *last, *n = malloc(sizeof *n);
  last = l->head->next = global = n;           // CHECK: @[[@LINE]] l->head->next : struct node in nested, exact
  look(last);
  struct node *m;
  global = m = malloc(sizeof *m);              // CHECK: @[[@LINE]] global : struct node in nested, exact
}
static void based(struct list *l) { // a header stored: the block stays what it was made as
  struct wide { struct node node; long more; } *w = malloc(sizeof *w);
  l->head = (struct node *)w;                  // CHECK: @[[@LINE]] l->head : struct wide in based, exact
  l->names[2] = mirror.names[2] = malloc(11);  // CHECK: @[[@LINE]] l->names[2] : char in based, exact
}
static int opened(struct node **out, char **name) {
  struct node *n = malloc(sizeof *n);
  if (!n) return 1;
  n->name = malloc(3);                         // CHECK: @[[@LINE]] n->name : char in opened, exact
  *out = n;                                    // CHECK: @[[@LINE]] *out : struct node in opened, exact
  return 0;
}
static void reused(struct list *l, int which) { // each block by its own store
  char *p = malloc(4);                         // CHECK: @[[@LINE]] p : char in reused, exact
  free(p);
  p = malloc(5);
  l->names[2] = p;                             // CHECK: @[[@LINE]] l->names[2] : char in reused, exact
  switch (which) {
  case 1: p = malloc(6); look(p); break;       // CHECK: @[[@LINE]] p : char in reused, exact
  case 2: l->names[3] = p; break;
  }
}
static void choice(struct list *l, int which) { // both arms meet in one store
  char *p;
  if (which)
    p = malloc(7);
  else
    p = malloc(8);
  l->names[0] = p;                             // CHECK: @[[@LINE]] l->names[0] : char in choice, exact
}
static void undone(struct list *l, char *mine) {
  char *p = malloc(9);                         // CHECK: @[[@LINE]] p : char in undone, exact
  look(p);
  free(p);
  p = mine;
  l->names[0] = p;
}
static void untyped(struct list *l) {
  struct node *n = malloc(sizeof *n);
  n->next = n;
  n->name = malloc(10);                        // CHECK: @[[@LINE]] n->name : char in untyped, exact
  l->state = n;                                // CHECK: @[[@LINE]] l->state : struct node in untyped, exact
}
int main(int argc, char **argv) {
  struct node *n;
  char *name;
  append(&list);
  append(&list);
  push(&list);
  extend(&list, 2);
  chained(&mirror.head, 2);
  descend(&global, 1);                         // CHECK: @[[@LINE]] global : struct node in main, exact <- *out in descend
  late(&list);
  nested(&list);
  based(&mirror);
  reused(&list, argc);
  choice(&list, argc);
  undone(&list, argv[0]);
  untyped(&list);
  return opened(&n, &name);
}
