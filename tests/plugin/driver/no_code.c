// SPDX-License-Identifier: MIT
// Where no code is made the plugin does nothing: -fsyntax-only, -E, -M, errors.
// RUN: %cc -fsyntax-only %s
// RUN: %plain_cc -E %s -o %t.plain.i
// RUN: %cc -E %s -o %t.i
// RUN: cmp %t.i %t.plain.i
// RUN: %cc -M %s -o %t.d
// RUN: %not %cc -DWRONG -c %s -o %t.o 2>&1 | %find
// RUN: %cc -fsyntax-only %s 2>&1 | %find --check-prefix=QUIET --allow-empty
// CHECK: error: {{.*}}undeclared
// CHECK-NOT: memscope_mark
// QUIET-NOT: {{.}}
#include <stdlib.h>
char *f(void) {
  char *p = malloc(3);
#ifdef WRONG
  p = undeclared(malloc(undeclared_too));
#endif
  return p;
}
