// SPDX-License-Identifier: MIT
// `return f(x)` stays a tail call; a call marked musttail is not touched.
// RUN: %cc -O2 -S %s -o - | %find
// RUN: %cc -O2 -S -emit-llvm %s -o - | %find --check-prefix=IR
// RUN: %cc -O0 -S -emit-llvm %s -o - | %find --check-prefix=IR
#include <stdlib.h>
void *other(size_t n);
// CHECK-LABEL: direct:
// CHECK: jmp malloc
void *direct(size_t n) { return malloc(n); }
// CHECK-LABEL: foreign:
// CHECK: jmp other
void *foreign(size_t n) { return other(n + 1); }
// CHECK-LABEL: must:
// CHECK: jmp other
// IR-LABEL: @must(
// IR: [[R:%.*]] = musttail call {{.*}}@other(
// IR-NEXT: ret {{.*}} [[R]]
void *must(size_t n) { __attribute__((musttail)) return other(n); }
