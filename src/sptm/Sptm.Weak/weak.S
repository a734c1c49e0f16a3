/* Which defences this image lacks: one bit for each (Abi.Defence). The tool that builds an image finds the word by the text before it. */
#include "asm.h"

    .section .rodata.weak, "a", %progbits
    .balign 16
    .ascii  "EXCLAVES WITHOUT"
    .global weak_mask_word
weak_mask_word:
    .quad   0

/* Out: x0 = the mask. Clobbers: none. */
FUNC(weak_mask)
    adrp    x0, weak_mask_word
    ldr     x0, [x0, :lo12:weak_mask_word]
    ret
ENDFUNC(weak_mask)
