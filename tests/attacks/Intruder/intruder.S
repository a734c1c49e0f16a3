/* Steps that SK must refuse, each survived: SK hands the component's faults to its own handler, which goes on behind the step. */
#include "asm.h"

#define CALL_RESUME_CONTEXT 17
#define REASON_TICK         4
#define CONTEXT_PC          256
#define CONTEXT_FAR         280
#define CONTEXT_ESR         288

/* In: x0 = address of code that ends in RET and keeps x29, x1 = its x0, x2 = its x1. Out: x0. */
FUNC(intruder_step)
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    adrp    x9, fault
    add     x9, x9, :lo12:fault
    stp     xzr, xzr, [x9]
    mov     x16, x0
    mov     x0, x1
    mov     x1, x2
    blr     x16
recovery:
    mov     sp, x29
    ldp     x29, x30, [sp], #16
    ret
ENDFUNC(intruder_step)

/* Where SK reflects. In: x0 = reason, x1 = the context page. */
FUNC(intruder_handler)
    cmp     x0, #REASON_TICK
    b.eq    1f
    ldr     x2, [x1, #CONTEXT_ESR]
    adrp    x3, fault
    add     x3, x3, :lo12:fault
    stp     x0, x2, [x3]
    adrp    x2, recovery
    add     x2, x2, :lo12:recovery
    str     x2, [x1, #CONTEXT_PC]
1:  mov     x0, x1
    mov     x8, #CALL_RESUME_CONTEXT
    svc     #1
    b       .
ENDFUNC(intruder_handler)

/* In: x0..x4 = arguments, x5 = call number. Out: x0 = Status. Any number. */
FUNC(intruder_call)
    mov     x8, x5
    svc     #1
    ret
ENDFUNC(intruder_call)

.macro STEP text:vararg
    .balign 16
    \text
    ret
.endm

/* Numbers are those of exclave-attack (ComponentAttacks.cs). */
FUNC(intruder_steps)
    STEP ldr x0, [x0]
    STEP str x1, [x0]
    STEP br x0
    STEP dc civac, x0
    STEP dc ivac, x0
    STEP dc zva, x0
    STEP ic ivau, x0
    STEP ic iallu
    STEP tlbi vmalle1is
    STEP hvc #0
    STEP smc #0
    STEP brk #5
    STEP eret
    STEP msr DAIFSet, #15
    STEP mrs x0, SCTLR_EL1
    STEP mrs x0, TTBR0_EL1
    STEP msr TTBR0_EL1, x0
    STEP msr VBAR_EL1, x0
    STEP mrs x0, TPIDR_EL1
    STEP mrs x0, ESR_EL1
    STEP msr MDSCR_EL1, x0
    STEP mrs x0, MDCCSR_EL0
    STEP mrs x0, CNTV_CTL_EL0
    STEP msr CNTV_CVAL_EL0, x0
    STEP mrs x0, CNTP_CTL_EL0
    STEP mrs x0, S3_0_C12_C12_0
    STEP msr HCR_EL2, x0
    STEP mrs x0, CNTVCT_EL0
    STEP mrs x0, TPIDR_EL0
    STEP at s1e1r, x0
ENDFUNC(intruder_steps)

FUNC(intruder_address)
    adrp    x1, intruder_handler
    add     x1, x1, :lo12:intruder_handler
    adrp    x2, intruder_steps
    add     x2, x2, :lo12:intruder_steps
    adrp    x3, fault
    add     x3, x3, :lo12:fault
    adrp    x4, context
    adrp    x5, handler_stack
    stp     x1, x2, [x0]
    stp     x3, x4, [x0, #16]
    str     x5, [x0, #32]
    ret
ENDFUNC(intruder_address)

    .section .bss.intruder, "aw", %nobits
    .balign 4096
context:
    .skip   4096
    .skip   4096
handler_stack:
fault:
    .skip   16
