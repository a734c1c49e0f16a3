using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>The map of mappings against a dictionary of pages.</summary>
public class RegionMapTests
{
    private const ulong Base = 0x20_0000_0000;
    private const int Pages = 48;

    private sealed class Holder
    {
        public RegionMap Map;
    }

    private static readonly Gen<(int Kind, int First, int Length, int Access)> Step =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, Pages - 1], Gen.Int[1, 12], Gen.Int[0, 2], (k, f, l, a) => (k, f, System.Math.Min(l, Pages - f), a));

    [Fact]
    public void RandomWalksAgreeWithAPageTable() => Step.List[1, 60].Sample(steps =>
    {
        Holder holder = new();
        Dictionary<int, (MemoryAccess Access, bool Charged)> model = [];
        foreach ((int kind, int first, int length, int accessIndex) in steps)
        {
            MemoryAccess access = accessIndex switch { 0 => MemoryAccess.None, 1 => MemoryAccess.Read, _ => MemoryAccess.Read | MemoryAccess.Write };
            bool charged = accessIndex == 2;
            ulong start = Base + ((ulong)first << 12);
            ulong end = start + ((ulong)length << 12);
            switch (kind)
            {
                case 0:
                    Assert.True(holder.Map.TryRemove(start, end));
                    Assert.True(holder.Map.IsFree(start, end));
                    Assert.True(holder.Map.TryAdd(new Region { Start = start, End = end, Access = access, Charged = charged }));
                    for (int i = first; i < first + length; i++) { model[i] = (access, charged); }

                    break;
                case 1:
                    Assert.True(holder.Map.TryRemove(start, end));
                    for (int i = first; i < first + length; i++) { model.Remove(i); }

                    break;
                default:
                    bool covered = Enumerable.Range(first, length).All(model.ContainsKey);
                    Assert.Equal(covered, holder.Map.Covers(start, end));
                    if (!covered) { break; }

                    Assert.True(holder.Map.TrySetAccess(start, end, access, charged));
                    for (int i = first; i < first + length; i++) { model[i] = (access, model[i].Charged || charged); }

                    break;
            }

            Compare(ref holder.Map, model);
        }
    });

    private static void Compare(ref RegionMap map, Dictionary<int, (MemoryAccess Access, bool Charged)> model)
    {
        for (int i = 0; i < Pages; i++)
        {
            bool found = map.TryFind(Base + ((ulong)i << 12) + 5, out Region region);
            Assert.Equal(model.TryGetValue(i, out (MemoryAccess Access, bool Charged) expected), found);
            if (found) { Assert.Equal(expected, (region.Access, region.Charged)); }
        }

        for (int i = 1; i < map.Count; i++)
        {
            Region left = map.At(i - 1);
            Region right = map.At(i);
            Assert.True(left.End <= right.Start);
            Assert.False(left.End == right.Start && left.Access == right.Access && left.Charged == right.Charged, "equal neighbours are joined");
        }

        ulong top = Base + ((ulong)Pages << 12);
        Assert.Equal((ulong)model.Values.Count(v => v.Charged), map.ChargedPages(Base, top, charged: true));
        Assert.Equal((ulong)model.Values.Count(v => !v.Charged), map.ChargedPages(Base, top, charged: false));
        ulong hole = map.FindHole(3 << 12, Base, top);
        int expectedHole = Enumerable.Range(0, Pages - 2).FirstOrDefault(i => !model.ContainsKey(i) && !model.ContainsKey(i + 1) && !model.ContainsKey(i + 2), -1);
        Assert.Equal(expectedHole < 0 ? 0 : Base + ((ulong)expectedHole << 12), hole);
    }

    [Fact]
    public void AFullMapRefusesAndStaysAsItWas()
    {
        Holder holder = new();
        for (ulong i = 0; i < RegionMap.Capacity; i++)
        {
            ulong start = Base + (i << 14);
            Assert.True(holder.Map.TryAdd(new Region { Start = start, End = start + 0x3000, Access = MemoryAccess.Read }));
        }

        Assert.False(holder.Map.TryAdd(new Region { Start = Base + (1UL << 40), End = Base + (1UL << 40) + 0x1000 }));
        Assert.False(holder.Map.TryRemove(Base + 0x1000, Base + 0x2000));
        Assert.True(holder.Map.Covers(Base, Base + 0x3000));
        Assert.True(holder.Map.TryRemove(Base, Base + 0x3000));
        Assert.Equal(RegionMap.Capacity - 1, holder.Map.Count);
    }
}
