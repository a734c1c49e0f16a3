/* What only the monitor for tests asks of the machine, and the differences planted in it (Abi.PlantedDifference): one bit for each, found by the text before. */
#include "asm.h"

    .section .rodata.planted, "a", %progbits
    .balign 16
    .ascii  "EXCLAVES PLANTED"
mask:
    .quad   0

/* Out: x0 = the mask. Clobbers: none. */
FUNC(checked_mask)
    adrp    x0, mask
    ldr     x0, [x0, :lo12:mask]
    ret
ENDFUNC(checked_mask)

/* Out: x0 = physical address of the monitor's own level-1 table. Clobbers: none. */
FUNC(checked_own_root)
    mrs     x0, ttbr0_el2
    ret
ENDFUNC(checked_own_root)

/* Out: x0 = SCTLR_EL2. Clobbers: none. */
FUNC(checked_control)
    mrs     x0, sctlr_el2
    ret
ENDFUNC(checked_control)

/* Out: x0 = end of the monitor's text. Clobbers: none. */
FUNC(checked_text_end)
    ldr     x0, =__text_end
    ret
ENDFUNC(checked_text_end)
