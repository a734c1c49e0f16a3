/* The least that links: calls the case, ends in a loop. Never run. */
#include "asm.h"

    .section .head.text, "ax", %progbits
    .globl  _start
_start:
    bl      mistake
    b       .

/* in: w0 = code. Does not return. */
FUNC(exc_fail)
    b       .
ENDFUNC(exc_fail)
