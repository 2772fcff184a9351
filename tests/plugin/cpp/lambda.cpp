// SPDX-License-Identifier: MIT
// Lambda bodies, what they capture, and what they return.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run %t | %check
// RUN: %cxx -std=c++17 -O2 %s -o %t && %run %t | %check
#include <utility>
int main() {
  int *kept = nullptr;
  auto set = [&] { kept = new int(1); };       // CHECK: @[[@LINE]] kept : int in main::{{.*}}operator(){{.*}}, exact
  auto make = [](int n) { return new char[n]; };
  auto captured = [p = new long(2)] { return *p; }; // CHECK: @[[@LINE]] p : long in main, exact
  set();
  char *made = make(3);                        // CHECK: @[[@LINE]] made : char in main, exact <- return in main::{{.*}}
  char *now = [] { return new char[9]; }();    // CHECK: @[[@LINE]] now : char in main, exact <- return in main::{{.*}}
  return !made || !now || captured() != 2;
}
