using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

[InlineArray(Limits.Components)]
public struct ComponentTable
{
    private Component _first;
}

[InlineArray(Limits.Downcalls)]
public struct DowncallTable
{
    private Downcall _first;
}

[InlineArray(Limits.Downcalls / 64)]
public struct LendingMap
{
    private ulong _first;
}

[InlineArray(Virt.MaxCpus)]
public struct CpuTable
{
    private Cpu _first;
}

[InlineArray((int)SkCounter.Count)]
public struct SkCounterTable
{
    private ulong _first;
}

/// <summary>What somebody has to do before all is calm. While it is not, calls take the slow path.</summary>
[Flags]
public enum PendingWork : uint
{
    None = 0,

    /// <summary>XnuProxy has not been told that Linux started anew.</summary>
    ResetNotice = 1,

    /// <summary>XnuProxy has not been told that runs of donated memory are back.</summary>
    MemoryNotice = 2,

    /// <summary>XnuProxy has not been told that some component is short of memory.</summary>
    WishNotice = 32,
    Notices = ResetNotice | MemoryNotice | WishNotice,

    /// <summary>Donated frames are on their way back.</summary>
    Return = 4,

    /// <summary>Something of a dead component is still to be scrubbed or revoked.</summary>
    Scrub = 8,

    /// <summary>The report of a component's end has lines that are not written: <see cref="KernelState.Crash"/>.</summary>
    Report = 16,
}

/// <summary>All of SK's state: one static object, guarded by SK's one lock, which is dropped while EL0 runs.</summary>
/// <remarks>Every method of this project that takes it by reference needs the lock. No other lock of SK exists; SPTM's locks are taken inside gate calls.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct KernelState
{
    public ComponentTable Components;
    public DowncallTable Downcalls;
    public CpuTable Cpus;
    public SkCounterTable Counters;
    public DonatedRunTable Runs;

    public int ComponentCount;
    public int Proxy;

    /// <summary>First free downcall context (index + 1), linked through <see cref="Downcall.Next"/>.</summary>
    public ulong FreeDowncalls;

    public PendingWork Pending;
    public BackgroundState Background;
    public InterruptTable Interrupts;

    /// <summary>XnuProxy knows, or will be told, that some component is short of memory.</summary>
    public bool WishesKnown;

    /// <summary>Bit i: downcall i has buffers of its caller with it.</summary>
    public LendingMap Lending;

    public ulong RamBase;
    public ulong RamBytes;

    /// <summary>Physical addresses of the image's tables.</summary>
    public ulong Services;
    public uint ServiceCount;
    public uint CpuCount;

    /// <summary>Physical address of SPTM's <see cref="Abi.MeasurementLog"/>.</summary>
    public ulong MeasurementLog;

    /// <summary>A developer's key signed the image: reports, which Linux reads, show what registers hold.</summary>
    public bool IsDebug;

    /// <summary>One page per downcall for a message that waits for its receiver.</summary>
    public ulong MessagePages;

    /// <summary>A page of SK's own for texts and counters on their way to SPTM.</summary>
    public ulong Scratch;

    /// <summary>Filled when SK or its core ends, once.</summary>
    public PanicRecord LastWords;

    /// <summary>What is being reported of a component that ended alone, and the line that comes next.</summary>
    public PanicRecord Crash;
    public int CrashCpu;
    public int CrashLine;
    public ulong Seed;

    /// <summary>The revocation that is closing what it will take away; at most one at a time.</summary>
    public Closing Closing;

    /// <summary>ExclaveKit's pages of the image, once FrameMint has minted them. 0 bytes: no .NET component starts.</summary>
    public ulong KitBase;
    public ulong KitBytes;

    public readonly bool IsPending(PendingWork work) => (Pending & work) != 0;

    public readonly bool IsRam(ulong address, ulong bytes) =>
        address >= RamBase && address - RamBase < RamBytes && RamBytes - (address - RamBase) >= bytes;
}
