using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>Lines for people: a ring in memory, and the PL011 while it is ours (before Linux runs, and when all is over).</summary>
public static unsafe class Console
{
    private const uint FlagTransmitFull = 1 << 5;
    private const int RingBytes = 32 * 1024;

    private static RingBuffer _ring;
    private static uint _written;
    private static uint _dumped;
    private static Spinlock _lock;
    private static uint _linuxOwnsUart;

    [System.Runtime.CompilerServices.InlineArray(RingBytes)]
    private struct RingBuffer
    {
        private byte _first;
    }

    /// <summary>Appends a line; a newline is added.</summary>
    public static void Line(scoped ReadOnlySpan<byte> text)
    {
        using Spinlock.Held held = _lock.Acquire();
        for (int i = 0; i < text.Length; i++)
        {
            Put(text[i] is >= 0x20 and < 0x7F ? text[i] : (byte)'?');
        }

        Put((byte)'\n');
        if (Volatile.Read(ref _linuxOwnsUart) == 0)
        {
            Dump();
        }
    }

    /// <summary>A line that people must see at once, even while Linux uses the UART: what the ring still holds comes out with it.</summary>
    public static void Urgent(scoped ReadOnlySpan<byte> text)
    {
        uint owner = Volatile.Read(ref _linuxOwnsUart);
        Volatile.Write(ref _linuxOwnsUart, 0);
        Line(text);
        Volatile.Write(ref _linuxOwnsUart, owner);
    }

    /// <summary>From now on the UART is Linux's and lines stay in the ring.</summary>
    public static void HandToLinux() => Volatile.Write(ref _linuxOwnsUart, 1);

    /// <summary>Takes the UART back, for a panic or the end of the machine, and writes out what is still in the ring.</summary>
    public static void TakeFromLinux()
    {
        Volatile.Write(ref _linuxOwnsUart, 0);
        Dump();
    }

    private static void Put(byte character)
    {
        _ring[(int)(_written % RingBytes)] = character;
        _written++;
    }

    private static void Dump()
    {
        if (_written - _dumped > RingBytes)
        {
            _dumped = _written - RingBytes;
        }

        while (_dumped != _written)
        {
            byte character = _ring[(int)(_dumped % RingBytes)];
            _dumped++;
            if (character == (byte)'\n')
            {
                Transmit((byte)'\r');
            }

            Transmit(character);
        }
    }

    private static void Transmit(byte character)
    {
        // SAFETY: the PL011 of Virt.Uart is mapped as device memory by entry.S.
        while ((Mmio.Read32(Virt.Uart + 0x18) & FlagTransmitFull) != 0)
        {
        }

        Mmio.Write32(Virt.Uart, character);
    }
}
