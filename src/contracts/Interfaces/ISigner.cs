using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Interfaces;

/// <summary>A key pair that lives in a conclave, as long as the session: ECDSA on P-256.</summary>
[Tightbeam(id: 0x5349_474E, version: 1)]
public interface ISigner
{
    /// <summary>Makes the key pair of this session; one that it had is forgotten, unless the answer does not fit.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo, DER.</param>
    /// <returns><see cref="Status.NoMemory"/> when other sessions hold as many keys as there may be.</returns>
    [Op(1)]
    Status Generate([Max(128)] Span<byte> publicKey, [LengthOf(nameof(publicKey))] out int bytes);

    /// <summary>Signs a SHA-256 digest, which has 32 bytes.</summary>
    /// <param name="signature">ECDSA signature, DER.</param>
    /// <returns><see cref="Status.NotFound"/> when the session has no key.</returns>
    [Op(2)]
    Status Sign([Max(32)] ReadOnlySpan<byte> digest, [Max(72)] Span<byte> signature, [LengthOf(nameof(signature))] out int bytes);

    /// <summary>The public half: SubjectPublicKeyInfo, DER.</summary>
    /// <returns><see cref="Status.NotFound"/> when the session has no key.</returns>
    [Op(3, Idempotent = true)]
    Status PublicKey([Max(128)] Span<byte> publicKey, [LengthOf(nameof(publicKey))] out int bytes);
}
