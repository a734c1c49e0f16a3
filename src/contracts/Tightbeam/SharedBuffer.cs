using System;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>Memory lent for one call. The other side may change it at any moment, so it is read and written by copying.</summary>
/// <remarks>Copy once, then validate the copy: two reads of one place can differ. The default value is empty.</remarks>
public readonly ref struct SharedBuffer
{
    private readonly Span<byte> _bytes;

    /// <param name="handle">The transport's own name of the memory; 0 = none, and then the transport carries the bytes as it can.</param>
    /// <param name="offset">Where in that memory the bytes lie.</param>
    public SharedBuffer(uint handle, uint offset, Span<byte> bytes)
    {
        Handle = handle;
        Offset = offset;
        _bytes = bytes;
    }

    public uint Handle { get; }

    public uint Offset { get; }

    public int Length => _bytes.Length;

    /// <summary>Copies out of the buffer.</summary>
    public Status Read(int offset, scoped Span<byte> destination)
    {
        if (!Holds(offset, destination.Length))
        {
            return Status.BadArgument;
        }

        _bytes.Slice(offset, destination.Length).CopyTo(destination);
        return Status.Ok;
    }

    /// <summary>Copies into the buffer. What a service writes to a buffer that is not <see cref="WritableAttribute"/> reaches nobody, or the transport refuses.</summary>
    public Status Write(int offset, scoped ReadOnlySpan<byte> source)
    {
        if (!Holds(offset, source.Length))
        {
            return Status.BadArgument;
        }

        source.CopyTo(_bytes.Slice(offset));
        return Status.Ok;
    }

    /// <summary>For transports: the memory itself.</summary>
    public Span<byte> Memory => _bytes;

    private bool Holds(int offset, int length) => (uint)offset <= (uint)_bytes.Length && (uint)length <= (uint)(_bytes.Length - offset);
}
