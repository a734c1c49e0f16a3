/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Requests of /dev/exclave_attack. One structure for all of them; each kind says which words it reads and writes.
 * mmap() of the device maps physical memory: the file offset is the physical address, checked by nobody.
 */
#ifndef EXCLAVE_ATTACK_H
#define EXCLAVE_ATTACK_H

#include <linux/ioctl.h>
#include <linux/types.h>

enum exclave_attack_kind {
    /* in[0] = address, in[1] = bytes (1, 2, 4, 8). error = 0 or -EFAULT, out[0] = value. With fault fixup. */
    EXCLAVE_READ = 0,

    /*
     * in[0] = address, in[1] = bytes, in[2] = value, in[3] = 1: put in[4] back afterwards.
     * error = 0 or -EFAULT, out[0] = what was read back after the write. With fault fixup, interrupts off from write to restore.
     */
    EXCLAVE_WRITE = 1,

    /* in[0] = address, in[1] = bytes. In a kernel thread of its own, without fixup: out[0] = 1 if that thread died, out[1] = value. */
    EXCLAVE_READ_DIRECT = 2,

    /*
     * As EXCLAVE_WRITE, in a kernel thread of its own, without fixup: out[0] = 1 if that thread died, out[1] = what was read back.
     * flags = 1: by LDXR and STXR, 2: by SWP, both 8 bytes; 3: by DC ZVA, out[1] = how many bytes of the 64 around the address are zero.
     */
    EXCLAVE_WRITE_DIRECT = 3,

    /*
     * in[0] = address of an instruction, in[1] = 1: put a RET there first and the old word back afterwards.
     * In a kernel thread of its own: out[0] = 1 if it died, out[1] = 1 if the call came back.
     */
    EXCLAVE_FETCH = 4,

    /*
     * in[0] = address of a descriptor (8-byte aligned), in[1] = 0: AT S1E1R, 1: a load. in[2] = 1: put a valid table descriptor there
     * first and the old word back afterwards. The frame that holds it becomes Linux's stage-1 level-0 table for one access.
     * out[0] = 1 if that access raised an abort, out[1] = PAR_EL1 or the value loaded, out[2] = the value or address that proves success.
     */
    EXCLAVE_WALK = 5,

    /*
     * in[0] = address, 64 KiB aligned plus 1024 .. 8191, in[1] = bytes (at most 8): reads them by the pending-table oracle.
     * out[0] = the bytes (little endian), out[1] = PROPBASER, out[2] = PENDBASER and out[3] = CTLR as they read back while it was tried,
     * out[4] = how many bits showed up as pending LPIs, out[5] = GICR_TYPER.
     */
    EXCLAVE_LPI = 6,

    /*
     * in[0..7] = x0..x7, out[0..3] = x0..x3. One call, nothing is resumed. flags bit 0: SMC instead of HVC; bits 1 and 2: the instruction's
     * immediate, 0, 1 or 0xffff.
     */
    EXCLAVE_CALL = 7,

    /*
     * in[0..3] = x0..x3 of a yielding call, in[4] = how often. Interrupted calls are resumed.
     * out[0] = least CNTVCT ticks from HVC to return, out[1] = sum of ticks, out[2] = calls that were interrupted, out[3] = last x0,
     * out[4], out[5] = how many uninterrupted calls took exactly out[0] and out[0] + 1 ticks.
     */
    EXCLAVE_TIMED_CALL = 8,

    /*
     * out[0] = physical address of a fresh zeroed page of Linux's own; it belongs to the module until that is unloaded.
     * in[0] = 1: from memory that devices reach (ZONE_DMA, which `dma-ranges` bounds).
     */
    EXCLAVE_PAGE = 9,

    /* in[0] = address, in[1] = bytes, in[2] = user buffer: copies with fixup, page by page. out[0] = bytes copied before a fault. */
    EXCLAVE_DUMP = 10,

    /*
     * One HVC with in[0..3] = x0..x3 and everything masked here, while an interrupt is on its way: in[4] = 0: SGI 14 of group 1, pending
     * before the call; 1: SGI 15 of group 0, likewise, an FIQ; 2: the virtual timer, due in[5] ticks after the call begins.
     * out[0..3] = x0..x3, out[4] = ticks from when the timer was due to the return, 0 if that was earlier,
     * out[5] = the interrupt that Linux acknowledged afterwards (1023: none), not for the timer.
     */
    EXCLAVE_INTERRUPTED_CALL = 11,

    /* in[0] = mask of CPUs, in[1] = how often: sends them SGI 0, which Linux takes for a spurious reschedule. */
    EXCLAVE_STORM = 12,
};

struct exclave_attack {
    __u32 kind;
    __u32 flags;
    __s64 error;
    __u64 in[8];
    __u64 out[8];
};

#define EXCLAVE_ATTACK_RUN _IOWR('X', 1, struct exclave_attack)

#endif
