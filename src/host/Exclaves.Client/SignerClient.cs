using System;
using Exclaves.Abi;

namespace Exclaves.Client;

/// <summary>A key pair that lives in a conclave, as long as this session: makes it, signs with it, shows its public half.</summary>
public sealed class SignerClient : IDisposable
{
    /// <summary>SHA-256.</summary>
    public const int DigestBytes = 32;

    private const int AnswerOffset = 64;
    private const int AnswerBytes = 512;

    private readonly TeeSession _session;
    private readonly SharedMemory _memory;

    private SignerClient(TeeSession session, SharedMemory memory)
    {
        _session = session;
        _memory = memory;
    }

    public TeeSession Session => _session;

    public static SignerClient Open(TeeDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        TeeSession session = device.OpenSession(ServiceName.Signer);
        try
        {
            return new SignerClient(session, SharedMemory.Register(device, AnswerOffset + AnswerBytes));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public void Null() => _session.Invoke((uint)SignerOperation.Null, "Null", []);

    /// <summary>Makes the key pair of this session; one that it had is forgotten. The answer is the public key: SubjectPublicKeyInfo, DER.</summary>
    public byte[] Generate()
    {
        Span<TeeParameter> parameters = [Answer()];
        _session.Invoke((uint)SignerOperation.Generate, "Generate", parameters);
        return Take(parameters[0], "Generate");
    }

    /// <summary>Signs a SHA-256 digest. The answer is an ECDSA signature, DER.</summary>
    public byte[] Sign(ReadOnlySpan<byte> digest)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(digest.Length, DigestBytes);
        digest.CopyTo(_memory.Span);
        Span<TeeParameter> parameters = [TeeParameter.Memory(_memory, TeeDirection.In, 0, DigestBytes), Answer()];
        _session.Invoke((uint)SignerOperation.Sign, "Sign", parameters);
        return Take(parameters[1], "Sign");
    }

    /// <summary>The public key: SubjectPublicKeyInfo, DER.</summary>
    public byte[] PublicKey()
    {
        Span<TeeParameter> parameters = [Answer()];
        _session.Invoke((uint)SignerOperation.PublicKey, "PublicKey", parameters);
        return Take(parameters[0], "PublicKey");
    }

    public void Dispose()
    {
        _memory.Dispose();
        _session.Dispose();
    }

    private TeeParameter Answer() => TeeParameter.Memory(_memory, TeeDirection.Out, AnswerOffset, AnswerBytes);

    private byte[] Take(TeeParameter answer, string operation)
    {
        if (answer.B is 0 or > AnswerBytes)
        {
            throw TeeException.Because(
                TeeFailure.BadAnswer, $"call {operation} of service", _session.Service.ToString(), $"it answered {answer.B} bytes");
        }

        return _memory.Span.Slice(AnswerOffset, (int)answer.B).ToArray();
    }
}
