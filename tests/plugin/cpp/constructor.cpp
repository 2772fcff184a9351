// SPDX-License-Identifier: MIT
// Constructor initialiser lists, default member initialisers, delegation, bodies.
// RUN: %cxx -O0 %s -o %t && %run %t | %check
// RUN: %cxx -O2 %s -o %t && %run %t | %check
struct node { int v; };
struct holder {
  node *listed;
  char *text;
  int *by_default = new int(1);                // CHECK: @[[@LINE]] by_default : int in holder::holder, exact x2
  holder() : listed(new node), text{new char[4]} {
    // CHECK-DAG: @[[@LINE-1]] listed : node in holder::holder, exact x2
    // CHECK-DAG: @[[@LINE-2]] text : char in holder::holder, exact x2
    body = new node[2];                        // CHECK: @[[@LINE]] {{this->body|body}} : node in holder::holder, exact x2
  }
  explicit holder(int) : holder() {
    this->other = new node;                    // CHECK: @[[@LINE]] {{this->other|other}} : node in holder::holder, exact
  }
  node *body, *other = nullptr;
};
struct base { int *data; explicit base(int *p) : data(p) {} };
struct derived : base {
  derived() : base(new int[3]) {}              // CHECK: @[[@LINE]] {{base\(…, #1\)|base::base\(…, #1\)}} : int in derived::derived, exact
};
int main() {
  holder a, b(1);
  derived d;
  return !a.listed || !b.other || !d.data;
}
