/*
 * First instructions at EL2, on the boot CPU and on every other.
 *
 * Builds the monitor's own tables: RAM read-write, never executed; own text read-execute, own constants read-only; of the
 * devices only GIC, console and SMMU, the virtio-mmio slots and PCI's configuration space; the unused rest of the slot read-only;
 * page zero not at all (I3).
 */
#include "layout.h"

#define PAGE            4096
#define BLOCK_NORMAL    0x0040000000000741  /* Block, AttrIndx 0, AP rw, inner shareable, AF, XN. */
#define BLOCK_DEVICE    0x0040000000000445  /* Block, AttrIndx 1, AP rw, AF, XN. */
#define PAGE_TEXT       0x00000000000007C3  /* Page, AttrIndx 0, AP ro, inner shareable, AF. */
#define PAGE_CONST      0x00400000000007C3
#define PAGE_DATA       0x0040000000000743
#define TABLE           3
#define SLOT_BYTES      0x200000

#define MAIR            0x04FF              /* 0: normal write-back, 1: Device-nGnRE. */
#define TCR             0x80823519          /* T0SZ 25, inner shareable write-back walks, 4 KiB, PS 40 bits, RES1. */
#define SCTLR           0x30CD183D          /* M, C, SA, I, WXN and the RES1 bits (22, 28, 29, 23, 18, 16, 11, 5, 4). */

    .section .head.text, "ax"
    .global _head
_head:
    b       _start
    .long   0
    .quad   0                   /* text_offset */
    .quad   0                   /* image_size: the image tool knows it. */
    .quad   0xA                 /* little endian, 4 KiB pages, anywhere */
    .quad   0
    .quad   0
    .quad   0
    .ascii  "ARM\x64"
    .long   0

/* The root of trust (Abi.TrustRoot), behind the header: the image tool fills it. */
    .ascii  "EXCLROOT"
    .space  TRUST_ROOT_BYTES - 8

    .text
/* In: x0 = physical address of the firmware's device tree. MMU and caches off, EL2. */
    .global _start
_start:
    mov     x19, x0
    msr     daifset, #0xf
    mrs     x0, CurrentEL
    cmp     x0, #8
    b.ne    park

    /* The image holds zeros here; whether it did is for secure boot to say. x21 gathers every bit that was set. */
    ldr     x0, =__bss_start
    ldr     x1, =__bss_end
    mov     x21, #0
1:  ldp     x2, x3, [x0]
    orr     x2, x2, x3
    orr     x21, x21, x2
    stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    mrs     x2, cntpct_el0      /* The stack cookie: not secret, only other at every boot. */
    ldr     x3, =0x9E3779B97F4A7C15
    mul     x2, x2, x3
    ldr     x0, =__security_cookie
    str     x2, [x0]

    bl      build_tables
    mov     x20, #0
    bl      cpu_setup
    mov     x0, x19
    mov     x1, x21
    bl      sptm_boot
    b       sptm_resume

/* In: x0 = CPU number. Firmware starts a secondary CPU here, at EL2. */
    .global sptm_secondary_entry
sptm_secondary_entry:
    msr     daifset, #0xf
    mov     x20, x0
    bl      cpu_setup
    mrs     x0, tpidr_el2
    bl      sptm_secondary
    b       sptm_resume

park:
    wfe
    b       park

/*
 * In: x20 = CPU number. Out: MMU on, stack, vectors, SIMD, TPIDR_EL2. Clobbers x0 to x3.
 * HCR_EL2 stays 0 here (no lower level has run) and is loaded by the world switch before the first eret.
 */
cpu_setup:
    msr     hcr_el2, xzr
    ldr     x0, =sptm_tables
    msr     ttbr0_el2, x0
    mov     x0, #MAIR
    msr     mair_el2, x0
    ldr     x0, =TCR
    msr     tcr_el2, x0
    /* CPTR_EL2, the same for all worlds: SIMD; SVE (TZ) and SME (TSM, both among the RES1 bits of a CPU without), trace (TTA), AMU (TAM) trapped. */
    ldr     x0, =0x401033ff
    msr     cptr_el2, x0
    tlbi    alle2
    tlbi    alle1               /* Whatever ran here before this boot, or before the CPU was turned off. */
    dsb     nsh
    isb
    ldr     x0, =SCTLR
    msr     sctlr_el2, x0
    isb

    ldr     x0, =sptm_vectors
    msr     vbar_el2, x0
    ldr     x0, =sptm_percpu
    mov     x1, #PERCPU_BYTES
    madd    x0, x20, x1, x0
    msr     tpidr_el2, x0
    ldr     x0, =sptm_stacks
    mov     x1, #STACK_BYTES
    add     x2, x20, #1
    madd    x0, x2, x1, x0
    mov     sp, x0

    /* Linux sees the machine's own identity; timers without offset; no trap that is not asked for. */
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    msr     cntvoff_el2, xzr
    msr     hstr_el2, xzr
    ldr     x0, =0x80023558     /* VTCR_EL2: T0SZ 24, SL0 level 1, write-back inner shareable walks, 4 KiB, PS 40 bits, RES1. */
    msr     vtcr_el2, x0
    mov     x0, #0xf            /* ICC_SRE_EL2: system registers here and, enabled, below. */
    msr     S3_4_C12_C9_5, x0
    isb
    ret

