using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;

namespace Exclaves.ImageTool.Description;

/// <summary>What one component takes of the pool before anything runs.</summary>
/// <param name="UntypedBytes">Sizes of its untyped memory, in the order of its grants.</param>
public sealed record PoolShare(bool IsProxy, ulong QuotaBytes, uint Threads, IReadOnlyList<ulong> UntypedBytes)
{
    public static PoolShare Of(ComponentFlags flags, ulong quota, uint threads, IEnumerable<GrantEntry> grants) => new(
        (flags & ComponentFlags.Proxy) != 0, quota, threads, [.. grants.Where(g => g.Kind == GrantKind.Untyped).Select(g => g.Argument)]);
}

/// <summary>How the pool at the top of RAM is divided, so that what does not fit is found here and not when the machine boots.</summary>
/// <remarks>The same rules as SPTM's Boot.PlacePool and SK's Boot.DivideMemory have; tests boot SK with just so much and with one page less.</remarks>
public static class PoolPlan
{
    /// <summary>SK's part of the pool starts at a multiple of this.</summary>
    public const ulong Block = 2ul << 20;

    /// <summary>RAM of the machine that `exclave` starts when nobody says how much.</summary>
    public const ulong UsualRamBytes = 2ul << 30;

    private const ulong Page = UserLayout.PageBytes;

    /// <summary>One for each thread of Linux that can be inside, and one to work with.</summary>
    private const ulong MessagePages = 513;
    private const ulong ProxyTablePages = 2;
    private const ulong ThreadBytes = 2048;

    /// <summary>Frame table, tables of the SMMU, of both worlds and of TXM, start information and measurement log.</summary>
    public static ulong MonitorBytes(ulong ramBytes)
    {
        const ulong FrameEntryBytes = 4;
        const ulong SmmuBytes = 0x1_0000;
        const ulong RootBytes = 2 * Page;
        const int Roots = 3;
        const ulong OtherTables = 64;
        ulong next = AlignUp(ramBytes / Page * FrameEntryBytes, RootBytes) + SmmuBytes + (Roots * RootBytes);
        next += ((ramBytes >> 20) + (ramBytes >> 29) + OtherTables) * Page;
        return AlignUp(next + Page + MeasurementLog.Bytes, Block);
    }

    /// <summary>Capability table, endpoint and threads of a component.</summary>
    public static ulong ObjectBytes(PoolShare share)
    {
        ulong tablePages = share.IsProxy ? ProxyTablePages : 1;
        return (tablePages * Page) + AlignUp((share.Threads + 1) * ThreadBytes, Page);
    }

    /// <summary>What SK takes at most, wherever a pool of whole blocks lies.</summary>
    public static UInt128 SecureKernelBytes(IReadOnlyCollection<PoolShare> shares)
    {
        UInt128 next = MessagePages * Page;
        foreach (PoolShare share in shares)
        {
            next += (UInt128)ObjectBytes(share) + share.QuotaBytes;
        }

        // Untyped memory lies at multiples of its size. `next` is counted from an address that is known to be a multiple of `known`.
        UInt128 before = 0;
        UInt128 known = Block;
        foreach (ulong size in shares.SelectMany(s => s.UntypedBytes))
        {
            if (size > known)
            {
                before += AlignUp(next, known) + size - known;
                known = size;
                next = size;
            }
            else
            {
                next = AlignUp(next, size) + size;
            }
        }

        return before + next;
    }

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);

    private static UInt128 AlignUp(UInt128 value, UInt128 alignment) => (value + alignment - 1) & ~(alignment - 1);
}
