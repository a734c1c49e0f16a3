using System;
using System.Buffers.Binary;

namespace Exclaves.Sptm;

/// <summary>The monitor's log where an unmodified Linux reads it: coreboot's memory console, behind coreboot's table.</summary>
/// <remarks>
/// Linux's `memconsole-coreboot` shows it live as /sys/firmware/log (Documentation/devicetree/bindings/firmware/coreboot.txt;
/// coreboot's commonlib cbmem_console.h). Unlike a ramoops region it may be read only for Linux, and need not be probed again after a panic.
/// </remarks>
public static class FirmwareLog
{
    /// <summary>Of table and console together: whole pages.</summary>
    public const int Bytes = 0x8000;

    public const int Capacity = Bytes - Body;

    private const int Console = 64;
    private const int Cursor = Console + 4;
    private const int Body = Console + 8;

    /// <summary>In the cursor: letters were overwritten, and the oldest stands at the cursor.</summary>
    private const uint Overflow = 1u << 31;

    /// <summary>coreboot's header and its one entry (lb_header, lb_cbmem_ref). Linux looks at no checksum, so there is none.</summary>
    private static ReadOnlySpan<byte> Table =>
    [
        (byte)'L', (byte)'B', (byte)'I', (byte)'O',
        24, 0, 0, 0, // bytes of this header
        0, 0, 0, 0,
        16, 0, 0, 0, // bytes of the entries
        0, 0, 0, 0,
        1, 0, 0, 0, // entries
        0x17, 0, 0, 0, // LB_TAG_CBMEM_CONSOLE
        16, 0, 0, 0, // bytes of this entry
    ];

    /// <summary>Writes table and console header into zeroed memory.</summary>
    /// <param name="address">PA of the memory.</param>
    public static void Initialize(Span<byte> memory, ulong address)
    {
        Table.CopyTo(memory);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[Table.Length..], address + Console);
        Word(memory, Console, Capacity);
    }

    /// <summary>Letter number <paramref name="written"/>, from 0 on.</summary>
    public static void Put(Span<byte> memory, uint written, byte letter)
    {
        memory[Body + (int)(written % Capacity)] = letter;
        written++;
        Word(memory, Cursor, (written % Capacity) | (written >= Capacity ? Overflow : 0));
    }

    /// <summary>The letter that <see cref="Put"/> stored under that number, unless <see cref="Capacity"/> others came after it.</summary>
    public static byte Get(ReadOnlySpan<byte> memory, uint number) => memory[Body + (int)(number % Capacity)];

    private static void Word(Span<byte> memory, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(memory[offset..], value);
}
