/* SPDX-License-Identifier: MIT
 *
 * A function that hands out a block, in two libraries alike to the byte but for the frame:
 * with a frame pointer, or with 0 in its register. Unwound as the one, the other faults.
 */
#ifdef FRAME_POINTER
#define FRAME " mov %rsp, %rbp\n .cfi_def_cfa_register 6\n"
#define LEAVE " pop %rbp\n .cfi_def_cfa 7, 8\n"
#else
#define FRAME " xor %ebp, %ebp\n nop\n"
#define LEAVE " pop %rbp\n .cfi_def_cfa_offset 8\n"
#endif
__asm__(".text\n.globl shape\n.type shape, @function\nshape:\n .cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n"
        " .cfi_offset 6, -16\n" FRAME " call malloc@PLT\n" LEAVE " ret\n .cfi_endproc\n.size shape, . - shape\n");
