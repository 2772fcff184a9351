/* SPDX-License-Identifier: MIT
 *
 * bind as compiled code calls it (preserve_most): every general register but the
 * scratch one is kept, so that the check costs its caller no spills. Vector
 * registers are the caller's business. On x86-64 what happens nearly always is
 * done here: the last site makes a chain with those gathered, a known one, and
 * its name is written into the newest row; the rest in C with all registers saved.
 */
#include "offset.h"

#if defined(__x86_64__)

/* Calls a C function with the arguments as they are. */
.macro SAVED target
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 72
	call	\target
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	.cfi_adjust_cfa_offset -64
	ret
.endm

.macro ENTRY name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.p2align 5
\name:
	.cfi_startproc
	endbr64
.endm

.macro DONE name
	.cfi_endproc
	.size	\name, .-\name
.endm

.macro PUSH register
	pushq	\register
	.cfi_adjust_cfa_offset 8
.endm

.macro POP register
	popq	\register
	.cfi_adjust_cfa_offset -8
.endm

	.text
ENTRY ms_bind_entry
	PUSH	%rax
	movq	ms_tls@gottpoff(%rip), %r11
	cmpq	%fs:(%r11), %rdi
	jne	9f			/* interior */
	cmpl	$0x40000000, %edx
	jae	9f			/* weak, or up with much gathered */
	PUSH	%rcx
	PUSH	%rdx
	PUSH	%rdi
	movq	%fs:MS_AT_SELF(%r11), %rcx
	cmpq	$0, MS_AT_ROW(%rcx)
	je	8f			/* busy, or the row is gone */

	/* The last site: names the block in its row, busy meanwhile. */
	leaq	ms_busy(%rip), %rax
	movq	%rsp, %fs:MS_AT_FRAME(%r11)
	movq	%rax, %fs:MS_AT_SELF(%r11)
	movq	MS_AT_ROW(%rcx), %rax
	testq	%rax, %rax
	je	7f			/* a handler's rows filled the window */
	cmpl	$0, 12(%rax)
	jne	7f			/* named before: the chain goes on from there */
	movl	%fs:MS_AT_COUNT(%r11), %edi
	addl	MS_AT_FIRST_SITE(%rsi), %edx
	testl	%edi, %edi
	je	3f			/* the only site is the name */

	/* rax = the memo of these sites, if it is theirs. Compared, not hashed:
	 * nothing waits for the result. */
	leal	(%rdx,%rdi), %eax
	andl	$127, %eax
	shll	$6, %eax
	addq	%rcx, %rax
	cmpl	%edi, MS_AT_MEMOS(%rax)
	jne	7f
	cmpl	%edx, MS_AT_MEMOS+8(%rax,%rdi,4)
	jne	7f
1:	movl	%fs:MS_AT_SITE-4(%r11,%rdi,4), %edx
	cmpl	%edx, MS_AT_MEMOS+4(%rax,%rdi,4)
	jne	7f
	decl	%edi
	jne	1b
	movl	MS_AT_MEMOS+4(%rax), %edx
2:	movq	MS_AT_ROW(%rcx), %rax
	movl	%edx, 12(%rax)
	movq	$0, MS_AT_PENDING(%rcx)
	movl	$0, %fs:MS_AT_COUNT(%r11)
	movabsq	$0x8000000000000000, %rax
	movq	%rax, %fs:(%r11)
	movq	%rcx, %fs:MS_AT_SELF(%r11)
	.cfi_remember_state
	POP	%rdi
	POP	%rdx
	POP	%rcx
	POP	%rax
	ret
	.cfi_restore_state
3:	andl	$0x1fffffff, %edx
	jmp	2b

7:	movq	%rcx, %fs:MS_AT_SELF(%r11)
8:	POP	%rdi
	POP	%rdx
	POP	%rcx
9:	POP	%rax
	SAVED	ms_bind
DONE ms_bind_entry

#elif defined(__aarch64__)

.macro ENTRY name, target
	.globl	\name
	.hidden	\name
	.type	\name, %function
	.p2align 4
\name:
	.cfi_startproc
	stp	x29, x30, [sp, #-144]!
	.cfi_adjust_cfa_offset 144
	.cfi_offset x29, -144
	.cfi_offset x30, -136
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	stp	x8, x9, [sp, #80]
	stp	x10, x11, [sp, #96]
	stp	x12, x13, [sp, #112]
	stp	x14, x15, [sp, #128]
	bl	\target
	ldp	x14, x15, [sp, #128]
	ldp	x12, x13, [sp, #112]
	ldp	x10, x11, [sp, #96]
	ldp	x8, x9, [sp, #80]
	ldp	x6, x7, [sp, #64]
	ldp	x4, x5, [sp, #48]
	ldp	x2, x3, [sp, #32]
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp], #144
	.cfi_adjust_cfa_offset -144
	ret
	.cfi_endproc
	.size	\name, .-\name
.endm

	.text
	ENTRY	ms_bind_entry, ms_bind

#else
#error "port me: an entry that keeps all general registers"
#endif

	.section .note.GNU-stack,"",%progbits
