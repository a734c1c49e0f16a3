using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>One world's stage-2 translation: 40-bit IPA, identity, blocks where possible.</summary>
/// <remarks>
/// Level 1 is two concatenated tables (1,024 entries of 1 GiB, 8 KiB aligned), as VTCR_EL2.T0SZ = 24 wants. All changes go through
/// <see cref="Replace"/>, which does break-before-make (Arm ARM D8.14); callers hold the stage-2 lock. Tables are never freed.
/// </remarks>
public readonly struct Stage2<TMachine>
    where TMachine : struct, IStage2Machine
{
    public const int IpaBits = 40;
    public const ulong RootBytes = 2 * FrameTable.PageBytes;

    private const ulong IndexMask = 0x1FF;
    private const ulong RootIndexMask = 0x3FF;

    private readonly ulong _root;
    private readonly ushort _vmid;

    /// <param name="root">Physical base of the zeroed level-1 tables, 8 KiB aligned.</param>
    /// <param name="vmid">Not 0.</param>
    public Stage2(ulong root, ushort vmid)
    {
        _root = root;
        _vmid = vmid;
    }

    public ulong Root => _root;

    /// <summary>VTTBR_EL2 for this translation.</summary>
    public ulong TranslationBase => _root | ((ulong)_vmid << 48);

    /// <summary>The leaf that translates <paramref name="ipa"/>, or 0.</summary>
    public ulong Lookup(ulong ipa)
    {
        if (ipa >> IpaBits != 0)
        {
            return 0;
        }

        ulong table = _root;
        for (int level = 1; ; level++)
        {
            ulong descriptor = TMachine.ReadEntry(EntryAddress(table, ipa, level));
            if (!Stage2Descriptor.IsTable(descriptor, level))
            {
                return Stage2Descriptor.IsValid(descriptor) ? descriptor : 0;
            }

            table = descriptor & Stage2Descriptor.AddressMask;
        }
    }

    /// <summary>Maps (or with no access unmaps) a range to itself, with the largest leaves that fit.</summary>
    /// <returns><see cref="Status.BadAddress"/>: unaligned or beyond the IPA size. <see cref="Status.NoMemory"/>: the pool is empty; part may be mapped.</returns>
    public Status SetRange(ref TablePool pool, ulong start, ulong bytes, FrameAccess access, bool device)
    {
        ulong end = start + bytes;
        if (((start | bytes) & (FrameTable.PageBytes - 1)) != 0 || end < start || (end - 1) >> IpaBits != 0)
        {
            return Status.BadAddress;
        }

        while (start < end)
        {
            int level = LargestLevel(start, end - start);
            Status status = SetLeaf(ref pool, start, level, access, device);
            if (status != Status.Ok)
            {
                return status;
            }

            start += 1ul << LevelShift(level);
        }

        return Status.Ok;
    }

    private static int LevelShift(int level) => 39 - (9 * level);

    private static int LargestLevel(ulong start, ulong bytes)
    {
        for (int level = 1; level < 3; level++)
        {
            ulong size = 1ul << LevelShift(level);
            if ((start & (size - 1)) == 0 && bytes >= size)
            {
                return level;
            }
        }

        return 3;
    }

    private static ulong EntryAddress(ulong table, ulong ipa, int level)
    {
        ulong mask = level == 1 ? RootIndexMask : IndexMask;
        return table + (((ipa >> LevelShift(level)) & mask) * 8);
    }

    private Status SetLeaf(ref TablePool pool, ulong ipa, int level, FrameAccess access, bool device)
    {
        ulong table = _root;
        for (int at = 1; at < level; at++)
        {
            ulong entry = EntryAddress(table, ipa, at);
            ulong descriptor = TMachine.ReadEntry(entry);
            if (!Stage2Descriptor.IsTable(descriptor, at))
            {
                if (!TrySplit(ref pool, entry, descriptor, ipa, at, out descriptor))
                {
                    return Status.NoMemory;
                }
            }

            table = descriptor & Stage2Descriptor.AddressMask;
        }

        Replace(EntryAddress(table, ipa, level), Stage2Descriptor.Leaf(ipa, level, access, device), ipa);
        return Status.Ok;
    }

    /// <summary>Puts a table with the same translations in the place of a block (or of nothing).</summary>
    private bool TrySplit(ref TablePool pool, ulong entry, ulong block, ulong ipa, int level, out ulong descriptor)
    {
        descriptor = 0;
        if (!pool.TryTake(out ulong table))
        {
            return false;
        }

        if (Stage2Descriptor.IsValid(block))
        {
            int childShift = LevelShift(level + 1);
            ulong address = ipa & ~((1ul << LevelShift(level)) - 1);
            FrameAccess access = Stage2Descriptor.AccessOf(block);
            bool device = Stage2Descriptor.IsDevice(block);
            for (ulong i = 0; i <= IndexMask; i++)
            {
                TMachine.WriteEntry(table + (i * 8), Stage2Descriptor.Leaf(address + (i << childShift), level + 1, access, device));
            }
        }

        descriptor = Stage2Descriptor.Table(table);
        Replace(entry, descriptor, ipa);
        return true;
    }

    private void Replace(ulong entry, ulong descriptor, ulong ipa)
    {
        ulong old = TMachine.ReadEntry(entry);
        if (old == descriptor)
        {
            return;
        }

        if (Stage2Descriptor.IsValid(old))
        {
            TMachine.WriteEntry(entry, 0);
            TMachine.Invalidate(_vmid, ipa);
        }

        if (descriptor != 0)
        {
            TMachine.WriteEntry(entry, descriptor);
        }
    }
}
