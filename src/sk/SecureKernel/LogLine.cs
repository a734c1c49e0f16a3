using System;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>A line of log in SK's scratch page, on its way to SPTM. What does not fit is dropped.</summary>
public struct LogLine<TMachine> where TMachine : struct, IMachine
{
    private const ulong MaxBytes = 256;

    private ulong _page;
    private ulong _bytes;

    /// <summary>SK's own line.</summary>
    public static LogLine<TMachine> Start(ref KernelState kernel)
    {
        LogLine<TMachine> line = default;
        line._page = kernel.Scratch;
        return line;
    }

    /// <summary>Starts with the component's name and a colon, so that no component speaks in the name of another, or of SK.</summary>
    public static LogLine<TMachine> Start(ref KernelState kernel, ref Component component)
    {
        LogLine<TMachine> line = Start(ref kernel);
        for (ulong i = 0; i < 64; i++)
        {
            byte letter = TMachine.At<byte>(component.Entry + i);
            if (letter == 0)
            {
                break;
            }

            line.Add(letter);
        }

        line.Add(": "u8);
        return line;
    }

    /// <summary>Appends a letter; control characters become dots.</summary>
    public void Add(byte letter)
    {
        if (_bytes < MaxBytes)
        {
            TMachine.At<byte>(_page + _bytes) = letter is < 0x20 or > 0x7E ? (byte)'.' : letter;
            _bytes++;
        }
    }

    public void Add(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            Add(text[i]);
        }
    }

    public void AddHex(ulong value)
    {
        Add("0x"u8);
        bool leading = true;
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            uint digit = (uint)(value >> shift) & 15;
            if (digit == 0 && leading && shift != 0)
            {
                continue;
            }

            leading = false;
            Add((byte)(digit < 10 ? '0' + digit : 'a' + digit - 10));
        }
    }

    public void AddDecimal(uint value)
    {
        uint rest = value / 10;
        if (rest != 0)
        {
            AddDecimal(rest);
        }

        Add((byte)('0' + (value % 10)));
    }

    public readonly void Send() => TMachine.Log(_page, _bytes);
}
