using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Physical addresses of the four descriptors that translate one address, root first. Zero: the walk ended above.</summary>
public struct TablePath
{
    public ulong Level0;
    public ulong Level1;
    public ulong Level2;
    public ulong Level3;
}

/// <summary>Stage-1 tables of one component: 4 KiB granule, 48 bits, four levels, out of its own untyped memory.</summary>
/// <remarks>A table knows how many entries it holds (<see cref="TableEntry.Count"/>) and goes back when it is empty, so that what was mapped and
/// unmapped leaves nothing behind. An entry goes valid only from a hole or from the same frame: break before make.</remarks>
public struct AddressSpace
{
    public ulong Root;

    /// <summary>ASID; never 0.</summary>
    public ulong Id;

    public readonly ulong TranslationBase => Root | (Id << 48);

    /// <summary>A page-aligned range of addresses that EL0 may name.</summary>
    public static bool IsRange(ulong address, ulong pages) =>
        (address & (Limits.PageBytes - 1)) == 0
        && address >= Lowest
        && pages is > 0 and <= UserLayout.End / Limits.PageBytes
        && address < UserLayout.End
        && (UserLayout.End - address) / Limits.PageBytes >= pages;

    /// <summary>Null pointers and small offsets from them always fault.</summary>
    public const ulong Lowest = 0x1_0000;

    /// <summary>The descriptor at <paramref name="address"/>; a hole when any level is missing.</summary>
    public readonly PageEntry Lookup<TMachine>(ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        return Walk<TMachine>(address, ref path) ? new PageEntry(TMachine.At<ulong>(path.Level3)) : default;
    }

    /// <summary>Physical address of a byte that the component itself may read (or write); 0 when it may not.</summary>
    public readonly ulong Translate<TMachine>(ulong address, bool write) where TMachine : struct, IMachine
    {
        if (address is < Lowest or >= UserLayout.End)
        {
            return 0;
        }

        PageEntry entry = Lookup<TMachine>(address);
        return !entry.IsValid || entry.Source is PageSource.Device or PageSource.Shared || (write && !entry.IsWritable)
            ? 0
            : entry.Frame | (address & (Limits.PageBytes - 1));
    }

    /// <summary>Puts a frame at a hole. <see cref="Status.BadState"/> when something is there, <see cref="Status.NoMemory"/> without a table.</summary>
    public readonly Status Map<TMachine>(ref Untyped memory, ulong address, PageEntry entry) where TMachine : struct, IMachine
    {
        TablePath path = default;
        if (!WalkOrCreate<TMachine>(ref memory, address, ref path))
        {
            Prune<TMachine>(ref memory, address, in path);
            return Status.NoMemory;
        }

        if (TMachine.At<ulong>(path.Level3) != 0)
        {
            return Status.BadState;
        }

        TMachine.WriteEntry(path.Level3, entry.Value);
        Adjust<TMachine>(path.Level2, 1);
        return Status.Ok;
    }

    /// <summary>Physical address of the last table on the way to <paramref name="address"/>, which stays from now on; 0 without memory for it.</summary>
    public readonly ulong Reserve<TMachine>(ref Untyped memory, ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        if (!WalkOrCreate<TMachine>(ref memory, address, ref path))
        {
            Prune<TMachine>(ref memory, address, in path);
            return 0;
        }

        Adjust<TMachine>(path.Level2, 1);
        return path.Level3 & ~(Limits.PageBytes - 1);
    }

    /// <summary>Takes <see cref="Reserve"/> back: the table goes, which holds nothing more.</summary>
    public readonly void GiveUp<TMachine>(ref Untyped memory, ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        if (Walk<TMachine>(address, ref path))
        {
            Adjust<TMachine>(path.Level2, -1);
            Prune<TMachine>(ref memory, address, in path);
        }
    }

    /// <summary>Physical address of the descriptor of <paramref name="address"/>; 0 when it has no table.</summary>
    public readonly ulong Descriptor<TMachine>(ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        return Walk<TMachine>(address, ref path) ? path.Level3 : 0;
    }

