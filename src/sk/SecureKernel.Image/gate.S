/* SK's calls of SPTM (Abi.Dispatch): x16 names the function, arguments from x0 on. SPTM keeps every register of SK but the answers. */
#include "asm.h"

/* In: x0 = six words: x0..x4 of the answer, then a free one; x1 = target. Out: the next request's x0..x5 in the same six words. */
FUNC(sk_gate_return)
    stp     x19, x30, [sp, #-16]!
    mov     x19, x0
    mov     x16, x1
    ldr     x4, [x19, #32]
    ldp     x2, x3, [x19, #16]
    ldp     x0, x1, [x19]
    hvc     #0
    stp     x0, x1, [x19]
    stp     x2, x3, [x19, #16]
    stp     x4, x5, [x19, #32]
    ldp     x19, x30, [sp], #16
    ret
ENDFUNC(sk_gate_return)

/* In: x0 = target, x1..x3 = the function's x0..x2. Out: x0 = CallResult. */
FUNC(sk_gate_call)
    mov     x16, x0
    mov     x0, x1
    mov     x1, x2
    mov     x2, x3
    hvc     #0
    ret
ENDFUNC(sk_gate_call)
