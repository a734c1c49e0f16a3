using System;
using Exclaves.Tightbeam;

namespace Vault;

/// <summary>Authenticates texts with a key that only the conclave has.</summary>
[Tightbeam(id: 0x1CA7F00D, version: 1)]
public interface IVault
{
    /// <summary>The text's tag: HMAC-SHA256.</summary>
    /// <returns><see cref="VaultError.NoText"/> for an empty text.</returns>
    [Op(1, Idempotent = true)]
    Result<VaultError> Seal([Utf8, Max(1024)] ReadOnlySpan<byte> text, [Max(32)] Span<byte> tag, [LengthOf(nameof(tag))] out int bytes);

    /// <summary>Whether the tag is one that <see cref="Seal"/> made for this text.</summary>
    [Op(2, Idempotent = true)]
    Result<VaultError> Check([Utf8, Max(1024)] ReadOnlySpan<byte> text, [Max(32)] ReadOnlySpan<byte> tag, out bool isGenuine);
}
