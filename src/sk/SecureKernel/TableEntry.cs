namespace Exclaves.SecureKernel;

/// <summary>A stage-1 descriptor that points to a table (levels 0 to 2), and counts what that table holds.</summary>
/// <remarks>bits 1:0 table | 11:2 entries in use of the table below (ignored by hardware) | 47:12 table. Zero is a hole.</remarks>
public readonly struct TableEntry
{
    private const ulong Table = 3;
    private const int CountShift = 2;
    private const ulong CountMask = 0x3FF;

    private readonly ulong _value;

    public TableEntry(ulong value) => _value = value;

    public ulong Value => _value;
    public bool IsHole => _value == 0;
    public ulong Next => _value & PageEntry.AddressMask;
    public ulong Count => (_value >> CountShift) & CountMask;

    public static TableEntry Create(ulong table) => new((table & PageEntry.AddressMask) | Table);

    public TableEntry WithCount(ulong count) => new((_value & ~(CountMask << CountShift)) | (count << CountShift));
}
