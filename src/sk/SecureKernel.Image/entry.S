/*
 * SK's first instructions on each CPU: entered by SPTM at the physical address with the MMU off, EL1h, DAIF masked,
 * x0 = GateEndpoint.CpuOnline, x1 = PA of BootInfo on the CPU that sets SK up and 0 on all others, x2 = CPU number. Addresses are adrp-relative until the MMU is on.
 *
 * Stage 1, both halves: VA = PA + 0xFFFF000000000000 (TTBR1). The slot is mapped by pages: text RX, rodata R, the rest RW;
 * other RAM up to 9 GiB by blocks, RW. Nothing is writable and executable (I3). What SK may really reach is stage 2's to say.
 */
#include "asm.h"
#include "layout.h"

#define TABLE           3
#define PAGE            3
#define BLOCK           1
#define AF_SH           0x700               /* access flag, inner shareable; memory type 0 */
#define READ_ONLY       0x80
#define PXN_UXN         0x0060000000000000
#define UXN             0x0040000000000000

#define MAIR            0x04FF              /* 0: Normal write-back, 1: Device nGnRE */
#define TCR             0x2B5103510         /* T0SZ = T1SZ = 16, 4 KiB, write-back, inner shareable, 40-bit IPS, 8-bit ASID */
#define SCTLR           0x34D8D99D          /* M C I SA SA0 SED ITD EOS DZE UCT WXN TSCXT EIS SPAN UCI, RES1; nTWI = nTWE = 0 */
#define CPACR           (3 << 20)           /* FP and SIMD at EL0 and EL1 */
#define CNTKCTL         2                   /* EL0 reads CNTVCT alone */

    .section .head.text, "ax", %progbits
    .globl  _start
_start:
    mov     x20, x1
    mov     x21, x2
    cmp     x21, #MAX_CPUS
    b.hs    .

    cbz     x20, 2f
    bl      clear_bss
    bl      build_tables
2:
    MOV64   x0, MAIR
    msr     MAIR_EL1, x0
    MOV64   x0, TCR
    msr     TCR_EL1, x0
    MOV64   x0, CPACR
    msr     CPACR_EL1, x0
    mov     x0, #CNTKCTL
    msr     CNTKCTL_EL1, x0
    msr     CONTEXTIDR_EL1, xzr
    msr     TPIDRRO_EL0, xzr
    adrp    x0, table_level0
    msr     TTBR0_EL1, x0                   /* identity, until the jump below */
    msr     TTBR1_EL1, x0
    ldr     x0, =sk_vectors
    msr     VBAR_EL1, x0
    dsb     sy
    tlbi    vmalle1
    dsb     nsh
    isb
    MOV64   x0, SCTLR
    msr     SCTLR_EL1, x0
    isb
    ldr     x0, =upper
    br      x0

/* In the upper half: no address below is valid from here on until a component's tables are loaded. */
upper:
    adrp    x0, table_empty
    ubfx    x0, x0, #0, #48
    msr     TTBR0_EL1, x0
    isb
    tlbi    vmalle1
    dsb     nsh
    isb

    ldr     x0, =cpu_stacks
    add     x1, x21, #1
    mov     x2, #((STACK_PAGES + 1) * 4096)
    madd    x0, x1, x2, x0
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr

    cbz     x20, 3f
    orr     x0, x20, #0xFFFF000000000000
    ldr     x1, [x0, #BOOTINFO_SEED0]
    ldr     x0, =__security_cookie
    str     x1, [x0]
3:
    mov     x0, x20
    mov     x1, x21
    bl      sk_main
    b       .
    .ltorg

/* Clobbers x0-x1. Caches are off: lines that others left over this memory go first. */
clear_bss:
    adrp    x0, __bss_start
    adrp    x1, __bss_end
1:  dc      civac, x0
    add     x0, x0, #64
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    adrp    x0, __bss_start
2:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    2b
    dsb     sy
    ret

/* Clobbers x0-x12. */
build_tables:
    adrp    x9, table_level0
    adrp    x10, table_level1
    adrp    x11, table_level2
    adrp    x12, table_level3
    mov     x0, #TABLE
    orr     x1, x10, x0
    str     x1, [x9]
    orr     x1, x11, x0
    str     x1, [x10, #8]                   /* the GiB at 1 GiB holds the slot */

    /* GiB 2 to 8. */
    MOV64   x2, (PXN_UXN | AF_SH | BLOCK)
    mov     x0, #2
1:  orr     x1, x2, x0, lsl #30
    str     x1, [x10, x0, lsl #3]
    add     x0, x0, #1
    cmp     x0, #9
    b.lo    1b

    /* 2 MiB blocks behind the slot; those before it (SPTM) stay unmapped. */
    adrp    x3, __image_start
    orr     x1, x12, #TABLE
    ubfx    x0, x3, #21, #9
    str     x1, [x11, x0, lsl #3]
    add     x0, x0, #1
    mov     x4, #0x40000000
    orr     x4, x4, x2
2:  orr     x1, x4, x0, lsl #21
    str     x1, [x11, x0, lsl #3]
    add     x0, x0, #1
    cmp     x0, #512
    b.lo    2b

    /* The slot's pages. */
    adrp    x5, __text_end
    adrp    x6, __rodata_end
    MOV64   x7, (UXN | READ_ONLY | AF_SH | PAGE)
    MOV64   x8, (PXN_UXN | READ_ONLY | AF_SH | PAGE)
    orr     x2, x2, #PAGE
    mov     x0, #0
3:  orr     x1, x3, x2
    cmp     x3, x6
    b.hs    4f
    orr     x1, x3, x8
    cmp     x3, x5
    b.hs    4f
    orr     x1, x3, x7
4:  str     x1, [x12, x0, lsl #3]
    add     x3, x3, #4096
    add     x0, x0, #1
    cmp     x0, #512
    b.lo    3b

    /* A page without mapping under each stack. */
    adrp    x3, cpu_stacks
    mov     x4, #MAX_CPUS
5:  ubfx    x0, x3, #12, #9
    str     xzr, [x12, x0, lsl #3]
    add     x3, x3, #((STACK_PAGES + 1) * 4096)
    subs    x4, x4, #1
    b.ne    5b

    dsb     sy
    mov     x0, x9
    add     x1, x9, #(5 * 4096)
6:  dc      ivac, x0
    add     x0, x0, #64
    cmp     x0, x1
    b.lo    6b
    dsb     sy
    ret

    .section .bss.tables, "aw", %nobits
    .balign 4096
table_level0:
    .skip   4096
table_level1:
    .skip   4096
table_level2:
    .skip   4096
table_level3:
    .skip   4096
table_empty:
    .skip   4096

    .section .bss.stacks, "aw", %nobits
    .balign 4096
cpu_stacks:
    .skip   MAX_CPUS * (STACK_PAGES + 1) * 4096
