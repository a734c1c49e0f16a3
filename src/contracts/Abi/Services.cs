using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>UUIDs and operation numbers of the services that Linux can name.</summary>
/// <remarks>Low and High are the 16 bytes in RFC 4122 network order, read as two little-endian words: the form of <see cref="ServiceEntry"/>.</remarks>
public static class Services
{
    public const string Hello = "6f9a3c1e-0d52-4b7a-9c55-2b1d6e0f4a10";
    public const ulong HelloLow = 0x7A4B_520D_1E3C_9A6F;
    public const ulong HelloHigh = 0x104A_0F6E_1D2B_559C;

    public const string Signer = "0f4c2b7a-93d1-4e5a-8a6e-5d2c71b3e9f4";
    public const ulong SignerLow = 0x5A4E_D193_7A2B_4C0F;
    public const ulong SignerHigh = 0xF4E9_B371_2C5D_6E8A;

    /// <summary>The log of the secure world, to read (ILog).</summary>
    public const string Log = "b4e1c8a2-57d3-4f96-8c0b-e25a91d7463f";

    /// <summary>In images for measurements and tests alone: tests/Probe.</summary>
    public const string Probe = "5d1e6b0c-4a97-4c3e-8f21-9b7d3a5c6e14";

    /// <summary>In images for measurements and tests alone: tests/Probe, the component that walks.</summary>
    public const string Walker = "8f0d2c51-7be4-4b1a-9a36-c4e5d20f6b79";

    /// <summary>In images for tests alone: tests/ExclaveKit.Stress.</summary>
    public const string Stress = "a4c70d52-6e1f-4b83-9d2a-58f3e0b17c96";

    /// <summary>In images for measurements and tests alone: tests/ExclaveKit.Bench.</summary>
    public const string Bench = "c81b3f5a-2d60-4e97-b1c4-70a6e95d3f28";

    /// <summary>Served by XnuProxy itself (org.exclaves.statistics).</summary>
    public const string Statistics = "3b2f9d60-7c41-4f0e-b8a7-91c2d4e6f802";
    public const ulong StatisticsLow = 0x0E4F_417C_609D_2F3B;
    public const ulong StatisticsHigh = 0x02F8_E6D4_C291_A7B8;

    /// <summary>Linux's device enumeration, served by XnuProxy itself.</summary>
    public const string Enumeration = "7011a688-ddde-4053-a5a9-7b3c4ddf13b8";
    public const ulong EnumerationLow = 0x5340_DEDD_88A6_1170;
    public const ulong EnumerationHigh = 0xB813_DF4D_3C7B_A9A5;
}

/// <summary>Operations of <see cref="Services.Hello"/>: the service that tests and measures the way in and out.</summary>
public enum HelloOperation : uint
{
    /// <summary>No parameters; success.</summary>
    Null = 0,

    /// <summary>p0 buffer in, 64 bytes; p1 buffer out, 64 bytes: <see cref="HelloTransform"/>.</summary>
    Transform = 1,

    /// <summary>p0 value out: a = seconds, b = nanoseconds of Linux's clock, by an upcall.</summary>
    Time = 2,

    /// <summary>p0 value in, p1 value out: the same pair.</summary>
    Echo = 3,

    /// <summary>p0 value in: a = rounds; p1 value out: a = <see cref="HelloTransform.Spin"/> of it. For interrupts.</summary>
    Spin = 4,

    /// <summary>Reads address 0: the conclave ends there.</summary>
    Crash = 5,

    /// <summary>p0 value in: a = <see cref="HelloMemoryAction"/>, b = pages; p1 value out: a = pages that hold what they should, b = bytes that Linux gave for this call.</summary>
    Memory = 6,
}

/// <summary>Operations of <see cref="Services.Probe"/>. Those up to <see cref="ResumeContext"/> do one thing p0.a times (value in) and answer in p1 (value out):
/// a = ticks of CNTVCT_EL0 that it took, b = <see cref="Status"/>.</summary>
public enum ProbeOperation : uint
{
    None = 0,

    /// <summary>Calls the peer, which answers, with no body.</summary>
    Call = 1,

    /// <summary>With more body than SK's fast path carries.</summary>
    CallLong = 2,

