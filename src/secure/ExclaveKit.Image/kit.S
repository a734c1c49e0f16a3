/*
 * Entry of a .NET conclave, and of the personality's handler. SK's calls: svc #1 with the number in x8 (Abi SecureCall).
 */
#include "asm.h"

#define CALL_SET_PERSONALITY 16
#define CALL_RESUME_CONTEXT  17
#define CALL_EXIT            19
#define CALL_START_THREAD    43
#define REASON_TICK          4
#define START_INFO_COOKIE    120
#define LINUX_RT_SIGRETURN   139
#define THREAD_BASE          0x7F0080000000 /* Abi UserLayout */
#define THREAD_SPAN          0x100000

/* First instruction. In: x0 = StartInfo. kit_start leaves the program's first context in kit_initial. */
    .section .head.text, "ax", %progbits
    .global _start
_start:
    ldr     x1, [x0, #START_INFO_COOKIE]
    adrp    x2, __security_cookie
    str     x1, [x2, #:lo12:__security_cookie]
    mov     x19, sp
    bl      kit_start

    /* From here on an interrupt may enter the handler, which uses this stack from its top and the context page: neither may hold anything
     * of ours. That is why the first context lies elsewhere. */
    adrp    x0, kit_handler
    add     x0, x0, #:lo12:kit_handler
    mov     x1, x19
    adrp    x2, kit_context
    mov     x8, #CALL_SET_PERSONALITY
    svc     #1
    cbnz    x0, exc_fail
    adrp    x0, kit_initial
    mov     x8, #CALL_RESUME_CONTEXT
    svc     #1
    b       exc_fail

/* Where SK reflects. In: x0 = reason, x1 = the thread's context page; sp = top of its stack for this. */
FUNC(kit_handler)
    mov     x19, x1
    bl      kit_handle
    mov     x0, x19
    mov     x8, #CALL_RESUME_CONTEXT
    svc     #1
    b       exc_fail
ENDFUNC(kit_handler)

/* First instruction of a thread that StartThread made, which is in the handler. In: x1 = its number. Its context is ready as soon as it has the lock. */
kit_thread:
    MOV64   x2, THREAD_BASE
    mov     x3, #THREAD_SPAN
    madd    x2, x1, x3, x2
    add     x1, x2, #4096
    mov     x0, #REASON_TICK
    b       kit_handler

/* Out: w0 = number of the new thread, or -1. */
FUNC(kit_start_thread)
    adrp    x0, kit_thread
    add     x0, x0, #:lo12:kit_thread
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    mov     x8, #CALL_START_THREAD
    svc     #1
    cmp     x0, #0
    csinv   x0, x1, xzr, eq
    ret
ENDFUNC(kit_start_thread)

/* Where signal handlers of the program return to; never called by the kit. */
FUNC(kit_signal_return)
    mov     x8, #LINUX_RT_SIGRETURN
    svc     #0
ENDFUNC(kit_signal_return)

/* In: x0 = call number, x1..x4 = arguments. Out: x0 = status. Clobbers what a C call may. The program calls it too (PersonalityCall.Messages). */
FUNC(kit_call)
    mov     x8, x0
    mov     x0, x1
    mov     x1, x2
    mov     x2, x3
    mov     x3, x4
    svc     #1
    ret
ENDFUNC(kit_call)

/* Out: x0 = address of kit_call, of the signal trampoline, of the context page, of the first context. */
FUNC(kit_call_address)
    adrp    x0, kit_call
    add     x0, x0, #:lo12:kit_call
    ret
ENDFUNC(kit_call_address)

FUNC(kit_signal_return_address)
    adrp    x0, kit_signal_return
    add     x0, x0, #:lo12:kit_signal_return
    ret
ENDFUNC(kit_signal_return_address)

FUNC(kit_context_address)
    adrp    x0, kit_context
    ret
ENDFUNC(kit_context_address)

FUNC(kit_initial_address)
    adrp    x0, kit_initial
    ret
ENDFUNC(kit_initial_address)

/* A check of the compiled code has failed. In: w0 = code. */
FUNC(exc_fail)
    mov     w0, w0
    mov     x1, xzr
    mov     x8, #CALL_EXIT
    svc     #1
    brk     #0
ENDFUNC(exc_fail)

/* A page each: the first context, and the running thread's registers (Abi UserContext), written by SK on entry and read by it on the way out. */
    .section .bss.kit_context, "aw", %nobits
    .balign 4096
kit_initial:
    .skip   4096
kit_context:
    .skip   4096
