/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A call with every register filled, and every register read right before and right after. A register that does not exist, or is trapped, is
 * skipped by vectors of our own: nothing of the kernel works while SP_EL0, TPIDR_EL1 and the keys of pointer authentication hold patterns.
 */
#include "frames.h"
#include "registers.h"
#include "world_call.h"

#define FRAME           128
#define FRAME_CALL      96
#define FRAME_DAIF      104
#define FRAME_VBAR      112
#define FRAME_ORIGINAL  120
#define STEP            0x0001000000000000

#define COUNT(name) + 1
#define COUNT_VITAL     (0 WORLD_VITAL(COUNT) WORLD_LAST(COUNT))
#define COUNT_ALL       (0 ALL_REGISTERS(COUNT))

#define SNAP(name) \
    mrs     x9, name ; \
    str     x9, [x2], #8 ;

#define PUT(name) \
    ldr     x9, [x2], #8 ; \
    msr     name, x9 ;

#define PATTERN(name) \
    add     x13, x13, x14 ; \
    msr     name, x13 ;

/* x4 to x30 but x9: the register's number in the highest 16 bits, the seed's below. */
.macro GENERAL_PATTERN
    .irp    n, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    mov     x\n, x9
    movk    x\n, #\n, lsl #48
    .endr
    movk    x9, #9, lsl #48
.endm

    .text
    .align  4
/*
 * In: x0 = struct exclave_world_call, x1 = room for the registers' own values. Preemption is off and SIMD registers are free. Out: nothing.
 */
    .global exclave_world_call
    .type exclave_world_call, %function
