/* SPDX-License-Identifier: MIT
 *
 * unit.step as compiled code calls it (preserve_most): every general register but the
 * scratch one is kept, so that the check costs its caller no spills. Vector registers
 * are the caller's business.
 */
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
ENTRY ms_step_entry
	SAVED	ms_step
DONE ms_step_entry

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
	ENTRY	ms_step_entry, ms_step

#else
#error "port me: an entry that keeps all general registers"
#endif

	.section .note.GNU-stack,"",%progbits
