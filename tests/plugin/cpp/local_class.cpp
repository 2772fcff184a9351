// SPDX-License-Identifier: MIT
// Member functions of classes inside functions.
// RUN: %cxx -O0 %s -o %t && %run %t | %check
// RUN: %cxx -O2 %s -o %t && %run %t | %check
int main() {
  struct local {
    int *data;
    void fill() { data = new int[2]; }         // CHECK: @[[@LINE]] {{this->data|data}} : int in main::local::fill, exact
    static char *make() { return new char[3]; }
    local() : data(new int(1)) {}              // CHECK: @[[@LINE]] data : int in main::local::local, exact
  };
  local l;
  l.fill();
  char *text = local::make();                  // CHECK: @[[@LINE]] text : char in main, exact <- return in main::local::make
  return !text;
}
