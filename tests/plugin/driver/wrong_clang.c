// SPDX-License-Identifier: MIT
// The plugin of another version says so in one sentence, and the compiler fails.
// REQUIRES: another-clang
// RUN: %not %another-clang -fplugin=%lib/memscope-%major.so -c %s -o %t.o > %t.txt 2>&1
// RUN: %find < %t.txt
// RUN: %not grep -q 'undefined symbol' %t.txt
// RUN: sh -c 'test $(wc -l < %t.txt) -le 2'
// CHECK: memscope-{{[0-9]+}}.so is for Clang {{[0-9]+}}, and this is Clang {{[0-9]+}}
int unused;
