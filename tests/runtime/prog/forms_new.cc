// SPDX-License-Identifier: MIT
//
// operator new and delete in all their forms, called by name, each with a size
// of its own; and one that throws. forms.py knows the sizes.
#include <cstdio>
#include <cstdlib>
#include <new>

static const std::align_val_t align{64};

static void single() {
  ::operator delete(::operator new(200001));
  ::operator delete(::operator new(200002), (std::size_t)200002);
  ::operator delete(::operator new(200003, align), align);
  ::operator delete(::operator new(200004, align), (std::size_t)200004, align);
  ::operator delete(::operator new(200005, std::nothrow), std::nothrow);
  ::operator delete(::operator new(200006, align, std::nothrow), align, std::nothrow);
}

static void array() {
  ::operator delete[](::operator new[](200007));
  ::operator delete[](::operator new[](200008), (std::size_t)200008);
  ::operator delete[](::operator new[](200009, align), align);
  ::operator delete[](::operator new[](200010, align), (std::size_t)200010, align);
  ::operator delete[](::operator new[](200011, std::nothrow), std::nothrow);
  ::operator delete[](::operator new[](200012, align, std::nothrow), align, std::nothrow);
}

int *volatile escaped;
static volatile std::size_t huge = (std::size_t)-1 / 4;

int main() {
  single();
  array();
  ::operator delete(nullptr);
  ::operator delete[](nullptr);
  if (::operator new(huge, std::nothrow)) return 1;
  try {
    std::free(::operator new(huge));
    return 2;
  } catch (const std::bad_alloc &) {
    // An event right behind the throw is one, and of its own function.
    std::free(std::malloc(200013));
  }
  escaped = new int[50004]; // 200016; a local one would be left out
  delete[] escaped;
  return 0;
}
