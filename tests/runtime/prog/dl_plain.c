/* SPDX-License-Identifier: MIT
 *
 * dl_plain LIBRARY: loads it behind a while of other work, and leaves it there.
 */
#include <dlfcn.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  for (int i = 0; i < 5000; i++) free(malloc(10));
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (!library) return 1;
  void *(*plain)(void) = (void *(*)(void))dlsym(library, "plain");
  for (int i = 0; i < 50; i++) free(plain());
  return 0;
}
