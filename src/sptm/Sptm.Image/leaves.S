/* Single instructions that C# has no name for. Arguments and results as in C#. */
    .macro  leaf name
    .global \name
    .balign 4
\name:
    .endm

    .text
/* x0..x3 of the call; answers x0. Firmware preserves x4 and up (SMCCC 1.1) or at least x18 and up. */
leaf sptm_smc
    smc     #0
    ret

/* x0 = text, x1 = its bytes: the monitor's last words, for sptm_broken. Does not return. */
leaf sptm_panic
    brk     #1

leaf sptm_read_vbar_el1
    mrs     x0, vbar_el1
    ret
leaf sptm_read_sctlr_el1
    mrs     x0, sctlr_el1
    ret
leaf sptm_read_sp_el1
    mrs     x0, sp_el1
    ret
leaf sptm_read_far_el2
    mrs     x0, far_el2
    ret
leaf sptm_read_hpfar_el2
    mrs     x0, hpfar_el2
    ret
/* x0 = ELR_EL1, x1 = SPSR_EL1, x2 = ESR_EL1, x3 = FAR_EL1 */
leaf sptm_write_el1_exception
    msr     elr_el1, x0
    msr     spsr_el1, x1
    msr     esr_el1, x2
    msr     far_el1, x3
    ret

/* x0 = ticks until CNTHP's interrupt, 32 bits; opens this CPU's interface for group 1. */
leaf sptm_start_timer
    msr     CNTHP_TVAL_EL2, x0
    mov     x0, #1
    msr     CNTHP_CTL_EL2, x0
    msr     S3_0_C12_C12_7, x0      /* ICC_IGRPEN1_EL1 */
    mov     x0, #0xff
    msr     S3_0_C4_C6_0, x0        /* ICC_PMR_EL1 */
    isb
    ret
leaf sptm_stop_timer
    msr     CNTHP_CTL_EL2, xzr
    msr     S3_0_C12_C12_7, xzr
    msr     S3_0_C4_C6_0, xzr
    isb
    ret

/* x0 = ICC_SGI1R_EL1 */
leaf sptm_send_sgi
    msr     S3_0_C12_C11_5, x0
    isb
    ret

/* x0 = VTTBR_EL2 of the translation, x1 = IPA >> 12. Invalidates the page's stage-2 and combined entries for that VMID. */
leaf sptm_invalidate_ipa
    mrs     x2, vttbr_el2
    mrs     x3, hcr_el2
    orr     x4, x3, #1
    msr     hcr_el2, x4
    msr     vttbr_el2, x0
    isb
    tlbi    ipas2e1is, x1
    dsb     ish
    tlbi    vmalle1is
    dsb     ish
    msr     vttbr_el2, x2
    msr     hcr_el2, x3
    isb
    ret

/* x0 = VTTBR_EL2 of the translation. Invalidates all entries of both stages for that VMID. */
leaf sptm_invalidate_vmid
    mrs     x2, vttbr_el2
    mrs     x3, hcr_el2
    orr     x4, x3, #1
    msr     hcr_el2, x4
    msr     vttbr_el2, x0
    isb
    tlbi    vmalls12e1is
    dsb     ish
    msr     vttbr_el2, x2
    msr     hcr_el2, x3
    isb
    ret

/* x0 = address of a 64-byte line, x1 = end: writes dirty lines back and drops them. */
leaf sptm_clean_range
1:  cmp     x0, x1
    b.hs    2f
    dc      civac, x0
    add     x0, x0, #64
    b       1b
2:  dsb     sy
    ret

leaf sptm_image_end
    ldr     x0, =__image_end
    ret
leaf sptm_data_end
    ldr     x0, =__data_end
    ret
leaf sptm_rodata_end
    ldr     x0, =__rodata_end
    ret
leaf sptm_log_base
    ldr     x0, =sptm_log
    ret
leaf sptm_percpu_base
    ldr     x0, =sptm_percpu
    ret
leaf sptm_secondary_address
    ldr     x0, =sptm_secondary_entry
    ret
leaf sptm_register_count
    ldr     x0, =sptm_world_register_count
    ldr     x0, [x0]
    ret

/* x0 = (CRm - 1) * 8 + op2, at most 55. Out: x0 = that identification register. */
leaf sptm_read_id
    adr     x1, 1f
    add     x1, x1, x0, lsl #3
    br      x1
1:  .irp    m, 1, 2, 3, 4, 5, 6, 7
    .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
    mrs     x0, S3_0_C0_C\m\()_\n
    ret
    .endr
    .endr

leaf sptm_read_pmcr
    mrs     x0, pmcr_el0
    ret

/*
 * w0 = CpuFeature. What firmware may have left open is written: 0 in the extended controls leaves newer features disabled, in the fine-grained
 * traps it traps TPIDR2_EL0, SMPRI_EL1 and what came later, and nothing else.
 */
leaf sptm_close_features
    tbz     w0, #3, 1f
    msr     S3_4_C1_C2_2, xzr       /* HCRX_EL2 */
1:  tbz     w0, #4, 2f
    msr     S3_4_C1_C1_4, xzr       /* HFGRTR_EL2 */
    msr     S3_4_C1_C1_5, xzr       /* HFGWTR_EL2 */
    msr     S3_4_C1_C1_6, xzr       /* HFGITR_EL2 */
    msr     S3_4_C3_C1_4, xzr       /* HDFGRTR_EL2 */
    msr     S3_4_C3_C1_5, xzr       /* HDFGWTR_EL2 */
2:  tbz     w0, #5, 3f
    msr     S3_4_C3_C1_0, xzr       /* HDFGRTR2_EL2 */
    msr     S3_4_C3_C1_1, xzr       /* HDFGWTR2_EL2 */
    msr     S3_4_C3_C1_2, xzr       /* HFGRTR2_EL2 */
    msr     S3_4_C3_C1_3, xzr       /* HFGWTR2_EL2 */
    msr     S3_4_C3_C1_7, xzr       /* HFGITR2_EL2 */
3:  tbz     w0, #7, 4f
    mov     x1, #(3 << 48)          /* TRAPMPAM0EL1, TRAPMPAM1EL1 */
    msr     S3_4_C10_C5_0, x1       /* MPAM2_EL2 */
4:  tbz     w0, #10, 5f
    msr     S3_4_C12_C1_1, xzr      /* VDISR_EL2 */
    msr     S3_4_C5_C2_3, xzr       /* VSESR_EL2 */
5:  isb
    ret
