using System;
using System.Buffers;

namespace Exclaves.Tightbeam;

/// <summary>Request and answer of one asynchronous call, from the pool.</summary>
public readonly struct MessageBuffer : IDisposable
{
    private readonly byte[] _bytes;
    private readonly int _requestBytes;
    private readonly int _responseBytes;

    private MessageBuffer(byte[] bytes, int requestBytes, int responseBytes)
    {
        _bytes = bytes;
        _requestBytes = requestBytes;
        _responseBytes = responseBytes;
    }

    public Memory<byte> Request => _bytes.AsMemory(0, _requestBytes);

    public Memory<byte> Response => _bytes.AsMemory(_requestBytes, _responseBytes);

    public static MessageBuffer Rent(int requestBytes, int responseBytes) =>
        new(ArrayPool<byte>.Shared.Rent(requestBytes + responseBytes), requestBytes, responseBytes);

    /// <summary>Gives the memory back, cleared: it held what a caller entrusted to the service.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_bytes, clearArray: true);
}
