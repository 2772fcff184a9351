// SPDX-License-Identifier: MIT
// The layout of classes: bases, the compiler's table pointer, members, templates.
// RUN: %cxx -O0 %s -o %t && %note --types %t | %FileCheck
struct base { virtual ~base() {} int id; };
struct other { long big; };
template <class T> struct box { T value; bool set; };
class shape : public base, public other {
public:
  box<char> label;
  static int count;
  int &reference;
  explicit shape(int &r) : reference(r) {}
};
int main() {
  int n = 0;
  shape *s = new shape(n);
  box<double> *b = new box<double>();
  return !s || !b;
}
// CHECK-DAG: type shape class size 40 align 8
// CHECK-DAG: shape.base : base at 0 size {{12|16}} base
// CHECK-DAG: shape.other : other at 16 size 8 base
// CHECK-DAG: shape.label : box<char> at 24 size 2
// CHECK-DAG: shape.reference : int & at 32 size 8 pointer
// CHECK-DAG: type base {{struct|class}} size 16 align 8
// CHECK-DAG: base.{{.*}} at 0 size 8 {{.*}}vptr
// CHECK-DAG: base.id : int at 8 size 4
// CHECK-DAG: type box<double> {{struct|class}} size 16 align 8
// CHECK-DAG: box<double>.set : bool at 8 size 1
