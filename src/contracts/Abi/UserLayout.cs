using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>Virtual addresses at secure EL0, the same in every component (bytes).</summary>
public static class UserLayout
{
    public const ulong PageBytes = 4096;
    public const ulong ProgramBase = 0x10_0000_0000;
    public const ulong MmapBase = 0x20_0000_0000;
    public const ulong MmapEnd = 0x7D00_0000_0000;
    public const ulong ComponentBase = 0x7E00_0000_0000;
    public const ulong IpcPage = 0x7F00_0000_0000;
    public const ulong StartInfo = 0x7F00_0001_0000;

    /// <summary>The <see cref="MeasurementLog"/>, read only, in components that the system description lets read it.</summary>
    public const ulong Measurements = 0x7F00_0008_0000;
    public const ulong StackTop = 0x7F00_0010_0000;
    public const ulong StackBytes = 0x1_0000;

    /// <summary>Where components that want fixed private areas (ExclaveKit, Entropy) may map them.</summary>
    public const ulong PrivateBase = 0x7F00_0020_0000;
    public const ulong PrivateEnd = 0x7F00_4000_0000;

    /// <summary>Where threads but the first have their IPC page and stack.</summary>
    public const ulong ThreadBase = 0x7F00_8000_0000;
    public const ulong ThreadSpan = 0x10_0000;
    public const ulong ThreadEnd = ThreadBase + (64 * ThreadSpan);
    private const ulong StackOffset = 0x8_0000;

    /// <summary>Bytes of the stack that a thread gets which others of its component start.</summary>
    public const ulong StartedStackBytes = 0x4000;

    /// <summary>XnuProxy's window on registered Linux pages.</summary>
    public const ulong SharedBase = 0x7F80_0000_0000;
    public const ulong SharedEnd = 0x7F90_0000_0000;

    /// <summary>Where a service's threads see the buffers that are lent to them: one table of pages for each.</summary>
    public const ulong LentBase = SharedEnd;
    public const ulong LentSpan = 512 * PageBytes;
    public const ulong LentEnd = LentBase + (64 * LentSpan);
    public const ulong End = 0x8000_0000_0000;

    /// <summary>IPC page of a component's thread.</summary>
    public static ulong IpcPageOf(uint thread) => thread == 0 ? IpcPage : ThreadBase + (thread * ThreadSpan);

    public static ulong LentWindowOf(uint thread) => LentBase + (thread * LentSpan);

    /// <summary>Page for the personality's context of a thread that was started at run time.</summary>
    public static ulong ContextPageOf(uint thread) => ThreadBase + (thread * ThreadSpan) + PageBytes;

    /// <summary>First byte above a thread's stack.</summary>
    public static ulong StackTopOf(uint thread) => thread == 0 ? StackTop : ThreadBase + (thread * ThreadSpan) + StackOffset;
}

/// <summary>Read-only page at <see cref="UserLayout.StartInfo"/>: who I am.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct StartInfo
{
    public const ulong MagicValue = 0x3154_5241_5453_5845; // "EXSTART1", little endian

    public ulong Magic;
    public Name64 Name;
    public uint Component;
    public ComponentKind Kind;

    /// <summary>Bytes of untyped memory this component may still map when it starts.</summary>
    public ulong QuotaBytes;
    public ulong ProgramEntry;
    public ulong ProgramHeaders;
    public ulong ProgramHeaderCount;
    public ulong ProgramBase;

    /// <summary>For stack cookies, not for keys.</summary>
    public ulong Cookie;
    public uint ServiceCount;

    /// <summary>CPUs of the machine.</summary>
    public uint CpuCount;

    /// <summary>In XnuProxy alone: VA of a read-only copy of the <see cref="ServiceEntry"/> table. Elsewhere 0.</summary>
    public ulong Services;

    /// <summary>Bytes of Linux's memory that it may have beside its own.</summary>
    public ulong DonatedBytes;

    /// <summary>Pages of Linux's memory that it has now: SK writes here when some come or go.</summary>
    public ulong DonatedPages;
}