    /// <summary>The peer puts its answer aside in a reply object, then sends it.</summary>
    CallDeferred = 3,

    /// <summary>Signals the thread that serves <see cref="Listen"/> and waits until it has signalled back; in the end lets it return.</summary>
    Notify = 4,

    /// <summary>Signals itself and takes the bit.</summary>
    NotifySelf = 5,
    MapUnmapMemory = 6,
    MapUnmapFrame = 7,

    /// <summary>Makes an endpoint and deletes it, at most 512 times.</summary>
    RetypeDelete = 8,

    /// <summary>Reads address 8; the personality's handler goes on behind that.</summary>
    Fault = 9,

    /// <summary>What the handler of <see cref="Fault"/> does, without the fault.</summary>
    ResumeContext = 10,

    /// <summary>Sends the peer a message that wants no answer.</summary>
    Send = 11,

    /// <summary>Serves one <see cref="Notify"/>.</summary>
    Listen = 16,

    /// <summary>p0 buffer in, lent; p1 value out: a = sum of its 64-bit words.</summary>
    Read = 17,

    /// <summary>As <see cref="HelloOperation.Spin"/>.</summary>
    Spin = 18,

    /// <summary>p0 value in: a = turns to wait; p1 value out: a = 1 when another call of this was inside at the same time.</summary>
    Meet = 19,

    /// <summary>p0 value in: a = seed, b = random calls; p1 value out: a = system calls that must be refused, b = those that were not, or for another reason;
    /// p2 value out: of the first of these, a = its number, b = <see cref="Status"/> that came (low half) and that was due. Before <see cref="Fault"/> and <see cref="ResumeContext"/>, which last.</summary>
    Hostile = 20,

    /// <summary>p0 buffer out, lent; p1 value in: a = seed. Word i becomes <see cref="HelloTransform.Word"/> of i and the seed.</summary>
    Fill = 21,

    /// <summary>p0 buffer in and out, lent; p1 value in: a = turns. Sets the first word to 1 and gives its time away, at most so many times, until the second word is not 0;
    /// p2 value out: a = 1 when it became so.</summary>
    Hold = 22,

    /// <summary>p0 buffer in, lent. Writes to it: the conclave ends there.</summary>
    WriteLent = 23,

    /// <summary>No buffer. Reads where the last call's lay: the conclave ends there.</summary>
    ReadAfter = 24,

    /// <summary>p0 value in: a = rounds. Answers at once, then does <see cref="HelloTransform.Spin"/>.</summary>
    Work = 25,

    /// <summary>p0 value out: a = how often <see cref="Work"/> has been done, b = the last sum.</summary>
    Worked = 26,

    /// <summary>Ends the component: p0 value in, a = <see cref="ProbeFault"/>.</summary>
    End = 32,

    /// <summary>p0 value in: a = rounds. Derives from a capability and from what was derived, and moves it about;
    /// p1 value out: a = capabilities made, b = 0, or 1 + <see cref="Status"/> that nobody may get there.</summary>
    DeriveStorm = 33,

    /// <summary>p0 value in: a = rounds. Takes back what <see cref="DeriveStorm"/> makes meanwhile; p1 value out: a = how often that was complete, b = as there.</summary>
    RevokeStorm = 34,

    /// <summary>p0 value in: a = milliseconds. Has Linux's thread sleep for so long, by an upcall.</summary>
    Sleep = 35,

    /// <summary>p0 value in: a = how many. Floods the log in the name of somebody else, and tries what only Linux may; p1 value out: a = records that were taken, b = what was not refused.</summary>
    Flood = 36,

    /// <summary>p0 value in: a = <see cref="ProbeStart"/>, b = rounds. Starts threads of its own, as wrong as can be; p1 and p2 value out as of <see cref="Hostile"/>.</summary>
    Threads = 37,

    /// <summary>Of <see cref="Services.Walker"/> alone. p0 value in: a = seed, b = steps. A random walk of tests/ObjectModel; p1 value out: a = calls that succeeded, b = that were refused, all as
    /// they should; p2 value out: a = 0, or where system and model first differ: 1 + number of the call, or 1 for memory; b = <see cref="Status"/> that came (low half) and that was due;
    /// p3 value out: a = the call's x0, or the address; b = its x1, or what is there.</summary>
    Walk = 38,

