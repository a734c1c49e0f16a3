using System.Runtime;
using System.Runtime.CompilerServices;

namespace Exclaves.Machine;

/// <summary>Routines on the optional cryptographic instructions.</summary>
public static partial class Arm64
{
    /// <summary>Compresses <paramref name="count"/> blocks of 64 bytes, at least one, into the eight words from <paramref name="state"/> on.</summary>
    /// <remarks>Only where <see cref="HasSha256"/>: elsewhere the instructions are undefined.</remarks>
    [RuntimeImport("*", "arm64_sha256_blocks")]
    [MethodImpl(MethodImplOptions.InternalCall)]
    public static extern void Sha256Blocks(ref uint state, ref byte blocks, nuint count);

    /// <summary>ID_AA64ISAR0_EL1.SHA2, bits 15 to 12.</summary>
    public static bool HasSha256() => ((ReadIdAa64isar0El1() >> 12) & 0xF) != 0;
}
