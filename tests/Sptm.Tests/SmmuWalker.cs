namespace Exclaves.Sptm.Tests;

/// <summary>What an SMMU makes of tables: written from Arm IHI 0070 and Arm DDI 0487 (D8), sharing no code with what builds them.</summary>
internal sealed class SmmuWalker
{
    private readonly ulong[] _memory;
    private readonly ulong _base;

    public SmmuWalker(ulong[] memory, ulong address)
    {
        _memory = memory;
        _base = address;
    }

    /// <summary>Address of the stream table entry, or null when the id is refused (5.2).</summary>
    public ulong? FindEntry(uint stream)
    {
        const int Split = 6;
        if (stream >> 16 != 0)
        {
            return null;
        }

        ulong descriptor = Read(_base + (stream >> Split) * 8ul);
        int span = (int)(descriptor & 0x1F);
        uint index = stream & ((1 << Split) - 1);
        return span == 0 || index >= 1u << (span - 1) ? null : (descriptor & 0x000F_FFFF_FFFF_FFC0) + index * 64ul;
    }

    /// <summary>The physical address that a device reaches, or null when it is refused.</summary>
    public ulong? Translate(uint stream, ulong address)
    {
        if (FindEntry(stream) is not { } entry)
        {
            return null;
        }

        ulong first = Read(entry);
        bool stage1 = (first & 1) == 1 && ((first >> 1) & 7) == 5 && first >> 59 == 0;
        if (!stage1)
        {
            return null;
        }

        ulong context = first & 0x000F_FFFF_FFFF_FFC0;
        ulong flags = Read(context);
        int inputBits = 64 - (int)(flags & 0x3F);
        bool sound = ((flags >> 31) & 1) == 1 && ((flags >> 41) & 1) == 1 && ((flags >> 6) & 3) == 0 && ((flags >> 14) & 1) == 0 && inputBits is > 30 and <= 39;
        return !sound || address >> inputBits != 0 ? null : Walk(Read(context + 8) & 0x000F_FFFF_FFFF_FFF0, address);
    }

    private ulong? Walk(ulong table, ulong address)
    {
        for (int level = 1; ; level++)
        {
            int shift = 39 - 9 * level;
            ulong descriptor = Read(table + ((address >> shift) & 0x1FF) * 8);
            bool isPage = level == 3;
            if ((descriptor & 1) == 0 || (isPage && (descriptor & 2) == 0))
            {
                return null;
            }

            if (isPage || (descriptor & 2) == 0)
            {
                ulong mask = (1ul << shift) - 1;
                bool accessed = (descriptor & (1 << 10)) != 0;
                return accessed ? (descriptor & 0x0000_FFFF_FFFF_F000 & ~mask) | (address & mask) : null;
            }

            table = descriptor & 0x0000_FFFF_FFFF_F000;
        }
    }

    private ulong Read(ulong address) => _memory[(address - _base) / 8];
}
