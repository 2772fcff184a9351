// SPDX-License-Identifier: MIT
// A variable's initialiser: every kind of pointee.
// RUN: %cc -O0 %s -o %t && %run %t | %check
// RUN: %cc -O2 %s -o %t && %run %t | %check
#include <stdlib.h>
#include <wchar.h>
struct item { int key; double value; };
typedef struct { int x; } point;
enum colour { RED };
union word { int i; float f; };
int main(void) {
  char *text = malloc(10);                     // CHECK: @[[@LINE]] text : char in main, exact
  int *numbers = calloc(4, sizeof *numbers);   // CHECK: @[[@LINE]] numbers : int in main, exact
  struct item *item = malloc(sizeof *item);    // CHECK: @[[@LINE]] item : struct item in main, exact
  point *where = malloc(sizeof *where);        // CHECK: @[[@LINE]] where : point in main, exact
  enum colour *paint = malloc(sizeof *paint);  // CHECK: @[[@LINE]] paint : enum colour in main, exact
  union word *word = malloc(sizeof *word);     // CHECK: @[[@LINE]] word : union word in main, exact
  wchar_t *wide = malloc(4 * sizeof *wide);    // CHECK: @[[@LINE]] wide : wchar_t in main, exact
  char **names = malloc(3 * sizeof *names);    // CHECK: @[[@LINE]] names : char * in main, exact
  void *anything = malloc(7);                  // CHECK: @[[@LINE]] anything : void in main, exact
  int (*rows)[5] = malloc(2 * sizeof *rows);   // CHECK: @[[@LINE]] rows : int[5] in main, exact
  void (**handlers)(int) = malloc(sizeof *handlers); // CHECK: @[[@LINE]] handlers : void (*)(int) in main, exact
  const char *fixed = malloc(3), *second = malloc(5);
  // CHECK: @[[@LINE-1]] fixed : {{(const )?}}char in main, exact
  // CHECK: @[[@LINE-2]] second : {{(const )?}}char in main, exact
  struct unknown *later = malloc(2);           // CHECK: @[[@LINE]] later : struct unknown in main, exact
  return text == 0 || !numbers || !item || !where || !paint || !word || !wide || !names || !anything || !rows ||
         !handlers || !fixed || !second || !later;
}
