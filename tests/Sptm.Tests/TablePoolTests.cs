using System;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The pool is as large as the worst that Linux and SK can make of both translations.</summary>
public class TablePoolTests
{
    private const ulong Gigabyte = 0x4000_0000;
    private const ulong Block = 0x20_0000;
    private const ulong Window = 1ul << 40;

    /// <summary>Counted on real tables: a GiB of which every block is split, and all that is no RAM. Other GiBs need as much as this one.</summary>
    [Fact]
    public void BothWorldsSplitInEveryBlockOfAnyMachineFitThePool()
    {
        ulong split = Used((ref Stage2<FakeMachine> tables, ref TablePool pool) =>
        {
            for (ulong block = Virt.RamBase; block < Virt.RamBase + Gigabyte; block += Block)
            {
                Assert.Equal(Status.Ok, tables.SetRange(ref pool, block + FrameTable.PageBytes, FrameTable.PageBytes, FrameAccess.Read, device: false));
            }
        });
        ulong others = Used(MapDevices) * 2;

        // TXM's own translation: its slot and the manifest's place, pages within one GiB.
        others += Used((ref Stage2<FakeMachine> tables, ref TablePool pool) =>
            Assert.Equal(Status.Ok, tables.SetRange(ref pool, Virt.ManifestBase, Virt.TablesBase - Virt.ManifestBase, FrameAccess.Read, device: false)));
        for (ulong ram = Gigabyte / 2; ram <= 64 * Gigabyte; ram += Gigabyte / 2)
        {
            ulong gigabytes = (ram + Gigabyte - 1) / Gigabyte;
            ulong need = (2 * gigabytes * (split - 512)) + (2 * (ram / Block)) + others;
            Assert.True(TablePool.BytesFor(ram) >= need * FrameTable.PageBytes, $"{ram >> 30} GiB need {need} tables, and {TablePool.BytesFor(ram) / FrameTable.PageBytes} are there");
        }
    }

    private delegate void Change(ref Stage2<FakeMachine> tables, ref TablePool pool);

    private static ulong Used(Change change)
    {
        FakeMachine.Reset();
        Stage2<FakeMachine> tables = new(Window, 1, FrameAccess.All);
        TablePool pool = new(Window + Gigabyte, Gigabyte);
        change(ref tables, ref pool);
        return (Gigabyte - pool.FreeBytes) / FrameTable.PageBytes;
    }

    /// <summary>More than either world has: what is mapped on any build, and every redistributor.</summary>
    private static void MapDevices(ref Stage2<FakeMachine> tables, ref TablePool pool)
    {
        foreach (ulong[] ranges in (ReadOnlySpan<ulong[]>)[DeviceMap.Linux.ToArray(), DeviceMap.Secure.ToArray(), DeviceMap.Closed.ToArray()])
        {
            for (int i = 0; i < ranges.Length; i += 2)
            {
                Assert.Equal(Status.Ok, tables.SetRange(ref pool, ranges[i], ranges[i + 1], FrameAccess.ReadWrite, device: true));
            }
        }

        for (int cpu = 0; cpu < Virt.MaxCpus; cpu++)
        {
            Assert.Equal(Status.Ok, tables.SetRange(
                ref pool, DeviceMap.RedistributorFrame(cpu), 2 * Virt.GicRedistributorFrameBytes, FrameAccess.ReadWrite, device: true));
        }
    }
}
