using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using Exclaves.Abi;
using Exclaves.Kit;

namespace Exclaves.Signer;

/// <summary>ECDSA P-256 keys that are born here and die here.</summary>
/// <remarks>
/// A key belongs to the session that made it: no other client can sign with it, and it is gone when the session closes. Nothing in this
/// class exports the private half.
/// </remarks>
public sealed class SignerService : ConclaveService
{
    public const int DigestBytes = 32;

    /// <summary>Keys at one time; each costs a few KiB of the conclave's quota.</summary>
    public const int MaxKeys = 64;

    /// <summary>A DER signature on P-256 is never longer.</summary>
    private const int MaxSignatureBytes = 72;

    private readonly Dictionary<uint, ECDsa> _keys = [];

    public override void Invoke(ServiceCall call)
    {
        switch ((SignerOperation)call.Operation)
        {
            case SignerOperation.Null:
                break;
            case SignerOperation.Generate:
                Generate(call);
                break;
            case SignerOperation.Sign:
                Sign(call);
                break;
            case SignerOperation.PublicKey:
                call.Output(0, KeyOf(call).ExportSubjectPublicKeyInfo());
                break;
            default:
                throw new ServiceException(Tee.ErrorNotSupported);
        }
    }

    public override void Close(uint session)
    {
        if (_keys.Remove(session, out ECDsa? key)) { key.Dispose(); }
    }

    private void Generate(ServiceCall call)
    {
        if (_keys.Count >= MaxKeys && !_keys.ContainsKey(call.Session)) { throw new ServiceException(Tee.ErrorOutOfMemory); }

        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            // If the answer does not fit, the client never learns the new key: the old one stays in force.
            call.Output(0, key.ExportSubjectPublicKeyInfo());
        }
        catch
        {
            key.Dispose();
            throw;
        }

        Close(call.Session);
        _keys.Add(call.Session, key);
    }

    private void Sign(ServiceCall call)
    {
        ReadOnlySpan<byte> digest = call.Input(0);
        if (digest.Length != DigestBytes) { throw new ServiceException(Tee.ErrorBadParameters); }

        Span<byte> signature = stackalloc byte[MaxSignatureBytes];
        int bytes = KeyOf(call).SignHash(digest, signature, DSASignatureFormat.Rfc3279DerSequence);
        call.Output(1, signature[..bytes]);
    }

    private ECDsa KeyOf(ServiceCall call) =>
        _keys.TryGetValue(call.Session, out ECDsa? key) ? key : throw new ServiceException(Tee.ErrorItemNotFound);
}
