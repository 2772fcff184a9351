// SPDX-License-Identifier: MIT
// -fplugin-arg-memscope-frame-pointers: every function has a frame, a template's, a lambda's, a static
// initialiser's, one that is inlined elsewhere; by whichever way it is compiled. Tail calls stay.
// RUN: %cxx -O2 -fomit-frame-pointer -S -emit-llvm %s -o %t.ll -fplugin-arg-memscope-frame-pointers
// RUN: %cxx -O0 -fomit-frame-pointer -S -emit-llvm %s -o %t.0.ll -fplugin-arg-memscope-frame-pointers
// RUN: grep -c '^define ' %t.ll %t.0.ll | %find --check-prefix=SOME
// RUN: %find --check-prefix=IR --input-file=%t.ll
// RUN: %find --check-prefix=IR --input-file=%t.0.ll
// RUN: %cxx -O2 -fomit-frame-pointer -S %s -o - -fplugin-arg-memscope-frame-pointers | %find
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: cd %t && %cxx -O2 -fomit-frame-pointer -save-temps -c %s -o a.o -fplugin-arg-memscope-frame-pointers && cat *.s | %find
// RUN: %cxx -O2 -fomit-frame-pointer -S -emit-llvm %s -o - | %find --check-prefix=NONE
// NONE-NOT: "frame-pointer"="all"
// SOME: .ll:{{[1-9][0-9]}}
// SOME: .0.ll:{{[1-9][0-9]}}
// Each group of attributes a definition has says so.
// IR-NOT: "frame-pointer"="n
// IR: attributes #0 = {{.*}}"frame-pointer"="all"
#include <cstdlib>
struct node {
  node *next;
  explicit node(node *after) : next(after) {}
};
template <class T> __attribute__((noinline)) T *make(T *after) { return new T(after); }
node *first = make<node>(nullptr);
// CHECK-LABEL: leaf:
// CHECK: pushq %rbp
// CHECK-NEXT: {{(\.cfi.*[[:space:]]+)*}}movq %rsp, %rbp
extern "C" int leaf(int x) { return x * 3; }
extern "C" void *other(size_t n);
// CHECK-LABEL: hands_on:
// CHECK: pushq %rbp
// CHECK: popq %rbp
// CHECK: jmp other
extern "C" void *hands_on(size_t n) { return other(n + 1); }
int twice(int (*f)(int)) { return f(1) + f(2); }
int lambdas() { return twice([](int x) { return x + int(reinterpret_cast<size_t>(malloc(3)) & 1); }); }
void *a() { return make(first); }
void *b() { return malloc(4); }
void c(void *p) { free(p); }
void d(node *p) { delete p; }
int e(int x) { return leaf(x); }
int f(int x) { return leaf(x) + e(x); }
