// SPDX-License-Identifier: MIT
// The layout of types beside the sites: fields, padding, bit-fields, unions,
// arrays, flexible members.
// RUN: %cc -O0 %s -o %t && %note --types %t | %FileCheck
// RUN: %cc -O2 -g %s -o %t && %note --types %t | %FileCheck
#include <stdlib.h>
enum state { IDLE, BUSY };
struct inner { short a; double b; };
struct message {
  char tag;
  int length;
  enum state state;
  struct inner inner;
  struct inner *link;
  unsigned low : 3, high : 5;
  union { int i; float f; };
  char name[16];
  void (*notify)(int);
  unsigned char data[];
};
typedef struct { int x, y; } point;
int main(void) {
  struct message *m = malloc(sizeof *m + 8);
  point *p = malloc(sizeof *p);
  return !m || !p;
}
// CHECK-DAG: type struct message struct size 72 align 8
// CHECK-DAG: struct message.tag : char at 0 size 1
// CHECK-DAG: struct message.length : int at 4 size 4
// CHECK-DAG: struct message.state : enum state at 8 size 4
// CHECK-DAG: struct message.inner : struct inner at 16 size 16
// CHECK-DAG: struct message.link : struct inner * at 32 size 8 pointer
// CHECK-DAG: struct message.low : unsigned int at 40+0 size 3 bits
// CHECK-DAG: struct message.high : unsigned int at 40+3 size 5 bits
// CHECK-DAG: struct message.name : char[16] at 48 size 16
// CHECK-DAG: struct message.notify : void (*)(int) at 64 size 8 pointer
// CHECK-DAG: struct message.data : unsigned char[{{.*}}] at 72 size 0 flexible
// CHECK-DAG: type struct inner struct size 16 align 8
// CHECK-DAG: struct inner.b : double at 8 size 8
// CHECK-DAG: type point struct size 8 align 4
// CHECK-DAG: point.y : int at 4 size 4
