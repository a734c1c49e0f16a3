using System;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>The program's mappings: sorted, disjoint, neighbours of one kind joined.</summary>
/// <remarks>
/// All addresses are page aligned and all ranges not empty; callers see to that. An operation that would need more than
/// <see cref="Capacity"/> regions refuses and leaves the meaning of the map as it was.
/// </remarks>
public struct RegionMap
{
    public const int Capacity = 1024;

    private RegionTable _table;
    private int _count;

    public readonly int Count => _count;

    public readonly Region At(int index) => _table[index];

    /// <summary>The first region that ends behind <paramref name="address"/>; <see cref="Count"/> when there is none.</summary>
    public readonly int IndexFrom(ulong address)
    {
        int low = 0;
        int high = _count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_table[middle].End > address)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    public readonly bool TryFind(ulong address, out Region region)
    {
        int index = IndexFrom(address);
        bool found = index < _count && _table[index].Start <= address;
        region = found ? _table[index] : default;
        return found;
    }

    /// <summary>Whether every page of the range is mapped, with whatever access.</summary>
    public readonly bool Covers(ulong start, ulong end)
    {
        for (int i = IndexFrom(start); start < end; i++)
        {
            if (i >= _count || _table[i].Start > start) { return false; }

            start = _table[i].End;
        }

        return true;
    }

    public readonly bool IsFree(ulong start, ulong end)
    {
        int index = IndexFrom(start);
        return index >= _count || _table[index].Start >= end;
    }

    /// <summary>Pages of the range that count against the quota (or, with false, that are mapped and do not).</summary>
    public readonly ulong ChargedPages(ulong start, ulong end, bool charged)
    {
        ulong pages = 0;
        for (int i = IndexFrom(start); i < _count && _table[i].Start < end; i++)
        {
            if (_table[i].Charged != charged) { continue; }

            pages += Page.Count(Math.Max(start, _table[i].Start), Math.Min(end, _table[i].End));
        }

        return pages;
    }

    /// <summary>The lowest hole of <paramref name="bytes"/> within the bounds; 0 when there is none.</summary>
    public readonly ulong FindHole(ulong bytes, ulong low, ulong high)
    {
        ulong candidate = low;
        for (int i = IndexFrom(low); ; i++)
        {
            ulong limit = i < _count ? Math.Min(_table[i].Start, high) : high;
            if (limit > candidate && limit - candidate >= bytes) { return candidate; }

            if (i >= _count || _table[i].End >= high) { return 0; }

            candidate = Math.Max(candidate, _table[i].End);
        }
    }

    /// <summary>Adds a region where nothing is mapped.</summary>
    public bool TryAdd(Region region)
    {
        int index = IndexFrom(region.Start);
        if (!TryOpen(index)) { return false; }

        _table[index] = region;
        JoinAround(index, index + 1);
        return true;
    }

    /// <summary>Forgets whatever is mapped in the range.</summary>
    public bool TryRemove(ulong start, ulong end)
    {
        if (!TrySplit(start) || !TrySplit(end)) { return false; }

        int first = IndexFrom(start);
        int last = IndexFrom(end);
        Close(first, last - first);
        return true;
    }

    /// <summary>Changes the access of the mapped pages in the range; <paramref name="charge"/> marks them as charged, for good.</summary>
    public bool TrySetAccess(ulong start, ulong end, MemoryAccess access, bool charge)
    {
        if (!TrySplit(start) || !TrySplit(end)) { return false; }

        int first = IndexFrom(start);
        int last = IndexFrom(end);
        for (int i = first; i < last; i++)
        {
            _table[i].Access = access;
            _table[i].Charged |= charge;
        }

        JoinAround(first, last);
        return true;
    }

    /// <summary>Makes <paramref name="address"/> a border, if it lies inside a region.</summary>
    private bool TrySplit(ulong address)
    {
        int index = IndexFrom(address);
        if (index >= _count || _table[index].Start >= address) { return true; }

        if (!TryOpen(index)) { return false; }

        _table[index] = _table[index + 1];
        _table[index].End = address;
        _table[index + 1].Start = address;
        return true;
    }

    private bool TryOpen(int index)
    {
        if (_count == Capacity) { return false; }

        Span<Region> table = _table;
        table[index.._count].CopyTo(table[(index + 1)..]);
        _count++;
        return true;
    }

    private void Close(int index, int length)
    {
        Span<Region> table = _table;
        table[(index + length).._count].CopyTo(table[index..]);
        _count -= length;
    }

    /// <summary>Joins equal neighbours at every border from the one before <paramref name="first"/> to the one before <paramref name="last"/> and behind.</summary>
    private void JoinAround(int first, int last)
    {
        int low = Math.Max(first - 1, 0);
        for (int i = Math.Min(last, _count - 1); i > low; i--)
        {
            ref Region left = ref _table[i - 1];
            ref Region right = ref _table[i];
            if (left.End != right.Start || left.Access != right.Access || left.Charged != right.Charged) { continue; }

            left.End = right.End;
            Close(i, 1);
        }
    }
}
