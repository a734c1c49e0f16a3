using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>What a thread of the program is doing.</summary>
public enum ThreadState : uint
{
    /// <summary>The slot is free.</summary>
    None = 0,
    Runnable = 1,

    /// <summary>In FUTEX_WAIT on <see cref="KitThread.WaitAddress"/>.</summary>
    Futex = 2,

    /// <summary>In a sleep, until <see cref="KitThread.Deadline"/>.</summary>
    Sleep = 3,

    /// <summary>Reads from a pipe that is empty.</summary>
    Pipe = 4,

    /// <summary>Calls another component.</summary>
    Call = 5,

    /// <summary>Gives its turn up.</summary>
    Yield = 6,

    /// <summary>Waits until its siblings have been in SK.</summary>
    Barrier = 7,

    /// <summary>Waits for memory of Linux: asks for <see cref="KitThread.WantedPages"/>, or waits for somebody who can. Then what it was doing is done again.</summary>
    Memory = 8,
}

/// <summary>One thread of the program, and of SK with the same number: what Linux would know about it.</summary>
public struct KitThread
{
    /// <summary>Other than <see cref="ThreadState.Runnable"/>: it is in the handler, and its next call of SK is the one that this says.</summary>
    public ThreadState State;
    public uint Tid;

    /// <summary>Bit n is signal n + 1.</summary>
    public ulong BlockedSignals;
    public ulong PendingSignals;
    public ulong AlternateStack;
    public ulong AlternateStackBytes;
    public uint AlternateStackFlags;

    /// <summary>For Futex and Pipe: the address, or the number of the pipe.</summary>
    public ulong WaitAddress;
    public uint WaitMask;

    /// <summary>Counter value at which the wait ends by itself; <see cref="Clock.Never"/>.</summary>
    public ulong Deadline;

    /// <summary>Waiters of one address wake in this order.</summary>
    public ulong WaitSequence;

    /// <summary>Sleep: where the rest of the time is stored when a signal ends it; or 0.</summary>
    public ulong RestAddress;

    /// <summary>x0 and x8 as the waiting call had them: to make it again after a signal.</summary>
    public ulong CallArgument;
    public ulong CallNumber;

    /// <summary>Call and Pipe: where to copy to; and Call: whom.</summary>
    public ulong Buffer;
    public ulong BufferBytes;
    public uint Slot;

    /// <summary>Memory: how much, why the handler was entered, whether Linux has refused since, and how often nobody could be asked.</summary>
    public ulong WantedPages;
    public ReflectReason Reason;
    public bool MemoryRefused;

    /// <summary>Nobody could be asked for the memory of this charge: it is granted, and comes when it is touched.</summary>
    public bool MayOvercommit;
    public uint Naps;

    /// <summary>When its wait began, as <see cref="KitLock"/> counts: what SK compares with a wake-up that comes first.</summary>
    public ulong WaitEpoch;

    /// <summary>CLONE_CHILD_CLEARTID: cleared, with a wake-up, when the thread ends.</summary>
    public ulong ClearTidAddress;
}

[InlineArray(KitState.MaxThreads)]
public struct ThreadTable
{
    private KitThread _first;
}
