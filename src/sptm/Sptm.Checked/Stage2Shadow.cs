using System;
using System.Runtime.CompilerServices;

namespace Exclaves.Sptm.Image;

/// <summary>Account of what TLBs may still hold: which descriptors were broken and not yet invalidated (Arm ARM D8.14, break-before-make).</summary>
/// <remarks>Knows a descriptor by the table that it is in; a table that no walk reaches is not accounted for. Rules are empty when all is well.</remarks>
public struct Stage2Shadow
{
    private const int MaximumTables = 8192;
    private const int MaximumPending = 16;
    private const ulong PageMask = FrameTable.PageBytes - 1;
    private const ulong AddressMask = 0x0000_FFFF_FFFF_F000;
    private const int VmidShift = 48;

    private ulong _firstTable;
    private TagTable _tags;
    private PendingTable _pending;
    private int _pendingCount;

    /// <summary>A broken descriptor.</summary>
    private struct Pending
    {
        public ulong Base;
        public ulong Table;
        public int Level;
        public ushort Vmid;

        public readonly bool Overlaps(ulong start, int level)
        {
            int shift = Shift(level < Level ? level : Level);
            return start >> shift == Base >> shift;
        }
    }

    /// <summary>Of each table: first address that it translates, its VMID (bits 63 to 48) and level (bits 1 and 0); 0 when no walk reaches it.</summary>
    [InlineArray(MaximumTables)]
    private struct TagTable
    {
        private ulong _first;
    }

    [InlineArray(MaximumPending)]
    private struct PendingTable
    {
        private Pending _first;
    }

    /// <summary>Nothing is awaited of any TLB.</summary>
    public readonly bool IsSettled => _pendingCount == 0;

    /// <summary>First of the pages that hold tables.</summary>
    public void Begin(ulong firstTable) => _firstTable = firstTable;

    /// <summary>The two concatenated level-1 tables of a translation.</summary>
    public void AddRoot(ulong root, ushort vmid)
    {
        Tag(root, 0, 1, vmid);
        Tag(root + FrameTable.PageBytes, 512ul << Shift(1), 1, vmid);
    }

    /// <summary>A descriptor is about to change.</summary>
    public ReadOnlySpan<byte> Write(ulong entry, ulong old, ulong value)
    {
        ulong tag = TagOf(entry);
        if (tag == 0 || old == value)
        {
            return default;
        }

        ushort vmid = (ushort)(tag >> VmidShift);
        int level = (int)(tag & 3);
        ulong start = (tag & AddressMask) + ((entry & PageMask) / 8 << Shift(level));
        if ((old & value & 1) != 0)
        {
            return "a valid descriptor replaced without a break"u8;
        }

        if ((old & 1) != 0)
        {
            if (_pendingCount == MaximumPending)
            {
                return "too many descriptors broken without a TLBI"u8;
            }

            _pending[_pendingCount++] = new Pending { Base = start, Table = IsTable(old, level) ? old & AddressMask : 0, Level = level, Vmid = vmid };
            return default;
        }

        for (int i = 0; i < _pendingCount; i++)
        {
            if (_pending[i].Vmid == vmid && _pending[i].Overlaps(start, level))
            {
                return "a descriptor made valid before the TLBI for the old one"u8;
            }
        }

        if (IsTable(value, level))
        {
            Tag(value & AddressMask, start, level + 1, vmid);
        }

        return default;
    }

    /// <summary>Every TLB has forgotten what it had of <paramref name="ipa"/>.</summary>
    public void Invalidated(ushort vmid, ulong ipa)
    {
        for (int i = _pendingCount - 1; i >= 0; i--)
        {
            // One address is enough for a block, not for a table, behind which each page may be cached by itself.
            if (_pending[i].Vmid == vmid && _pending[i].Table == 0 && _pending[i].Overlaps(ipa, 3))
            {
                _pending[i] = _pending[--_pendingCount];
            }
        }
    }

    /// <summary>Every TLB has forgotten everything of a VMID.</summary>
    public void InvalidatedAll(ushort vmid)
    {
        for (int i = _pendingCount - 1; i >= 0; i--)
        {
            if (_pending[i].Vmid == vmid)
            {
                _pending[i] = _pending[--_pendingCount];
            }
        }
    }

    /// <summary>A frame, or a table that was taken out, is about to be overwritten.</summary>
    public ReadOnlySpan<byte> Clear(ulong frame)
    {
        for (int i = 0; i < _pendingCount; i++)
        {
            if (_pending[i].Table == frame || _pending[i].Overlaps(frame, 3))
            {
                return "a frame cleared before the TLBI for its old translation"u8;
            }
        }

        if (TagOf(frame) != 0)
        {
            _tags[(int)((frame - _firstTable) >> FrameTable.PageShift)] = 0;
        }

        return default;
    }

    private static int Shift(int level) => 39 - (9 * level);

    private static bool IsTable(ulong descriptor, int level) => level < 3 && (descriptor & 3) == 3;

    private void Tag(ulong table, ulong start, int level, ushort vmid)
    {
        ulong index = (table - _firstTable) >> FrameTable.PageShift;
        if (index < MaximumTables)
        {
            _tags[(int)index] = start | ((ulong)vmid << VmidShift) | (uint)level;
        }
    }

    private readonly ulong TagOf(ulong entry)
    {
        ulong index = (entry - _firstTable) >> FrameTable.PageShift;
        return index < MaximumTables ? _tags[(int)index] : 0;
    }
}