    /// <summary>Changes the rights of a mapped frame.</summary>
    public readonly void Protect<TMachine>(ulong address, PageAccess access) where TMachine : struct, IMachine
    {
        TablePath path = default;
        if (Walk<TMachine>(address, ref path))
        {
            PageEntry old = new(TMachine.At<ulong>(path.Level3));
            TMachine.WriteEntry(path.Level3, old.With(access).Value);
            if (old.IsValid)
            {
                TMachine.InvalidatePage(Id, address);
            }
        }
    }

    /// <summary>Makes a hole and returns what was there. The frame is the caller's when this returns.</summary>
    public readonly PageEntry Unmap<TMachine>(ref Untyped memory, ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        if (!Walk<TMachine>(address, ref path))
        {
            return default;
        }

        PageEntry old = new(TMachine.At<ulong>(path.Level3));
        if (!old.IsHole)
        {
            TMachine.WriteEntry(path.Level3, 0);
            Adjust<TMachine>(path.Level2, -1);
            Prune<TMachine>(ref memory, address, in path);
        }

        return old;
    }

    /// <summary>First address after the region (one table of <paramref name="address"/>'s missing level) that a walk need not look at.</summary>
    public readonly ulong NextCandidate<TMachine>(ulong address) where TMachine : struct, IMachine
    {
        TablePath path = default;
        return Walk<TMachine>(address, ref path) ? address + Limits.PageBytes : NextTable(address, in path);
    }

