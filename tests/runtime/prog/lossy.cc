/* SPDX-License-Identifier: MIT
 *
 * lossy [glibc]: the ways to a block that others may lie behind, thousands of times and
 * always alike; glibc: those too that another allocator answers otherwise.
 */
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

enum { ROUNDS = 4000 };
struct alignas(64) wide {
  char of[64];
};

void c_blocks() {
  void *p = nullptr;
  free(malloc(10));
  free(calloc(2, 10));
  if (!posix_memalign(&p, 64, 20)) free(p);
  p = realloc(malloc(10), 5000);
  p = reallocarray(p, 3, 10);
  free(realloc(p, 28));
}

void glibc_blocks() {
  volatile size_t huge = static_cast<size_t>(-1) / 2;
  void *p = malloc(10);
  if (!realloc(p, huge)) free(p);
  if (realloc(malloc(10), 0)) exit(1); /* freed */
}

/* Else the compiler leaves out a new whose block is deleted at once. */
template <typename T> T *kept(T *p) {
  static void *volatile last;
  last = p;
  return p;
}

void cc_blocks() {
  delete kept(new int);
  delete[] kept(new int[20]);
  delete kept(new wide);
  delete[] kept(new wide[2]);
  ::operator delete(::operator new(20, std::nothrow), std::nothrow);
}

} // namespace

int main(int argc, char **) {
  for (int i = 0; i < ROUNDS; i++) {
    c_blocks(), cc_blocks();
    if (argc > 1) glibc_blocks();
  }
}
