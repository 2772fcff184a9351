// SPDX-License-Identifier: MIT
// The variable a smart pointer is.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run --all %t | %FileCheck
// XFAIL: *
// Reason: objects of class type are not holders yet (design.md, section 1, "still open").
#include <memory>
struct item { int a; };
int main() {
  auto one = std::make_unique<item>();         // CHECK: @[[@LINE]] one : item in main, {{.*}}
  return !one;
}
