/* SPDX-License-Identifier: MIT
 *
 * dl LIBRARY [ROUNDS [fork]]: loads it, lets it allocate, unloads it, again and again;
 * then, loaded once more, in a child too.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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
  if (argc < 4) return 0;
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  void *(*addon)(int) = (void *(*)(int))dlsym(library, "addon");
  free(addon(0));
  pid_t pid = fork();
  for (int n = 0; n < 100; n++) free(addon(n));
  if (!pid) _exit(0);
  return pid < 0 || waitpid(pid, NULL, 0) != pid;
}