/* Level 1 covers 39 bits. Clobbers x0 to x7. */
build_tables:
    ldr     x0, =sptm_tables
    add     x1, x0, #PAGE       /* level 2 of GiB 0: devices */
    orr     x2, x1, #TABLE
    str     x2, [x0]
    ldr     x2, =BLOCK_DEVICE
    mov     x3, #0x08000000     /* GIC */
    orr     x3, x3, x2
    str     x3, [x1, #(0x08000000 >> 21) * 8]
    mov     x3, #0x09000000     /* console, SMMU */
    orr     x3, x3, x2
    str     x3, [x1, #(0x09000000 >> 21) * 8]
    mov     x3, #0x0A000000     /* virtio-mmio */
    orr     x3, x3, x2
    str     x3, [x1, #(0x0A000000 >> 21) * 8]
    mov     x3, #0x4000000000   /* PCI configuration space, from 0x4010000000 on */
    orr     x3, x3, x2
    str     x3, [x0, #(0x4000000000 >> 30) * 8]

    add     x1, x0, #2 * PAGE   /* level 2 of GiB 1: RAM and ourselves */
    orr     x2, x1, #TABLE
    str     x2, [x0, #8]
    ldr     x2, =BLOCK_NORMAL
    mov     x3, #0x40000000
    orr     x2, x2, x3
    mov     x4, #0
    mov     x5, #0x200000
1:  str     x2, [x1, x4, lsl #3]
    add     x2, x2, x5
    add     x4, x4, #1
    cmp     x4, #512
    b.lo    1b

    ldr     x2, =BLOCK_NORMAL   /* GiB 2 to 5: the rest of RAM, at most 4 GiB */
    mov     x4, #2
1:  lsl     x3, x4, #30
    orr     x3, x3, x2
    str     x3, [x0, x4, lsl #3]
    add     x4, x4, #1
    cmp     x4, #6
    b.lo    1b

    add     x3, x0, #3 * PAGE   /* level 3 of our slot, the second 2 MiB of RAM */
    orr     x2, x3, #TABLE
    str     x2, [x1, #8]
    ldr     x4, =__text_start
    ldr     x5, =__text_end
    ldr     x2, =PAGE_TEXT
    mov     x6, x3
    mov     x7, x30
    bl      fill
    ldr     x5, =__rodata_end
    ldr     x2, =PAGE_CONST
    bl      fill
    ldr     x5, =__image_end
    ldr     x2, =PAGE_DATA
    bl      fill
    ldr     x5, =(__text_start + SLOT_BYTES)    /* The rest of the slot is read once, and is zero. */
    ldr     x2, =PAGE_CONST
    bl      fill

    /* Guard pages: the lowest page of each stack. */
    ldr     x1, =sptm_stacks
    ldr     x4, =__text_start
    sub     x1, x1, x4
    lsr     x1, x1, #12
    mov     x2, #0
1:  str     xzr, [x3, x1, lsl #3]
    add     x1, x1, #STACK_BYTES / PAGE
    add     x2, x2, #1
    cmp     x2, #MAX_CPUS
    b.lo    1b
    dsb     sy
    ret     x7

/* In: x4 = first address, x5 = end, x2 = descriptor bits, x6 = entry. Out: x4, x6 advanced. */
fill:
    cmp     x4, x5
    b.hs    1f
    orr     x0, x4, x2
    str     x0, [x6], #8
    add     x4, x4, #PAGE
    b       fill
1:  ret

    .bss
    .balign PAGE
sptm_tables:
    .skip   4 * PAGE
    .global sptm_stacks
sptm_stacks:
    .skip   STACK_BYTES * MAX_CPUS
    .global sptm_emergency_stack
    .skip   2 * PAGE
sptm_emergency_stack:
    .global sptm_log
sptm_log:
    .skip   LOG_BYTES
    .global sptm_percpu
sptm_percpu:
    .skip   PERCPU_BYTES * MAX_CPUS