exclave_world_call:
    stp     x29, x30, [sp, #-FRAME]!
    mov     x29, sp
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mrs     x9, DAIF
    mrs     x10, VBAR_EL1
    stp     x0, x9, [sp, #FRAME_CALL]
    stp     x10, x1, [sp, #FRAME_VBAR]
    str     x18, [sp, #-16]!
    msr     DAIFSet, #0xf
    adrp    x9, vectors
    add     x9, x9, :lo12:vectors
    msr     VBAR_EL1, x9
    isb

skip_begin:
    mov     x2, x1
    ALL_REGISTERS(SNAP)

    ldr     x13, [x0, #WORLD_CALL_SEED]
    mov     x14, #STEP
    cbz     x13, 1f
    FILLED_REGISTERS(PATTERN)
    WORLD_FREE(PATTERN)
    isb
1:
    ldr     x11, [x0, #WORLD_CALL_COUNT]
    add     x12, x0, #WORLD_CALL_WRITE
    adrp    x16, writers
    add     x16, x16, :lo12:writers
2:  cbz     x11, 3f
    ldp     x15, x9, [x12], #16
    add     x15, x16, x15, lsl #3
    blr     x15
    sub     x11, x11, #1
    b       2b
3:  isb
    add     x2, x0, #(WORLD_CALL_BEFORE + 8 * SNAPSHOT_SYSTEM)
    ALL_REGISTERS(SNAP)

    /* What a refused read has written over. */
    add     x2, x0, #(WORLD_CALL_BEFORE + 8 * (SNAPSHOT_SYSTEM + COUNT_VITAL))
    WORLD_FREE(PUT)
    isb

    ldr     x9, [x0, #WORLD_CALL_SEED]
    mov     x13, x9
    cbz     x9, 4f
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    add     x13, x13, x14
    dup     v\n\().2d, x13
    .endr
    msr     FPSR, x9
    mov     w10, #0x00C00000                /* FPCR: round towards zero */
    msr     FPCR, x10
4:  add     x1, x0, #WORLD_CALL_BEFORE
    SAVE_VECTORS x1, 8 * SNAPSHOT_V, x2
    mrs     x2, FPCR
    mrs     x3, FPSR
    str     x2, [x1, #8 * SNAPSHOT_FPCR]
    str     x3, [x1, #8 * SNAPSHOT_FPSR]
    mov     x2, sp
    str     x2, [x1, #8 * SNAPSHOT_SP]
    ldr     x2, [x0, #WORLD_CALL_FLAGS]
    tbz     x2, #0, 9f
    ldr     x3, [x0, #WORLD_CALL_IN + 16]
8:  subs    x3, x3, #1
    b.ne    8b
9:  cbz     x9, 6f
    GENERAL_PATTERN
6:  stp     x4, x5, [x1, #32]
    stp     x6, x7, [x1, #48]
    str     x8, [x1, #64]
    stp     x9, x10, [x1, #72]
    stp     x11, x12, [x1, #88]
    stp     x13, x14, [x1, #104]
    stp     x15, x16, [x1, #120]
    stp     x17, x18, [x1, #136]
    stp     x19, x20, [x1, #152]
    stp     x21, x22, [x1, #168]
    stp     x23, x24, [x1, #184]
    stp     x25, x26, [x1, #200]
    stp     x27, x28, [x1, #216]
    stp     x29, x30, [x1, #232]
    ldp     x2, x3, [x0, #WORLD_CALL_IN + 16]
    ldp     x0, x1, [x0, #WORLD_CALL_IN]
    hvc     #0
    stp     x0, x1, [sp, #-16]!
    ldr     x0, [sp, #32 + FRAME_CALL]
    add     x0, x0, #WORLD_CALL_AFTER
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
    msr     FPCR, xzr
    add     x2, x0, #8 * SNAPSHOT_SYSTEM
    ALL_REGISTERS(SNAP)

    ldr     x2, [sp, #16 + FRAME_ORIGINAL]
    add     x2, x2, #8 * COUNT_VITAL
    WORLD_FREE(PUT)
    WORLD_DEBUG(PUT)
    WORLD_OPTIONAL(PUT)
    UNSWITCHED_REGISTERS(PUT)
    isb
skip_end:

    ldr     x18, [sp], #16
    ldp     x10, x1, [sp, #FRAME_VBAR]
    msr     VBAR_EL1, x10
    isb
    ldr     x9, [sp, #FRAME_DAIF]
    msr     DAIF, x9
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #FRAME
    ret
    .size   exclave_world_call, . - exclave_world_call

#define WRITER(name) msr name, x9 ; ret ;
writers:
    ALL_REGISTERS(WRITER)
writers_end:

/* Refused: the next instruction. x9 is what a read would have brought. */
refused:
    stp     x11, x12, [sp, #-16]!
    mrs     x11, ELR_EL1
    adrp    x12, skip_begin
    add     x12, x12, :lo12:skip_begin
    cmp     x11, x12
    b.lo    .
    adrp    x12, writers_end
    add     x12, x12, :lo12:writers_end
    cmp     x11, x12
    b.hs    .
    add     x11, x11, #4
    msr     ELR_EL1, x11
    ldr     x9, =SNAPSHOT_TRAPPED
    ldp     x11, x12, [sp], #16
    eret
    .ltorg

    .macro  none
    .balign 128
    b       .
    .endm

    .balign 2048
vectors:
    none
    none
    none
    none
    .balign 128
    b       refused
    .rept   11
    none
    .endr

    .section .rodata
    .balign 8
    .global exclave_world_register_count, exclave_world_names, exclave_world_names_end
exclave_world_register_count:
    .quad   COUNT_ALL
/* One macro each: a name that goes through a second one comes out as its number. */
#define NAME_VITAL(name) .ascii "vital ", #name, "\n" ;
#define NAME_FREE(name) .ascii "switched ", #name, "\n" ;
#define NAME_STATE(name) .ascii "state ", #name, "\n" ;
#define NAME_HIDDEN(name) .ascii "hidden ", #name, "\n" ;
#define NAME_COUNTING(name) .ascii "counting ", #name, "\n" ;
#define NAME_LIVE(name) .ascii "live ", #name, "\n" ;
exclave_world_names:
    WORLD_VITAL(NAME_VITAL)
    WORLD_LAST(NAME_VITAL)
    WORLD_FREE(NAME_FREE)
    WORLD_DEBUG(NAME_FREE)
    WORLD_OPTIONAL(NAME_FREE)
    STATE_REGISTERS(NAME_STATE)
    HIDDEN_REGISTERS(NAME_HIDDEN)
    COUNTING_REGISTERS(NAME_COUNTING)
    LIVE_REGISTERS(NAME_LIVE)
exclave_world_names_end:
    .if     SNAPSHOT_SYSTEM + COUNT_ALL > EXCLAVE_WORLD_WORDS
    .error  "EXCLAVE_WORLD_WORDS is too small"
    .endif
