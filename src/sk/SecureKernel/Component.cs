using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

[InlineArray(EpochTable.Count)]
public struct EpochTable
{
    public const int CountLog2 = 4;
    public const int Count = 1 << CountLog2;
    private ulong _first;
}

/// <summary>A protection domain: one address space, the threads that were declared or started for it, one endpoint, one store of memory, its capabilities.</summary>
public struct Component
{
    public ComponentState Life;

    /// <summary>Its tables exist in part; <see cref="StartThread"/>, <see cref="StartSegment"/> and <see cref="StartPage"/> say how far.</summary>
    public bool Starting;

    /// <summary>It is dead, and what it had is not yet scrubbed and revoked.</summary>
    public bool Scrubbing;

    /// <summary>It is dead, and a thread of it still runs on another CPU, which has been told.</summary>
    public bool Ending;

    /// <summary>Linux took memory of it back while a thread ran: it ends as soon as that traps.</summary>
    public bool Doomed;
    public bool IsProxy;
    public bool IsCore;

    /// <summary>Its threads have windows for buffers that are lent to them.</summary>
    public bool TakesLent;

    public uint Index;

    /// <summary>Which of its lives this is; the first is 1.</summary>
    public uint Generation;

    /// <summary>Physical addresses of its endpoint and of its first thread; the others follow. They outlive it.</summary>
    public ulong Endpoint;
    public ulong Threads;

    /// <summary>Threads that SK starts, that there can be, and up to the last one that was started.</summary>
    public uint DeclaredThreads;
    public uint MaxThreads;
    public uint ThreadCount;

    /// <summary>Number of the thread whose turn it is, of those that take turns.</summary>
    public uint Turn;

    /// <summary>While <see cref="Ending"/>: threads from here on have not been stopped.</summary>
    public uint StopThread;

    /// <summary>Epochs up to which wake-ups came; an id has one of them.</summary>
    public EpochTable Epochs;

    /// <summary>Barriers begun, in all its lives.</summary>
    public ulong Barriers;

    public AddressSpace Space;
    public Untyped Memory;

    /// <summary>Pages of donated memory that it may hold, how many it holds, and of these how many it does not use.</summary>
    public ulong DonatedLimit;
    public ulong DonatedPages;
    public ulong DonatedFree;

    /// <summary>Pages of which it is short, and for which XnuProxy has not asked Linux yet.</summary>
    public ulong WishPages;

    /// <summary>What its callers learn once it is dead.</summary>
    public Status EndStatus;
    public CapabilityTable Capabilities;

    /// <summary>Physical address of its entry in the image's table.</summary>
    public ulong Entry;

    public uint StartSegment;
    public uint StartThread;
    public ulong StartPage;
    public ulong ScrubNext;
    public uint ScrubSlot;

    public readonly ulong Thread(uint number) => Threads + (number * SecureKernel.Thread.Bytes);
}
