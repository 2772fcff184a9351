// SPDX-License-Identifier: MIT
// verbose: counts of each file on stderr; nothing without it.
// RUN: %cc -c %s -o %t.o -fplugin-arg-memscope-verbose 2>&1 | %find
// RUN: %cc -c %s -o %t.o -fplugin-arg-memscope-verbose=sites 2>&1 | %find --check-prefix=SITES
// RUN: %cc -c %s -o %t.o > %t.txt 2>&1
// RUN: test ! -s %t.txt
// CHECK: options_verbose.c{{.*}}2
#include <stdlib.h>
char *f(void) {
  char *first = malloc(1);   // SITES-DAG: {{ |:}}[[@LINE]]:17 {{.*}}first : char
  int *second = malloc(4);   // SITES-DAG: {{ |:}}[[@LINE]]:17 {{.*}}second : int
  *second = 1;
  return first;
}
