using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

[InlineArray(ImageMap.Capacity)]
public struct ImageRegionTable
{
    private Region _first;
}

/// <summary>The program's own segments, as SK has mapped them: always resident, never unmapped.</summary>
public struct ImageMap
{
    public const int Capacity = 8;

    private ImageRegionTable _table;
    private int _count;

    public bool TryAdd(ulong start, ulong end, MemoryAccess access)
    {
        if (_count == Capacity || start >= end) { return false; }

        _table[_count++] = new Region { Start = Page.Down(start), End = Page.Up(end), Access = access };
        return true;
    }

    public readonly bool TryFind(ulong address, out Region region)
    {
        for (int i = 0; i < _count; i++)
        {
            if (address < _table[i].Start || address >= _table[i].End) { continue; }

            region = _table[i];
            return true;
        }

        region = default;
        return false;
    }
}
