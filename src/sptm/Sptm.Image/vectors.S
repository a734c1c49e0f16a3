/*
 * The only way into and out of the monitor. Every register of the interrupted world is saved before the first C# instruction
 * (compiled code uses SIMD registers, STYLE c.5) and restored from the frame that C# answers with.
 */
#include "layout.h"

    .macro  lower number
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x1, #\number
    b       trap
    .endm

    .macro  own number
    .balign 128
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
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x0, #FRAME_ELR]
    mrs     x2, esr_el2
    mrs     x3, far_el2
    stp     x2, x3, [x0, #FRAME_ESR]
    mrs     x2, hpfar_el2
    mrs     x3, fpcr
    stp     x2, x3, [x0, #FRAME_HPFAR]
    mrs     x2, fpsr
    str     x2, [x0, #FRAME_FPSR]
    stp     q0, q1, [x0, #FRAME_V]
    stp     q2, q3, [x0, #FRAME_V + 32]
    stp     q4, q5, [x0, #FRAME_V + 64]
    stp     q6, q7, [x0, #FRAME_V + 96]
    stp     q8, q9, [x0, #FRAME_V + 128]
    stp     q10, q11, [x0, #FRAME_V + 160]
    stp     q12, q13, [x0, #FRAME_V + 192]
    stp     q14, q15, [x0, #FRAME_V + 224]
    stp     q16, q17, [x0, #FRAME_V + 256]
    stp     q18, q19, [x0, #FRAME_V + 288]
    stp     q20, q21, [x0, #FRAME_V + 320]
    stp     q22, q23, [x0, #FRAME_V + 352]
    stp     q24, q25, [x0, #FRAME_V + 384]
    stp     q26, q27, [x0, #FRAME_V + 416]
    stp     q28, q29, [x0, #FRAME_V + 448]
    stp     q30, q31, [x0, #FRAME_V + 480]
    msr     fpcr, xzr
    mrs     x0, tpidr_el2
    bl      sptm_trap

/* In: x0 = frame to run on. The world's system registers are loaded. */
    .global sptm_resume
sptm_resume:
    ldp     x1, x2, [x0, #FRAME_FPCR]
    msr     fpcr, x1
    msr     fpsr, x2
    ldp     q0, q1, [x0, #FRAME_V]
    ldp     q2, q3, [x0, #FRAME_V + 32]
    ldp     q4, q5, [x0, #FRAME_V + 64]
    ldp     q6, q7, [x0, #FRAME_V + 96]
    ldp     q8, q9, [x0, #FRAME_V + 128]
    ldp     q10, q11, [x0, #FRAME_V + 160]
    ldp     q12, q13, [x0, #FRAME_V + 192]
    ldp     q14, q15, [x0, #FRAME_V + 224]
    ldp     q16, q17, [x0, #FRAME_V + 256]
    ldp     q18, q19, [x0, #FRAME_V + 288]
    ldp     q20, q21, [x0, #FRAME_V + 320]
    ldp     q22, q23, [x0, #FRAME_V + 352]
    ldp     q24, q25, [x0, #FRAME_V + 384]
    ldp     q26, q27, [x0, #FRAME_V + 416]
    ldp     q28, q29, [x0, #FRAME_V + 448]
    ldp     q30, q31, [x0, #FRAME_V + 480]
    ldp     x1, x2, [x0, #FRAME_ELR]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret
    dsb     nsh
    isb

/* In: x0 = vector. An exception of the monitor itself: report on a stack that is certainly there, and stop. */
broken:
    ldr     x1, =sptm_emergency_stack
    mov     sp, x1
    mrs     x1, esr_el2
    mrs     x2, elr_el2
    mrs     x3, far_el2
    bl      sptm_broken
1:  wfe
    b       1b

/* The compiler's helpers (index out of range, division by zero ...) end here. In: x0 = code. */
    .global exc_fail
exc_fail:
    mov     x1, x30
    b       sptm_failed
