// SPDX-License-Identifier: MIT
// A class's own operator new: the variable is the name, an operator that keeps the block in a variable is in its chain.
// RUN: %cxx -O0 %s -o %t && %run %t | %check
// RUN: %cxx -O2 %s -o %t && %run %t | %check
#include <cstdlib>
#include <new>
struct pooled {
  int v;
  static void *operator new(std::size_t n) { return std::malloc(n); }
  static void *operator new[](std::size_t n) { void *p = std::malloc(n); return p; }
  static void *operator new(std::size_t n, int tag) { (void)tag; return std::malloc(n); }
  static void operator delete(void *p) { std::free(p); }
  static void operator delete[](void *p) { std::free(p); }
};
int main() {
  pooled *one = new pooled;
  // CHECK: @[[@LINE-1]] one : pooled in main, exact
  pooled *many = new pooled[3];
  // CHECK: @[[@LINE-1]] many : pooled in main, exact <- p in pooled::operator new[]
  pooled *tagged = new (7) pooled;
  // CHECK: @[[@LINE-1]] tagged : pooled in main, exact
  delete one;
  return !many || !tagged;
}
