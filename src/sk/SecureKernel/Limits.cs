namespace Exclaves.SecureKernel;

/// <summary>Sizes of SK's static tables (I10).</summary>
public static class Limits
{
    public const int Components = 96;

    /// <summary>Linux threads that can be inside at once; also the width of a token's index.</summary>
    public const int Downcalls = 512;

    /// <summary>Pages of XnuProxy's capability table, which has a slot for every component beside its own.</summary>
    public const uint ProxyTablePages = 2;

    /// <summary>Threads of one component: started by SK, and in all.</summary>
    public const uint Threads = 8;
    public const uint MaxThreads = (uint)((Exclaves.Abi.UserLayout.ThreadEnd - Exclaves.Abi.UserLayout.ThreadBase) / Exclaves.Abi.UserLayout.ThreadSpan);

    /// <summary>Threads of a dead component that are stopped in one step: each may have somebody to tell.</summary>
    public const uint StoppedThreads = 4;

    /// <summary>Pages that SK works on before it lets interrupts in and drops its lock (I6): less than 5,000 instructions, so that even the last of
    /// <see cref="Exclaves.Abi.Virt.MaxCpus"/> CPUs that want the lock has it after 20,000.</summary>
    public const uint ChunkPages = 4;

    /// <summary>The same for pages whose type SPTM changes, and for pages that are only cleared. See also <see cref="Exclaves.Abi.SecureCallArguments.SharePages"/>.</summary>
    public const uint RetypePages = 1;

    /// <summary>Pages that go back to Linux in each step of a call, with a look for interrupts and for other CPUs before each: fewer, and a dead component's memory would stay away for long.</summary>
    public const uint ReturnPages = 64;
    public const uint ScrubPages = 16;

    /// <summary>The same for those who wait for something that has ended.</summary>
    public const uint ChunkCallers = 8;

    /// <summary>The same for capabilities that are revoked: one may have to be looked for in a table, have its frame unmapped, or have callers to tell.</summary>
    public const uint ChunkCapabilities = 2;

    /// <summary>The same for capabilities from which nothing more may be derived: more than all other CPUs can make (<see cref="ChunkPages"/> each) while one waits for SK's lock.</summary>
    public const uint ChunkClosed = 64;

    /// <summary>Threads that a CPU looks at, each waiting for the next, for one that can run; and what a look at a component costs beside its threads.</summary>
    public const int LookedThreads = 128;
    public const int ServerLook = 4;

    /// <summary>Threads, each waiting for the next to give up a lock, that it follows.</summary>
    public const int FollowedOwners = 8;

    /// <summary>Rounds that a CPU waits for a thread that another CPU runs, before it goes back to Linux.</summary>
    public const uint SpinRounds = 64;

    /// <summary>Allocations of Linux that can be held at once, and pages of each at most.</summary>
    public const int DonatedRuns = 64;
    public const uint RunPages = (uint)(Exclaves.Abi.Rpc.MaxMemoryBytes / PageBytes);

    /// <summary>Free pages of a component that has fewer: Linux is asked for more, within what was declared. One that has more gives back runs that it does not use.</summary>
    public const ulong LowPages = 64;
    public const ulong HighPages = 256;

    /// <summary>Pages that are asked for at once, at least.</summary>
    public const ulong WishPages = Exclaves.Abi.Rpc.MinMemoryBytes / PageBytes;

    /// <summary>Interrupts of devices that are bound at once: all that share the line for which Linux comes are looked at.</summary>
    public const int Interrupts = 4;

    /// <summary>Bytes of a message's body that the fast path carries (reference 5: the message buffer).</summary>
    public const uint ShortMessage = 512;

    public const ulong PageBytes = 4096;
}
