using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>What a monitor was built for.</summary>
[System.Flags]
public enum TrustFlags : uint
{
    None = 0,

    /// <summary>Images that the debug key signed are refused, whatever key is there.</summary>
    Production = 1,
}

/// <summary>What SPTM believes without asking. It lies in SPTM's own image, so SPTM's digest covers it.</summary>
/// <remarks>The image tool fills the slot that entry.S reserves behind the arm64 Image header.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct TrustRoot
{
    /// <summary>Bytes from <see cref="Virt.SptmBase"/> to the slot, and of the slot; entry.S repeats both.</summary>
    public const int Offset = 64;
    public const int SlotBytes = 256;
    public const ulong MagicValue = 0x544F_4F52_4C43_5845; // "EXCLROOT", little endian
    public const uint CurrentVersion = 1;

    public ulong Magic;
    public uint Version;
    public TrustFlags Flags;

    /// <summary>Pages of TXM's text (rx) and constants (r) from <see cref="Virt.TxmBase"/> on; the rest of its slot is rw.</summary>
    public uint TxmTextPages;
    public uint TxmRodataPages;

    /// <summary>Bytes of SPTM's file, from <see cref="Virt.SptmBase"/> on: what the log's first entry measures. Zeros follow to the end of its slot.</summary>
    public uint MonitorBytes;
    public uint Reserved;

    /// <summary>Digest of TXM's slot as the image holds it, zeros included.</summary>
    public Digest Txm;

    /// <summary>Keys that may sign images. They never stand for each other.</summary>
    public PublicKey Production;
    public PublicKey Debug;
}
