using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>What SPTM tells SK at its first instruction. Read only, in a frame of its own.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct BootInfo
{
    public const ulong MagicValue = 0x3154_4F4F_4258_4345; // "ECXBOOT1", little endian

    public ulong Magic;

    /// <summary>PA of the checked <see cref="ImageHeader"/>.</summary>
    public ulong ImageHeader;

    /// <summary>PA and bytes of the free part of the secure pool: SK's untyped memory. Page aligned, zeroed.</summary>
    public ulong UntypedBase;
    public ulong UntypedBytes;

    /// <summary>Physical RAM of the machine: only these addresses may be named by Linux.</summary>
    public ulong RamBase;
    public ulong RamBytes;

    public ulong CpuCount;

    /// <summary>For stack cookies: SK's own, and those of components. Not for keys.</summary>
    public ulong Seed0;
    public ulong Seed1;

    /// <summary>PA of the <see cref="MeasurementLog"/>; it says, too, whether a production or a debug key signed this image.</summary>
    public ulong MeasurementLog;
}
