using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>The only memory that devices of Linux reach: fixed at boot, never changed.</summary>
/// <remarks>
/// A transfer that a device has begun outlives an unmap (docs/decisions, static DMA window), so a frame inside the window can never
/// leave Linux's ownership: donated frames and SK_SHARED_RO frames lie above it. Linux learns the window by `dma-ranges`; the size is a power
/// of two because Linux rounds the limit up to one.
/// </remarks>
public static class DmaWindow
{
    /// <summary>First byte.</summary>
    public const ulong Base = Virt.RamBase;

    public const ulong Bytes = 0x4000_0000;

    /// <summary>First byte after the window.</summary>
    public const ulong Limit = Base + Bytes;

    /// <summary>Whether a device may hold, or may once have been given, the byte at physical <paramref name="address"/>.</summary>
    public static bool Contains(ulong address) => address - Base < Bytes;

    /// <summary>Whether the window maps frames of this type, if they lie in it at boot: Linux's own memory, and nothing else.</summary>
    public static bool Maps(FrameType type) => type == FrameType.XnuDefault;
}
