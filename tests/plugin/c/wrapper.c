// SPDX-License-Identifier: MIT
// Whoever receives the block at the end names it: eight functions deep, out-parameter;
// a member that is set through a pointer is a holder itself.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#include <string.h>
struct s { char *d; size_t n; };
static void *w1(size_t n) { void *p = malloc(n); if (!p) abort(); return p; }
static void *w2(size_t n) { return w1(n); }
static void *w3(size_t n) { void *q = w2(n); memset(q, 0, n); return q; }
static void *w4(size_t n) { return w3(n); }
static void *w5(size_t n) { return w4(n); }
static void *w6(size_t n) { return w5(n); }
static void *w7(size_t n) { return w6(n); }
static void *w8(size_t n) { void *z = w7(n); return z; }
static int out(void **place, size_t n) { *place = malloc(n); return *place ? 0 : -1; }
static int out_late(char **place, size_t n) { char *p = malloc(n); if (!p) return -1; *place = p; return 0; }
static void fill(struct s *s, size_t n) { s->d = malloc(n); s->n = n; }
// CHECK: @[[@LINE-1]] s->d : char in fill, exact
static struct s by_value(size_t n) { struct s s = {malloc(n), n}; return s; }
// CHECK: @[[@LINE-1]] s.d : char in by_value, exact
static char *copy(const char *t) { char *c = w1(strlen(t) + 1); return strcpy(c, t); }
int main(void) {
  char *deep = w8(8);
  // CHECK: @[[@LINE-1]] deep : char in main, exact <- z in w8 <- {{.*}}q in w3 <- {{.*}}p in w1
  void *o;
  if (out(&o, 3)) return 1;                    // CHECK: @[[@LINE]] o : {{.*}} in main, exact <- *place in out
  struct s s, t;
  if (out_late(&s.d, 4)) return 1;             // CHECK: @[[@LINE]] s.d : char in main, exact <- *place in out_late
  fill(&s, 5);
  t = by_value(6);
  char *text = copy("abc");                    // CHECK: @[[@LINE]] text : char in main, exact <- c in copy <- p in w1
  return !deep || !o || !t.d || !text;
}
