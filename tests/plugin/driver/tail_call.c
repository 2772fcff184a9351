// SPDX-License-Identifier: MIT
// `return f(x)` stays a tail call where f may call on; a call marked musttail is not touched.
// RUN: %cc -O2 -S %s -o - | %find
// RUN: %cc -O2 -S -emit-llvm %s -o - | %find --check-prefix=IR
// RUN: %cc -O0 -S -emit-llvm %s -o - | %find --check-prefix=IR
#include <stdlib.h>
void *other(size_t n);
size_t other_size(size_t n);
// CHECK-LABEL: foreign:
// CHECK: jmp other
void *foreign(size_t n) { return other(n + 1); }
// CHECK-LABEL: deep:
// CHECK-NOT: call{{.*}}deep
// CHECK: ret
void *deep(size_t n, void *p) { return n ? deep(n - 1, (char *)p + other_size(n)) : p; }
// CHECK-LABEL: must:
// CHECK: jmp other
// IR-LABEL: @must(
// IR: [[R:%.*]] = musttail call {{.*}}@other(
// IR-NEXT: ret {{.*}} [[R]]
void *must(size_t n) { __attribute__((musttail)) return other(n); }
