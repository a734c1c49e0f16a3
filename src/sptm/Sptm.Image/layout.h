/* Offsets of PerCpu and TrapFrame (PerCpu.cs); tests/Sptm.Tests compares them with the structs. Bytes. */
#ifndef EXCLAVES_SPTM_LAYOUT_H
#define EXCLAVES_SPTM_LAYOUT_H

#define FRAME_X         0
#define FRAME_ELR       248
#define FRAME_SPSR      256
#define FRAME_ESR       264
#define FRAME_FPCR      272
#define FRAME_FPSR      280
#define FRAME_V         288
#define FRAME_BYTES     800

#define PERCPU_FRAME    0
#define PERCPU_FEATURES 24
#define PERCPU_BYTES    4096

#define LOG_BYTES       0x8000  /* FirmwareLog.Bytes */
#define TRUST_ROOT_BYTES 256

#define MAX_CPUS        8
#define STACK_BYTES     0x5000  /* The lowest page is a guard. */

#endif
