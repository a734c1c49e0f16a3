using System;
using Exclaves.Abi;

namespace Exclaves.Txm;

/// <summary>The two operations that TXM has from a library.</summary>
public interface ICryptography
{
    /// <summary>SHA-256.</summary>
    static abstract void Hash(ReadOnlySpan<byte> data, out Digest digest);

    /// <summary>Whether <paramref name="signature"/> (r and s) is ECDSA on P-256 by <paramref name="key"/> over <paramref name="digest"/>. A key off the curve verifies nothing.</summary>
    static abstract bool Verify(in PublicKey key, in Digest digest, ReadOnlySpan<byte> signature);
}
