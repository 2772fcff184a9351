/* SPDX-License-Identifier: MIT
 *
 * Every C allocator function once, each with a size of its own, and the ways
 * of realloc. Prints nothing; forms.py knows the sizes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x)                                                                                                     \
  do {                                                                                                                 \
    if (!(x)) {                                                                                                        \
      fprintf(stderr, "forms.c:%d: %s\n", __LINE__, #x);                                                               \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static void frees(void) {
  free(NULL);
#ifdef HAVE_FREE_SIZED
  free_sized(malloc(100020), 100020);
#endif
#ifdef HAVE_FREE_ALIGNED_SIZED
  free_aligned_sized(aligned_alloc(64, 100096), 64, 100096);
#endif
}

static void allocations(void) {
  void *p = NULL;
  free(malloc(100001));
  free(calloc(3, 33334)); /* 100002 */
  REQUIRE(posix_memalign(&p, 256, 100003) == 0);
  free(p);
  free(aligned_alloc(64, 100032));
  free(memalign(128, 100005));
  free(valloc(100006));
  free(pvalloc(100007));
}

static void reallocations(void) {
  void *p = realloc(NULL, 100008);
  p = realloc(p, 200009);
  p = realloc(p, 109);
  p = reallocarray(p, 10, 10010);
  free(p);
  free(reallocarray(NULL, 11, 10011));
  p = malloc(100010);
  REQUIRE(realloc(p, 0) == NULL); /* glibc frees */
}

static void failures(void) {
  volatile size_t huge = SIZE_MAX / 2;
  void *p = malloc(100011), *q = &p;
  errno = 0;
  REQUIRE(!malloc(huge) && errno == ENOMEM);
  errno = 0;
  REQUIRE(!calloc(huge, 4) && errno == ENOMEM);
  errno = 0;
  REQUIRE(!realloc(p, huge) && errno == ENOMEM);
  errno = 0;
  REQUIRE(!reallocarray(p, huge, 4) && errno == ENOMEM);
  errno = 4711;
  REQUIRE(posix_memalign(&q, 3, 100) == EINVAL && q == &p);
  free(p); /* its row follows the failures */
  REQUIRE(errno == 4711);
}

/* errno is kept by each, however slow its path is. */
static void errno_kept(void) {
  for (int i = 0; i < 2000; i++) {
    errno = 4711;
    void *p = malloc(24);
    p = realloc(p, 48);
    free(p);
    REQUIRE(errno == 4711);
  }
}

static void via(void) {
  char *line = NULL;
  size_t room = 0;
  FILE *file = fmemopen("one\ntwo\n", 8, "r");
  REQUIRE(getline(&line, &room, file) == 4);
  fclose(file);
  free(line);
  free(strdup("0123456789"));
  free(strndup("0123456789", 5));
  REQUIRE(asprintf(&line, "%d", 42) == 2);
  free(line);
}

int main(void) {
  allocations();
  frees();
  reallocations();
  failures();
  via();
  errno_kept();
  volatile size_t large = (size_t)5 << 30; /* reserved only: never touched */
  void *p = malloc(large);
  REQUIRE(p);
  free(p);
  return 0;
}
