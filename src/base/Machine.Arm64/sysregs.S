/*
 * System registers that more than one level uses, by the manual's names (Arm ARM, part D).
 * Registers of EL2 alone and sequences of one level live in the image of that level.
 */
#include "asm.h"

SYSREG(esr_el1, ESR_EL1)
SYSREG(elr_el1, ELR_EL1)
SYSREG(far_el1, FAR_EL1)
SYSREG(spsr_el1, SPSR_EL1)
SYSREG(sctlr_el1, SCTLR_EL1)
SYSREG(tcr_el1, TCR_EL1)
SYSREG(ttbr0_el1, TTBR0_EL1)
SYSREG(ttbr1_el1, TTBR1_EL1)
SYSREG(mair_el1, MAIR_EL1)
SYSREG(amair_el1, AMAIR_EL1)
SYSREG(vbar_el1, VBAR_EL1)
SYSREG(cpacr_el1, CPACR_EL1)
SYSREG(contextidr_el1, CONTEXTIDR_EL1)
SYSREG(par_el1, PAR_EL1)
SYSREG(afsr0_el1, AFSR0_EL1)
SYSREG(afsr1_el1, AFSR1_EL1)
SYSREG(cntkctl_el1, CNTKCTL_EL1)
SYSREG(csselr_el1, CSSELR_EL1)
SYSREG(mdscr_el1, MDSCR_EL1)
SYSREG(tpidr_el0, TPIDR_EL0)
SYSREG(tpidr_el1, TPIDR_EL1)
SYSREG(tpidrro_el0, TPIDRRO_EL0)
SYSREG(sp_el0, SP_EL0)
SYSREG(cntv_ctl_el0, CNTV_CTL_EL0)
SYSREG(cntv_cval_el0, CNTV_CVAL_EL0)
SYSREG(cntp_ctl_el0, CNTP_CTL_EL0)
SYSREG(cntp_cval_el0, CNTP_CVAL_EL0)
SYSREG(fpcr, FPCR)
SYSREG(fpsr, FPSR)
SYSREG(daif, DAIF)

READ_SYSREG(isr_el1, ISR_EL1)
READ_SYSREG(mpidr_el1, MPIDR_EL1)
READ_SYSREG(midr_el1, MIDR_EL1)
READ_SYSREG(revidr_el1, REVIDR_EL1)
READ_SYSREG(currentel, CurrentEL)
READ_SYSREG(ctr_el0, CTR_EL0)
READ_SYSREG(dczid_el0, DCZID_EL0)
READ_SYSREG(clidr_el1, CLIDR_EL1)
READ_SYSREG(cntfrq_el0, CNTFRQ_EL0)
READ_SYSREG(id_aa64pfr0_el1, ID_AA64PFR0_EL1)
READ_SYSREG(id_aa64pfr1_el1, ID_AA64PFR1_EL1)
READ_SYSREG(id_aa64dfr0_el1, ID_AA64DFR0_EL1)
READ_SYSREG(id_aa64isar0_el1, ID_AA64ISAR0_EL1)
READ_SYSREG(id_aa64isar1_el1, ID_AA64ISAR1_EL1)
READ_SYSREG(id_aa64mmfr0_el1, ID_AA64MMFR0_EL1)
READ_SYSREG(id_aa64mmfr1_el1, ID_AA64MMFR1_EL1)
READ_SYSREG(id_aa64mmfr2_el1, ID_AA64MMFR2_EL1)

/* Counters are read in program order only behind an ISB (Arm ARM D11.2.1). */
FUNC(arm64_read_cntvct_el0)
    isb
    mrs     x0, CNTVCT_EL0
    ret
ENDFUNC(arm64_read_cntvct_el0)

FUNC(arm64_read_cntpct_el0)
    isb
    mrs     x0, CNTPCT_EL0
    ret
ENDFUNC(arm64_read_cntpct_el0)

/* Masks every interrupt. out: x0 = DAIF before. */
FUNC(arm64_mask_interrupts)
    mrs     x0, DAIF
    msr     DAIFSet, #15
    ret
ENDFUNC(arm64_mask_interrupts)
