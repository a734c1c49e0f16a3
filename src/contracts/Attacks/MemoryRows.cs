using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>Accesses of Linux to frames and registers that are not its own.</summary>
internal static class MemoryRows
{
    private const string StageTwo = "SPTM: Linux's stage 2 maps no such frame";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        new("kernel.read", Invariant.I2, Stand.Kernel, "load through a kernel mapping",
            "map a frame of each kind and load from it, with fault fixup", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.read.direct", Invariant.I2, Stand.Kernel, "load through a kernel mapping",
            "the same without fixup: the thread that does it dies", StageTwo, Control.Without(Defence.SecureFrames)),
        new("process.read", Invariant.I2, Stand.Process, "load from a process",
            "map a frame of each kind into a process and load from it", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.hunt", Invariant.I2, Stand.Kernel, "load through a kernel mapping",
            "copy the signer's memory while its key is in use, and search it for the key", StageTwo, Control.Without(Defence.SecureFrames)),
        new("device.read", Invariant.I2, Stand.Kernel, "load from a device's register",
            "read registers of the secure world's devices from kernel and process", "SPTM: Linux's stage 2 maps no secure device", Control.Without(Defence.SecureDevices)),
        new("lpi.oracle", Invariant.I4, Stand.Device, "LPI tables of the interrupt controller",
            "let the redistributor read secure frames as its pending table and ask which interrupts are pending",
            "SPTM: LPI registers are not there", Control.Without(Defence.LpiTables)),
        new("walk.translate", Invariant.I2, Stand.Kernel, "hardware table walk",
            "point TTBR0 at a secure frame and translate with AT S1E1R", StageTwo + "; walks too go through it", Control.Without(Defence.SecureFrames)),
        new("walk.load", Invariant.I2, Stand.Kernel, "hardware table walk",
            "point TTBR0 at a secure frame and load through it", StageTwo + "; walks too go through it", Control.Without(Defence.SecureFrames)),
        new("kernel.write", Invariant.I2, Stand.Kernel, "store through a kernel mapping",
            "map a frame of each kind and store to it, with fault fixup", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.write.direct", Invariant.I2, Stand.Kernel, "store through a kernel mapping",
            "the same without fixup: the thread that does it dies", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.write.exclusive", Invariant.I2, Stand.Kernel, "exclusive access through a kernel mapping",
            "the same by LDXR and STXR", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.write.atomic", Invariant.I2, Stand.Kernel, "atomic instruction through a kernel mapping",
            "the same by SWP", StageTwo, Control.Without(Defence.SecureFrames)),
        new("kernel.zero", Invariant.I2, Stand.Kernel, "cache maintenance by address through a kernel mapping",
            "zero a line of a frame of each kind by DC ZVA", StageTwo, Control.Without(Defence.SecureFrames)),
        new("process.write", Invariant.I2, Stand.Process, "store from a process",
            "map a frame of each kind into a process and store to it", StageTwo, Control.Without(Defence.SecureFrames)),
        new("device.write", Invariant.I2, Stand.Kernel, "store to a device's register",
            "write registers of the secure world's devices from kernel and process", "SPTM: Linux's stage 2 maps no secure device", Control.Without(Defence.SecureDevices)),
        new("kernel.execute", Invariant.I2, Stand.Kernel, "instruction fetch",
            "branch to an instruction in a frame of each kind", StageTwo, Control.Without(Defence.SecureFrames)),
        new("process.execute", Invariant.I2, Stand.Process, "instruction fetch",
            "map a frame of each kind executable into a process and branch there", StageTwo, Control.Without(Defence.SecureFrames)),
    ];
}
