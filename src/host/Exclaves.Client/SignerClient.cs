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

    // Either of two, so that a program that knows one alone is not linked with the other.
    private readonly ITransport _transport;
    private readonly Func<TeeException?> _failure;
    private SignerClient<ITransport> _client;

    private SignerClient(ITransport transport, Func<TeeException?> failure)
    {
        _transport = transport;
        _failure = failure;
        _client = new SignerClient<ITransport>(transport);
    }

    public static SignerClient Open(TeeDevice device)
    {
        TeeTransport transport = TeeTransport.Open(device, ServiceName.Signer);
        return new SignerClient(transport, () => transport.Failure);
    }

    /// <param name="connection">A session of <see cref="ServiceName.Signer"/>; it is this client's from now on.</param>
    public static SignerClient Over(ServiceConnection connection) => new(connection, () => connection.Failure);

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

    public void Dispose() => (_transport as IDisposable)?.Dispose();

    private void Require(Status status, string operation)
    {
        if (status == Status.Ok)
        {
            return;
        }

        throw _failure() ?? TeeException.Because(
            status switch
            {
                Status.BadReply => TeeFailure.BadAnswer,
                Status.NoMemory => TeeFailure.NoMemory,
                Status.PeerDied => TeeFailure.ServiceEnded,
                _ => TeeFailure.Refused,
            },
            $"call {operation} of service",
            ServiceName.Signer.ToString(),
            status switch
            {
                Status.BadReply => "its answer makes no sense",
                Status.PeerDied => "it has ended",
                _ => $"it refused with {status}",
            });
    }
}
