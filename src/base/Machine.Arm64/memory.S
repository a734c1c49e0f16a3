/*
 * Copy, fill and clear. Compiled C# calls these for large structs and for spans.
 * They use vector registers and unaligned accesses: MMU on, floating point enabled.
 */
#include "asm.h"

/* in: x0 = destination, x1 = source, x2 = bytes; may overlap. clobbers: x0-x3, q0-q3. */
FUNC(exc_memmove)
    sub     x3, x0, x1
    cmp     x3, x2
    b.lo    .Lbackward

    cmp     x2, #64
    b.lo    2f
1:  ldp     q0, q1, [x1], #32
    ldp     q2, q3, [x1], #32
    sub     x2, x2, #64
    stp     q0, q1, [x0], #32
    stp     q2, q3, [x0], #32
    cmp     x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    ldp     q0, q1, [x1], #32
    stp     q0, q1, [x0], #32
3:  tbz     x2, #4, 4f
    ldr     q0, [x1], #16
    str     q0, [x0], #16
4:  tbz     x2, #3, 5f
    ldr     x3, [x1], #8
    str     x3, [x0], #8
5:  tbz     x2, #2, 6f
    ldr     w3, [x1], #4
    str     w3, [x0], #4
6:  tbz     x2, #1, 7f
    ldrh    w3, [x1], #2
    strh    w3, [x0], #2
7:  tbz     x2, #0, 8f
    ldrb    w3, [x1]
    strb    w3, [x0]
8:  ret

    /* The destination starts inside the source: from the end down. */
.Lbackward:
    add     x0, x0, x2
    add     x1, x1, x2
    cmp     x2, #64
    b.lo    2f
1:  ldp     q0, q1, [x1, #-32]!
    ldp     q2, q3, [x1, #-32]!
    sub     x2, x2, #64
    stp     q0, q1, [x0, #-32]!
    stp     q2, q3, [x0, #-32]!
    cmp     x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    ldp     q0, q1, [x1, #-32]!
    stp     q0, q1, [x0, #-32]!
3:  tbz     x2, #4, 4f
    ldr     q0, [x1, #-16]!
    str     q0, [x0, #-16]!
4:  tbz     x2, #3, 5f
    ldr     x3, [x1, #-8]!
    str     x3, [x0, #-8]!
5:  tbz     x2, #2, 6f
    ldr     w3, [x1, #-4]!
    str     w3, [x0, #-4]!
6:  tbz     x2, #1, 7f
    ldrh    w3, [x1, #-2]!
    strh    w3, [x0, #-2]!
7:  tbz     x2, #0, 8f
    ldrb    w3, [x1, #-1]
    strb    w3, [x0, #-1]
8:  ret
ENDFUNC(exc_memmove)

/* in: x0 = destination, x1 = bytes. clobbers: x0, x1, q0. */
FUNC(exc_memclear)
    movi    v0.2d, #0
    b       exc_memstore
ENDFUNC(exc_memclear)

/* in: x0 = destination, w1 = byte, x2 = bytes. clobbers: x0, x1, q0. */
FUNC(exc_memset)
    dup     v0.16b, w1
    mov     x1, x2
    b       exc_memstore
ENDFUNC(exc_memset)

/* in: x0 = destination, x1 = bytes, v0 = sixteen copies of the byte. clobbers: x0, x1. Not for C#. */
FUNC(exc_memstore)
    cmp     x1, #64
    b.lo    2f
1:  sub     x1, x1, #64
    stp     q0, q0, [x0], #32
    stp     q0, q0, [x0], #32
    cmp     x1, #64
    b.hs    1b
2:  tbz     x1, #5, 3f
    stp     q0, q0, [x0], #32
3:  tbz     x1, #4, 4f
    str     q0, [x0], #16
4:  tbz     x1, #3, 5f
    str     d0, [x0], #8
5:  tbz     x1, #2, 6f
    str     s0, [x0], #4
6:  tbz     x1, #1, 7f
    str     h0, [x0], #2
7:  tbz     x1, #0, 8f
    str     b0, [x0]
8:  ret
ENDFUNC(exc_memstore)
