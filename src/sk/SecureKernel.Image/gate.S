/* SK's calls of SPTM (Abi.GateCall). SPTM keeps every register of SK but x0 to x5. */
#include "asm.h"

/* In: x0 = six words: x0..x3 for Linux, then two free ones. Out: the next request's x0..x5 in the same six words. */
FUNC(sk_gate_return)
    stp     x19, x30, [sp, #-16]!
    mov     x19, x0
    ldp     x3, x4, [x19, #16]
    ldp     x1, x2, [x19]
    mov     x0, #0
    hvc     #0
    stp     x0, x1, [x19]
    stp     x2, x3, [x19, #16]
    stp     x4, x5, [x19, #32]
    ldp     x19, x30, [sp], #16
    ret
ENDFUNC(sk_gate_return)

/* In: x0 = GateCall, x1..x3 = arguments. Out: x0 = GateStatus. */
FUNC(sk_gate_call)
    hvc     #0
    ret
ENDFUNC(sk_gate_call)
