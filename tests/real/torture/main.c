/* SPDX-License-Identifier: MIT
 *
 * Calls the layers of a.c, b.c and lib.c in every way a caller keeps a block.
 * Each function below names what must be reported; nothing may be reported
 * inside a layer. No stdio: its buffers would be allocations too.
 */
#include <stdlib.h>
#include <unistd.h>

#include "layers.h"

enum { TIMES = 10, SLOTS = 5 };

struct alpha { int a[3]; };
struct beta { double b; };
struct gamma { char g[7]; };
struct delta { long d[9]; };
struct epsilon { short e; };
struct zeta { void *z[2]; };
struct eta { int h; };
struct theta { char t[33]; };
struct iota { unsigned i; };
struct kappa { float k[4]; };
struct box { int id; struct { struct beta *beta; } in; };
struct table { int used; struct gamma *slots[SLOTS]; };

static struct kappa *global_kappa;

static void local(void) {
  for (int i = 0; i < TIMES; i++) {
    struct alpha *first = q1(sizeof *first);
    first->a[0] = i;
    free(first);
  }
}

static void member(struct box *box) {
  box->in.beta = (struct beta *)q1(sizeof(struct beta));
  free(box->in.beta);
}

static void array(struct table *table) {
  for (int i = 0; i < SLOTS; i++) table->slots[i] = k1(1, sizeof(struct gamma));
  for (int i = 0; i < SLOTS; i++) free(table->slots[i]);
}

static int out(void) {
  struct delta *delta = NULL;
  if (z1(sizeof *delta, (void **)&delta) != 0) return 1;
  delta->d[0] = 1;
  free(delta);
  return 0;
}

struct holder { int n; struct epsilon *eps; };
static int out_in_struct(struct holder *holder) {
  if (z1(sizeof *holder->eps, (void **)&holder->eps)) return 1;
  free(holder->eps);
  return 0;
}

static void pointer(void) {
  source f = w_source();
  struct zeta *zeta = f(sizeof *zeta);
  zeta->z[0] = zeta;
  free(zeta);
}

static void interface(const struct ops *ops) {
  struct eta *eta = ops->get(ops->context, sizeof *eta);
  eta->h = 1;
  ops->put(ops->context, eta);
}

static void header(void) {
  struct theta *theta = h1(sizeof *theta);
  theta->t[0] = 1;
  h_free(theta);
}

static void grow(void) {
  struct iota *iotas = NULL;
  for (size_t n = 1; n < 100; n *= 2) iotas = r1(iotas, n * sizeof *iotas);
  free(iotas);
}

static void keep(void) { global_kappa = q1(4 * sizeof(struct kappa)); }

/* A factory of the program's own: it fills in what it hands out, and its caller keeps it. */
static struct beta *beta_new(double value) {
  struct beta *made = q1(sizeof *made);
  if (made) made->b = value;
  return made;
}
static void factory(void) {
  struct beta *kept = beta_new(1.5);
  free(kept);
}

int main(void) {
  struct box box = {0};
  struct table table = {0};
  struct holder holder = {0};
  local();
  member(&box);
  array(&table);
  if (out() || out_in_struct(&holder)) return 1;
  pointer();
  interface(ops_find("pool"));
  header();
  grow();
  keep();
  factory();
  free(global_kappa);
  return write(1, "done\n", 5) == 5 ? 0 : 1;
}
