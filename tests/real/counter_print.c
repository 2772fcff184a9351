/* SPDX-License-Identifier: MIT
 * Prints the totals file of counter.c, one `name value` a line. */
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv) {
  static const char *const name[] = {"allocations", "frees", "reallocations", "live_blocks", "live_bytes", "allocated_bytes", "strange", "pid"};
  uint64_t value[8];
  FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!f || fread(value, sizeof value, 1, f) != 1) return fprintf(stderr, "no totals in %s\n", argc == 2 ? argv[1] : "?"), 1;
  for (int i = 0; i < 8; i++) printf("%s %llu\n", name[i], (unsigned long long)value[i]);
  fclose(f);
  return 0;
}
