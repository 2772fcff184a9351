// SPDX-License-Identifier: MIT
// Templates: each instance has its own type and function.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run %t | %check
// RUN: %cxx -std=c++17 -O2 %s -o %t && %run %t | %check
#include <cstddef>
template <class T> struct list {
  struct cell { T value; cell *next; };
  cell *head = nullptr;
  void push(T v) {
    head = new cell{v, head};
    // CHECK-DAG: @[[@LINE-1]] {{this->head|head}} : list<int>::cell in list<int>::push, exact x2
    // CHECK-DAG: @[[@LINE-2]] {{this->head|head}} : list<char *>::cell in list<char*>::push, exact
  }
};
template <class T, std::size_t N> T *array() {
  static T *kept;
  kept = new T[N];
  // CHECK-DAG: @[[@LINE-1]] kept : short in array<short, 3{{.*}}>, exact
  // CHECK-DAG: @[[@LINE-2]] kept : long in array<long, 4{{.*}}>, exact
  return kept;
}
template <class T> T *fresh() { return new T(); }
template <class... T> void all(T *...) {}
int main() {
  list<int> numbers;
  list<char *> texts;
  numbers.push(1);
  numbers.push(2);
  texts.push(nullptr);
  array<short, 3>();
  array<long, 4>();
  float *f = fresh<float>();                   // CHECK: @[[@LINE]] f : float in main, exact <- return in fresh<float>
  all(new int(1), new char('c'));
  // CHECK-DAG: @[[@LINE-1]] all{{.*}}#1) : int in main, exact
  // CHECK-DAG: @[[@LINE-2]] all{{.*}}#2) : char in main, exact
  return !f;
}
