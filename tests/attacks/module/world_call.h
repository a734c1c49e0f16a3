/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * The one request of /dev/exclave_registers: a call of the secure world with every register as the caller wants it, and what was in each register
 * in the instruction before and in the instruction after. Reading the device gives the names: a line for each word from
 * EXCLAVE_WORLD_SYSTEM on, a class and a name.
 */
#ifndef EXCLAVE_WORLD_CALL_H
#define EXCLAVE_WORLD_CALL_H

#define EXCLAVE_WORLD_WORDS     256
#define EXCLAVE_WORLD_WRITES    8

/* Offsets in struct exclave_world_call, for world_call.S. Bytes; registers.c compares them. */
#define WORLD_CALL_IN           0
#define WORLD_CALL_SEED         32
#define WORLD_CALL_FLAGS        40
#define WORLD_CALL_COUNT        48
#define WORLD_CALL_WRITE        56
#define WORLD_CALL_BEFORE       184
#define WORLD_CALL_AFTER        2232
#define WORLD_CALL_BYTES        4280

/* Right before the call in[2] rounds of a loop: what the same time in Linux does to a counter. */
#define WORLD_CALL_FLAG_SPIN    1

#ifndef __ASSEMBLY__
#include <linux/ioctl.h>
#include <linux/types.h>

struct exclave_world_call {
    __u64 in[4];                              /* x0 to x3 */
    __u64 seed;                               /* not 0: fill registers with patterns that begin with it */
    __u64 flags;
    __u64 count;                              /* of writes, carried out after the fill */
    __u64 write[EXCLAVE_WORLD_WRITES][2];     /* register (index of its name), value */
    __u64 before[EXCLAVE_WORLD_WORDS];        /* layout: tests/RogueKernel/registers.h */
    __u64 after[EXCLAVE_WORLD_WORDS];
};

#define EXCLAVE_WORLD_CALL_RUN _IOWR('X', 2, struct exclave_world_call)
#endif

#endif
