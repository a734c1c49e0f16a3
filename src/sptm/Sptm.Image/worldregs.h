/*
 * The one table of registers that each world has for itself (I5): save and restore in switch.S come from it,
 * and a test compares the indices in WorldRegister.cs with it.
 *
 * Order of restore is the order here. TCR_EL1 is last: while the tables change its walks stay disabled, as the errata on
 * speculative address translation ask (Cortex-A76 1165522, A57 1319537, A72 1319367).
 */
#ifndef EXCLAVES_SPTM_WORLDREGS_H
#define EXCLAVES_SPTM_WORLDREGS_H

/* What a world cannot run without for one instruction. */
#define WORLD_VITAL(R) \
    R(SCTLR_EL1) \
    R(CPACR_EL1) \
    R(TTBR0_EL1) \
    R(TTBR1_EL1) \
    R(MAIR_EL1) \
    R(VBAR_EL1)

/* What it can load with anything: the leak test does. */
#define WORLD_FREE(R) \
    R(AMAIR_EL1) \
    R(CONTEXTIDR_EL1) \
    R(ESR_EL1) \
    R(FAR_EL1) \
    R(AFSR0_EL1) \
    R(AFSR1_EL1) \
    R(PAR_EL1) \
    R(ELR_EL1) \
    R(SPSR_EL1) \
    R(SP_EL0) \
    R(TPIDR_EL0) \
    R(TPIDRRO_EL0) \
    R(TPIDR_EL1) \
    R(CNTKCTL_EL1) \
    R(CSSELR_EL1)

#define WORLD_DEBUG(R) \
    R(MDSCR_EL1)

/* What EL2 lets the world do, and what EL1 has no name for. */
#define WORLD_STACK(R) \
    R(SP_EL1)

/* Set by the monitor alone, so there is nothing to save. */
#define WORLD_FIXED(R) \
    R(VTTBR_EL2) \
    R(MDCR_EL2) \
    R(CNTHCTL_EL2) \
    R(ICH_HCR_EL2)

/* Not among these: taking a virtual SError clears its bit. */
#define WORLD_CONTROL(R) \
    R(HCR_EL2)

#define WORLD_LAST(R) \
    R(TCR_EL1)

/* Only on CPUs that have them: one section for each of the lowest bits of CpuFeature. Names that the assembler lacks, as numbers. */
#define APIAKEYLO_EL1   S3_0_C2_C1_0
#define APIAKEYHI_EL1   S3_0_C2_C1_1
#define APIBKEYLO_EL1   S3_0_C2_C1_2
#define APIBKEYHI_EL1   S3_0_C2_C1_3
#define APDAKEYLO_EL1   S3_0_C2_C2_0
#define APDAKEYHI_EL1   S3_0_C2_C2_1
#define APDBKEYLO_EL1   S3_0_C2_C2_2
#define APDBKEYHI_EL1   S3_0_C2_C2_3
#define APGAKEYLO_EL1   S3_0_C2_C3_0
#define APGAKEYHI_EL1   S3_0_C2_C3_1
#define TPIDR2_EL0      S3_3_C13_C0_5

#define WORLD_POINTER_AUTHENTICATION(R) \
    R(APIAKEYLO_EL1) \
    R(APIAKEYHI_EL1) \
    R(APIBKEYLO_EL1) \
    R(APIBKEYHI_EL1) \
    R(APDAKEYLO_EL1) \
    R(APDAKEYHI_EL1) \
    R(APDBKEYLO_EL1) \
    R(APDBKEYHI_EL1) \
    R(APGAKEYLO_EL1) \
    R(APGAKEYHI_EL1)

#define WORLD_THREAD_POINTER2(R) \
    R(TPIDR2_EL0)

/* SK's value is 0: no counter runs while it does. */
#define WORLD_COUNTERS(R) \
    R(PMCR_EL0)

#define WORLD_OPTIONAL(R) WORLD_POINTER_AUTHENTICATION(R) WORLD_THREAD_POINTER2(R) WORLD_COUNTERS(R)

#define WORLD_REGISTERS(R) WORLD_VITAL(R) WORLD_FREE(R) WORLD_DEBUG(R) WORLD_STACK(R) WORLD_FIXED(R) WORLD_CONTROL(R) WORLD_LAST(R)

#endif
