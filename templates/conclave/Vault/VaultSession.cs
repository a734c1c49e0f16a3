using System;
using System.Security.Cryptography;
using Exclaves.Tightbeam;

namespace Vault;

/// <summary>One client's view of the conclave. Arguments are checked before a method runs, and calls come one at a time.</summary>
internal sealed class VaultSession(byte[] key) : IVault
{
    public Result<VaultError> Seal(ReadOnlySpan<byte> text, Span<byte> tag, out int bytes)
    {
        bytes = 0;
        if (text.IsEmpty)
        {
            return VaultError.NoText;
        }

        // A tag with less room than 32 bytes is an ArgumentException, and that is Status.BadArgument at the caller.
        bytes = HMACSHA256.HashData(key, text, tag);
        return VaultError.None;
    }

    public Result<VaultError> Check(ReadOnlySpan<byte> text, ReadOnlySpan<byte> tag, out bool isGenuine)
    {
        isGenuine = false;
        if (text.IsEmpty)
        {
            return VaultError.NoText;
        }

        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, text, right);
        isGenuine = CryptographicOperations.FixedTimeEquals(tag, right);
        return VaultError.None;
    }
}
