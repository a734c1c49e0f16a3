/* Start of a freestanding component at secure EL0, and the way into SK. */
#include "asm.h"

#define STARTINFO_COOKIE    120         /* tests/SecureKernel.Tests/LayoutTests.cs compares it with Abi.StartInfo */
#define CALL_EXIT           19
#define EXIT_RETURNED       1
#define EXIT_CHECK          0x100

    .section .head.text, "ax", %progbits
    .globl  _start
/* In: x0 = StartInfo, x1 = number of the thread; both are component_main's. Memory is zero where the image has no bytes, so there is no bss to clear. */
_start:
    ldr     x2, [x0, #STARTINFO_COOKIE]
    adrp    x3, __security_cookie
    str     x2, [x3, :lo12:__security_cookie]
    mov     x29, xzr
    mov     x30, xzr
    bl      component_main
    mov     x0, #EXIT_RETURNED
    mov     x1, xzr
    mov     x8, #CALL_EXIT
    svc     #1
    b       .

/* A check of the language failed (w0 = FailCode): the component ends. */
FUNC(exc_fail)
    add     w0, w0, #EXIT_CHECK
    mov     x1, xzr
    mov     x8, #CALL_EXIT
    svc     #1
    b       .
ENDFUNC(exc_fail)

/* Out: x0 = address of the thread's IPC page, which SK puts there at the start. */
FUNC(runtime_page)
    mrs     x0, tpidr_el0
    ret
ENDFUNC(runtime_page)

/* Out: x0 = CNTVCT_EL0. */
FUNC(runtime_counter)
    isb
    mrs     x0, cntvct_el0
    ret
ENDFUNC(runtime_counter)

/* In: x0..x4 = arguments, x5 = call number. Out: x0 = Status. */
FUNC(runtime_call)
    mov     x8, x5
    svc     #1
    ret
ENDFUNC(runtime_call)

/* In: x0..x4 = arguments, x5 = call number, x6 = where x1..x6 go. Out: x0 = Status. Clobbers x8, x9. */
FUNC(runtime_call_values)
    mov     x8, x5
    mov     x9, x6
    svc     #1
    stp     x1, x2, [x9]
    stp     x3, x4, [x9, #16]
    stp     x5, x6, [x9, #32]
    ret
ENDFUNC(runtime_call_values)
