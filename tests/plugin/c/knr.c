// SPDX-License-Identifier: MIT
// Definitions as Kernighan and Ritchie wrote them first, no declaration of malloc in sight.
// RUN: %cc -std=gnu89 -O0 %s -o %t && %run %t | %check
// RUN: %cc -std=gnu89 -O2 %s -o %t && %run %t | %check
struct thing { int a; };
char *make(n, unused)
  int n;
  char *unused;
{
  char *p = (char *)malloc(n);
  return p;
}
main(argc, argv)
  int argc;
  char **argv;
{
  struct thing *t = (struct thing *)malloc(sizeof(struct thing)); // CHECK: @[[@LINE]] t : struct thing in main, exact
  char *text;
  text = make(5, argv[0]); // CHECK: @[[@LINE]] text : char in main, exact <- p in make
  return !t || !text;
}
