using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

[InlineArray(LogLine.Capacity)]
internal struct LogBytes
{
    private byte _first;
}

/// <summary>Collects bytes until a line is whole. What does not fit starts a new line; control characters become dots.</summary>
public struct LogLine
{
    /// <summary>SK takes no longer lines.</summary>
    public const int Capacity = 256;
    private const byte NewLine = (byte)'\n';

    private LogBytes _bytes;
    private int _length;

    /// <summary>What each line becomes.</summary>
    public LogSeverity Level;
    public LineOrigin Origin;

    public void Write<TMachine>(ReadOnlySpan<byte> text, in Personality<TMachine> kit)
        where TMachine : struct, IKitMachine
    {
        foreach (byte character in text)
        {
            if (character == NewLine || _length == Capacity) { Flush(in kit); }

            if (character != NewLine) { _bytes[_length++] = character is (< 0x20 or 0x7F) and not (byte)'\t' ? (byte)'.' : character; }
        }
    }

    public void WriteHex<TMachine>(ulong value, in Personality<TMachine> kit)
        where TMachine : struct, IKitMachine
    {
        Span<byte> digits = stackalloc byte[16];
        for (int i = 0; i < digits.Length; i++) { digits[i] = "0123456789abcdef"u8[(int)(value >> (60 - (i * 4))) & 15]; }

        int start = 0;
        while (start < digits.Length - 1 && digits[start] == (byte)'0') { start++; }

        Write("0x"u8, in kit);
        Write(digits[start..], in kit);
    }

    public void WriteDecimal<TMachine>(ulong value, in Personality<TMachine> kit)
        where TMachine : struct, IKitMachine
    {
        Span<byte> digits = stackalloc byte[20];
        int start = digits.Length;
        do
        {
            digits[--start] = (byte)('0' + (value % 10));
            value /= 10;
        }
        while (value != 0);
        Write(digits[start..], in kit);
    }

    /// <summary>Sends what is there, if anything, as a line.</summary>
    public void Flush<TMachine>(in Personality<TMachine> kit)
        where TMachine : struct, IKitMachine
    {
        if (_length == 0) { return; }

        Span<byte> bytes = _bytes;
        kit.Record(bytes[.._length], Level, Origin);
        _length = 0;
    }
}
