using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Tightbeam;

/// <summary>Reads the body of a message, whoever wrote it.</summary>
/// <remarks>
/// The first thing that is wrong ends reading: from then on every value is zero and every span empty, and <see cref="IsComplete"/> stays
/// false. So generated code reads everything, then asks once, and nothing is used before.
/// </remarks>
public ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _message;
    private int _at;
    private bool _refused;

    /// <param name="message">Header and body; the header has been checked.</param>
    public WireReader(ReadOnlySpan<byte> message)
    {
        _message = message;
        _at = WireHeader.Bytes;
        _refused = message.Length < WireHeader.Bytes;
    }

    /// <summary>Everything was well formed, and nothing is left.</summary>
    public readonly bool IsComplete => !_refused && _at == _message.Length;

    /// <summary>For values that have the right size and the wrong contents.</summary>
    public void Refuse() => _refused = true;

    public bool ReadBoolean()
    {
        byte value = ReadByte();
        if (value > 1)
        {
            _refused = true;
        }

        return value == 1;
    }

    public byte ReadByte()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(byte));
        return bytes.IsEmpty ? (byte)0 : bytes[0];
    }

    public ushort ReadUInt16()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(ushort));
        return bytes.IsEmpty ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint ReadUInt32()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(uint));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong ReadUInt64()
    {
        ReadOnlySpan<byte> bytes = Take(sizeof(ulong));
        return bytes.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public sbyte ReadSByte() => (sbyte)ReadByte();

    public short ReadInt16() => (short)ReadUInt16();

    public int ReadInt32() => (int)ReadUInt32();

    public long ReadInt64() => (long)ReadUInt64();

    /// <summary>Whether an optional value is there. When it is not, its <paramref name="bytes"/> must be zero.</summary>
    public bool ReadPresence(int bytes)
    {
        bool isPresent = ReadBoolean();
        if (isPresent || _refused)
        {
            return isPresent;
        }

        foreach (byte value in Take(bytes))
        {
            if (value != 0)
            {
                _refused = true;
            }
        }

        return false;
    }

    /// <summary>Length of something that is not in the message: an out-buffer, or a shared one.</summary>
    public int ReadRoom(int max)
    {
        uint room = ReadUInt32();
        if (room > (uint)max)
        {
            _refused = true;
            return 0;
        }

        return (int)room;
    }

    /// <summary>Elements in place: the span lies in the message.</summary>
    public ReadOnlySpan<T> ReadSpan<T>(int max)
        where T : unmanaged
    {
        int count = ReadRoom(max);
        Align(Unsafe.SizeOf<T>());
        long bytes = (long)count * Unsafe.SizeOf<T>();
        if (_refused || bytes > _message.Length - _at)
        {
            _refused = true;
            return default;
        }

        return MemoryMarshal.Cast<byte, T>(Take((int)bytes));
    }

    /// <summary>As <see cref="ReadSpan{T}"/>, of just <paramref name="count"/> elements.</summary>
    public ReadOnlySpan<T> ReadExactSpan<T>(int count)
        where T : unmanaged
    {
        ReadOnlySpan<T> span = ReadSpan<T>(count);
        if (span.Length != count)
        {
            _refused = true;
            return default;
        }

        return span;
    }

    public ReadOnlySpan<byte> ReadText(int max)
    {
        ReadOnlySpan<byte> text = ReadSpan<byte>(max);
        if (!Utf8Text.IsValid(text))
        {
            _refused = true;
            return default;
        }

        return text;
    }

    private void Align(int alignment)
    {
        int padding = -_at & (alignment - 1);
        foreach (byte value in Take(padding))
        {
            if (value != 0)
            {
                _refused = true;
            }
        }
    }

    /// <summary>The next bytes, or none when there are not so many.</summary>
    private ReadOnlySpan<byte> Take(int bytes)
    {
        if (_refused || bytes > _message.Length - _at)
        {
            _refused = true;
            return default;
        }

        ReadOnlySpan<byte> taken = _message.Slice(_at, bytes);
        _at += bytes;
        return taken;
    }
}
