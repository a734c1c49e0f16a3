using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Where a downcall is.</summary>
public enum DowncallPhase : byte
{
    Free = 0,

    /// <summary>Stands in the queue of the endpoint <see cref="Downcall.At"/>.</summary>
    Queued = 1,

    /// <summary>The thread <see cref="Downcall.At"/> works on it.</summary>
    Held = 2,

    /// <summary>Is to go to Linux with an upcall as soon as its CPU is here.</summary>
    Leaving = 3,

    /// <summary>Is in Linux with an upcall.</summary>
    Upcall = 4,

    /// <summary>Has its answer.</summary>
    Finished = 5,

    /// <summary>The reply object <see cref="Downcall.At"/> owes it an answer.</summary>
    Deferred = 6,

    /// <summary>Lends its time to whoever can run (<see cref="Background{TMachine}"/>).</summary>
    Lending = 7,
}

/// <summary>What its next message says.</summary>
public enum DowncallMessage : byte
{
    None = 0,
    New = 1,
    Forwarded = 2,
    Completion = 3,
    UpcallReturn = 4,
}

[InlineArray(ServiceMessage.MaxParameters)]
public struct LentRanges
{
    private LentRange _first;
}

/// <summary>One Linux thread's call, from its HVC to its answer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Downcall
{
    public DowncallPhase Phase;
    public DowncallMessage Message;

    /// <summary>It is in Linux, and only its token brings it back.</summary>
    public bool Away;

    /// <summary>Physical address of the object that <see cref="Phase"/> says.</summary>
    public ulong At;

    /// <summary>While an upcall is under way: the thread that holds the downcall, and the one that waits for the upcall's answer.</summary>
    public ulong Holder;

    /// <summary>A thread, <see cref="Nobody"/> or <see cref="ProxyItself"/>.</summary>
    public ulong Upcaller;

    /// <summary>Its answer came while it was in Linux with an upcall: it lies in the message page and goes to XnuProxy after the upcall's return.</summary>
    public bool Late;
    public ulong Next;

    /// <summary>Counts uses of this context; part of the id that XnuProxy sees.</summary>
    public uint Generation;

    /// <summary>Counts suspensions; part of the token that Linux sees.</summary>
    public uint Turn;
    public uint Token;

    /// <summary>Linux's x0..x3, on the way in and on the way out.</summary>
    public ulong X0;
    public ulong X1;
    public ulong X2;
    public ulong X3;

    /// <summary>PA of the private argument page that the call named (CALL_WITH_RPC_ARG); 0 = none. SPTM lets nobody write to another.</summary>
    public ulong Argument;

    /// <summary>VA in XnuProxy's window of the RPC argument of this call; 0 = not named yet.</summary>
    public ulong RpcArgument;

    /// <summary>Times in a row that it could do nothing, or, of one that lends its time, turns that have ended.</summary>
    public byte Vain;

    /// <summary>A signal has ended a wait of its thread before.</summary>
    public bool Told;

    /// <summary>Ticks of CNTVCT_EL0 until which it was to sleep in Linux; 0 = it does not.</summary>
    public ulong NapEnds;

    /// <summary>Ticks of CNTVCT_EL0 when an interrupt last took its CPU to Linux.</summary>
    public ulong LeftAt;

    /// <summary>Badge of the capability that forwarded it.</summary>
    public ulong Badge;

    /// <summary>Buffers of the caller that go along to the service, in XnuProxy's window.</summary>
    public LentRanges Lent;

    /// <summary>Pages of <see cref="Lent"/>; 0 = none go along.</summary>
    public uint LentPages;

    /// <summary>The thread that sees them; 0 = nobody yet.</summary>
    public ulong LentTo;

    /// <summary>Who made the upcall has ended: the return goes to XnuProxy none the less, which may have something of Linux's to give back.</summary>
    public const ulong Nobody = 0;

    /// <summary>XnuProxy asked Linux on its own account, and serves the downcall again afterwards.</summary>
    public const ulong ProxyItself = 1;

    /// <summary>Is in Linux with an upcall, about to be, or back with a return that XnuProxy has not dealt with.</summary>
    public readonly bool IsInUpcall => Phase is DowncallPhase.Leaving or DowncallPhase.Upcall || Message == DowncallMessage.UpcallReturn;

    /// <summary>A thread made the upcall and waits.</summary>
    public readonly bool HasUpcaller => Upcaller > ProxyItself;

    public readonly ulong Id(int index) => ((ulong)Generation << 16) | (uint)index;
}
