using System.Runtime.CompilerServices;

namespace Exclaves.Abi;

/// <summary>A SHA-256 digest (FIPS 180-4), as the bytes that tools print.</summary>
[InlineArray(Bytes)]
public struct Digest
{
    public const int Bytes = 32;

    private byte _first;
}

/// <summary>A public key on P-256: X and Y, 32 bytes each, big endian. All zero: no key.</summary>
[InlineArray(Bytes)]
public struct PublicKey
{
    public const int Bytes = 64;

    private byte _first;
}

/// <summary>An ECDSA signature on P-256: r and s, 32 bytes each, big endian (IEEE P1363). Zeros follow up to the struct's end.</summary>
[InlineArray(Bytes)]
public struct SignatureBlock
{
    public const int Bytes = 128;
    public const int UsedBytes = 64;

    private byte _first;
}
