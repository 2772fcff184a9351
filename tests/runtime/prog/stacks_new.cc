// SPDX-License-Identifier: MIT
// Operator new in its forms: the call stack begins at the function that says new.
#include <cstddef>
#include <new>

struct alignas(64) wide {
  char bytes[64];
};

#define FORM(name, expression)                                                                                         \
  extern "C" __attribute__((noinline)) void *name() {                                                                  \
    void *p = expression;                                                                                              \
    __asm__ volatile("" ::: "memory");                                                                                 \
    return p;                                                                                                          \
  }
FORM(form_one, new char[50001])
FORM(form_two, ::operator new(50002))
FORM(form_three, new (std::nothrow) char[50003])
FORM(form_four, new wide[100])

int main() {
  void *volatile p = form_one();
  p = form_two(), p = form_three(), p = form_four(), p = form_one();
  try {
    p = ::operator new(static_cast<std::size_t>(1) << 62); // throws: nobody takes what it has put down
  } catch (const std::bad_alloc &) {
  }
  p = form_two();
  return p == nullptr;
}
