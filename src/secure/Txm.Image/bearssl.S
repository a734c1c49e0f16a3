/* What BearSSL, as Debian compiles it, expects of a C library: copies, fills, and the compiler's checks of buffers and stack. */
#include "asm.h"

/* In: x0 = destination, x1 = source, x2 = bytes, x3 = room. Out: x0 = destination. */
FUNC(__memcpy_chk)
    cmp     x3, x2
    b.lo    __stack_chk_fail
    b       memcpy
ENDFUNC(__memcpy_chk)

/* In: x0 = destination, x1 = source, x2 = bytes. Out: x0 = destination. */
FUNC(memcpy)
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x0, [sp, #16]
    bl      exc_memmove
    ldr     x0, [sp, #16]
    ldp     x29, x30, [sp], #32
    ret
ENDFUNC(memcpy)

FUNC(memmove)
    b       memcpy
ENDFUNC(memmove)

/* In: x0 = destination, w1 = byte, x2 = bytes, x3 = room. Out: x0 = destination. */
FUNC(__memset_chk)
    cmp     x3, x2
    b.lo    __stack_chk_fail
    b       memset
ENDFUNC(__memset_chk)

/* In: x0 = destination, w1 = byte, x2 = bytes. Out: x0 = destination. */
FUNC(memset)
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x0, [sp, #16]
    bl      exc_memset
    ldr     x0, [sp, #16]
    ldp     x29, x30, [sp], #32
    ret
ENDFUNC(memset)

FUNC(__stack_chk_fail)
    mov     w0, #12
    b       exc_fail
ENDFUNC(__stack_chk_fail)

    .section .data.__stack_chk_guard, "aw", %progbits
    .globl  __stack_chk_guard
    .type   __stack_chk_guard, %object
    .balign 8
__stack_chk_guard:
    .quad   0
    .size   __stack_chk_guard, 8
