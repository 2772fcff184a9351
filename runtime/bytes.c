/* SPDX-License-Identifier: MIT
 *
 * libc's functions on bytes that the shared runtime uses, its own and seen by nobody
 * else: a sanitizer's would take our memory for the program's, and check and report it.
 * Called rarely, never on the hot path; written to be short.
 */
#include <stddef.h>
#include <string.h>

/* Else the compiler makes of such a loop a call of the very function it stands in. */
#define NO_IDIOM __asm__ volatile("" ::: "memory")

void *memcpy(void *to, const void *from, size_t bytes) {
#if defined(__x86_64__)
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes)::"memory");
#else
  for (size_t i = 0; i < bytes; i++) ((char *)to)[i] = ((const char *)from)[i], ({ NO_IDIOM; });
#endif
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  if ((size_t)((char *)to - (const char *)from) >= bytes) return memcpy(to, from, bytes);
  for (size_t i = bytes; i-- > 0;) {
    ((char *)to)[i] = ((const char *)from)[i];
    NO_IDIOM;
  }
  return to;
}

void *memset(void *to, int byte, size_t bytes) {
#if defined(__x86_64__)
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
#else
  for (size_t i = 0; i < bytes; i++) ((char *)to)[i] = (char)byte, ({ NO_IDIOM; });
#endif
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < bytes; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

size_t strnlen(const char *text, size_t most) {
  size_t length = 0;
  for (; length < most && text[length]; length++) NO_IDIOM;
  return length;
}

size_t strlen(const char *text) { return strnlen(text, (size_t)-1); }

int strncmp(const char *a, const char *b, size_t most) {
  for (size_t i = 0; i < most; i++)
    if (a[i] != b[i] || !a[i]) return (unsigned char)a[i] - (unsigned char)b[i];
  return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, (size_t)-1); }

static int holds(const char *set, char c) {
  for (; *set; set++)
    if (*set == c) return 1;
  return 0;
}

size_t strspn(const char *text, const char *set) {
  size_t length = 0;
  while (text[length] && holds(set, text[length])) length++;
  return length;
}

size_t strcspn(const char *text, const char *set) {
  size_t length = 0;
  while (text[length] && !holds(set, text[length])) length++;
  return length;
}
