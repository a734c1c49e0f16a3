using System;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>Lines for people: the log in memory that Linux reads (<see cref="FirmwareLog"/>), and the PL011 while it is ours (before Linux runs, and when all is over).</summary>
public static unsafe class Console
{
    private const uint FlagTransmitFull = 1 << 5;

    private static uint _written;
    private static uint _dumped;
    private static Spinlock _lock;
    private static uint _linuxOwnsUart;

    // SAFETY: entry.S sets these pages aside.
    private static Span<byte> Log => new(El2.LogBase(), FirmwareLog.Bytes);

    /// <summary>Before the first line.</summary>
    public static void Start() => FirmwareLog.Initialize(Log, (ulong)El2.LogBase());

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

    /// <summary>From now on the UART is Linux's and lines stay in memory.</summary>
    public static void HandToLinux() => Volatile.Write(ref _linuxOwnsUart, 1);

    /// <summary>Takes the UART back, for a panic or the end of the machine, and writes out what is still in the ring.</summary>
    public static void TakeFromLinux()
    {
        Volatile.Write(ref _linuxOwnsUart, 0);
        Dump();
    }

    /// <summary>As <see cref="TakeFromLinux"/>, also when a CPU that will not go on holds the lock.</summary>
    public static void Seize()
    {
        _lock = default;
        TakeFromLinux();
    }

    private static void Put(byte character)
    {
        FirmwareLog.Put(Log, _written, character);
        _written++;
    }

    private static void Dump()
    {
        if (_written - _dumped > FirmwareLog.Capacity)
        {
            _dumped = _written - FirmwareLog.Capacity;
        }

        while (_dumped != _written)
        {
            byte character = FirmwareLog.Get(Log, _dumped);
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
