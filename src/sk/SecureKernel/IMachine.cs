using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Everything SK does to the machine, and to SPTM below it.</summary>
/// <remarks>Addresses called physical are reached through SK's direct map. Tests put a fake behind it.</remarks>
public interface IMachine
{
    /// <summary>The object of type <typeparamref name="T"/> at a physical address of the secure world.</summary>
    static abstract ref T At<T>(ulong physical) where T : struct;

    static abstract void Copy(ulong to, ulong from, ulong bytes);

    /// <summary>Zeroes a page.</summary>
    static abstract void Clear(ulong page);

    /// <summary>The one store into a stage-1 table: visible to table walks when it returns.</summary>
    static abstract void WriteEntry(ulong physical, ulong value);

    /// <summary>Removes every cached translation of a page, table levels too, on all CPUs.</summary>
    static abstract void InvalidatePage(ulong space, ulong address);
    static abstract void InvalidateSpace(ulong space);

    /// <summary>Makes code that lies in memory visible to instruction fetch on all CPUs.</summary>
    static abstract void InvalidateInstructions();

    /// <summary>An interrupt of Linux waits for this CPU (ISR_EL1).</summary>
    static abstract bool InterruptPending();

    /// <summary>In the midst of a step: an interrupt waits for this CPU, or another CPU for SK's lock. If not, the time that the next may wait begins here.</summary>
    static abstract bool IsWaitedFor();

    /// <summary>CNTVCT_EL0.</summary>
    static abstract ulong Counter();

    /// <summary>Its ticks per second (CNTFRQ_EL0).</summary>
    static abstract ulong CounterHertz();

    static abstract bool LinuxRead(ulong linux, ulong secure, ulong bytes);
    static abstract bool LinuxWrite(ulong linux, ulong secure, ulong bytes);

    /// <summary>The request that named this argument page is over.</summary>
    static abstract bool ArgumentDone(ulong linux);
    static abstract bool Share(ulong page);
    static abstract bool Unshare(ulong page);

    /// <summary>Asks SPTM to change a frame's type. False: the frame is not of that type now, is in use, or lies where devices reach.</summary>
    static abstract bool Retype(ulong page, FrameType from, FrameType to);

    /// <summary>Brings other CPUs (bit mask) out of secure EL0.</summary>
    static abstract void Kick(ulong cpus);

    /// <summary>Linux's driver is told that somebody here wants time.</summary>
    static abstract void NotifyLinux();
    static abstract void Log(ulong text, ulong bytes);
    static abstract void SptmCounters(ulong words);

    /// <summary>SK or its core cannot go on. Does not return.</summary>
    static abstract void Panic(PanicCode code, ulong detail0, ulong detail1, ulong detail2);
}
