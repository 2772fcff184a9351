// SPDX-License-Identifier: MIT
// A default member initialiser in braces.
// RUN: %cxx -O0 %s -o %t && %run %t | %check
struct holder {
  long *braced{new long(2)};                   // CHECK: @[[@LINE]] braced : long in holder::holder, exact
  holder() {}
};
int main() {
  holder h;
  return !h.braced;
}
