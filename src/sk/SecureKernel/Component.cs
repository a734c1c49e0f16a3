using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>A protection domain: one address space, one thread, one endpoint, one store of memory, its capabilities.</summary>
/// <remarks>The context comes first: assembly takes the address of the whole as that of the context.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct Component
{
    public UserContext Context;

    public ComponentState Life;
    public ThreadState Thread;
    public ServingKind Serving;

    /// <summary>The thread left by an interrupt since it ran last.</summary>
    public bool Interrupted;

    /// <summary>Its tables exist in part; <see cref="StartSegment"/> and <see cref="StartPage"/> say how far.</summary>
    public bool Starting;

    /// <summary>It is dead and its memory is not yet scrubbed.</summary>
    public bool Scrubbing;

    /// <summary>Linux took memory of it back while its thread ran: it ends as soon as that traps.</summary>
    public bool Doomed;
    public bool IsProxy;
    public bool IsCore;

    public uint Index;
    public uint Generation;
    public int Cpu;
    public int WaitingFor;

    /// <summary>While <see cref="ThreadState.Waiting"/>: 1 + index of the downcall that is in Linux with its upcall; 0 = none.</summary>
    public int UpcallOf;
    public int ServingIndex;

    /// <summary>Link and badge while this thread stands in a server's queue.</summary>
    public ushort Next;
    public ushort QueueHead;
    public ushort QueueTail;
    public ulong CallBadge;

    public AddressSpace Space;
    public Untyped Memory;

    /// <summary>Where a MapMemory that was granted goes on, and with how many pages. 0: nowhere.</summary>
    public ulong MapNext;
    public ulong MapPages;

    /// <summary>Pages of donated memory that it may hold, and how many it holds and does not use.</summary>
    public ulong DonatedLimit;
    public ulong DonatedFree;

    /// <summary>What its callers learn once it is dead.</summary>
    public Status EndStatus;
    public CapabilityTable Capabilities;

    /// <summary>Physical addresses: the IPC page, and the entry of the image's table.</summary>
    public ulong IpcPage;
    public ulong Entry;

    public uint StartSegment;
    public ulong StartPage;
    public ulong ScrubNext;

    public Personality Personality;
}

/// <summary>Where a component wants its exceptions reflected (ExclaveKit).</summary>
public struct Personality
{
    /// <summary>0: none.</summary>
    public ulong Handler;
    public ulong StackPointer;

    /// <summary>VA of a page for the context.</summary>
    public ulong Context;
    public bool InHandler;
}
