// SPDX-License-Identifier: MIT
// Coroutine bodies; the frame itself is obtained by the coroutine's ramp.
// REQUIRES: clang-at-least-16
// RUN: %cxx -std=c++20 -O0 %s -o %t && %run %t | %FileCheck
// RUN: %cxx -std=c++20 -O2 %s -o %t && %run %t | %FileCheck
#include <coroutine>
struct task {
  struct promise_type {
    task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(char *) noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};
static int *kept;
static task run(int n) {
  int *local = new int(n);                     // CHECK: @[[@LINE]] local : int in run, exact
  co_yield new char[3];                        // CHECK: @[[@LINE]] {{.*}} : char in run, exact
  kept = new int[2];                           // CHECK: @[[@LINE]] kept : int in run, exact
  delete local;
  co_return;
}
int main() {
  task t = run(1);
  while (!t.handle.done()) t.handle.resume();
  t.handle.destroy();
  return !kept;
}