    /// <summary>Whether nothing is mapped in a range.</summary>
    /// <remarks>A table that exists holds something, so only those that the range covers in part are looked into.</remarks>
    public readonly bool IsFree<TMachine>(ulong address, ulong pages) where TMachine : struct, IMachine
    {
        const ulong TableSpan = 512 * Limits.PageBytes;
        ulong end = address + (pages * Limits.PageBytes);
        for (ulong at = address; at < end;)
        {
            TablePath path = default;
            if (!Walk<TMachine>(at, ref path))
            {
                at = NextTable(at, in path);
                continue;
            }

            ulong next = (at & ~(TableSpan - 1)) + TableSpan;
            if (next - at == TableSpan && next <= end)
            {
                return false;
            }

            ulong last = next < end ? next : end;
            for (ulong slot = path.Level3; at < last; at += Limits.PageBytes, slot += sizeof(ulong))
            {
                if (TMachine.At<ulong>(slot) != 0)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Exactly how many tables must be made before every page of a range can be mapped.</summary>
    public readonly ulong MissingTables<TMachine>(ulong address, ulong pages) where TMachine : struct, IMachine
    {
        const int Level3Shift = 21;
        const int Level2Shift = 30;
        const int Level1Shift = 39;
        ulong missing = 0;
        ulong lastLevel2 = ulong.MaxValue;
        ulong lastLevel1 = ulong.MaxValue;
        ulong end = address + (pages * Limits.PageBytes);
        for (ulong at = address; at < end; at = ((at >> Level3Shift) + 1) << Level3Shift)
        {
            TablePath path = default;
            if (Walk<TMachine>(at, ref path))
            {
                continue;
            }

            missing++;
            if (path.Level2 == 0 && at >> Level2Shift != lastLevel2)
            {
                lastLevel2 = at >> Level2Shift;
                missing++;
            }

            if (path.Level1 == 0 && at >> Level1Shift != lastLevel1)
            {
                lastLevel1 = at >> Level1Shift;
                missing++;
            }
        }

        return missing;
    }

    /// <summary>First address after the table that ended the walk of <paramref name="address"/>.</summary>
    private static ulong NextTable(ulong address, in TablePath path)
    {
        int shift = path.Level2 != 0 ? 21 : path.Level1 != 0 ? 30 : 39;
        return ((address >> shift) + 1) << shift;
    }

    private readonly bool Walk<TMachine>(ulong address, ref TablePath path) where TMachine : struct, IMachine
    {
        path.Level0 = Slot(Root, address, 39);
        TableEntry table = new(TMachine.At<ulong>(path.Level0));
        if (table.IsHole)
        {
            return false;
        }

        path.Level1 = Slot(table.Next, address, 30);
        table = new TableEntry(TMachine.At<ulong>(path.Level1));
        if (table.IsHole)
        {
            return false;
        }

        path.Level2 = Slot(table.Next, address, 21);
        table = new TableEntry(TMachine.At<ulong>(path.Level2));
        if (table.IsHole)
        {
            return false;
        }

        path.Level3 = Slot(table.Next, address, 12);
        return true;
    }

    private readonly bool WalkOrCreate<TMachine>(ref Untyped memory, ulong address, ref TablePath path) where TMachine : struct, IMachine
    {
        path.Level0 = Slot(Root, address, 39);
        path.Level1 = Descend<TMachine>(ref memory, path.Level0, 0, address, 30);
        if (path.Level1 == 0)
        {
            return false;
        }

        path.Level2 = Descend<TMachine>(ref memory, path.Level1, path.Level0, address, 21);
        if (path.Level2 == 0)
        {
            return false;
        }

        path.Level3 = Descend<TMachine>(ref memory, path.Level2, path.Level1, address, 12);
        return path.Level3 != 0;
    }

    /// <summary>The slot for <paramref name="address"/> in the table below <paramref name="entry"/>, which is made when it is missing.</summary>
    private static ulong Descend<TMachine>(ref Untyped memory, ulong entry, ulong parent, ulong address, int shift) where TMachine : struct, IMachine
    {
        TableEntry table = new(TMachine.At<ulong>(entry));
        if (table.IsHole)
        {
            ulong frame = memory.Allocate<TMachine>();
            if (frame == 0)
            {
                return 0;
            }

            table = TableEntry.Create(frame);
            TMachine.WriteEntry(entry, table.Value);
            if (parent != 0)
            {
                Adjust<TMachine>(parent, 1);
            }
        }

        return Slot(table.Next, address, shift);
    }

    /// <summary>Cuts off the tables above <paramref name="address"/> that hold nothing, then gives their frames back.</summary>
    private readonly void Prune<TMachine>(ref Untyped memory, ulong address, in TablePath path) where TMachine : struct, IMachine
    {
        ulong level3 = CutIfEmpty<TMachine>(path.Level2, path.Level1);
        ulong level2 = CutIfEmpty<TMachine>(path.Level1, path.Level0);
        ulong level1 = CutIfEmpty<TMachine>(path.Level0, 0);
        TMachine.InvalidatePage(Id, address);

        GiveBack<TMachine>(ref memory, level3);
        GiveBack<TMachine>(ref memory, level2);
        GiveBack<TMachine>(ref memory, level1);
    }

    private static ulong CutIfEmpty<TMachine>(ulong entry, ulong parent) where TMachine : struct, IMachine
    {
        if (entry == 0)
        {
            return 0;
        }

        TableEntry table = new(TMachine.At<ulong>(entry));
        if (table.IsHole || table.Count != 0)
        {
            return 0;
        }

        TMachine.WriteEntry(entry, 0);
        if (parent != 0)
        {
            Adjust<TMachine>(parent, -1);
        }

        return table.Next;
    }

    private static void GiveBack<TMachine>(ref Untyped memory, ulong table) where TMachine : struct, IMachine
    {
        if (table != 0)
        {
            memory.ReleaseEmpty<TMachine>(table);
        }
    }

    private static void Adjust<TMachine>(ulong entry, int by) where TMachine : struct, IMachine
    {
        TableEntry table = new(TMachine.At<ulong>(entry));
        TMachine.WriteEntry(entry, table.WithCount((ulong)((long)table.Count + by)).Value);
    }

    private static ulong Slot(ulong table, ulong address, int shift) => table | (((address >> shift) & 511) << 3);
}
