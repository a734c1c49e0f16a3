namespace Exclaves.ExclaveKit;

/// <summary>Calls of a .NET conclave to ExclaveKit that Linux does not know.</summary>
/// <remarks>
/// Made as `svc #0` through libc's `syscall(number, ...)`, by a normal P/Invoke: the thread is then in preemptive mode and a collection need not
/// wait for the next message. Results are as Linux's: a negative number is minus an errno.
/// This file is the only place for the numbers; programs reach them through the managed library Exclaves.Kit.
/// </remarks>
public static class PersonalityCall
{
    /// <summary>Below this number everything is Linux's ("EX" in the upper half).</summary>
    public const ulong Base = 0x4558_0000;

    /// <summary>x0 = buffer, x1 = its bytes: waits for a message, on whichever thread, several of them at once; header and body are copied to the buffer. Answers the bytes copied.</summary>
    public const ulong Receive = Base + 0;

    /// <summary>x0 = buffer, x1 = its bytes: the header's length says how much of the body is the answer; then as <see cref="Receive"/>.</summary>
    public const ulong ReplyReceive = Base + 1;

    /// <summary>x0 = endpoint slot, x1 = buffer, x2 = its bytes: sends the buffer's message, waits, and copies the answer over it.</summary>
    public const ulong Call = Base + 2;

    /// <summary>x0 = buffer, x1 = bytes (multiple of 8): fills in <see cref="KitStatistic"/> words.</summary>
    public const ulong Statistics = Base + 3;

    public const ulong Count = 4;
}

/// <summary>Words that <see cref="PersonalityCall.Statistics"/> answers, in this order.</summary>
public enum KitStatistic : uint
{
    /// <summary>Pages of the mmap area that have a frame now.</summary>
    ResidentPages = 0,

    /// <summary>Pages charged against the quota now.</summary>
    CommittedPages = 1,

    /// <summary>Pages that may be charged in all.</summary>
    CommitLimit = 2,

    /// <summary>Linux calls served, in total.</summary>
    SystemCalls = 3,

    /// <summary>Pages backed on touch, in total.</summary>
    PageFaults = 4,

    /// <summary>Signals delivered, in total.</summary>
    Signals = 5,

    /// <summary>Waits of threads of this conclave, in total.</summary>
    Waits = 6,

    /// <summary>Threads that live now.</summary>
    Threads = 7,

    Count = 8,
}
