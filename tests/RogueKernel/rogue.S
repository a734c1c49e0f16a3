/*
 * A secure kernel in the attacker's hands: the way through the gate with every register saved at the first instruction, and probes that survive a refusal.
 * Start-up is SK's own entry.S, which ends in sk_main with the MMU on.
 */
#include "asm.h"
#include "frames.h"
#include "registers.h"

#define FRAME           176
#define CPU_SHIFT       12
#define KEPT            0x800               /* Rogue.KeptOffset */
#define RECOVERY        0xF00
#define FAULT_ESR       0xF08
#define FAULT_FAR       0xF10
#define USER_X0         0xF18
#define STEP            0x0001000000000000  /* from one register's pattern to the next */

/* reg = this CPU's page; tmp is lost, the flags are not. */
.macro CPU_PAGE reg, tmp
    mrs     \reg, MPIDR_EL1
    ubfiz   \reg, \reg, #CPU_SHIFT, #8
    adrp    \tmp, rogue_cpus
    add     \reg, \reg, \tmp
.endm

.macro SAVE_CALLEE
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
.endm

.macro LOAD_CALLEE
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
.endm

.macro NEXT_PATTERN
    add     x9, x9, x10
.endm

#define SNAP(name) \
    mrs     x9, name ; \
    str     x9, [x2], #8 ;

/* Every register gets its own value; the low 48 bits are those of the seed, so that narrow registers tell the two worlds apart as well. */
#define PATTERN(name) \
    NEXT_PATTERN ; \
    msr     name, x9 ;

