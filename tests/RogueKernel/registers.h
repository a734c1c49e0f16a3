/*
 * Every register that code at EL1 could name, in the order in which RogueKernel saves them: those that each world has for itself
 * (worldregs.h, the one table), then those that one world must not find or must not change. The module of tests/attacks has the same order.
 */
#ifndef EXCLAVES_ROGUE_REGISTERS_H
#define EXCLAVES_ROGUE_REGISTERS_H

#include "worldregs.h"

/* Names that assemblers know only with an extension switched on. */
#define APIAKEYLO   S3_0_C2_C1_0
#define APIAKEYHI   S3_0_C2_C1_1
#define APIBKEYLO   S3_0_C2_C1_2
#define APIBKEYHI   S3_0_C2_C1_3
#define APDAKEYLO   S3_0_C2_C2_0
#define APDAKEYHI   S3_0_C2_C2_1
#define APDBKEYLO   S3_0_C2_C2_2
#define APDBKEYHI   S3_0_C2_C2_3
#define APGAKEYLO   S3_0_C2_C3_0
#define APGAKEYHI   S3_0_C2_C3_1
#define PAN_STATE   S3_0_C4_C2_3
#define UAO_STATE   S3_0_C4_C2_4
#define DIT_STATE   S3_3_C4_C2_5
#define SSBS_STATE  S3_3_C4_C2_6
#define TCO_STATE   S3_3_C4_C2_7
#define DISR        S3_0_C12_C1_1
#define ERRSELR     S3_0_C5_C3_1
#define SCXTNUM_0   S3_3_C13_C0_7
#define SCXTNUM_1   S3_0_C13_C0_7
#define TPIDR2      S3_3_C13_C0_5
#define ZCR         S3_0_C1_C2_0
#define SMPRI       S3_0_C1_C2_4
#define SMCR        S3_0_C1_C2_6
#define SVCR_STATE  S3_3_C4_C2_2
#define RGSR        S3_0_C1_C0_5
#define GCR         S3_0_C1_C0_6
#define TFSR        S3_0_C5_C6_0
#define TFSRE0      S3_0_C5_C6_1
#define TRFCR       S3_0_C1_C2_1
#define PMSCR       S3_0_C9_C9_0
#define PMBPTR      S3_0_C9_C10_1
#define TRBPTR      S3_0_C9_C11_1
#define AMCR        S3_3_C13_C2_0
#define AMUSERENR   S3_3_C13_C2_3
#define TCR2        S3_0_C2_C0_3
#define PIR         S3_0_C10_C2_3
#define LORSA       S3_0_C10_C4_0
#define OSLSR       S2_0_C1_C1_4
#define ICC_PMR     S3_0_C4_C6_0
#define ICC_AP0R0   S3_0_C12_C8_4
#define ICC_AP1R0   S3_0_C12_C9_0
#define ICC_BPR0    S3_0_C12_C8_3
#define ICC_BPR1    S3_0_C12_C12_3
#define ICC_CTLR    S3_0_C12_C12_4
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7

/* Many do not exist on one CPU or another, and most must be refused to the secure world. */
#define HIDDEN_REGISTERS(R) \
    R(NZCV) \
    R(DIT_STATE) \
    R(SSBS_STATE) \
    R(TCO_STATE) \
    R(UAO_STATE) \
    R(PAN_STATE) \
    R(APIAKEYLO) \
    R(APIAKEYHI) \
    R(APIBKEYLO) \
    R(APIBKEYHI) \
    R(APDAKEYLO) \
    R(APDAKEYHI) \
    R(APDBKEYLO) \
    R(APDBKEYHI) \
    R(APGAKEYLO) \
    R(APGAKEYHI) \
    R(TPIDR2) \
    R(PMCR_EL0) \
    R(DISR) \
    R(ERRSELR) \
    R(SCXTNUM_0) \
    R(SCXTNUM_1) \
    R(ACTLR_EL1) \
    R(ZCR) \
    R(SMPRI) \
    R(SMCR) \
    R(SVCR_STATE) \
    R(RGSR) \
    R(GCR) \
    R(TFSR) \
    R(TFSRE0) \
    R(TRFCR) \
    R(PMSCR) \
    R(PMBPTR) \
    R(TRBPTR) \
    R(AMCR) \
    R(AMUSERENR) \
    R(TCR2) \
    R(PIR) \
    R(LORSA) \
    R(DBGBVR0_EL1) \
    R(DBGBCR0_EL1) \
    R(DBGBVR5_EL1) \
    R(DBGBCR5_EL1) \
    R(DBGWVR0_EL1) \
    R(DBGWCR0_EL1) \
    R(DBGWVR3_EL1) \
    R(DBGWCR3_EL1) \
    R(MDCCINT_EL1) \
    R(OSDTRRX_EL1) \
    R(OSDTRTX_EL1) \
    R(OSECCR_EL1) \
    R(OSLSR) \
    R(OSDLR_EL1) \
    R(DBGPRCR_EL1) \
    R(DBGCLAIMSET_EL1) \
    R(PMCNTENSET_EL0) \
    R(PMOVSSET_EL0) \
    R(PMSELR_EL0) \
    R(PMCCNTR_EL0) \
    R(PMXEVTYPER_EL0) \
    R(PMXEVCNTR_EL0) \
    R(PMUSERENR_EL0) \
    R(PMINTENSET_EL1) \
    R(PMCCFILTR_EL0) \
    R(PMEVTYPER0_EL0) \
    R(PMEVCNTR0_EL0) \
    R(CNTP_CTL_EL0) \
    R(CNTP_CVAL_EL0) \
    R(CNTV_CTL_EL0) \
    R(CNTV_CVAL_EL0) \
    R(ICC_PMR) \
    R(ICC_AP0R0) \
    R(ICC_AP1R0) \
    R(ICC_BPR0) \
    R(ICC_BPR1) \
    R(ICC_CTLR) \
    R(ICC_IGRPEN0) \
    R(ICC_IGRPEN1)

#define ALL_REGISTERS(R) WORLD_VITAL(R) WORLD_LAST(R) WORLD_FREE(R) WORLD_DEBUG(R) HIDDEN_REGISTERS(R)

/* Words of a snapshot: x0 to x30, SP, V0 to V31 (two words each), FPCR, FPSR, then ALL_REGISTERS. */
#define SNAPSHOT_SP         31
#define SNAPSHOT_V          32
#define SNAPSHOT_FPCR       96
#define SNAPSHOT_FPSR       97
#define SNAPSHOT_SYSTEM     98

/* What a snapshot holds for a register whose read was refused. */
#define SNAPSHOT_TRAPPED    0x5452415050454421

#endif