    /// <summary>p0 value in: a, b = whatever. Calls Hello and others by the generated client while it serves this; p1 value out: a = calls, b = 0, or the number of the first that
    /// ended as it must not, or after which the message being served was another; p2 value out: a = <see cref="Status"/> of that one, b = what was due; p3 value out: p0. Echo ends in it.</summary>
    Peer = 39,
}

/// <summary>How <see cref="ProbeOperation.Threads"/> starts threads.</summary>
public enum ProbeStart : uint
{
    /// <summary>With every wrong argument, each refused; then as many as there may be, again and again.</summary>
    Refused = 0,

    /// <summary>One where no memory is, one in data, one without a stack: the component ends.</summary>
    Unmapped = 1,
    Data = 2,
    NoStack = 3,
}

/// <summary>Operations of <see cref="Services.Bench"/>.</summary>
public enum BenchOperation : uint
{
    /// <summary>No parameters; success.</summary>
    Null = 0,

    /// <summary>p0 buffer in, lent; p1 buffer out, lent: its SHA-256.</summary>
    Digest = 1,

    /// <summary>p0 buffer in and out, lent, at most 1 MiB: encrypted in place by AES-256-GCM with a key and a nonce of zeros; p1 buffer out, lent: the tag of 16 bytes.</summary>
    Seal = 2,

    /// <summary>p0 value in: a = MiB; p1 value out: a = MiB that could be had at once, for as long as the call lasts.</summary>
    Grow = 3,

    /// <summary>The conclave ends.</summary>
    End = 4,
}

/// <summary>Operations of <see cref="Services.Stress"/>.</summary>
public enum StressOperation : uint
{
    /// <summary>All that real programs do to ExclaveKit, once.</summary>
    All = 0,

    /// <summary>p0 value in: a = threads, b = rounds of each; p1 value out: a = threads whose result is wrong, b = collections meanwhile.</summary>
    Compute = 1,

    /// <summary>p0 value out: a = how often a thread that makes no call has seen another one's work go on.</summary>
    Meet = 2,

    /// <summary>What a conclave does not have is asked for; success when all of it is refused at once.</summary>
    Absent = 3,

    /// <summary>Lines of standard output and error, and records of ILogger, with words that are private.</summary>
    Log = 4,

    /// <summary>The program gives up: the conclave ends.</summary>
    Fail = 5,

    /// <summary>Calls Hello, component to component; success when all answers are right.</summary>
    Peer = 6,
}

/// <summary>Ways for a component to end (<see cref="ProbeOperation.End"/>).</summary>
public enum ProbeFault : uint
{
    None = 0,
    IllegalInstruction = 1,
    StackOverflow = 2,
    QuotaExhausted = 3,
    MisalignedAccess = 4,
    ExecuteData = 5,
    WriteReadOnly = 6,
    FailedCheck = 7,
    Count = 8,
}

/// <summary>What Hello does with memory beyond its own.</summary>
public enum HelloMemoryAction : uint
{
    None = 0,

    /// <summary>Asks Linux for the pages, maps and fills them.</summary>
    Fill = 1,

    /// <summary>Compares every word.</summary>
    Check = 2,

    /// <summary>Unmaps them and gives them back.</summary>
    Drop = 3,

    /// <summary>Unmaps them; what Linux gave stays here, unused.</summary>
    Keep = 4,

    /// <summary>Maps and fills so many more pages, and asks nobody: what the conclave is short of comes by itself.</summary>
    Grow = 5,
}

/// <summary>The one operation of <see cref="Services.Signer"/> that has a number; the others are those of its Tightbeam interface.</summary>
public enum SignerOperation : uint
{
    /// <summary>No parameters; success. For measurements.</summary>
    Null = 0,
}

/// <summary>Operations of <see cref="Services.Statistics"/>.</summary>
public enum StatisticsOperation : uint
{
    /// <summary>p0 buffer out: 64-bit words. Word 0, 1, 2 = how many counters of SK, SPTM and XnuProxy follow, then those counters
    /// (<see cref="SkCounter"/>, <see cref="SptmCounter"/>, <see cref="ProxyCounter"/>) in this order.</summary>
    Counters = 1,

