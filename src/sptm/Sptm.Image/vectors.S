/*
 * The only way into and out of the monitor. Every register of the interrupted world is saved before the first C# instruction
 * (compiled code uses SIMD registers, STYLE c.5) and restored from the frame that C# answers with. FAR_EL2 and HPFAR_EL2 stay where they are:
 * nothing at EL2 writes them, and only aborts ask for them. FPCR may hold what it likes: CoreLib has no floating-point type.
 */
#include "frames.h"
#include "layout.h"
#include <protections.h>

    .macro  lower number
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x1, #\number
    b       trap
    .endm

    .macro  own number
    .balign 128
    msr     sp_el0, x0
    mov     x0, #\number
    b       broken
    .endm

    .text
    .balign 2048
    .global sptm_vectors
sptm_vectors:
    own     0                   /* EL2 with SP_EL0: never */
    own     1
    own     2
    own     3
    own     4                   /* EL2 itself: a defect of the monitor */
    own     5
    own     6
    own     7
    lower   0                   /* synchronous */
    lower   1                   /* IRQ: routed to EL1, never here */
    lower   2                   /* FIQ: likewise */
    lower   3                   /* SError */
    own     12                  /* AArch32 at EL1: HCR_EL2.RW excludes it; EL0 takes the slots above */
    own     13
    own     14
    own     15

/* In: x1 = vector, x0 and x1 of the world on the stack. */
trap:
    mrs     x0, tpidr_el2
    ldr     x0, [x0, #PERCPU_FRAME]
    SAVE_GENERAL x0
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x0, #FRAME_ELR]
    mrs     x2, esr_el2
    mrs     x3, fpcr
    stp     x2, x3, [x0, #FRAME_ESR]
    mrs     x2, fpsr
    str     x2, [x0, #FRAME_FPSR]
    SAVE_VECTORS x0, FRAME_V, x2
    mrs     x0, tpidr_el2
    bl      sptm_trap

/* In: x0 = frame to run on. The world's system registers are loaded. */
    .global sptm_resume
sptm_resume:
    ldp     x1, x2, [x0, #FRAME_FPCR]
    msr     fpcr, x1
    msr     fpsr, x2
    PROTECTED_VECTORS
    ldp     x1, x2, [x0, #FRAME_ELR]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    LOAD_GENERAL x0
    eret
    dsb     nsh
    isb

/* In: x0 = vector, SP_EL0 = x0 before. An exception of the monitor itself: report on a stack that is certainly there, and stop. */
broken:
    msr     tpidr_el0, x1
    ldr     x1, =sptm_broken_registers
    SAVE_GENERAL x1
    mrs     x2, sp_el0
    mrs     x3, tpidr_el0
    stp     x2, x3, [x1]
    mov     x2, x0
    mov     x0, x1
    mov     x1, sp
    ldr     x3, =sptm_emergency_stack
    mov     sp, x3
    mrs     x3, esr_el2
    mrs     x4, elr_el2
    mrs     x5, far_el2
    mrs     x6, spsr_el2
    bl      sptm_broken
1:  wfe
    b       1b

/* The compiler's helpers (index out of range, division by zero ...) end here. In: x0 = code. */
    .global exc_fail
exc_fail:
    brk     #0

    .bss
    .balign 16
sptm_broken_registers:
    .skip   31 * 8 + 8
