/*
 * Every register that code at EL1 could name, in the order of a snapshot: those that each world has for itself (worldregs.h, the one table of
 * the switch), then those that one world must not find or must not change. RogueKernel and the module of tests/attacks save them alike, and
 * exclave-attack reads their names and classes from the module: a register that is added to a table here or there is tested without further work.
 */
#ifndef EXCLAVES_ROGUE_REGISTERS_H
#define EXCLAVES_ROGUE_REGISTERS_H

#include "worldregs.h"

/* Names that assemblers know only with an extension switched on. */
#define PAN_STATE   S3_0_C4_C2_3
#define UAO_STATE   S3_0_C4_C2_4
#define DIT_STATE   S3_3_C4_C2_5
#define SSBS_STATE  S3_3_C4_C2_6
#define TCO_STATE   S3_3_C4_C2_7
#define DISR        S3_0_C12_C1_1
#define ERRSELR     S3_0_C5_C3_1
#define SCXTNUM_0   S3_3_C13_C0_7
#define SCXTNUM_1   S3_0_C13_C0_7
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

/* PSTATE: travels with the world in SPSR_EL2. */
#define STATE_REGISTERS(R) \
    R(NZCV) \
    R(DIT_STATE) \
    R(SSBS_STATE) \
    R(TCO_STATE) \
    R(UAO_STATE) \
    R(PAN_STATE)

/* Not switched, so hidden from SK or the same whatever Linux does. Many do not exist on one CPU or another. */
#define HIDDEN_REGISTERS(R) \
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
    R(PMXEVTYPER_EL0) \
    R(PMUSERENR_EL0) \
    R(PMINTENSET_EL1) \
    R(PMCCFILTR_EL0) \
    R(PMEVTYPER0_EL0) \
    R(CNTP_CTL_EL0) \
    R(CNTP_CVAL_EL0) \
    R(ICC_PMR) \
    R(ICC_AP0R0) \
    R(ICC_AP1R0) \
    R(ICC_BPR0) \
    R(ICC_BPR1) \
    R(ICC_CTLR) \
    R(ICC_IGRPEN0) \
    R(ICC_IGRPEN1)

/* Hidden like those, but Linux's own time moves them: what it finds after a call need not be what it left. */
#define COUNTING_REGISTERS(R) \
    R(PMCCNTR_EL0) \
    R(PMXEVCNTR_EL0) \
    R(PMEVCNTR0_EL0)

/* Linux's virtual timer goes on while SK runs, or a conclave could not be interrupted (I6). Before FEAT_ECV nothing traps it from EL1. */
#define LIVE_REGISTERS(R) \
    R(CNTV_CTL_EL0) \
    R(CNTV_CVAL_EL0)

#define UNSWITCHED_REGISTERS(R) STATE_REGISTERS(R) HIDDEN_REGISTERS(R) COUNTING_REGISTERS(R) LIVE_REGISTERS(R)

/* What a test may load with anything. WORLD_FREE is not among them: an exception writes some of it, so it comes last. The timer must go on. */
#define FILLED_REGISTERS(R) STATE_REGISTERS(R) HIDDEN_REGISTERS(R) COUNTING_REGISTERS(R) WORLD_OPTIONAL(R) WORLD_DEBUG(R)

/* WORLD_FREE before all that may be refused, for the same reason. */
#define ALL_REGISTERS(R) WORLD_VITAL(R) WORLD_LAST(R) WORLD_FREE(R) WORLD_DEBUG(R) WORLD_OPTIONAL(R) UNSWITCHED_REGISTERS(R)

/* Words of a snapshot: x0 to x30, SP, V0 to V31 (two words each), FPCR, FPSR, then ALL_REGISTERS. */
#define SNAPSHOT_SP         31
#define SNAPSHOT_V          32
#define SNAPSHOT_FPCR       96
#define SNAPSHOT_FPSR       97
#define SNAPSHOT_SYSTEM     98

/* What a snapshot holds for a register whose read was refused. */
#define SNAPSHOT_TRAPPED    0x5452415050454421

#endif
