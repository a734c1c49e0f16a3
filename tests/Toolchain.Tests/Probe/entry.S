/*
 * A whole image that proves the toolchain: entered by QEMU at EL2 with the MMU off. It turns on an identity map, runs the
 * checks in C#, prints their lines on the PL011 and powers off through PSCI.
 */
#include "asm.h"

    .section .head.text, "ax", %progbits
    .globl  _start
_start:
    b       boot                    /* code0 */
    .long   0                       /* code1 */
    .quad   0                       /* text_offset */
    .quad   __image_bytes           /* image_size, bss included */
    .quad   0xA                     /* 4 KiB pages, anywhere in memory */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

/* in: none; EL2, MMU off. Does not return. */
FUNC(boot)
    mov     x0, #0x33FF             /* CPTR_EL2: floating point allowed */
    msr     CPTR_EL2, x0
    isb

    adrp    x0, __bss_start
    add     x0, x0, :lo12:__bss_start
    adrp    x1, __bss_end
    add     x1, x1, :lo12:__bss_end
1:  cmp     x0, x1
    b.hs    2f
    str     xzr, [x0], #8
    b       1b

    /* Level 1: 1 GiB of devices, 1 GiB of RAM (left executable: a probe, not a monitor). */
2:  adrp    x0, level1
    add     x0, x0, :lo12:level1
    MOV64   x1, 0x0060000000000401  /* device, XN, AF */
    str     x1, [x0]
    MOV64   x1, 0x40000705          /* normal, inner shareable, AF */
    str     x1, [x0, #8]
    msr     TTBR0_EL2, x0
    mov     x1, #0xFF00             /* attribute 1 normal write-back, 0 device */
    msr     MAIR_EL2, x1
    MOV64   x1, 0x80823519          /* T0SZ 25, inner shareable, write-back, 40-bit PA */
    msr     TCR_EL2, x1
    dsb     sy
    tlbi    alle2
    dsb     sy
    isb
    MOV64   x1, 0x30C51835          /* M, C, I, SA, RES1 */
    msr     SCTLR_EL2, x1
    isb

    adrp    x0, stack_top
    add     x0, x0, :lo12:stack_top
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    bl      probe_main
    b       power_off
ENDFUNC(boot)

/* Does not return. */
FUNC(power_off)
    MOV64   x0, 0x84000008          /* PSCI SYSTEM_OFF */
    smc     #0
    b       .
ENDFUNC(power_off)

    .bss
    .balign 4096
level1:
    .space  4096
    .space  16384
stack_top:
