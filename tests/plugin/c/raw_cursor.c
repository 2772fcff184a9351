// SPDX-License-Identifier: MIT
// A char, byte or void pointer that is turned into a pointer to a record kept
// in another variable or field: the record's pointer is the holder.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#include <string.h>
struct pager { struct cache *cache; char *name; int fd; };
struct cache { int pages; };
struct owner { struct pager *pager; };
static void look(const void *p) { (void)p; }
static void carved(const char *name) {
  unsigned char *at = malloc(sizeof(struct pager) + sizeof(struct cache) + 8);
  struct pager *pager = (struct pager *)at;    // CHECK: @[[@LINE]] pager : struct pager in carved, exact
  pager->cache = (struct cache *)(at += sizeof *pager);
  pager->name = (char *)(at += sizeof(struct cache));
  strcpy(pager->name, name);
}
static void handed(struct pager **out) {
  unsigned char *at = malloc(sizeof(struct pager) + sizeof(void *));
  struct pager *pager = (struct pager *)at;
  at += sizeof *pager;
  memcpy(at, &pager, sizeof pager);            // reads it only
  *out = pager;
}
static struct pager *dup(void **buffer) {
  char *bytes = buffer ? *buffer : malloc(sizeof(struct pager));
  struct pager *copy = (struct pager *)bytes;
  if (copy) copy->fd = 1;
  return copy;
}
static void stored(struct owner *o) {
  void *raw = malloc(64);
  struct pager *p = raw;
  p->fd = 2;
  o->pager = p;                                // CHECK: @[[@LINE]] o->pager : struct pager in stored, exact
}
static void bytes(void) {
  char *text = malloc(20);                     // CHECK: @[[@LINE]] text : char in bytes, exact
  const unsigned char *walk = (const unsigned char *)text;
  look(walk);
  struct pager *shown = malloc(sizeof *shown); // CHECK: @[[@LINE]] shown : struct pager in bytes, exact
  char *inside = (char *)shown;
  look(inside);
}
int main(void) {
  struct owner o;
  carved("x");
  struct pager *mine = dup(NULL);              // CHECK: @[[@LINE]] mine : struct pager in main, exact <- copy in dup
  stored(&o);
  handed(&o.pager);                            // CHECK: @[[@LINE]] o.pager : struct pager in main, exact <- *out in handed
  bytes();
  return !mine;
}
