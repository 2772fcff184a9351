// SPDX-License-Identifier: MIT
// A generic lambda goes by a name a reader can read.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run %t | %check
int main() {
  auto generic = [](auto v) { auto *p = new decltype(v)(v); return p; };
  double *d = generic(1.5);                    // CHECK: @[[@LINE]] d : double in main, exact <- p in main::{{.*}}operator(){{.*}}
  return !d;
}
