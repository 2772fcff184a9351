/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a program whose tables are hashed, and lists drawn, by chance: every
 * run has the same. /dev/urandom gives zeros, and nobody seeds random().
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char *steady(const char *path) { return strcmp(path, "/dev/urandom") == 0 ? "/dev/zero" : path; }

FILE *fopen(const char *path, const char *mode) {
  static FILE *(*real)(const char *, const char *);
  if (!real) real = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
  return real(steady(path), mode);
}

FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }

void srand(unsigned seed) { (void)seed; }
void srandom(unsigned seed) { (void)seed; }
