// SPDX-License-Identifier: MIT
// The tables need no relocation in a linked file and cannot be written; the
// unit's cell can (note.py asserts both).
// RUN: %cc -O2 -fPIC -shared %s -o %t.so && %note --notes %t.so | %find
// RUN: %cc -O2 -fPIE -pie %s -o %t && %note --notes %t | %find
// RUN: %cc -O2 -fno-pie -no-pie %s -o %t && %note --notes %t | %find
// RUN: readelf -rW %t.so | %find --check-prefix=RELOC --allow-empty
// RUN: readelf -SW %t.so | %find --check-prefix=SECTION
// CHECK: unit {{.*}}sections.c by clang {{.*}} version 3: {{[1-9][0-9]*}} sites
// RELOC-NOT: note.memscope
// RELOC-NOT: TPOFF
// SECTION: .note.memscope NOTE {{.*}} A
// RUN: readelf -dW %t.so | %find --check-prefix=DYNAMIC
// DYNAMIC-NOT: TEXTREL
#include <stdlib.h>
struct pair { char *a; struct pair *next; };
struct pair *make(void) { struct pair *p = malloc(sizeof *p); p->a = malloc(3); p->next = 0; return p; }
int main(void) { return !make(); }
