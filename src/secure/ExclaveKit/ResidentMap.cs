using System.Numerics;
using System.Runtime.CompilerServices;

namespace Exclaves.ExclaveKit;

/// <summary>64 pages, a bit for each that has a frame.</summary>
internal struct ResidentChunk
{
    /// <summary>Chunk number plus one; 0 is an empty slot.</summary>
    public ulong Key;
    public ulong Bits;
}

[InlineArray(ResidentMap.Capacity)]
internal struct ResidentTable
{
    private ResidentChunk _first;
}

/// <summary>Which pages have a frame. Sparse: a reservation of terabytes costs nothing.</summary>
/// <remarks>
/// Open addressing with linear probing. A chunk whose bits are all clear stays until the table is crowded; only then are such chunks
/// removed, so that <see cref="Next"/> may be used while bits change.
/// </remarks>
public struct ResidentMap
{
    public const int Capacity = 2048;
    public const int PagesPerChunk = 64;
    private const int ChunkShift = 6;
    private const int Mask = Capacity - 1;
    private const int CrowdedAt = Capacity / 4 * 3;

    private ResidentTable _table;
    private int _used;

    /// <summary>Pages with a frame.</summary>
    public ulong Pages { readonly get; private set; }

    public static ulong ChunkOf(ulong page) => page >> ChunkShift;

    /// <summary>The bits of chunk <paramref name="chunk"/> that lie in [first page, end page).</summary>
    public static ulong MaskOf(ulong chunk, ulong firstPage, ulong endPage)
    {
        ulong start = chunk << ChunkShift;
        if (endPage <= start || firstPage >= start + PagesPerChunk) { return 0; }

        ulong mask = ulong.MaxValue;
        if (firstPage > start) { mask &= ulong.MaxValue << (int)(firstPage - start); }

        if (endPage < start + PagesPerChunk) { mask &= ulong.MaxValue >> (int)(start + PagesPerChunk - endPage); }

        return mask;
    }

    public readonly ulong BitsOf(ulong chunk)
    {
        int slot = SlotOf(chunk + 1);
        return _table[slot].Key == 0 ? 0 : _table[slot].Bits;
    }

    public readonly bool Contains(ulong page) => ((BitsOf(ChunkOf(page)) >> (int)(page & (PagesPerChunk - 1))) & 1) != 0;

    /// <summary>Makes sure that bits of the chunk can be set; false when too many chunks are in use.</summary>
    public bool TryPrepare(ulong chunk)
    {
        int slot = SlotOf(chunk + 1);
        if (_table[slot].Key != 0) { return true; }

        if (_used >= CrowdedAt)
        {
            Purge();
            if (_used >= CrowdedAt) { return false; }

            slot = SlotOf(chunk + 1);
        }

        _table[slot].Key = chunk + 1;
        _table[slot].Bits = 0;
        _used++;
        return true;
    }

    /// <summary>Sets bits of a chunk that <see cref="TryPrepare"/> has admitted.</summary>
    public void Set(ulong chunk, ulong bits)
    {
        ref ResidentChunk entry = ref _table[SlotOf(chunk + 1)];
        Pages += (ulong)BitOperations.PopCount(bits & ~entry.Bits);
        entry.Bits |= bits;
    }

    public void Clear(ulong chunk, ulong bits)
    {
        ref ResidentChunk entry = ref _table[SlotOf(chunk + 1)];
        if (entry.Key == 0) { return; }

        Pages -= (ulong)BitOperations.PopCount(bits & entry.Bits);
        entry.Bits &= ~bits;
    }

    /// <summary>Walks the chunks with frames in [first page, end page), in no order. Start with a cursor of 0.</summary>
    public readonly bool Next(ulong firstPage, ulong endPage, ref ulong cursor, out ulong chunk, out ulong bits)
    {
        ulong first = ChunkOf(firstPage);
        ulong count = ChunkOf(endPage - 1) - first + 1;
        bool direct = count <= Capacity / 8;
        while (cursor < (direct ? count : Capacity))
        {
            ulong at = cursor++;
            chunk = direct ? first + at : unchecked(_table[(int)at].Key - 1);
            bits = (direct ? BitsOf(chunk) : _table[(int)at].Bits) & MaskOf(chunk, firstPage, endPage);
            if (bits != 0 && (direct || _table[(int)at].Key != 0)) { return true; }
        }

        chunk = 0;
        bits = 0;
        return false;
    }

    /// <summary>The lowest run of set bits: its first bit and length.</summary>
    public static int Run(ulong bits, out int length)
    {
        int first = BitOperations.TrailingZeroCount(bits);
        ulong rest = ~(bits >> first);
        length = rest == 0 ? PagesPerChunk : BitOperations.TrailingZeroCount(rest);
        return first;
    }

    public static ulong RunMask(int first, int length) =>
        (length == PagesPerChunk ? ulong.MaxValue : (1UL << length) - 1) << first;

    private static int HomeOf(ulong key) => (int)((key * 0x9E37_79B9_7F4A_7C15) >> 53) & Mask;

    /// <summary>Where the key is, or the empty slot where it would go. There is always an empty one.</summary>
    private readonly int SlotOf(ulong key)
    {
        int slot = HomeOf(key);
        while (_table[slot].Key != key && _table[slot].Key != 0) { slot = (slot + 1) & Mask; }

        return slot;
    }

    private void Purge()
    {
        for (int i = 0; i < Capacity; i++)
        {
            // A later entry may move into the slot that becomes free: look at it again.
            while (_table[i].Key != 0 && _table[i].Bits == 0) { Remove(i); }
        }
    }

    /// <summary>Removes an entry and moves later ones of its cluster up, so that no search stops early.</summary>
    private void Remove(int hole)
    {
        _used--;
        for (int next = (hole + 1) & Mask; _table[next].Key != 0; next = (next + 1) & Mask)
        {
            int distance = (next - HomeOf(_table[next].Key)) & Mask;
            if (distance < ((next - hole) & Mask)) { continue; }

            _table[hole] = _table[next];
            hole = next;
        }

        _table[hole] = default;
    }
}
