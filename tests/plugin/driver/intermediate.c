// SPDX-License-Identifier: MIT
// Ways through other files: -save-temps, bitcode and IR compiled later, assembly.
// RUN: rm -rf %t && mkdir %t
// RUN: cd %t && %cc -O2 -save-temps %s -o saved && %run ./saved | %check
// RUN: cd %t && %cc -O2 -emit-llvm -c %s -o a.bc && %cc -O2 a.bc -o a && %run ./a | %check
// RUN: cd %t && %cc -O0 -emit-llvm -S %s -o b.ll && %plain_cc b.ll -o b && %run ./b | %check
// RUN: cd %t && %cc -O2 -S %s -o c.s && %plain_cc c.s -o c && %run ./c | %check
// RUN: cd %t && %cc -O2 -E %s -o d.i && %cc -O2 d.i -o d && %run ./d | %check
// RUN: %not grep -q __memscope_mark %t/b.ll
#include <stdlib.h>
static void *wrapped(size_t n) { void *p = malloc(n); return p; }
int main(void) {
  char *text = wrapped(3);                     // CHECK: @[[@LINE]] text : char in main, exact <- p in wrapped
  return !text;
}
