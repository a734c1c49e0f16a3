/*
 * Macros that every assembly file of the project shares.
 * Each routine gets a section of its own, so that the linker drops those an image does not call.
 */
#ifndef EXCLAVES_ASM_H
#define EXCLAVES_ASM_H

/* FUNC(name) ... ENDFUNC(name): a routine with symbol type, size and a section of its own. */
#define FUNC(name) \
    .section .text.name, "ax", %progbits; \
    .globl name; \
    .type name, %function; \
    .balign 16; \
name:

#define ENDFUNC(name) \
    .size name, . - name

/* in: none. out: x0 = register. clobbers: none. */
#define READ_SYSREG(symbol, register) \
    FUNC(arm64_read_##symbol) \
    mrs x0, register; \
    ret; \
    ENDFUNC(arm64_read_##symbol)

/* in: x0 = value. out: none. No barrier: the caller says which one it needs. */
#define WRITE_SYSREG(symbol, register) \
    FUNC(arm64_write_##symbol) \
    msr register, x0; \
    ret; \
    ENDFUNC(arm64_write_##symbol)

#define SYSREG(symbol, register) \
    READ_SYSREG(symbol, register); \
    WRITE_SYSREG(symbol, register)

/* One instruction without operands. */
#define LEAF(symbol, instruction) \
    FUNC(arm64_##symbol) \
    instruction; \
    ret; \
    ENDFUNC(arm64_##symbol)

/* Loads a constant of up to 64 bits: MOV64 x0, VALUE. */
.macro MOV64 register, value
    movz    \register, #((\value) & 0xFFFF)
    .if ((\value) >> 16) & 0xFFFF
    movk    \register, #(((\value) >> 16) & 0xFFFF), lsl #16
    .endif
    .if ((\value) >> 32) & 0xFFFF
    movk    \register, #(((\value) >> 32) & 0xFFFF), lsl #32
    .endif
    .if ((\value) >> 48) & 0xFFFF
    movk    \register, #(((\value) >> 48) & 0xFFFF), lsl #48
    .endif
.endm

#endif
