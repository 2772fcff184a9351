// SPDX-License-Identifier: MIT
// Who receives the block a wrapper has just allocated names it, with no list.
// RUN: %cc -O0 -c %s -o %t.o && %cc -O0 -DOTHER -fPIC -shared %s -o %t.so && %plain_cc %t.o %harness %t.so -o %t && %t | FileCheck %s
// RUN: %cc -O2 -c %s -o %t.o && %cc -O2 -DOTHER -fPIC -shared %s -o %t.so && %plain_cc %t.o %harness %t.so -o %t && %t | FileCheck %s
// RUN: %cc -O2 -c %s -o /dev/null %sites 2>&1 | FileCheck -check-prefix=SITE %s
#include <stdlib.h>
#include <string.h>
void *k1(size_t n);
void *k2(size_t n);

#ifdef OTHER
void *k1(size_t n) { void *a = malloc(n); if (!a) abort(); return a; }
void *k2(size_t n) { void *b = k1(n); memset(b, 0, n); return b; }
#else
struct user { int id; char name[60]; };
struct ops { void *(*get)(size_t); };

static void *k3(size_t n) { void *c; if (!(c = k2(n))) return NULL; return c; }
static int k4(size_t n, void **out) { void *d = k3(n); if (!d) return -1; *out = d; return 0; }
static void *k5(size_t n) { void *e = NULL; return k4(n, &e) ? NULL : e; }
static void *k6(size_t n) { void *f = k5(n + 16); return (char *)f + 16; }
static const struct ops ops = {k6};
static void *k7(size_t n) { char *g = ops.get(n); return g; }
static void *k8(size_t n) { void *h, *i; h = k7(n); i = h; return i; }

struct user *user_new(const char *name) {
  struct user *u = k8(sizeof *u); // SITE-DAG: init u : struct user (64) up wrapper <- k8 in user_new
  u->id = 1;
  strcpy(u->name, name);
  return u;
}
struct user *user_named(void) { // not a wrapper: another call may come in between
  struct user *v = k8(sizeof *v + 1); // SITE-DAG: init v : struct user (64) up <- k8 in user_named
  k1(3);
  return v;
}
static struct user *cache[4];
struct user *user_cached(int i) { // neither: what it returns may be old
  if (!cache[i]) cache[i] = k8(100); // SITE-DAG: assign cache[i] : struct user (64){{.*}} <- k8 in user_cached
  return cache[i];
}
struct user *by_return(void) {
  struct user *w = k1(5); // SITE-DAG: init w : struct user (64) up wrapper <- k1 in by_return
  return w;
}
void *resize(void *p, size_t n) {
  p = realloc(p, n); // SITE-DAG: assign p : void (0) up wrapper <- realloc in resize
  if (!p) abort();
  return p;
}

int main(int argc, char **argv) {
  struct user *me = user_new("me"); // CHECK-DAG: {{^}}80 me : struct user in main <- u in user_new <- h in k8 <- g in k7 <- f in k6 <- {{.*}}e in k5 <- {{.*}}*out in k4 <- c in k3 <- b in k2 <- a in k1{{$}}
  int *numbers = k8(11 * sizeof *numbers); // CHECK-DAG: {{^}}60 numbers : int in main <- h in k8
  // SITE-DAG: init numbers : int (4) array <- k8 in main
  numbers = resize(NULL, 200); // CHECK-DAG: {{^}}200 numbers : int in main <- p in resize{{$}}
  return me->id + numbers[0] == 77;
}
#endif
