// SPDX-License-Identifier: MIT
// Operator new in its forms; placement new obtains nothing and is not marked.
// RUN: %cxx -std=c++17 -O0 %s -o %t && %run %t | %check
// RUN: %cxx -std=c++17 -O2 %s -o %t && %run %t | %check
#include <cstdlib>
#include <new>
struct item { int key; explicit item(int k = 0) : key(k) {} };
struct wide { alignas(64) char bytes[64]; };
struct derived : item { virtual ~derived() {} };
alignas(16) static char room[64];
int main(int argc, char **) {
  item *one = new item;                        // CHECK: @[[@LINE]] one : item in main, exact
  item *two = new item(2);                     // CHECK: @[[@LINE]] two : item in main, exact
  item *braced = new item{3};                  // CHECK: @[[@LINE]] braced : item in main, exact
  item *many = new item[4];                    // CHECK: @[[@LINE]] many : item in main, exact
  item *some = new item[argc + 2]();           // CHECK: @[[@LINE]] some : item in main, exact
  int *number = new (std::nothrow) int(4);     // CHECK: @[[@LINE]] number : int in main, exact
  int *numbers = new (std::nothrow) int[4];    // CHECK: @[[@LINE]] numbers : int in main, exact
  wide *aligned = new wide;                    // CHECK: @[[@LINE]] aligned : wide in main, exact
  wide *row = new wide[2];                     // CHECK: @[[@LINE]] row : wide in main, exact
  item *placed = new (room) item(5);
  auto deduced = new item(6);                  // CHECK: @[[@LINE]] deduced : item in main, exact
  item *base = new derived;                    // CHECK: @[[@LINE]] base : derived in main, exact
  derived *with_virtual = new derived[2];      // CHECK: @[[@LINE]] with_virtual : derived in main, exact
  int **pointers = new int *[3];               // CHECK: @[[@LINE]] pointers : int * in main, exact
  int (*rows)[3] = new int[2][3];              // CHECK: @[[@LINE]] rows : int[3] in main, exact
  void *raw = ::operator new(10);              // CHECK: @[[@LINE]] raw : void in main, exact
  char *cast = static_cast<char *>(::operator new[](11)); // CHECK: @[[@LINE]] cast : char in main, exact
  char *from_c = static_cast<char *>(std::malloc(12)); // CHECK: @[[@LINE]] from_c : char in main, exact
  char *kept = reinterpret_cast<char *>(new item(7)); // CHECK: @[[@LINE]] kept : {{item|char}} in main, exact
  return !(one && two && braced && many && some && number && numbers && aligned && row && placed && deduced && base &&
           with_virtual && pointers && rows && raw && cast && from_c && kept);
}
