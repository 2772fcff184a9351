/* SPDX-License-Identifier: MIT
 * The upper layers: see layers.h. */
#include <stdint.h>
#include <string.h>

#include "layers.h"

static void *q4(size_t n) { return n ? q5(n) : NULL; }
static void *q3(size_t n) {
  void *r;
  r = q4(n);
  if (!r) return NULL;
  return r;
}
static void *q2(size_t n) {
  char *bytes = (char *)q3(n);
  memset(bytes, 0, n);
  return bytes;
}
void *q1(size_t n) { return q2(n); }

static int z4(void **w, size_t n) { return z5(w, n, 1); }
static int z3(size_t n, void **x) {
  void *mine = NULL;
  if (z4(&mine, n) != 0) return -1;
  *x = mine;
  return 0;
}
static int z2(void **out, size_t n) { return z3(n, out) == 0 ? 0 : -2; }
int z1(size_t n, void **where) {
  *where = NULL;
  return z2(where, n);
}

struct front { uint64_t bytes, mark; };
static void *h8(size_t n) { return q1(n); }
static struct front *h7(size_t n) {
  struct front *f = h8(n + sizeof *f);
  f->bytes = n;
  f->mark = 42;
  return f;
}
static void *h6(size_t n) {
  struct front *f = h7(n);
  return f + 1;
}
static void *h5(size_t n) { return h6(n); }
static void *h4(size_t n) { void *v = h5(n); return v; }
static void *h3(size_t n) { return h4(n); }
static void *h2(size_t n) { return h3(n); }
void *h1(size_t n) { return h2(n); }
