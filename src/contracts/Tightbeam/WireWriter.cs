using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.Tightbeam;

/// <summary>Writes a message into a buffer of the transport.</summary>
/// <remarks>The first thing that does not fit ends writing; <see cref="Finish"/> says so.</remarks>
public ref struct WireWriter
{
    private readonly Span<byte> _message;
    private int _at;
    private Status _status;

    private WireWriter(Span<byte> message, int at)
    {
        _message = message.Length > WireHeader.MaxMessageBytes ? message.Slice(0, WireHeader.MaxMessageBytes) : message;
        _at = at;
        _status = at > message.Length ? Status.TooBig : Status.Ok;
    }

    public static WireWriter Request(Span<byte> message, uint interfaceId, ushort version, ushort operation) =>
        Start(message, WireHeader.RequestMagic, interfaceId, version, operation);

    public static WireWriter Response(Span<byte> message, uint interfaceId, ushort version, ushort operation) =>
        Start(message, WireHeader.ResponseMagic, interfaceId, version, operation);

    /// <summary>Lays out-buffers behind the <paramref name="fixedBytes"/> of an answer's values, before these are known.</summary>
    public static WireWriter Layout(Span<byte> message, int fixedBytes) => new(message, WireHeader.Bytes + fixedBytes);

    public readonly Status Status => _status;

    public void WriteBoolean(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteByte(byte value)
    {
        Span<byte> bytes = Take(sizeof(byte));
        if (!bytes.IsEmpty)
        {
            bytes[0] = value;
        }
    }

    public void WriteUInt16(ushort value)
    {
        Span<byte> bytes = Take(sizeof(ushort));
        if (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        }
    }

    public void WriteUInt32(uint value)
    {
        Span<byte> bytes = Take(sizeof(uint));
        if (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }
    }

    public void WriteUInt64(ulong value)
    {
        Span<byte> bytes = Take(sizeof(ulong));
        if (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        }
    }

    public void WriteSByte(sbyte value) => WriteByte((byte)value);

    public void WriteInt16(short value) => WriteUInt16((ushort)value);

    public void WriteInt32(int value) => WriteUInt32((uint)value);

    public void WriteInt64(long value) => WriteUInt64((ulong)value);

    /// <summary>An optional value that is not there: its place stays, as zeros.</summary>
    public void WriteAbsence(int bytes)
    {
        WriteByte(0);
        Take(bytes).Clear();
    }

    /// <summary>Length of something that is not in the message.</summary>
    public void WriteRoom(int room, int max)
    {
        if ((uint)room > (uint)max)
        {
            Refuse(Status.TooBig);
            return;
        }

        WriteUInt32((uint)room);
    }

    public void WriteSpan<T>(scoped ReadOnlySpan<T> values, int max)
        where T : unmanaged
    {
        WriteRoom(values.Length, max);
        Pad(Unsafe.SizeOf<T>());
        ReadOnlySpan<byte> bytes = MemoryMarshal.Cast<T, byte>(values);
        Span<byte> taken = Take(bytes.Length);
        if (taken.Length == bytes.Length)
        {
            bytes.CopyTo(taken);
        }
    }

    public void WriteText(scoped ReadOnlySpan<byte> text, int max)
    {
        if (!Utf8Text.IsValid(text))
        {
            Refuse(Status.BadArgument);
        }

        WriteSpan(text, max);
    }

    /// <summary>Room for an out-buffer, cleared: what a service leaves alone must not be what an earlier call left here.</summary>
    /// <param name="at">Where it lies, for <see cref="Place"/>.</param>
    public Span<T> Reserve<T>(int count, out int at)
        where T : unmanaged
    {
        _ = Take(sizeof(uint));
        _ = Take(-_at & (Unsafe.SizeOf<T>() - 1));
        at = _at;
        int bytes = count * Unsafe.SizeOf<T>();
        Span<byte> taken = Take(bytes);
        taken.Clear();
        return MemoryMarshal.Cast<byte, T>(taken);
    }

    /// <summary>Appends an out-buffer that was filled at <paramref name="at"/>; it moves down if one before it stayed short.</summary>
    public void Place(int at, int count, int elementBytes)
    {
        WriteUInt32((uint)count);
        Pad(elementBytes);
        int bytes = count * elementBytes;
        int to = _at;
        Span<byte> taken = Take(bytes);
        if (to != at && taken.Length == bytes)
        {
            _message.Slice(at, bytes).CopyTo(taken);
        }
    }

    public void Refuse(Status status)
    {
        if (_status == Status.Ok)
        {
            _status = status;
        }
    }

    /// <summary>Closes the message.</summary>
    public readonly Status Finish(out int bytes)
    {
        bytes = _status == Status.Ok ? _at : 0;
        if (_status == Status.Ok)
        {
            WireHeader.SetLength(_message, _at);
        }

        return _status;
    }

    private static WireWriter Start(Span<byte> message, uint magic, uint interfaceId, ushort version, ushort operation)
    {
        WireWriter writer = new(message, WireHeader.Bytes);
        if (writer._status == Status.Ok)
        {
            WireHeader.Encode(message, magic, interfaceId, version, operation, Status.Ok, 0);
        }

        return writer;
    }

    private void Pad(int alignment) => Take(-_at & (alignment - 1)).Clear();

    private Span<byte> Take(int bytes)
    {
        if (_status != Status.Ok || bytes > _message.Length - _at)
        {
            Refuse(Status.TooBig);
            return default;
        }

        Span<byte> taken = _message.Slice(_at, bytes);
        _at += bytes;
        return taken;
    }
}
