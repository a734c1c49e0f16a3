/* The clock, a fault that is survived, and a return to where the thread is. Offsets are those of Abi.UserContext. */
#include "asm.h"

#define CALL_RESUME_CONTEXT 17
#define CALL_YIELD          21
#define CALL_EXIT_THREAD    44
#define REASON_TICK         4
#define CONTEXT_PC          256
#define CONTEXT_V           320

/* Out: x0 = CNTVCT_EL0. */
FUNC(probe_ticks)
    mrs     x0, cntvct_el0
    ret
ENDFUNC(probe_ticks)

/* In: x0..x4 = arguments, x5 = call number, any. Out: x0 = Status. */
FUNC(probe_call)
    mov     x8, x5
    svc     #1
    ret
ENDFUNC(probe_call)

/* In: x0 = rounds. */
FUNC(probe_fault)
    mov     x10, #8
1:  ldr     x9, [x10]
    subs    x0, x0, #1
    b.ne    1b
    ret
ENDFUNC(probe_fault)

/* An instruction that no level may execute, in a frame of its own. */
FUNC(probe_undefined)
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    udf     #0
ENDFUNC(probe_undefined)

/* A load-exclusive that is not aligned, which no memory type permits (Arm ARM B2.5.2), in a frame of its own. In: x0 = a mapped address. */
FUNC(probe_misaligned)
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    ldxr    x0, [x0]
    ldp     x29, x30, [sp], #16
    ret
ENDFUNC(probe_misaligned)

/* Where SK reflects. In: x0 = reason, x1 = the context page. */
FUNC(probe_handler)
    cmp     x0, #REASON_TICK
    b.eq    1f
    ldr     x2, [x1, #CONTEXT_PC]
    add     x2, x2, #4
    str     x2, [x1, #CONTEXT_PC]
1:  mov     x0, x1
    mov     x8, #CALL_RESUME_CONTEXT
    svc     #1
    b       .
ENDFUNC(probe_handler)

/* In: x0 = rounds, x1 = page for a context. */
FUNC(probe_resume)
    stp     x19, x20, [x1, #152]
    stp     x21, x22, [x1, #168]
    stp     x23, x24, [x1, #184]
    stp     x25, x26, [x1, #200]
    stp     x27, x28, [x1, #216]
    stp     x29, x30, [x1, #232]
    stp     q8, q9, [x1, #CONTEXT_V + 128]
    stp     q10, q11, [x1, #CONTEXT_V + 160]
    stp     q12, q13, [x1, #CONTEXT_V + 192]
    stp     q14, q15, [x1, #CONTEXT_V + 224]
    mov     x9, sp
    adr     x10, 2f
    stp     x9, x10, [x1, #248]
    mrs     x9, tpidr_el0
    stp     xzr, x9, [x1, #264]
1:  stp     x0, x1, [x1]
    mov     x0, x1
    mov     x8, #CALL_RESUME_CONTEXT
    svc     #1
    b       .
2:  subs    x0, x0, #1
    b.ne    1b
    ret
ENDFUNC(probe_resume)

/* A thread that was started. In: x0 = a word; not 0: the thread ends. Without a stack. */
FUNC(probe_worker)
    mov     x19, x0
1:  ldr     x9, [x19]
    cbnz    x9, 2f
    mov     x8, #CALL_YIELD
    svc     #1
    b       1b
2:  mov     x8, #CALL_EXIT_THREAD
    svc     #1
    b       .
ENDFUNC(probe_worker)

/* A thread that wants a stack first of all. */
FUNC(probe_pusher)
    stp     x29, x30, [sp, #-16]!
    b       .
ENDFUNC(probe_pusher)

FUNC(probe_worker_address)
    adrp    x0, probe_worker
    add     x0, x0, :lo12:probe_worker
    ret
ENDFUNC(probe_worker_address)

FUNC(probe_pusher_address)
    adrp    x0, probe_pusher
    add     x0, x0, :lo12:probe_pusher
    ret
ENDFUNC(probe_pusher_address)

FUNC(probe_handler_address)
    adrp    x0, probe_handler
    add     x0, x0, :lo12:probe_handler
    ret
ENDFUNC(probe_handler_address)

/* Out: x0 = a page for each thread. */
FUNC(probe_contexts)
    adrp    x0, contexts
    ret
ENDFUNC(probe_contexts)

    .section .bss.contexts, "aw", %nobits
    .balign 4096
contexts:
    .skip   2 * 4096
