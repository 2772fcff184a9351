/* SPDX-License-Identifier: MIT
 * The shared library's layers: see layers.h. */
#include <stdlib.h>
#include <string.h>

#include "layers.h"

static void *k8(size_t n) { return calloc(1, n); }
static void *k7(size_t n) { return k8(n); }
static void *k6(size_t n) { char *c = k7(n); return c; }
static void *k5(size_t n) { return k6(n); }
static void *k4(size_t n) { void *a = k5(n); if (a) memset(a, 1, n); return a; }
static void *k3(size_t c, size_t e) { return k4(c * e); }
static void *k2(size_t c, size_t e) { return k3(c, e); }
void *k1(size_t count, size_t each) { return k2(count, each); }

static void *w8(size_t n) { return malloc(n); }
static source volatile s8 = w8;
static void *w7(size_t n) { return s8(n); }
static source volatile s7 = w7;
static void *w6(size_t n) { void *a = s7(n); return a; }
static source volatile s6 = w6;
static void *w5(size_t n) { return s6(n); }
static source volatile s5 = w5;
static void *w4(size_t n) { return s5(n); }
static source volatile s4 = w4;
static void *w3(size_t n) { void *b; b = s4(n); return b; }
static source volatile s3 = w3;
static void *w2(size_t n) { return s3(n); }
static source volatile s2 = w2;
static void *w1(size_t n) { return s2(n); }
source w_source(void) { return w1; }

struct pool { size_t given; source from; };
static struct pool pool = {0, w1};
static void *pool_get(void *context, size_t n) {
  struct pool *p = context;
  p->given += n;
  return p->from(n);
}
static void pool_put(void *context, void *p) { (void)context, free(p); }
static const struct ops pool_ops = {&pool, pool_get, pool_put};
const struct ops *ops_find(const char *name) { return name ? &pool_ops : NULL; }
