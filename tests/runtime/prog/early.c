/* SPDX-License-Identifier: MIT
 *
 * A library whose constructor comes before the runtime's own (it is linked as the first to
 * be initialised, and loaded behind it): EARLY says what the process's very first event
 * is. Its destructor has recording go on and frees what is left.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int memscope_resume(void) __attribute__((weak));

enum { BYTES = 6001 };

static void *kept;

/* Of the allocator beneath: its allocation is no event. */
static void *unseen(void) {
  void *(*beneath)(size_t) = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  return beneath(BYTES);
}

/* libc's own environ is not set yet. */
__attribute__((constructor)) static void early_begin(int argc, char **argv, char **environment) {
  (void)argc, (void)argv;
  while (*environment && strncmp(*environment, "EARLY=", 6)) environment++;
  const char *what = *environment ? *environment + 6 : "";
  if (!strcmp(what, "malloc")) kept = malloc(BYTES);
  if (!strcmp(what, "calloc")) kept = calloc(1, BYTES);
  if (!strcmp(what, "memalign") && posix_memalign(&kept, 64, BYTES)) abort();
  if (!strcmp(what, "realloc")) kept = realloc(NULL, BYTES);
  if (!strcmp(what, "resize")) kept = realloc(unseen(), BYTES);
  if (!strcmp(what, "free")) free(unseen());
}

__attribute__((destructor)) static void early_end(void) {
  if (memscope_resume) memscope_resume();
  free(kept);
}
