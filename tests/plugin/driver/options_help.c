// SPDX-License-Identifier: MIT
// -fplugin-arg-memscope-help prints the options; the file is compiled all the same.
// RUN: %cc -c %s -o %t.o -fplugin-arg-memscope-help > %t.txt 2>&1
// RUN: %find < %t.txt
// RUN: test -s %t.o
// CHECK: -fplugin-arg-memscope-<option>
// CHECK-DAG: help
// CHECK-DAG: verbose
// CHECK-DAG: frame-pointers
// CHECK-DAG: exclude=GLOB
// CHECK-DAG: config=FILE
int unused;
