/* SPDX-License-Identifier: MIT
 * Allocation layers with names that say nothing, eight deep, across two units
 * and a shared library. Whoever calls the first one must be named.
 */
#ifndef LAYERS_H
#define LAYERS_H
#include <stddef.h>

/* a.c: q1 .. q4, b.c: q5 .. q8, then malloc */
void *q1(size_t n);
void *q5(size_t n);

/* Out-parameter all the way: z1 .. z4 in a.c, z5 .. z8 in b.c. 0 = done. */
int z1(size_t n, void **where);
int z5(void **where, size_t n, int flag);

/* realloc through eight: r1 .. r8 in b.c */
void *r1(void *old, size_t n);

/* Blocks with a header of 16 bytes in front: h1 .. h8 in a.c */
void *h1(size_t n);
void h_free(void *p);

/* The shared library: k1 .. k8 */
void *k1(size_t count, size_t each);

/* Each layer calls the next through a pointer: w1 .. w8 in the library */
typedef void *(*source)(size_t);
source w_source(void);

/* A table of functions, as an interface of a plugin would have it. */
struct ops {
  void *context;
  void *(*get)(void *context, size_t n);
  void (*put)(void *context, void *p);
};
const struct ops *ops_find(const char *name);
#endif