/* In: x0 = six words that leave as x0 to x5 and come back as them, x1 = seed of a pattern for all registers, or 0. */
FUNC(rogue_gate)
    SAVE_CALLEE
    str     x0, [sp, #160]
    mov     x19, x0
    cbz     x1, 1f
    mov     x9, x1
    MOV64   x10, STEP
    .global rogue_fill_begin
rogue_fill_begin:
    FILLED_REGISTERS(PATTERN)
    WORLD_FREE(PATTERN)                     /* after what may be refused: an exception writes some of these */
    .global rogue_fill_end
rogue_fill_end:
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    NEXT_PATTERN
    dup     v\n\().2d, x9
    .endr
    msr     FPSR, x9
    mov     x11, #0x03000000                /* FPCR: DN, FZ */
    msr     FPCR, x11
    mov     x0, x19
    .irp    n, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    NEXT_PATTERN
    mov     x\n, x9
    .endr
    mov     x11, x12
    mov     x10, x13
    mov     x16, x15
1:
    ldr     x16, [x0, #48]
    ldp     x4, x5, [x0, #32]
    ldp     x2, x3, [x0, #16]
    ldp     x0, x1, [x0]
    hvc     #0
    stp     x0, x1, [sp, #-16]!
    CPU_PAGE x0, x1
    SAVE_GENERAL x0
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mov     x2, sp
    str     x2, [x0, #8 * SNAPSHOT_SP]
    SAVE_VECTORS x0, 8 * SNAPSHOT_V, x2
    mrs     x2, FPCR
    mrs     x3, FPSR
    str     x2, [x0, #8 * SNAPSHOT_FPCR]
    str     x3, [x0, #8 * SNAPSHOT_FPSR]
    add     x2, x0, #8 * SNAPSHOT_SYSTEM
    .global rogue_snapshot_begin
rogue_snapshot_begin:
    ALL_REGISTERS(SNAP)
    .global rogue_snapshot_end
rogue_snapshot_end:
    msr     FPCR, xzr
    ldr     x1, [sp, #160]
    ldp     x2, x3, [x0]
    stp     x2, x3, [x1]
    ldp     x2, x3, [x0, #16]
    stp     x2, x3, [x1, #16]
    ldp     x2, x3, [x0, #32]
    stp     x2, x3, [x1, #32]
    LOAD_CALLEE
    ret
ENDFUNC(rogue_gate)

/* Probes: a refusal sets FAULT_ESR and goes on at the label. x9 = this CPU's page. */
.macro PROBE_BEGIN
    CPU_PAGE x9, x10
    adr     x10, 9f
    str     xzr, [x9, #FAULT_ESR]
    str     x10, [x9, #RECOVERY]
.endm

.macro PROBE_END
9:  str     xzr, [x9, #RECOVERY]
    dsb     sy
    isb
    ret
.endm

/* In: x0 = address, x1 = bytes. Out: x0 = value. */
FUNC(rogue_load)
    PROBE_BEGIN
    cmp     x1, #2
    b.lo    1f
    b.eq    2f
    cmp     x1, #8
    b.lo    4f
    ldr     x0, [x0]
    b       9f
1:  ldrb    w0, [x0]
    b       9f
2:  ldrh    w0, [x0]
    b       9f
4:  ldr     w0, [x0]
    PROBE_END
ENDFUNC(rogue_load)

/* In: x0 = address, x1 = bytes, x2 = value. */
FUNC(rogue_store)
    PROBE_BEGIN
    cmp     x1, #2
    b.lo    1f
    b.eq    2f
    cmp     x1, #8
    b.lo    4f
    str     x2, [x0]
    b       9f
1:  strb    w2, [x0]
    b       9f
2:  strh    w2, [x0]
    b       9f
4:  str     w2, [x0]
    PROBE_END
ENDFUNC(rogue_store)

/* In: x0 = address of the code, x1 = its x0. Out: x0. The code is a few instructions that end in RET and keep x9 and x29. */
FUNC(rogue_call)
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    PROBE_BEGIN
    mov     x16, x0
    mov     x0, x1
    blr     x16
9:  mov     sp, x29
    CPU_PAGE x9, x10
    str     xzr, [x9, #RECOVERY]
    ldp     x29, x30, [sp], #16
    ret
ENDFUNC(rogue_call)

/* In: x0 = ten words: x0 to x7, x16, one free. Out: x0 to x3 in the first four. Any call of SPTM. */
FUNC(rogue_hvc)
    stp     x29, x30, [sp, #-16]!
    stp     x0, x19, [sp, #-16]!
    mov     x19, x0
    ldp     x0, x1, [x19]
    ldp     x2, x3, [x19, #16]
    ldp     x4, x5, [x19, #32]
    ldp     x6, x7, [x19, #48]
    ldr     x16, [x19, #64]
    hvc     #0
    mov     x9, x19
    ldp     x10, x19, [sp], #16
    stp     x0, x1, [x9]
    stp     x2, x3, [x9, #16]
    ldp     x29, x30, [sp], #16
    ret
ENDFUNC(rogue_hvc)

/* Answers every request with success and zeros. Never returns. Three instructions beside the call: exclave-attack takes them off. */
FUNC(rogue_spin)
    movz    x16, #0xFD, lsl #32             /* Dispatch: RETURN_TO_CALLER */
    mov     x2, #0
    mov     x3, #0
    mov     x4, #0
1:  mov     x0, #0
    mov     x1, #0
    hvc     #0
    b       1b
ENDFUNC(rogue_spin)

/* In: x0 = ten words: x0 to x2 of the first call, one free, x0 to x2 of the second, one free, x16 of both. x1 = how often, at least once.
   Out: x0 = the last answer that was not 0. Twelve instructions a round beside the calls: exclave-attack takes them off. */
FUNC(rogue_repeat)
    stp     x29, x30, [sp, #-48]!
    mov     x29, sp
    stp     x19, x20, [sp, #16]
    str     x21, [sp, #32]
    mov     x19, x0
    mov     x20, x1
    mov     x21, #0
1:  ldp     x0, x1, [x19]
    ldr     x2, [x19, #16]
    ldr     x16, [x19, #64]
    hvc     #0
    cmp     x0, #0
    csel    x21, x21, x0, eq
    ldp     x0, x1, [x19, #32]
    ldr     x2, [x19, #48]
    ldr     x16, [x19, #72]
    hvc     #0
    cmp     x0, #0
    csel    x21, x21, x0, eq
    subs    x20, x20, #1
    b.ne    1b
    mov     x0, x21
    ldr     x21, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #48
    ret
ENDFUNC(rogue_repeat)

/* Two instructions for each register of ALL_REGISTERS, and four for each of the list below: x0 = operand and result. */
#define READER(name) mrs x0, name ; ret ;
#define WRITER(name) msr name, x0 ; ret ;
    .section .text.rogue_tables, "ax", %progbits
    .balign 16
    .global rogue_readers, rogue_writers, rogue_instructions, rogue_instructions_end
rogue_readers:
    ALL_REGISTERS(READER)
rogue_writers:
    ALL_REGISTERS(WRITER)
    .balign 16

.macro INSTRUCTION text:vararg
    .balign 16
    \text
    ret
.endm

/* Numbers are those of Instruction in Rogue.cs. */
rogue_instructions:
    INSTRUCTION nop
    INSTRUCTION smc #0
    INSTRUCTION hvc #1
    INSTRUCTION wfi
    INSTRUCTION wfe
    INSTRUCTION brk #7
    INSTRUCTION tlbi vmalle1is
    INSTRUCTION tlbi alle1
    INSTRUCTION tlbi alle2
    INSTRUCTION tlbi ipas2e1is, x0
    INSTRUCTION dc cisw, x0
    INSTRUCTION dc ivac, x0
    INSTRUCTION ic ialluis
    INSTRUCTION at s12e1r, x0
    INSTRUCTION msr HCR_EL2, x0
    INSTRUCTION msr VTTBR_EL2, x0
    INSTRUCTION msr S3_0_C12_C11_5, x0      /* ICC_SGI1R_EL1 */
    INSTRUCTION mrs x0, S3_0_C12_C12_0      /* ICC_IAR1_EL1 */
    INSTRUCTION mrs x0, S3_0_C12_C8_0       /* ICC_IAR0_EL1 */
    INSTRUCTION msr S3_0_C12_C12_1, x0      /* ICC_EOIR1_EL1 */
    INSTRUCTION .inst 0x04bf5020            /* RDVL x0, #1 (SVE) */
    INSTRUCTION .inst 0xd503477f            /* SMSTART (SME) */
    INSTRUCTION .inst 0xd9200000            /* STG x0, [x0] (MTE) */
    INSTRUCTION .inst 0xdac10000            /* PACIA x0, x0 */
    INSTRUCTION mrs x0, CNTPCT_EL0
    INSTRUCTION mrs x0, CNTVCT_EL0
    INSTRUCTION msr OSLAR_EL1, x0
    INSTRUCTION mrs x0, ISR_EL1
    INSTRUCTION b rogue_return_to_el2
    .balign 16
rogue_instructions_end:

/* An exception return that asks for EL2h. */
rogue_return_to_el2:
    adr     x10, 1f
    msr     ELR_EL1, x10
    mov     x10, #0x3C9
    msr     SPSR_EL1, x10
    eret
1:  mrs     x0, CurrentEL
    ret

/* In: x0 = entry, x1 = its x0, x2 = SPSR_EL1. Out: x0 = vector (0 synchronous, 1 IRQ, 2 FIQ, 3 SError). EL0's registers are not kept. */
FUNC(rogue_user)
    SAVE_CALLEE
    msr     ELR_EL1, x0
    msr     SPSR_EL1, x2
    mov     x0, x1
    eret
    dsb     nsh
    isb
from_user:
    CPU_PAGE x1, x2
    mrs     x2, ESR_EL1
    mrs     x3, FAR_EL1
    str     x2, [x1, #FAULT_ESR]
    str     x3, [x1, #FAULT_FAR]
    ldp     x0, x2, [sp], #16
    str     x2, [x1, #USER_X0]
    LOAD_CALLEE
    ret
ENDFUNC(rogue_user)

    .macro  own
    .balign 128
    b       .
    .endm

    .macro  user number
    .balign 128
    sub     sp, sp, #16
    str     x0, [sp, #8]
    mov     x0, #\number
    str     x0, [sp]
    b       from_user
    .endm

    .section .text.vectors, "ax", %progbits
    .balign 2048
    .globl  sk_vectors
sk_vectors:
    own
    own
    own
    own
    .balign 128
    b       refused
    own
    own
    own
    user    0
    user    1
    user    2
    user    3
    own
    own
    own
    own

/* Something was refused. Inside a row of register moves the next one is tried; inside a probe that probe ends. */
refused:
    stp     x11, x12, [sp, #-16]!
    mrs     x11, ELR_EL1
    ldr     x12, =rogue_snapshot_begin
    cmp     x11, x12
    b.lo    1f
    ldr     x12, =rogue_snapshot_end
    cmp     x11, x12
    b.hs    1f
    ldr     x9, =SNAPSHOT_TRAPPED
    b       2f
1:  ldr     x12, =rogue_fill_begin
    cmp     x11, x12
    b.lo    3f
    ldr     x12, =rogue_fill_end
    cmp     x11, x12
    b.hs    3f
2:  add     x11, x11, #4
    msr     ELR_EL1, x11
    ldp     x11, x12, [sp], #16
    eret
3:  CPU_PAGE x12, x11
    ldr     x11, [x12, #RECOVERY]
    cbz     x11, .
    msr     ELR_EL1, x11
    mrs     x11, SPSR_EL1
    bic     x11, x11, #(1 << 20)            /* IL: what an illegal return leaves */
    msr     SPSR_EL1, x11
    str     xzr, [x12, #RECOVERY]
    mrs     x11, ESR_EL1
    str     x11, [x12, #FAULT_ESR]
    mrs     x11, FAR_EL1
    str     x11, [x12, #FAULT_FAR]
    ldp     x11, x12, [sp], #16
    eret
    .ltorg

/* What EL0 is asked to do; a page that the window shows to it. Numbers are those of UserProbe in Rogue.cs. */
    .section .text.user, "ax", %progbits
    .balign 4096
    .global rogue_user_code
rogue_user_code:
.macro USER text:vararg
    .balign 16
    \text
    svc     #0
.endm
    USER nop
    USER brk #9
    USER mrs x0, MDCCSR_EL0
    USER mrs x0, PMCCNTR_EL0
    USER mrs x0, CNTVCT_EL0
    USER mrs x0, CNTPCT_EL0
    USER mrs x0, CNTV_CVAL_EL0
    USER wfi
    USER hvc #0
    USER smc #0
    USER .inst 0x04bf5020
    USER .inst 0xd503477f
    USER b .
    USER ldr x0, [x0]
    .balign 4096

#define ADDRESS(name) \
    FUNC(rogue_get_##name) \
    ldr     x0, =rogue_##name ; \
    ret ; \
    .ltorg ; \
    ENDFUNC(rogue_get_##name)

ADDRESS(cpus)
ADDRESS(tables)
ADDRESS(readers)
ADDRESS(writers)
ADDRESS(instructions)
ADDRESS(user_code)

#define COUNT(name) + 1
    .if     8 * (SNAPSHOT_SYSTEM + (0 ALL_REGISTERS(COUNT))) > RECOVERY - KEPT
    .error  "a snapshot does not fit"
    .endif

FUNC(rogue_get_register_count)
    mov     x0, #(0 ALL_REGISTERS(COUNT))
    ret
ENDFUNC(rogue_get_register_count)

    .section .bss.rogue, "aw", %nobits
    .balign 4096
    .global rogue_cpus, rogue_tables
rogue_cpus:
    .skip   8 << CPU_SHIFT
rogue_tables:
    .skip   4 * 4096
