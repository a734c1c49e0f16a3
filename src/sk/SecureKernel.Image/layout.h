/*
 * Offsets and sizes that assembly shares with C#. tests/SecureKernel.Tests/LayoutTests.cs reads this file and compares each with its struct.
 */
#ifndef EXCLAVES_SK_LAYOUT_H
#define EXCLAVES_SK_LAYOUT_H

#define CONTEXT_SP      248
#define CONTEXT_PC      256
#define CONTEXT_STATE   264
#define CONTEXT_TPIDR   272
#define CONTEXT_FAR     280
#define CONTEXT_ESR     288
#define CONTEXT_FPCR    296
#define CONTEXT_FPSR    300
#define CONTEXT_V       320

#define BOOTINFO_SEED0  56

/* Exceptions.ProcessorStateMask: what EL0 may choose of PSTATE. */
#define STATE_MASK      0xF1001000

#define MAX_CPUS        8
#define STACK_PAGES     4

#endif
