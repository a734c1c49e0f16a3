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

    /// <summary>x0 = buffer of <see cref="MessagesBytes"/>: the address of a function (x0 = a call of SK, x1..x4 its arguments; answers its status), and that of the calling thread's message page.</summary>
    /// <remarks>
    /// The thread then receives and answers by itself, with one call of SK for both. A wait that ends as "kicked" means that there are signals for it: its next call here takes them.
    /// What ExclaveKit asks others for on this thread leaves the page as it was; <see cref="Call"/> does not.
    /// </remarks>
    public const ulong Messages = Base + 0;

    /// <summary>x0 = endpoint slot, x1 = buffer, x2 = its bytes: sends the buffer's message, waits, and copies the answer over it.</summary>
    public const ulong Call = Base + 1;

    /// <summary>x0 = buffer, x1 = bytes (multiple of 8): fills in <see cref="KitStatistic"/> words.</summary>
    public const ulong Statistics = Base + 2;

    /// <summary>x0 = text (LogText of the ABI), x1 = its bytes, x2 = LogSeverity: a record of the log. What does not fit is cut off. Answers the bytes.</summary>
    public const ulong Log = Base + 3;

    public const ulong Count = 4;
    public const int MessagesBytes = 16;
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
