using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>What runs in a component's address space.</summary>
public enum ComponentKind : uint
{
    None = 0,

    /// <summary>Freestanding C# on the Runtime library.</summary>
    Freestanding = 1,

    /// <summary>A static .NET executable with ExclaveKit beside it.</summary>
    DotNet = 2,
}

/// <summary>How a component is started and what it is to the core.</summary>
[System.Flags]
public enum ComponentFlags : uint
{
    None = 0,

    /// <summary>Runs to its first Receive while the secure world boots.</summary>
    Core = 1,

    /// <summary>Receives Linux's downcalls: XnuProxy. Exactly one.</summary>
    Proxy = 2,

    /// <summary>Reads the measurement log, at <see cref="UserLayout.Measurements"/>.</summary>
    Measurements = 4,

    /// <summary>Its services see registered buffers in place (<see cref="LentRange"/>) instead of copies.</summary>
    LentBuffers = 8,

    /// <summary>Takes the others' log records: LogServer. At most one; the image tool gives each other component but the proxy its endpoint, at <see cref="ComponentEntry.LogSlot"/>.</summary>
    Log = 16,

    /// <summary>Mints ExclaveKit's text and holds the memory that is left: FrameMint. At most one; the image tool gives it what <see cref="MintSlots"/> says, and XnuProxy its endpoint.</summary>
    FrameMint = 32,
}

/// <summary>Access of a segment; write and execute never together.</summary>
[System.Flags]
public enum MemoryAccess : uint
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
}

/// <summary>A run of pages of a component. Read-only and executable segments are mapped in place, writable ones copied.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct SegmentEntry
{
    public ulong VirtualBase;

    /// <summary>PA inside the image; page aligned. Meaningless when <see cref="FileBytes"/> is 0.</summary>
    public ulong PhysicalBase;
    public ulong FileBytes;

    /// <summary>Rounded up to pages when mapped; the part after the file bytes is zero.</summary>
    public ulong MemoryBytes;
    public MemoryAccess Access;
    public uint Reserved;
}

/// <summary>Kinds of capability that the system description can grant.</summary>
public enum GrantKind : uint
{
    None = 0,

    /// <summary>Call the endpoint of component <see cref="GrantEntry.Argument"/> (index); badge in <see cref="GrantEntry.Badge"/>.</summary>
    Endpoint = 1,

    /// <summary>Map the device page at PA <see cref="GrantEntry.Argument"/>, read and write.</summary>
    Device = 2,

    /// <summary>Learn physical addresses of own frames, to program a device.</summary>
    DmaAddress = 3,

    /// <summary>Act on Linux's behalf: finish and suspend downcalls, read and write its argument pages, share frames.</summary>
    Downcall = 4,

    /// <summary>Read the counters of SK and SPTM.</summary>
    Counters = 5,

    /// <summary>Make kernel objects out of <see cref="GrantEntry.Argument"/> bytes (a power of two, at least 4 KiB) of untyped memory of its own.</summary>
    Untyped = 6,

    /// <summary>Have interrupt <see cref="GrantEntry.Argument"/> (GIC INTID) signal a notification.</summary>
    Interrupt = 7,

    /// <summary>Make <see cref="GrantEntry.Badge"/> bytes of the image from PA <see cref="GrantEntry.Argument"/> on, whole pages, ExclaveKit's text for all .NET components.</summary>
    Kit = 8,

    /// <summary>As <see cref="Untyped"/>, what is left when all others have theirs: pieces whose sizes are powers of two, in slots that follow each other.</summary>
    UntypedRest = 9,
}

/// <summary>One capability that a component holds from the start, at the slot given.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct GrantEntry
{
    public GrantKind Kind;
    public uint Slot;
    public ulong Argument;
    public ulong Badge;
}

[InlineArray(ComponentEntry.MaxSegments)]
public struct SegmentTable
{
    private SegmentEntry _first;
}

[InlineArray(ComponentEntry.MaxGrants)]
public struct GrantTable
{
    private GrantEntry _first;
}

[InlineArray(64)]
public struct Name64
{
    private byte _first;
}

/// <summary>One protection domain at secure EL0 (slot 0 of its table is never valid; slot 1 is its own endpoint, to receive).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ComponentEntry
{
    public const int MaxSegments = 12;
    public const int MaxGrants = 12;
    public const uint OwnEndpointSlot = 1;

    /// <summary>Badge of XnuProxy at those that serve Linux, and at FrameMint: no description can grant it. Whoever else sends Open, Invoke or Close does not speak for Linux's clients.</summary>
    public const ulong ProxyBadge = 1ul << 32;

    /// <summary>Slot, beyond those that a grant can name, of XnuProxy's endpoint: for upcalls. Every component that a <see cref="ServiceEntry"/> names has it.</summary>
    public const uint UpcallSlot = 32;

    /// <summary>Slot, beyond those that a description can grant, of LogServer's endpoint, whose badge is the holder's index plus one.</summary>
    public const uint LogSlot = 33;

    /// <summary>From here on, by component index, the proxy's slots for those that serve Linux.</summary>
    public const uint FirstServiceSlot = 64;

    public Name64 Name;
    public ComponentKind Kind;
    public ComponentFlags Flags;

    /// <summary>Untyped memory reserved for it; page multiple. Page tables, stack, heap and writable segments come out of it.</summary>
    public ulong QuotaBytes;

    /// <summary>First instruction (VA), with x0 = <see cref="UserLayout.StartInfo"/>.</summary>
    public ulong Entry;
    public uint SegmentCount;
    public uint GrantCount;
    public SegmentTable Segments;
    public GrantTable Grants;

    /// <summary>For <see cref="ComponentKind.DotNet"/>: entry, program headers (VA) and their count, of the static-pie as loaded.</summary>
    public ulong ProgramEntry;
    public ulong ProgramHeaders;
    public ulong ProgramHeaderCount;
    public ulong ProgramBase;

    /// <summary>Memory beyond <see cref="QuotaBytes"/> that it may ask Linux for while it serves a call; page multiple. Only its data comes to lie there.</summary>
    public ulong DonatedBytes;

    /// <summary>Threads that serve its endpoint at once; 0 stands for 1.</summary>
    public uint Threads;

    /// <summary>Threads that it may have at once, with those that it starts itself; 0 stands for <see cref="Threads"/>.</summary>
    public uint MaxThreads;
}

/// <summary>A service that Linux can name by UUID.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ServiceEntry
{
    /// <summary>RFC 4122 network order, as two words read from memory.</summary>
    public ulong UuidLow;
    public ulong UuidHigh;
    public Name64 Name;

    /// <summary>Index of the component that serves it, and the slot in XnuProxy's table that calls it.</summary>
    public uint Component;
    public uint ProxySlot;

    /// <summary>1: listed by device enumeration on Linux's TEE bus.</summary>
    public uint OnBus;

    /// <summary>1: its component has <see cref="ComponentFlags.LentBuffers"/>.</summary>
    public uint LentBuffers;
}
