/* SPDX-License-Identifier: MIT
 *
 * dl LIBRARY [ROUNDS]: loads it, lets it allocate, unloads it, again and again.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int rounds = argc > 2 ? atoi(argv[2]) : 20;
  for (int i = 0; i < rounds; i++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    void *(*addon)(int) = (void *(*)(int))dlsym(library, "addon");
    for (int n = 0; n < 100; n++) free(addon(n));
    if (dlsym(library, "no_such_name")) return 2; /* dlerror's text is allocated */
    dlclose(library);
  }
  return 0;
}
