// SPDX-License-Identifier: MIT
// A local of a macro is no name a reader sees: the place the block is stored in through it
// is, spelled with the macro's arguments. A local of the user's own keeps its name beside it.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct object { struct object *next; int kind; };
struct string { struct object *next; int kind; char text[8]; };
union any { struct object object; struct string string; };
struct value { union { struct object *object; double number; } as; int kind; };
struct slot { struct value value; };
struct state { struct slot *top; struct slot slots[4]; };
#define AS_OBJECT(v) (&((union any *)(v))->object)
#define SET_STRING(slot_, x) \
  { struct value *io = (slot_); struct string *x_ = (x); io->as.object = AS_OBJECT(x_); io->kind = 1; }
#define SET_TOP(s, x) SET_STRING(&(s)->top->value, x)
#define KEEP(list, n) do { char *tmp_ = malloc(n); if (!tmp_) abort(); (list)[0] = tmp_; } while (0)
#define ONLY(n) do { char *only_ = malloc(n); if (!only_) abort(); } while (0)
static char *kept[2];
static struct string *string_new(void) { return calloc(1, sizeof(struct string)); }
int main(void) {
  struct state s;
  struct value v, *obj = &v;
  s.top = s.slots;
  SET_STRING(obj, string_new());               // CHECK: @[[@LINE]] obj->as.object : struct string in main, exact
  SET_TOP(&s, string_new());                   // CHECK: @[[@LINE]] s.top->value.as.object : struct string in main, exact
  struct string *mine = string_new();          // CHECK: @[[@LINE]] mine : struct string in main, exact
  SET_TOP(&s, mine);
  KEEP(kept, 3);                               // CHECK: @[[@LINE]] kept[0] : char in main, exact
  ONLY(4);                                     // CHECK: @[[@LINE]] only_ : char in main, exact
  return 0;
}
