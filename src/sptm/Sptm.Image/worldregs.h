/*
 * The one table of registers that each world has for itself (I5): save and restore in switch.S come from it,
 * and a test compares the indices in WorldRegister.cs with it.
 *
 * Order of restore is the order here. TCR_EL1 is last: while the tables change its walks stay disabled, as the errata on
 * speculative address translation ask (Cortex-A76 1165522, A57 1319537, A72 1319367).
 */
#ifndef EXCLAVES_SPTM_WORLDREGS_H
#define EXCLAVES_SPTM_WORLDREGS_H

#define WORLD_REGISTERS(R) \
    R(SCTLR_EL1) \
    R(CPACR_EL1) \
    R(TTBR0_EL1) \
    R(TTBR1_EL1) \
    R(MAIR_EL1) \
    R(AMAIR_EL1) \
    R(VBAR_EL1) \
    R(CONTEXTIDR_EL1) \
    R(ESR_EL1) \
    R(FAR_EL1) \
    R(AFSR0_EL1) \
    R(AFSR1_EL1) \
    R(PAR_EL1) \
    R(ELR_EL1) \
    R(SPSR_EL1) \
    R(SP_EL0) \
    R(SP_EL1) \
    R(TPIDR_EL0) \
    R(TPIDRRO_EL0) \
    R(TPIDR_EL1) \
    R(CNTKCTL_EL1) \
    R(CSSELR_EL1) \
    R(MDSCR_EL1) \
    R(VTTBR_EL2) \
    R(CPTR_EL2) \
    R(MDCR_EL2) \
    R(CNTHCTL_EL2) \
    R(ICH_HCR_EL2) \
    R(HCR_EL2) \
    R(TCR_EL1)

#endif
