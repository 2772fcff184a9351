// SPDX-License-Identifier: MIT
// Where blocks are given back: delete in its forms, and from destructors.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run --dump %t | %find
// RUN: %cxx -std=c++17 -O2 %s -o %t && %run --dump %t | %find
#include <cstdlib>
struct plain { int a; };
struct owner { char *data = new char[4]; ~owner() { delete[] data; } };
struct base { virtual ~base() {} };
struct derived : base { int x; };
struct wide { alignas(64) char c[64]; };
static void give_back(plain *p) { delete p; }
int main() {
  int *number = new int(1);
  delete number;
  // CHECK: free #[[#]] operator delete{{.*}} at "number : int" in main delete.cpp:[[@LINE-1]]:3
  int *numbers = new int[2];
  delete[] numbers;
  // CHECK: free #[[#]] operator delete[]{{.*}} at "numbers : int" in main delete.cpp:[[@LINE-1]]:3
  wide *w = new wide;
  delete w;
  // CHECK: free #[[#]] operator delete{{.*}} at "w : wide" in main delete.cpp:[[@LINE-1]]:3
  base *b = new derived;
  delete b;
  // CHECK: free #[[#]] operator delete{{.*}} at {{.*}}delete.cpp:[[@LINE-1]]:3
  plain *p = new plain;
  give_back(p);
  // CHECK: free #[[#]] operator delete{{.*}} at "p : plain" in give_back delete.cpp:[[@LINE-16]]:35
  owner *o = new owner;
  delete o;
  // CHECK: free #[[#]] operator delete[]{{.*}} at {{.*}}data : char" in owner::~owner delete.cpp:{{.*}}
  // CHECK: free #[[#]] operator delete{{.*}} at "o : owner" in main delete.cpp:[[@LINE-2]]:3
  return 0;
}
