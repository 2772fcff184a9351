// SPDX-License-Identifier: MIT
// A holder declared void * takes the type its block is given in the same expression
// (cast, other end of a double assignment, sizeof, the local stored in it), or the
// one type the function converts it to, else void.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
struct conn { int fd; };
struct box { void *raw; };
static void look(struct conn *c) { (void)c; }
int main(void) {
  struct box box, *b = &box;
  void *cast = (struct conn *)malloc(64);      // CHECK: @[[@LINE]] cast : struct conn in main, exact
  void *sized = malloc(sizeof(struct conn));   // CHECK: @[[@LINE]] sized : struct conn in main, exact
  unsigned char *byte = b->raw = malloc(65);   // CHECK: @[[@LINE]] b->raw : unsigned char in main, exact
  struct conn *c = malloc(66);
  b->raw = c;                                  // CHECK: @[[@LINE]] b->raw : struct conn in main, exact
  void *none = malloc(67);                     // CHECK: @[[@LINE]] none : void in main, exact
  look((struct conn *)none);
  ((char *)none)[3] = 1;
  void *once = malloc(68);                     // CHECK: @[[@LINE]] once : struct conn in main, exact
  look(once);
  return !cast || !sized || !byte;
}
