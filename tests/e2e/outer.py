#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions that come down to others of the recorder's: each event is there once, as the
outer one's, also of sizes at a limit, without the plane, and when somebody jumps out between."""
from e2e import CXX, MEMSCOPE, compile_c, environment, main, ok, summary

# A free beneath ours that, asked to, does not return. The address then comes back.
BENEATH = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
void (*behind_free)(void);
void free(void *p) {
  static void (*next)(void *);
  if (!next) next = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  void (*behind)(void) = behind_free;
  next(p);
  behind_free = NULL;
  if (behind) behind();
}
"""
JUMPS = """#include <csetjmp>
#include <cstdlib>
#include <dlfcn.h>
static jmp_buf back;
static void jump() { longjmp(back, 1); }
char *volatile block;
int main() {
  auto behind_free = reinterpret_cast<void (**)()>(dlsym(RTLD_DEFAULT, "behind_free"));
  if (!behind_free) return 2;
  block = new char[40];
  char *volatile first = block;
  *behind_free = jump;
  if (!setjmp(back)) delete[] block;
  for (int i = 0; i < 1000; i++) {
    block = new char[40];
    if (block != first) return 3;
    delete[] block;
    block = static_cast<char *>(malloc(40));
    free(block);
  }
  return 0;
}
"""


def test_jumped_out(folder):
    beneath = compile_c(folder, "beneath.so", BENEATH, "-shared", "-fPIC", "-ldl", compiler="gcc")
    program = compile_c(folder, "a", JUMPS, "-ldl", compiler=CXX, suffix=".cc")
    for mode in ("full", "exact", "counters", "sample=100%"):
        stream = f"{folder}/{mode[:6]}.memscope"
        ok(MEMSCOPE, "run", "--quiet", "--mode", mode, "-o", stream, program, env=environment(LD_PRELOAD=beneath))
        sites = [s for s in summary(stream)["sites"] if s["holder"] == "block"]
        counts = [sum(s[figure] for s in sites) for figure in ("allocations", "frees", "live_blocks")]
        assert counts == [2001, 2001, 0], (mode, counts)


LARGE = """#include <cstdlib>
#include <new>
char *block;
int main() {
  const std::size_t sizes[] = {100, 0xffffffff, (std::size_t(1) << 32) + 1};
  for (std::size_t size : sizes) {
    block = static_cast<char *>(::operator new(size, std::align_val_t(64)));
    ::operator delete(block, std::align_val_t(64));
  }
}
"""


def test_sizes(folder):
    """libstdc++ rounds up what it asks its aligned_alloc for."""
    program, stream = compile_c(folder, "a", LARGE, "-std=c++17", compiler=CXX, suffix=".cc"), folder + "/a.memscope"
    ok(MEMSCOPE, "run", "--quiet", "-o", stream, program)
    wanted = 100 + 0xffffffff + (1 << 32) + 1
    got = sum(s["allocated_bytes"] for s in summary(stream)["sites"] if s["holder"] == "block")
    assert wanted <= got <= wanted + 2 * 64, (got - wanted, got)


TWO = """#include <pthread.h>
#include <stdlib.h>
static pthread_barrier_t turn;
static void *volatile block;
static void *other(void *argument) {
  for (int i = 0; i < 1000; i++) pthread_barrier_wait(&turn), free(block), pthread_barrier_wait(&turn);
  return argument;
}
int main(void) {
  pthread_t thread;
  int again = 0;
  pthread_barrier_init(&turn, NULL, 2);
  if (pthread_create(&thread, NULL, other, NULL)) return 2;
  for (int i = 0; i < 1000; i++) {
    void *first = block = malloc(5000);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    void *p = i & 1 ? reallocarray(NULL, 50, 100) : realloc(NULL, 5000);
    again += p == first;
    free(p);
  }
  pthread_join(thread, NULL);
  return again < 900;
}
"""


def test_without_plane(folder):
    """An address that another thread has freed comes back from realloc(NULL)."""
    program, stream = compile_c(folder, "a", TWO, "-pthread"), folder + "/a.memscope"
    ok("sh", "-c", f"ulimit -v 2000000; exec {MEMSCOPE} run --quiet -o {stream} {program}")
    got = summary(stream)
    assert got["process"]["mode"] == "exact" and "bad_frees" not in got, got.get("bad_frees")
    assert got["totals"]["allocations"] - 2000 in range(10) and got["totals"]["live_blocks"] < 10, got["totals"]


if __name__ == "__main__":
    main()
