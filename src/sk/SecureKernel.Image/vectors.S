/*
 * The way to EL0 and back. sk_run_user looks like a function to C#: it returns when EL0 traps, with the whole context saved.
 * An exception out of SK itself is a defect of SK: it is reported from a stack of its own.
 */
#include "asm.h"
#include "frames.h"
#include "layout.h"

#define FRAME           160

/* In: x0 = UserContext, x1 = TTBR0_EL1, x2 = bits to add to SPSR_EL1. Out: x0 = Trap, and from bit 2 on CNTVCT_EL0 at the trap. While EL0 runs, TPIDR_EL1 = x0. */
FUNC(sk_run_user)
    stp     x29, x30, [sp, #-FRAME]!
    mov     x29, sp
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]

    msr     TPIDR_EL1, x0
    mrs     x3, TTBR0_EL1
    cmp     x3, x1
    b.eq    1f
    msr     TTBR0_EL1, x1
    isb
1:
    LOAD_VECTORS x0, CONTEXT_V, x3

    ldr     w3, [x0, #CONTEXT_FPCR]
    ldr     w4, [x0, #CONTEXT_FPSR]
    msr     FPCR, x3
    msr     FPSR, x4
    ldr     x3, [x0, #CONTEXT_SP]
    msr     SP_EL0, x3
    ldp     x3, x4, [x0, #CONTEXT_PC]
    mov     w5, #(STATE_MASK & 0xFFFF)
    movk    w5, #(STATE_MASK >> 16), lsl #16
    and     x4, x4, x5
    orr     x4, x4, x2
    msr     ELR_EL1, x3
    msr     SPSR_EL1, x4
    ldr     x3, [x0, #CONTEXT_TPIDR]
    msr     TPIDR_EL0, x3

    LOAD_GENERAL x0
    eret
    dsb     nsh                         /* nothing runs ahead past the eret */
    isb
ENDFUNC(sk_run_user)

    .macro  user kind
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mrs     x0, TPIDR_EL1
    mov     x1, #\kind
    b       from_user
    .endm

    .macro  own number
    .balign 128
    msr     SP_EL0, x0
    mov     x0, #\number
    b       from_kernel
    .endm

    .section .text.vectors, "ax", %progbits
    .balign 2048
    .globl  sk_vectors
sk_vectors:
    own     0                           /* EL1 with SP_EL0: never */
    own     1
    own     2
    own     3
    own     4                           /* EL1 itself: a defect of SK */
    own     5
    own     6
    own     7
    user    0                           /* Trap.Synchronous */
    user    1                           /* Trap.Interrupt */
    user    2                           /* Trap.FastInterrupt */
    user    3                           /* Trap.SystemError */
    own     12                          /* AArch32: EL0 never runs in it */
    own     13
    own     14
    own     15

/* x0 = UserContext, x1 = Trap, EL0's x0 and x1 on the stack. */
    .balign 64
from_user:
    SAVE_GENERAL x0
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]

    mrs     x2, SP_EL0
    str     x2, [x0, #CONTEXT_SP]
    mrs     x2, ELR_EL1
    mrs     x3, SPSR_EL1
    stp     x2, x3, [x0, #CONTEXT_PC]
    mrs     x2, TPIDR_EL0
    mrs     x3, FAR_EL1
    stp     x2, x3, [x0, #CONTEXT_TPIDR]
    mrs     x2, ESR_EL1
    str     x2, [x0, #CONTEXT_ESR]
    mrs     x2, FPCR
    mrs     x3, FPSR
    str     w2, [x0, #CONTEXT_FPCR]
    str     w3, [x0, #CONTEXT_FPSR]

    SAVE_VECTORS x0, CONTEXT_V, x2

    mrs     x2, CNTVCT_EL0
    orr     x0, x1, x2, lsl #2
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     d8, d9, [sp, #96]
    ldp     d10, d11, [sp, #112]
    ldp     d12, d13, [sp, #128]
    ldp     d14, d15, [sp, #144]
    ldp     x29, x30, [sp], #FRAME
    ret

/* The kernel's stack may be what is broken. One panic at a time is enough. */
from_kernel:
    msr     TPIDR_EL0, x1
    ldr     x1, =panic_registers
    SAVE_GENERAL x1
    mrs     x2, SP_EL0
    mrs     x3, TPIDR_EL0
    stp     x2, x3, [x1]
    mov     x2, x0
    mov     x0, x1
    mov     x1, sp
    ldr     x3, =panic_stack_top
    mov     sp, x3
    bl      sk_kernel_fault
    b       .
    .ltorg

    .section .bss.panic_stack, "aw", %nobits
    .balign 16
    .skip   8192
panic_stack_top:
panic_registers:
    .skip   31 * 8 + 8