    /// <summary>p0 value in: a = component index; p1 buffer out: <see cref="ComponentStatus"/>. ITEM_NOT_FOUND after the last one.</summary>
    Component = 2,

    /// <summary>p0 value in: a = version that the client speaks; p1 value out: a = <see cref="StatisticsProtocol.Version"/>, b = 1 when that is the same.
    /// Else nothing else here means what the client thinks.</summary>
    Version = 3,

    /// <summary>p0 value in: a = index; p1 buffer out: <see cref="ResourceStatus"/>: services first, then components. ITEM_NOT_FOUND after the last one.</summary>
    Resource = 4,

    /// <summary>p0 buffer out: <see cref="MemoryStatus"/>. What each component has is <see cref="Component"/>'s.</summary>
    Memory = 5,

    /// <summary>p0 value out: a = <see cref="ExclavesStatus"/>, from <see cref="ExclavesStatus.ExclaveCore"/> on.</summary>
    Status = 6,
}

/// <summary>What <see cref="StatisticsOperation"/> and its structures are called in all; the only operation that never changes is Version.</summary>
public static class StatisticsProtocol
{
    public const uint Version = 2;
}

/// <summary>What a resource is.</summary>
public enum ResourceKind : uint
{
    None = 0,
    Service = 1,
    Component = 2,
}

[InlineArray(96)]
public struct Name96
{
    private byte _first;
}

/// <summary>Something of the secure world that has a name.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ResourceStatus
{
    public Name64 Name;

    /// <summary>"org.exclaves.kernel" for what belongs to the core, else "org.exclaves.conclave." and the component's name.</summary>
    public Name96 Domain;
    public ResourceKind Kind;

    /// <summary>Index of the service, or of the component.</summary>
    public uint Id;

    /// <summary>Service: sessions that clients have with it. Component: 1 while it runs.</summary>
    public uint Connected;
    public uint Reserved;

    /// <summary>Of a service, as in <see cref="ServiceEntry"/>.</summary>
    public ulong UuidLow;
    public ulong UuidHigh;
}

/// <summary>Memory of the secure world, in bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct MemoryStatus
{
    /// <summary>What SPTM left to SK at boot.</summary>
    public ulong PoolBytes;

    /// <summary>Of it, what is declared for components, and what they use.</summary>
    public ulong QuotaBytes;
    public ulong UsedBytes;

    /// <summary>What Linux has given beyond the pool.</summary>
    public ulong DonatedBytes;
    public uint Components;
    public uint Reserved;
}

/// <summary>XnuProxy's own counters; each is zero again when no client is left.</summary>
public enum ProxyCounter : uint
{
    /// <summary>Sessions open now, those of Linux's enumeration and of statistics included.</summary>
    Sessions = 0,

    /// <summary>Buffers that Linux has registered now.</summary>
    Registrations = 1,

    /// <summary>Requests that a service is working on now.</summary>
    Requests = 2,

    /// <summary>Messages of Linux's driver that were refused as malformed, in total.</summary>
    Malformed = 3,

    /// <summary>Answers of Linux to an upcall that cannot be true, in total.</summary>
    BadReplies = 4,

    /// <summary>Allocations of Linux that are held now: in use, or not yet freed.</summary>
    Allocations = 5,

    Count = 6,
}

/// <summary>One component as <see cref="StatisticsOperation.Component"/> shows it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ComponentStatus
{
    public Name64 Name;

    /// <summary>Physical range of its untyped memory.</summary>
    public ulong UntypedBase;
    public ulong UntypedBytes;
    public ulong UsedBytes;
    public ComponentState State;
    public uint Generation;
    public ComponentFlags Flags;
    public uint Reserved;

    /// <summary>Memory that Linux gave it: first byte of the first run, and bytes in all. Linux knows both.</summary>
    public ulong DonatedBase;
    public ulong DonatedBytes;
}

/// <summary>Where a component is in its life.</summary>
public enum ComponentState : uint
{
    /// <summary>Declared, not started: it has no memory yet.</summary>
    Idle = 0,
    Running = 1,

    /// <summary>Ended by a fault or by its own will; its memory is scrubbed.</summary>
    Dead = 2,
}
