using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>What became of a measurement.</summary>
public enum MeasurementResult : uint
{
    None = 0,

    /// <summary>Logged; nobody judges it: SPTM itself, Linux's kernel and initramfs.</summary>
    Measured = 1,

    /// <summary>It is what TXM's pin or the signed manifest says.</summary>
    Verified = 2,

    /// <summary>It is not, or nobody could say.</summary>
    Refused = 3,
}

/// <summary>One measured range.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct Measurement
{
    public PartKind Kind;
    public MeasurementResult Result;
    public Name64 Name;
    public Digest Digest;
}

[InlineArray(MeasurementLog.MaxEntries)]
public struct Measurements
{
    private Measurement _first;
}

/// <summary>What SPTM measured, in the order of measuring: what attestation will sign. SK and who is declared to read it, nobody writes it after boot.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct MeasurementLog
{
    public const ulong MagicValue = 0x3147_4F4C_4C43_5845; // "EXCLLOG1", little endian
    public const int MaxEntries = 108;

    /// <summary>Room for it: whole pages.</summary>
    public const ulong Bytes = 3 * UserLayout.PageBytes;

    public ulong Magic;
    public uint EntryCount;

    /// <summary>Whose signature the manifest carries; None when it was not verified.</summary>
    public SignerKind Signer;

    /// <summary>Zeros, and for each entry SHA-256 of what was here and the entry's digest, as a TPM extends a register.</summary>
    public Digest Extended;
    public Measurements Entries;
}
