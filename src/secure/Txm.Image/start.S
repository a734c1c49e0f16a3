/* TXM's way in, and its one call. EL0 under EL2, stage 1 off. */
#include "asm.h"

#define REQUEST_COOKIE  152             /* tests/SecureBoot.Tests compares it with Abi.TxmRequest */

    .section .head.text, "ax", %progbits
    .globl  _start
/* In: x0 = TxmRequest, sp = end of the writable memory. */
_start:
    ldr     x1, [x0, #REQUEST_COOKIE]
    adrp    x2, __security_cookie
    str     x1, [x2, :lo12:__security_cookie]
    adrp    x2, __stack_chk_guard
    str     x1, [x2, :lo12:__stack_chk_guard]
    mov     x29, xzr
    mov     x30, xzr
    bl      txm_main
    /* Never: txm_main ends with the answer. */

/* A check of the language failed: a call that SPTM does not know, which it takes for a fault. */
FUNC(exc_fail)
    svc     #1
    b       .
ENDFUNC(exc_fail)

/* In: x0 = verdict, x1 = digest, 8-byte aligned. Does not return. */
FUNC(txm_answer)
    ldp     x3, x4, [x1, #16]
    ldp     x1, x2, [x1]
    MOV64   x16, (1 << 32)
    svc     #0
    b       .
ENDFUNC(txm_answer)

/* Out: x0 = BearSSL's implementation of P-256. */
FUNC(txm_p256)
    adrp    x0, br_ec_p256_m31
    add     x0, x0, :lo12:br_ec_p256_m31
    ret
ENDFUNC(txm_p256)
