using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>Which pages have frames, against a set of page numbers.</summary>
public class ResidentMapTests
{
    private sealed class Holder
    {
        public ResidentMap Map;
    }

    private static void Set(ref ResidentMap map, ulong page)
    {
        Assert.True(map.TryPrepare(ResidentMap.ChunkOf(page)));
        map.Set(ResidentMap.ChunkOf(page), 1UL << (int)(page % 64));
    }

    private static void Clear(ref ResidentMap map, ulong page) => map.Clear(ResidentMap.ChunkOf(page), 1UL << (int)(page % 64));

    private static SortedSet<ulong> Collect(ref ResidentMap map, ulong first, ulong end)
    {
        SortedSet<ulong> pages = [];
        ulong cursor = 0;
        while (map.Next(first, end, ref cursor, out ulong chunk, out ulong bits))
        {
            while (bits != 0)
            {
                int start = ResidentMap.Run(bits, out int length);
                bits &= ~ResidentMap.RunMask(start, length);
                for (int i = 0; i < length; i++) { Assert.True(pages.Add((chunk * 64) + (ulong)(start + i))); }
            }
        }

        return pages;
    }

    [Fact]
    public void RandomWalksAgreeWithASet() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 5], Gen.Int[0, 300], Gen.Int[1, 200]).List[1, 80].Sample(steps =>
        {
            Holder holder = new();
            SortedSet<ulong> model = [];
            foreach ((bool set, int area, int offset, int length) in steps)
            {
                ulong first = ((ulong)area << 30) + (ulong)offset;
                for (ulong page = first; page < first + (ulong)length; page++)
                {
                    if (set)
                    {
                        Set(ref holder.Map, page);
                        model.Add(page);
                    }
                    else
                    {
                        Clear(ref holder.Map, page);
                        model.Remove(page);
                    }
                }

                Assert.Equal((ulong)model.Count, holder.Map.Pages);
                Assert.Equal(model.GetViewBetween(first, first + 100), Collect(ref holder.Map, first, first + 101));
            }

            Assert.Equal(model, Collect(ref holder.Map, 0, 1UL << 36));
        });

    [Fact]
    public void EmptiedChunksMakeRoomAndNothingIsLost()
    {
        // Many more chunks over time than the table holds, in an order that makes clusters wrap and merge.
        Holder holder = new();
        SortedSet<ulong> model = [];
        System.Random random = new(7);
        for (int round = 0; round < 20_000; round++)
        {
            ulong page = (ulong)random.NextInt64(1L << 34);
            Set(ref holder.Map, page);
            model.Add(page);
            if (model.Count > 900)
            {
                ulong victim = model.ElementAt(random.Next(model.Count));
                Clear(ref holder.Map, victim);
                model.Remove(victim);
            }
        }

        Assert.Equal(model, Collect(ref holder.Map, 0, 1UL << 36));
        Assert.All(model, page => Assert.True(holder.Map.Contains(page)));
    }

    [Fact]
    public void TooManyChunksAreRefused()
    {
        Holder holder = new();
        ulong chunk = 0;
        while (holder.Map.TryPrepare(chunk)) { holder.Map.Set(chunk++, 1); }

        Assert.InRange(chunk, 1000UL, (ulong)ResidentMap.Capacity);
        Assert.Equal(chunk, holder.Map.Pages);
    }
}
