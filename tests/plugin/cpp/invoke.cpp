// SPDX-License-Identifier: MIT
// Calls that may unwind: the name is there whether or not an exception follows.
// RUN: %cxx -O0 %s -o %t && %run %t | %check
// RUN: %cxx -O2 %s -o %t && %run %t | %check
#include <cstdlib>
struct guard { ~guard() { std::abs(1); } };
static int *made;
static char *maker(int n) { if (n < 0) throw n; return new char[n]; }
struct thrower { int *p; thrower() : p(new int(1)) { throw 1; } };
static void fails() {
  guard g;
  made = new int(2);                           // CHECK: @[[@LINE-3]] p : int in thrower::thrower, exact
  throw 3;                                     // CHECK: @[[@LINE-1]] made : int in fails, exact
}
int main() {
  guard g;
  int caught = 0;
  try {
    char *text = maker(4);                     // CHECK: @[[@LINE]] text : char in main, exact <- return in maker
    caught += text == nullptr;
    maker(-1);
  } catch (int) {
    caught++;
  }
  try { fails(); } catch (...) { made = new int(5); caught++; } // CHECK: @[[@LINE]] made : int in main, exact
  try {
    thrower *t = new thrower;                  // CHECK: @[[@LINE]] t : thrower in main, exact
    (void)t;
  } catch (int) {
    caught++;
  }
  return caught != 3;
}
