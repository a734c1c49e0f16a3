using System;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>Caller and service in one process: for tests, and to measure what both sides cost without a way between them.</summary>
public sealed class MemoryTransport : ITransport
{
    private readonly IServedService _service;
    private readonly byte[] _request;
    private readonly byte[] _response;
    private int _answered;

    public MemoryTransport(IServedService service, int bytes = WireHeader.MaxMessageBytes)
    {
        _service = service;
        _request = new byte[bytes];
        _response = new byte[bytes];
    }

    public Span<byte> Request => _request;

    public ReadOnlySpan<byte> Response => _response.AsSpan(0, _answered);

    public Status Call(int requestBytes, scoped ref Attachments attachments)
    {
        _answered = _service.Serve(_request.AsSpan(0, requestBytes), _response, ref attachments);
        return Status.Ok;
    }
}
