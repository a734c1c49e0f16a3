using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>What TXM asks of SPTM: `svc #0` with x16 = <see cref="VerdictCall"/>, the verdict in x0, the digest that it verified in x1 to x4.</summary>
/// <remarks>x16 is target domain (bits 55 to 48), table (39 to 32) and endpoint (31 to 0), as in the original.</remarks>
public static class Txm
{
    /// <summary>Domain SPTM, table TXM_BOOTSTRAP, endpoint 0.</summary>
    public const ulong VerdictCall = 1ul << 32;
}

/// <summary>TXM's answer. Zero vouches for nothing.</summary>
public enum TxmVerdict : ulong
{
    None = 0,
    Verified = 1,
    BadSignature = 2,

    /// <summary>The manifest names a kind of signer for which the monitor holds no key.</summary>
    NoKey = 3,

    /// <summary>A production monitor, and the manifest says that the debug key signed it.</summary>
    DebugRefused = 4,

    /// <summary>Bytes after the signature, or a request that is none.</summary>
    Malformed = 5,
}

/// <summary>What SPTM tells TXM: read only for it, in the last page of its slot (x0 = its address).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct TxmRequest
{
    public const ulong MagicValue = 0x3151_5254_4D58_5445; // "ETXMTRQ1", little endian

    public ulong Magic;

    /// <summary>PA of the manifest; <see cref="Virt.ManifestBytes"/> from there on are readable.</summary>
    public ulong Manifest;
    public TrustFlags Flags;
    public uint Reserved;
    public PublicKey Production;
    public PublicKey Debug;

    /// <summary>For TXM's stack cookie.</summary>
    public ulong Cookie;
}
