// SPDX-License-Identifier: MIT
// An unknown argument is an error that lists the known ones, and stops the compiler.
// RUN: rm -f %t.o
// RUN: %not %cc -c %s -o %t.o -fplugin-arg-memscope-colour=red 2>&1 | %find
// RUN: test ! -e %t.o
// RUN: %not %cc -c %s -o %t.o -fplugin-arg-memscope-exclude 2>&1 | %find --check-prefix=EMPTY
// CHECK: error: memscope: unknown argument 'colour=red'; known are help, verbose,{{.*}} frame-pointers, exclude=GLOB, config=FILE
// EMPTY: error: memscope: {{.*}}exclude
int unused;
