using System;

namespace Exclaves.Tightbeam;

/// <summary>Shared buffers of an asynchronous call. The transport lends them, or carries their contents where it cannot.</summary>
public readonly struct AsyncAttachments
{
    private AsyncAttachments(AsyncBuffer first, AsyncBuffer second)
    {
        First = first;
        Second = second;
    }

    public AsyncBuffer First { get; }

    public AsyncBuffer Second { get; }

    public AsyncAttachments Read(ReadOnlyMemory<byte> buffer) => Add(new AsyncBuffer(SharedAccess.Read, buffer, default));

    public AsyncAttachments Write(Memory<byte> buffer) => Add(new AsyncBuffer(SharedAccess.Write, default, buffer));

    private AsyncAttachments Add(AsyncBuffer buffer) => First.Access == SharedAccess.None ? new(buffer, default) : new(First, buffer);
}
