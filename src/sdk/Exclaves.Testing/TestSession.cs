using System;
using Exclaves.Abi;
using Exclaves.Tightbeam;

namespace Exclaves.Testing;

/// <summary>A session with a service of <see cref="ExclaveTestHost"/>: a transport for generated clients. Its end is the session's.</summary>
public sealed class TestSession : ITransport, IDisposable
{
    private readonly IServedService _session;
    private readonly MemoryTransport _transport;

    internal TestSession(IServedService session)
    {
        _session = session;
        _transport = new MemoryTransport(session, WireHeader.MessageCallBytes);
    }

    public Span<byte> Request => _transport.Request;

    public ReadOnlySpan<byte> Response => _transport.Response;

    public Status Call(int requestBytes, scoped ref Attachments attachments) => _transport.Call(requestBytes, ref attachments);

    /// <summary>Sends bytes as they are. The answer is one of the wire format, whatever they are.</summary>
    public byte[] Send(ReadOnlySpan<byte> request)
    {
        Attachments attachments = default;
        byte[] response = new byte[WireHeader.MessageCallBytes];
        return response[.._session.Serve(request, response, ref attachments)];
    }

    /// <summary>As <see cref="Send"/>, for tests that want the status alone.</summary>
    public Status StatusOf(ReadOnlySpan<byte> request) => (Status)BitConverter.ToUInt32(Send(request), 16);

    public void Dispose() => _session.Dispose();
}
