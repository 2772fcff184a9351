/* SPDX-License-Identifier: MIT
 *
 * bind and freed as compiled code calls them (preserve_most): every general
 * register but the scratch one is kept, so that the check costs its caller no
 * spills. Vector registers are the caller's business. On x86-64 what happens
 * most, a site gathered in a wrapper and a free at the place of the one before,
 * is done here (1 ns); the rest in C with all registers saved.
 *
 * The short paths write no row: a signal handler that comes between them and
 * allocates has one block named wrongly at worst.
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

	.text
ENTRY ms_bind_entry
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	movq	ms_tls@gottpoff(%rip), %r11
	subq	%fs:(%r11), %rdi
	movq	%fs:MS_AT_SELF(%r11), %r11
	jne	1f			/* interior */
	cmpl	$0xbfffffff, %edx
	ja	1f			/* UP and WEAK */
	testl	%edx, %edx
	jns	1f			/* the last site */
	cmpq	$0, MS_AT_PENDING(%r11)
	jl	1f			/* a free's chain is in the way */
	cmpq	$0, MS_AT_NAME(%r11)
	je	1f			/* busy, or the row is gone */
	movl	MS_AT_COUNT(%r11), %eax
	cmpl	$MS_CHAIN_MOST - 2, %eax
	ja	1f
	movl	%edx, %edi
	andl	$0x20ffffff, %edi	/* the index and MS_BIND_RECORD */
	addl	MS_AT_FIRST_SITE(%rsi), %edi
	movl	%edi, MS_AT_SITE(%r11,%rax,4)
	incl	%eax
	movl	%eax, MS_AT_COUNT(%r11)
	movabsq	$0x4000000000000000, %rax
	movq	%rax, MS_AT_PENDING(%r11)
	popq	%rax
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_restore_state
1:	popq	%rax
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	SAVED	ms_bind
DONE ms_bind_entry

ENTRY ms_freed_entry
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	movq	ms_tls@gottpoff(%rip), %r11
	cmpq	%fs:MS_AT_LAST_FREED(%r11), %rdi
	movq	%fs:MS_AT_SELF(%r11), %r11
	jne	9f
	cmpq	$0, MS_AT_RECORD(%r11)
	je	9f			/* busy */
	movl	%edx, %edi
	andl	$0xffffff, %edi
	addl	MS_AT_FIRST_SITE(%rsi), %edi
	movq	MS_AT_PENDING(%r11), %rax
	btq	$62, %rax
	jc	2f
	testl	%edx, %edx
	jns	3f
	xorl	%eax, %eax		/* the first of a chain */
1:	movl	%edi, MS_AT_SITE(%r11,%rax,4)
	incl	%eax
	movl	%eax, MS_AT_COUNT(%r11)
	movabsq	$0xc000000000000000, %rax
	movq	%rax, MS_AT_PENDING(%r11)
	.cfi_remember_state
	popq	%rax
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_restore_state
2:	testq	%rax, %rax
	jns	9f			/* a block's chain, bound meanwhile */
	testl	%edx, %edx
	jns	9f			/* a chain's last site */
	movl	MS_AT_COUNT(%r11), %eax
	cmpl	$MS_CHAIN_MOST - 2, %eax
	jbe	1b
	jmp	9f
3:	cmpl	%edi, MS_AT_PLACE(%r11)	/* the only site */
	jne	9f
	movq	$0, MS_AT_PENDING(%r11)
	movq	ms_tls@gottpoff(%rip), %r11
	movabsq	$0x8000000000000000, %rax
	movq	%rax, %fs:MS_AT_LAST_FREED(%r11)
	.cfi_remember_state
	popq	%rax
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_restore_state
9:	popq	%rax
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	SAVED	ms_freed
DONE ms_freed_entry

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
	ENTRY	ms_freed_entry, ms_freed

#else
#error "port me: an entry that keeps all general registers"
#endif

	.section .note.GNU-stack,"",%progbits
