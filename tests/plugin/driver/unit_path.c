// SPDX-License-Identifier: MIT
// A unit's source is the file's own path, whatever the folder the compiler runs in.
// RUN: mkdir -p %t.folder && cd %t.folder && %cc %s -o %t && %note --notes %t | %find
// CHECK: unit {{.*}}/plugin/driver/unit_path.c by
#include <stdlib.h>
int main(void) {
  char *p = malloc(1);
  return !p;
}
