namespace Exclaves.Abi;

/// <summary>Whole pages of a registered buffer that a service sees while it serves one call: word i of the message for parameter i.</summary>
/// <remarks>bit 0 there is one | 1 writable | 11:2 pages - 1 | 47:12 address of the first page: on the way to SK in XnuProxy's window, at the service in the
/// window of the thread that serves (<see cref="UserLayout.LentWindowOf"/>). Zero lends nothing.</remarks>
public readonly struct LentRange
{
    /// <summary>Pages that one call can lend, all its parameters together: 1 MiB wherever it begins, and three small buffers of two pages each beside it.</summary>
    public const uint MaxPages = 264;

    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const int PagesShift = 2;
    private const ulong PagesMask = 0x3FF;
    private const ulong AddressMask = 0x0000_FFFF_FFFF_F000;

    private readonly ulong _value;

    public LentRange(ulong value) => _value = value;

    public ulong Value => _value;
    public bool IsNone => (_value & Present) == 0;
    public bool IsWritable => (_value & Writable) != 0;
    public ulong Address => _value & AddressMask;
    public uint Pages => (uint)((_value >> PagesShift) & PagesMask) + 1;

    /// <param name="address">Of a page.</param>
    /// <param name="pages">1 to <see cref="MaxPages"/>.</param>
    public static LentRange Create(ulong address, uint pages, bool writable) =>
        new((address & AddressMask) | ((ulong)(pages - 1) << PagesShift) | (writable ? Writable : 0) | Present);

    /// <summary>The same pages somewhere else.</summary>
    public LentRange At(ulong address) => new((_value & ~AddressMask) | (address & AddressMask));
}
