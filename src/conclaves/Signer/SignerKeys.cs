using System;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.Interfaces;

namespace Exclaves.Signer;

/// <summary>The key of one session: ECDSA P-256, born here and gone with the session.</summary>
/// <remarks>No other session has this object, so no other client can sign with the key. Nothing in this class exports the private half.</remarks>
public sealed class SignerKeys(KeyBudget budget) : ISigner, IDisposable
{
    public const int DigestBytes = 32;

    private ECDsa? _key;

    public Status Generate(Span<byte> publicKey, out int bytes)
    {
        bytes = 0;
        if (_key is null && !budget.TryTake())
        {
            return Status.NoMemory;
        }

        ECDsa? key = null;
        try
        {
            key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (!key.TryExportSubjectPublicKeyInfo(publicKey, out bytes))
            {
                // The client never learns the new key: the old one stays in force.
                return Status.TooBig;
            }

            (key, _key) = (_key, key);
            return Status.Ok;
        }
        finally
        {
            key?.Dispose();
            if (_key is null)
            {
                budget.Return();
            }
        }
    }

    public Status Sign(ReadOnlySpan<byte> digest, Span<byte> signature, out int bytes)
    {
        bytes = 0;
        if (_key is null)
        {
            return Status.NotFound;
        }

        if (digest.Length != DigestBytes)
        {
            return Status.BadArgument;
        }

        return _key.TrySignHash(digest, signature, DSASignatureFormat.Rfc3279DerSequence, out bytes) ? Status.Ok : Status.TooBig;
    }

    public Status PublicKey(Span<byte> publicKey, out int bytes)
    {
        bytes = 0;
        if (_key is null)
        {
            return Status.NotFound;
        }

        return _key.TryExportSubjectPublicKeyInfo(publicKey, out bytes) ? Status.Ok : Status.TooBig;
    }

    public void Dispose()
    {
        if (_key is not null)
        {
            _key.Dispose();
            _key = null;
            budget.Return();
        }
    }
}
