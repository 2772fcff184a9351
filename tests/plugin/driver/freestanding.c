// SPDX-License-Identifier: MIT
// Code with no library at all: nothing has to be resolved at link time.
// RUN: %cc -O2 -ffreestanding -nostdlib -static %s -o %t && %t
// RUN: %cc -O0 -ffreestanding -fno-builtin -c %s -o %t.o && nm -u %t.o | %find --allow-empty
// CHECK-NOT: {{ U }}
typedef __SIZE_TYPE__ size_t;
static char room[256];
static size_t used;
__attribute__((noinline)) void *malloc(size_t n) { void *p = room + used; used += n; return p; }
struct pair { int *a; };
__attribute__((noreturn, used, force_align_arg_pointer)) void _start(void) {
  struct pair p;
  p.a = malloc(sizeof(int));
  *p.a = 5;
  long status = *p.a - 5;
  __asm__ volatile("syscall" : : "a"(60L), "D"(status) : "memory");
  __builtin_unreachable();
}
