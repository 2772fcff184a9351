// SPDX-License-Identifier: MIT
//
// survival_new HOW: C++ that leaves frames by an exception (throws), and whose
// constructors allocate in the middle of a new, before main too (nested).
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Inner {
  explicit Inner(int depth) : text(new char[100]), next(depth ? new Inner(depth - 1) : nullptr) { std::strcpy(text, "inner"); }
  ~Inner() {
    delete[] text;
    delete next;
  }
  char *text;
  Inner *next;
};

Inner before_main(5);

// The constructor throws behind what it has obtained: `new` gives the block back.
struct Failing {
  explicit Failing(int n) : kept(40) {
    if (n % 3) throw std::runtime_error("constructor");
  }
  Inner kept;
};

int deep(int depth) {
  std::vector<std::string> held(3, std::string(50, 'x'));
  auto more = std::make_unique<char[]>(64);
  more[0] = held[0][0];
  if (!depth) throw std::out_of_range(held[0]);
  return deep(depth - 1) + more[0];
}

int throws() {
  int caught = 0;
  for (int i = 0; i < 300; i++) {
    try {
      if (i % 2) deep(20);
      else delete new Failing(i);
    } catch (const std::exception &) {
      caught++;
    }
  }
  try {
    (void)!::operator new(static_cast<std::size_t>(1) << 60);
  } catch (const std::bad_alloc &) {
    caught++;
  }
  return caught;
}

}  // namespace

int main(int argc, char **argv) {
  int result = 0;
  if (argc > 1 && !std::strcmp(argv[1], "throws")) result = throws();
  for (int i = 0; i < 50; i++) delete new Inner(i);
  std::printf("%d %s\n", result, before_main.text);
  return 7;
}
