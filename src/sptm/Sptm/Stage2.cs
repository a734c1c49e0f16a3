using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>One world's stage-2 translation: 40-bit IPA, identity, blocks where possible.</summary>
/// <remarks>
/// Level 1 is two concatenated tables (1,024 entries of 1 GiB, 8 KiB aligned), as VTCR_EL2.T0SZ = 24 wants. All changes go through
/// <see cref="Replace"/>, which does break-before-make (Arm ARM D8.14); callers hold the stage-2 lock.
/// A table all of whose entries are at home becomes a block again, so that frames which come and go leave no fragments.
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
    private readonly FrameAccess _home;

    /// <param name="root">Physical base of the zeroed level-1 tables, 8 KiB aligned.</param>
    /// <param name="vmid">Not 0.</param>
    /// <param name="home">What this world may do with a frame of Linux that nobody else uses: the state to which tables shrink back.</param>
    public Stage2(ulong root, ushort vmid, FrameAccess home)
    {
        _root = root;
        _vmid = vmid;
        _home = home;
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
            Status status = SetLeaf(ref pool, start, level, Stage2Descriptor.Leaf(start, level, access, device));
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

    /// <summary>Sets the leaf of this level, and makes blocks of the tables on the way to it that have become needless.</summary>
    private Status SetLeaf(ref TablePool pool, ulong ipa, int level, ulong leaf)
    {
        Status status = Status.Ok;
        ulong middle = 0;
        ulong table = _root;
        int at = 1;
        for (; at < level; at++)
        {
            ulong entry = EntryAddress(table, ipa, at);
            ulong descriptor = TMachine.ReadEntry(entry);
            bool isTable = Stage2Descriptor.IsTable(descriptor, at);
            if (!isTable && (descriptor | leaf) == 0)
            {
                return Status.Ok;
            }

            if (!isTable)
            {
                if (!TrySplit(ref pool, entry, descriptor, ipa, at, out ulong split))
                {
                    status = Status.NoMemory;
                    break;
                }

                Count(table, at, ipa, descriptor, split);
                descriptor = split;
            }

            table = descriptor & Stage2Descriptor.AddressMask;
            middle = at == 1 ? table : middle;
        }

        if (at == level)
        {
            Set(ref pool, table, level, ipa, leaf);
        }

        for (; at > 1 && TMachine.Deviations(table) == 0; at--)
        {
            table = at == 2 ? _root : middle;
            Set(ref pool, table, at - 1, ipa, Home(ipa, at - 1));
        }

        return status;
    }

    /// <summary>Puts a leaf into a table of level <paramref name="at"/>.</summary>
    /// <remarks>Not inlined, as <see cref="Count"/>: in both of its places it would take a page of the image more.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Set(ref TablePool pool, ulong table, int at, ulong ipa, ulong leaf)
    {
        ulong old = Replace(EntryAddress(table, ipa, at), leaf, ipa);
        Count(table, at, ipa, old, leaf);
        if (Stage2Descriptor.IsTable(old, at))
        {
            Free(ref pool, old, at);
        }
    }

    /// <summary>A table below level 1 counts its entries that are not at home.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Count(ulong table, int at, ulong ipa, ulong old, ulong now)
    {
        if (at > 1)
        {
            ulong home = Home(ipa, at);
            TMachine.Deviations(table) += (ushort)((now != home ? 1 : 0) - (old != home ? 1 : 0));
        }
    }

    /// <summary>What stands for <paramref name="ipa"/> in a table of this level when all of it is at home.</summary>
    private ulong Home(ulong ipa, int level) => Stage2Descriptor.Leaf(ipa >> LevelShift(level) << LevelShift(level), level, _home, device: false);

    /// <summary>A block has taken the place of a table: gives it and what hangs on it back.</summary>
    private static void Free(ref TablePool pool, ulong descriptor, int level)
    {
        ulong table = descriptor & Stage2Descriptor.AddressMask;
        for (ulong i = 0; level == 1 && i <= IndexMask; i++)
        {
            ulong child = TMachine.ReadEntry(table + (i * 8));
            if (Stage2Descriptor.IsTable(child, 2))
            {
                Free(ref pool, child, 2);
            }
        }

        pool.Release<TMachine>(table);
    }

    /// <summary>Puts a table with the same translations in the place of a block (or of nothing).</summary>
    private bool TrySplit(ref TablePool pool, ulong entry, ulong block, ulong ipa, int level, out ulong descriptor)
    {
        descriptor = 0;
        if (!pool.TryTake<TMachine>(out ulong table))
        {
            return false;
        }

        if (Stage2Descriptor.IsValid(block))
        {
            int childShift = LevelShift(level + 1);
            ulong address = ipa & ~((1ul << LevelShift(level)) - 1);
            ulong leaf = Stage2Descriptor.Leaf(address, level + 1, Stage2Descriptor.AccessOf(block), Stage2Descriptor.IsDevice(block));
            for (ulong i = 0; i <= IndexMask; i++)
            {
                TMachine.WriteEntry(table + (i * 8), leaf);
                leaf += 1ul << childShift;
            }
        }

        TMachine.Deviations(table) = block == Home(ipa, level) ? (ushort)0 : (ushort)(IndexMask + 1);
        descriptor = Stage2Descriptor.Table(table);
        _ = Replace(entry, descriptor, ipa);
        return true;
    }

    /// <summary>Puts a descriptor in the place of another: break, invalidate, make.</summary>
    /// <returns>The old descriptor.</returns>
    private ulong Replace(ulong entry, ulong descriptor, ulong ipa)
    {
        ulong old = TMachine.ReadEntry(entry);
        if (old == descriptor)
        {
            return old;
        }

        if (Stage2Descriptor.IsValid(old))
        {
            TMachine.WriteEntry(entry, 0);

            // A table stands for many translations, each of which may be cached by itself; a leaf for one.
            bool isTable = (old & Stage2Descriptor.TableOrPage) != 0 && (old & Stage2Descriptor.AccessFlagOfLeaf) == 0;
            if (isTable)
            {
                TMachine.InvalidateAll(_vmid);
            }
            else
            {
                TMachine.Invalidate(_vmid, ipa);
            }
        }

        if (descriptor != 0)
        {
            TMachine.WriteEntry(entry, descriptor);
        }

        return old;
    }
}
