using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>Which of the two kinds of key answers for an image. Zero: nobody.</summary>
public enum SignerKind : uint
{
    None = 0,
    Production = 1,

    /// <summary>A developer's key: what such an image seals, production never unseals, and the reverse.</summary>
    Debug = 2,
}

/// <summary>What a measured range is. Numbers are wire format: append, never renumber.</summary>
public enum PartKind : uint
{
    None = 0,
    SecureKernel = 1,
    Header = 2,
    BootArguments = 3,
    Txm = 4,
    Tables = 5,

    /// <summary>Code and data of ExclaveKit, which .NET conclaves share.</summary>
    Kit = 6,

    /// <summary>A component of the core; its name says which.</summary>
    Component = 7,

    /// <summary>A component that is not of the core.</summary>
    Conclave = 8,

    /// <summary>Zeros after the last component.</summary>
    Padding = 9,

    /// <summary>From here on: in the measurement log alone.</summary>
    Sptm = 32,
    Manifest = 33,
    Kernel = 34,
    Initramfs = 35,
}

/// <summary>One range of the image and the digest it must have.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ManifestPart
{
    /// <summary>PA and bytes; whole pages.</summary>
    public ulong Base;
    public ulong Bytes;
    public PartKind Kind;
    public uint Reserved;

    /// <summary>Of a component; else zeros.</summary>
    public Name64 Name;
    public Digest Digest;
}

[InlineArray(ImageManifest.MaxParts)]
public struct ManifestParts
{
    private ManifestPart _first;
}

[InlineArray(ImageManifest.MaxBootArgumentBytes)]
public struct BootArgumentText
{
    private byte _first;
}

/// <summary>What the secure part of the image consists of. It lies at <see cref="Virt.ManifestBase"/>; a signature over all of it follows.</summary>
/// <remarks>
/// The parts tile the range from <see cref="Virt.SkBase"/> to <see cref="ImageHeader.SecureEnd"/> without a gap, the manifest's own
/// place left out. Signed are the <see cref="SignedBytes"/> from its first byte on, zeros at its end included; the last
/// <see cref="SignatureBlock.Bytes"/> of the place hold the signature.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ImageManifest
{
    public const ulong MagicValue = 0x314E_414D_4C43_5845; // "EXCLMAN1", little endian
    public const uint CurrentVersion = 1;
    public const int MaxParts = 104;
    public const int MaxBootArgumentBytes = 2048;
    public const int SignedBytes = (int)Virt.ManifestBytes - SignatureBlock.Bytes;

    public ulong Magic;
    public uint Version;
    public SignerKind Signer;
    public uint PartCount;
    public uint BootArgumentBytes;

    /// <summary>Copies of the image's header and of the kernel's command line: when one of the two is damaged, Linux boots by the other.</summary>
    public ImageHeader Header;
    public ManifestParts Parts;
    public BootArgumentText BootArguments;
}
