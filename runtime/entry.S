/* SPDX-License-Identifier: MIT
 *
 * bind and freed as compiled code calls them (preserve_most): every general
 * register but the scratch one is kept, so that the check costs its caller no
 * spills. Vector registers are the caller's business. On x86-64 what happens
 * nearly always is done here: a site gathered, a name written into the newest
 * row; the rest in C with all registers saved.
 *
 * Gathering writes no row and is not guarded: a signal handler that comes
 * between and allocates has one block named wrongly at worst.
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

/* rdi = the site: its id, the flags above it */
.macro SITE
	movl	MS_AT_FIRST_SITE(%rsi), %edi
	addl	%edx, %edi
.endm

/* rax = ms_chain_step(rax, rdi) */
.macro CHAIN_STEP
	rolq	$27, %rax
	xorq	%rdi, %rax
	imulq	chain_factor(%rip), %rax
.endm

/* ms_gather; eax is the count so far, r11 the offset of ms_tls. */
.macro GATHER gather
	SITE
	movl	%edi, %fs:\gather+MS_AT_SITE(%r11,%rax,4)
	incl	%eax
	movl	%eax, %fs:\gather+MS_AT_COUNT(%r11)
	movq	%fs:\gather(%r11), %rax
	CHAIN_STEP
	movq	%rax, %fs:\gather(%r11)
.endm

.macro PUSH register
	pushq	\register
	.cfi_adjust_cfa_offset 8
.endm

.macro POP register
	popq	\register
	.cfi_adjust_cfa_offset -8
.endm

	.section .rodata.cst8,"aM",@progbits,8
	.p2align 3
chain_factor:
	.quad	0x9e3779b97f4a7c15

	.text
ENTRY ms_bind_entry
	PUSH	%rdi
	PUSH	%rax
	movq	ms_tls@gottpoff(%rip), %r11
	cmpq	%fs:(%r11), %rdi
	jne	9f			/* interior */
	cmpl	$-0x40000000, %edx
	jge	1f

	/* Handed up, not weak: one site more. */
	movl	%fs:MS_AT_BLOCK+MS_AT_COUNT(%r11), %eax
	cmpl	$MS_CHAIN_MOST - 2, %eax
	ja	9f
	GATHER	MS_AT_BLOCK
	.cfi_remember_state
	POP	%rax
	POP	%rdi
	ret
	.cfi_restore_state

	/* The last site: names the block in its row, busy meanwhile. */
1:	cmpl	$0x40000000, %edx
	jae	9f			/* weak */
	PUSH	%rcx
	movq	%fs:MS_AT_SELF(%r11), %rcx
	cmpq	$0, MS_AT_NAME(%rcx)
	je	8f			/* busy, or the row is gone */
	leaq	ms_busy(%rip), %rdi
	movq	%rsp, %fs:MS_AT_FRAME(%r11)
	movq	%rdi, %fs:MS_AT_SELF(%r11)
	SITE
	movq	%fs:MS_AT_BLOCK(%r11), %rax
	testq	%rax, %rax
	je	3f			/* and the first */
	CHAIN_STEP
	movq	%rax, %rdi
	shrq	$36, %rdi
	andl	$0x3ff0, %edi
	cmpq	%rax, MS_AT_CHAINS(%rcx,%rdi)
	jne	7f			/* never seen */
	movl	MS_AT_CHAINS+8(%rcx,%rdi), %edi
2:	movq	MS_AT_NAME(%rcx), %rax
	testq	%rax, %rax
	je	7f			/* a handler's rows filled the window */
	movl	%edi, (%rax)
	movq	$0, MS_AT_PENDING(%rcx)
	movl	$0, %fs:MS_AT_BLOCK+MS_AT_COUNT(%r11)
	movabsq	$0x8000000000000000, %rax
	movq	%rax, %fs:(%r11)
	movq	%rcx, %fs:MS_AT_SELF(%r11)
	.cfi_remember_state
	POP	%rcx
	POP	%rax
	POP	%rdi
	ret
	.cfi_restore_state
3:	andl	$0x1fffffff, %edi
	jmp	2b

7:	movq	%rcx, %fs:MS_AT_SELF(%r11)
8:	POP	%rcx
9:	POP	%rax
	POP	%rdi
	SAVED	ms_bind
DONE ms_bind_entry

ENTRY ms_freed_entry
	PUSH	%rdi
	PUSH	%rax
	movq	ms_tls@gottpoff(%rip), %r11
	cmpq	%fs:MS_AT_LAST_FREED(%r11), %rdi
	jne	3f
	movl	%fs:MS_AT_PLACE+MS_AT_COUNT(%r11), %eax
	testl	%eax, %eax
	jne	1f
	movq	%rax, %fs:MS_AT_PLACE(%r11)	/* the first: no return address any more */
1:	cmpl	$MS_CHAIN_MOST - 1, %eax
	ja	2f
	GATHER	MS_AT_PLACE
2:	testl	%edx, %edx
	js	3f
	movabsq	$0x8000000000000000, %rax
	movq	%rax, %fs:MS_AT_LAST_FREED(%r11)
3:	POP	%rax
	POP	%rdi
	ret
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
