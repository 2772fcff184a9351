// SPDX-License-Identifier: MIT
// exclude=GLOB leaves a file as it is, bit for bit; another glob does not.
// RUN: %plain_cc -O1 -c %s -o %t.plain.o
// RUN: %cc -O1 -c %s -o %t.o -fplugin-arg-memscope-exclude=*/options_excl*.c
// RUN: cmp %t.o %t.plain.o
// RUN: %cc -O1 -c %s -o %t.o -fplugin-arg-memscope-exclude=options_exclude.c
// RUN: cmp %t.o %t.plain.o
// RUN: %cc -O1 -c %s -o %t.o -fplugin-arg-memscope-exclude=*.h
// RUN: %not cmp %t.o %t.plain.o
// RUN: %not %cc -c %s -o %t.o -fplugin-arg-memscope-exclude=[a 2>&1 | %find
// CHECK: error: memscope: bad pattern '[a'
#include <stdlib.h>
char *f(void) { char *p = malloc(3); return p; }
int main(void) { return !f(); }
