/* What code compiled by ilc expects of a runtime, and the little of it that exists here. */
#include "asm.h"

/* The start-up stub that --nativelib emits calls these two; nothing calls the stub. */
FUNC(RhpReversePInvoke)
    ret
ENDFUNC(RhpReversePInvoke)

FUNC(RhpReversePInvokeReturn)
    ret
ENDFUNC(RhpReversePInvokeReturn)

/* A stack cookie did not match. Does not return: FailCode.StackCookie to the image. */
FUNC(RhpFallbackFailFast)
    mov     w0, #12
    b       exc_fail
ENDFUNC(RhpFallbackFailFast)

/* A hint inside wait loops. clobbers: none. */
FUNC(exc_pause)
    yield
    ret
ENDFUNC(exc_pause)

/* Checked at the end of every function with a stack buffer. Start-up code stores a random word before it calls C#. */
    .section .bss.__security_cookie, "aw", %nobits
    .globl  __security_cookie
    .type   __security_cookie, %object
    .balign 8
__security_cookie:
    .skip   8
    .size   __security_cookie, 8
