// SPDX-License-Identifier: MIT
// constexpr functions stay usable at compile time and are named at run time.
// RUN: %cxx -std=c++20 -O0 %s -o %t && %run %t | %check
// RUN: %cxx -std=c++20 -O2 %s -o %t && %run %t | %check
constexpr int *make(int v) { int *p = new int(v); return p; }
constexpr int sum(int n) {
  int *all = new int[n]{};                     // CHECK: @[[@LINE]] all : int in sum, exact
  int total = n;
  for (int i = 0; i < n; i++) total += all[i];
  delete[] all;
  return total;
}
static_assert(sum(4) == 4);
constexpr auto lambda = [](int n) { return new char[n]; };
struct holder {
  int *p;
  constexpr holder(int v) : p(new int(v)) {}   // CHECK: @[[@LINE]] p : int in holder::holder, exact
  constexpr ~holder() { delete p; }
};
constexpr int through() { holder h(5); return *h.p; }
static_assert(through() == 5);
int main(int argc, char **) {
  int *made = make(argc);                      // CHECK: @[[@LINE]] made : int in main, exact <- p in make
  char *text = lambda(argc);                   // CHECK: @[[@LINE]] text : char in main, exact <- return in {{.*}}operator(){{.*}}
  holder h(argc);
  return !made || !text || sum(argc) != argc;
}
