// SPDX-License-Identifier: MIT
// Where blocks are given back: free, and through wrappers: the caller of a wrapper is the place.
// RUN: %cc -O0 %s -o %t && %run --dump %t | %find
// RUN: %cc -O2 %s -o %t && %run --dump %t | %find
#include <stdlib.h>
struct conn { char *buffer; int fd; };
static int closed;
static void xfree(void *p) { free(p); }
static void conn_free(struct conn *c) { free(c->buffer); xfree(c); closed++; }
int main(void) {
  char *text = malloc(1);
  free(text);
  // CHECK: free #[[#]] free at "text : char" in main free.c:[[@LINE-1]]:3
  struct conn *c = malloc(sizeof *c);
  c->buffer = malloc(2);
  conn_free(c);
  // CHECK: free #[[#]] free at "c->buffer : char" in conn_free free.c:[[@LINE-8]]:
  // CHECK: free #[[#]] free at "c : struct conn" in main free.c:[[@LINE-2]]:3
  // CHECK-SAME: <- "c : struct conn" in conn_free {{.*}}<- "p" in xfree
  return 0;
}
