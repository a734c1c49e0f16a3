using System;
using Exclaves.Abi;
using Exclaves.Interfaces;
using Exclaves.Tightbeam;

namespace Exclaves.Client;

/// <summary>A key pair that lives in a conclave, as long as this session: makes it, signs with it, shows its public half.</summary>
/// <remarks>The generated client of <see cref="ISigner"/>, with a <see cref="TeeException"/> in place of a status.</remarks>
public sealed class SignerClient : IDisposable
{
    /// <summary>SHA-256.</summary>
    public const int DigestBytes = 32;

    private const int MaxKeyBytes = 128;
    private const int MaxSignatureBytes = 72;

    private readonly TeeTransport _transport;
    private SignerClient<TeeTransport> _client;

    private SignerClient(TeeTransport transport)
    {
        _transport = transport;
        _client = new SignerClient<TeeTransport>(transport);
    }

    public TeeSession Session => _transport.Session;

    public static SignerClient Open(TeeDevice device) => new(TeeTransport.Open(device, ServiceName.Signer));

    public void Null() => Session.Invoke((uint)SignerOperation.Null, "Null", []);

    /// <summary>Makes the key pair of this session; one that it had is forgotten. The answer is the public key: SubjectPublicKeyInfo, DER.</summary>
    public byte[] Generate()
    {
        Span<byte> key = stackalloc byte[MaxKeyBytes];
        Require(_client.Generate(key, out int bytes), nameof(Generate));
        return key[..bytes].ToArray();
    }

    /// <summary>Signs a SHA-256 digest. The answer is an ECDSA signature, DER.</summary>
    public byte[] Sign(ReadOnlySpan<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(digest.Length, DigestBytes);
        Span<byte> signature = stackalloc byte[MaxSignatureBytes];
        Require(_client.Sign(digest, signature, out int bytes), nameof(Sign));
        return signature[..bytes].ToArray();
    }

    /// <summary>The public key: SubjectPublicKeyInfo, DER.</summary>
    public byte[] PublicKey()
    {
        Span<byte> key = stackalloc byte[MaxKeyBytes];
        Require(_client.PublicKey(key, out int bytes), nameof(PublicKey));
        return key[..bytes].ToArray();
    }

    public void Dispose() => _transport.Dispose();

    private void Require(Status status, string operation)
    {
        if (status == Status.Ok)
        {
            return;
        }

        throw _transport.Failure ?? TeeException.Because(
            status == Status.BadReply ? TeeFailure.BadAnswer : status == Status.NoMemory ? TeeFailure.NoMemory : TeeFailure.Refused,
            $"call {operation} of service",
            Session.Service.ToString(),
            status == Status.BadReply ? "its answer makes no sense" : $"it refused with {status}");
    }
}
