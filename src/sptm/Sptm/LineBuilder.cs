using System;

namespace Exclaves.Sptm;

/// <summary>Builds one line of text in a buffer of the caller; what does not fit is cut off.</summary>
public ref struct LineBuilder
{
    private readonly Span<byte> _buffer;
    private int _length;

    public LineBuilder(Span<byte> buffer)
    {
        _buffer = buffer;
        _length = 0;
    }

    public readonly ReadOnlySpan<byte> Text => _buffer[.._length];

    public void Append(scoped ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length && _length < _buffer.Length; i++)
        {
            _buffer[_length++] = text[i];
        }
    }

    public void AppendHex(ulong value)
    {
        Append("0x"u8);
        bool started = false;
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            uint digit = (uint)(value >> shift) & 0xF;
            started |= digit != 0 || shift == 0;
            if (started)
            {
                AppendDigit(digit);
            }
        }
    }

    /// <summary>Two hexadecimal digits.</summary>
    public void AppendByte(byte value)
    {
        AppendDigit((uint)value >> 4);
        AppendDigit(value & 0xFu);
    }

    /// <summary>Decimal, with at least <paramref name="width"/> digits.</summary>
    public void AppendDecimal(ulong value, int width = 1)
    {
        ulong unit = 1;
        for (int digits = 1; digits < width || value / unit >= 10; digits++)
        {
            unit *= 10;
        }

        for (; unit != 0; unit /= 10)
        {
            AppendDigit((uint)(value / unit % 10));
        }
    }

    private void AppendDigit(uint digit)
    {
        if (_length < _buffer.Length)
        {
            _buffer[_length++] = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        }
    }
}
