// SPDX-License-Identifier: MIT
// make_unique and make_shared: the block has a type and stands in the header's
// function; the smart pointer's own name is not known yet (design.md, "still open").
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run --all %t | %FileCheck
// RUN: %cxx -std=c++17 -O2 %s -o %t && %run --all %t | %FileCheck
#include <memory>
struct item { int a; };
int main() {
  std::unique_ptr<item> direct(new item);      // CHECK: @[[@LINE]] direct{{.*}} : item in main, exact
  auto one = std::make_unique<item>();
  // CHECK: {{.*}} : item in std::make_unique<item{{.*}}>, exact
  auto many = std::make_unique<int[]>(4);
  return !direct || !one || !many;
}
