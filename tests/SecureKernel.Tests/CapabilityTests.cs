using System;
using System.Linq;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Capability words and the table that alone says yes to one, walked whole.</summary>
public class CapabilityTests
{
    private static readonly CapabilityKind[] Kinds = Enum.GetValues<CapabilityKind>();

    private static CapabilityTable Empty()
    {
        FakeMachine.Reset();
        return new CapabilityTable { Base = FakeMachine.MemoryBase + 0x1000, Slots = CapabilityTable.PageSlots };
    }

    [Fact]
    public void FieldsTileTheWord()
    {
        Assert.Equal(8, Unsafe.SizeOf<Capability>());
        (int Shift, int Bits)[] fields =
        [
            (Capability.KindShift, Capability.KindBits), (Capability.RightsShift, Capability.RightsBits),
            (Capability.RevokingShift, Capability.RevokingBits), (Capability.ClosedShift, Capability.ClosedBits), (Capability.DepthShift, Capability.DepthBits),
            (Capability.SizeShift, Capability.SizeBits), (Capability.OriginalShift, Capability.OriginalBits), (Capability.DeclaredShift, Capability.DeclaredBits),
            (Capability.ObjectShift, Capability.ObjectBits),
        ];
        ulong covered = 0;
        foreach (var (shift, bits) in fields)
        {
            ulong mask = ((1ul << bits) - 1) << shift;
            Assert.Equal(0ul, covered & mask);
            covered |= mask;
        }

        Assert.Equal(ulong.MaxValue, covered);
        Assert.True(Kinds.Length <= 1 << Capability.KindBits);
        Assert.True((int)CapabilityRights.All < 1 << Capability.RightsBits);
    }

    [Fact]
    public void EveryFieldComesBackAndDisturbsNoOther()
    {
        const ulong Highest = ((1ul << Capability.ObjectBits) - 1) * Capability.ObjectBytes;
        Capability all = Capability.Create((CapabilityKind)15, (CapabilityRights)255, Highest, 63, original: true, Capability.MaxDepth, declared: true).WithRevoking(true).WithClosed(true);
        Assert.Equal(ulong.MaxValue, all.Value);
        Assert.Equal((false, true, false), (all.WithClosed(false).IsClosed, all.WithClosed(false).IsRevoking, all.WithClosed(false).IsOpen));
        Assert.Equal((true, false, false), (all.WithRevoking(false).IsClosed, all.WithRevoking(false).IsRevoking, all.WithRevoking(false).IsOpen));
        Assert.True(all.WithRevoking(false).WithClosed(false).IsOpen);
        Capability odd = Capability.Create(CapabilityKind.Device, CapabilityRights.Map, 0x00A_BCDE0, 12, original: false, 11);
        Assert.Equal(
            (CapabilityKind.Device, CapabilityRights.Map, 0x00A_BCDE0ul, 12, false, 11), (odd.Kind, odd.Rights, odd.Object, odd.SizeLog2, odd.IsOriginal, odd.Depth));
        Capability wide = Capability.Create(CapabilityKind.None, CapabilityRights.None, Highest + Capability.ObjectBytes, 64, original: false, 16);
        Assert.Equal(0ul, wide.Value);
    }

    [Fact]
    public void ADerivationMayDoNoMore()
    {
        for (int held = 0; held <= (int)CapabilityRights.All; held++)
        {
            Capability parent = Capability.Create(CapabilityKind.Endpoint, (CapabilityRights)held, 0x1000, 6, original: true, 3);
            for (int wanted = 0; wanted <= (int)CapabilityRights.All; wanted++)
            {
                Capability child = parent.Derive((CapabilityRights)wanted);
                Assert.Equal((held & wanted, 4, false, 0x1000ul, 6), ((int)child.Rights, child.Depth, child.IsOriginal, child.Object, child.SizeLog2));
            }
        }
    }

    [Fact]
    public void ZeroIsInert()
    {
        CapabilityTable table = Empty();
        CapabilityTable none = default;
        foreach (ulong slot in Enumerable.Range(0, 300).Select(i => (ulong)i).Concat([1ul << 16, (1ul << 16) | 5, 1ul << 32, ulong.MaxValue]))
        {
            foreach (CapabilityKind kind in Kinds)
            {
                for (int rights = 0; rights < 256; rights += 5)
                {
                    Assert.Equal(Status.BadCapability, table.Decode<FakeMachine>(slot, kind, (CapabilityRights)rights, out _, out Capability found));
                    Assert.Equal(0ul, found.Value);
                    Assert.Equal(Status.BadCapability, none.Decode<FakeMachine>(slot, kind, (CapabilityRights)rights, out _, out _));
                }
            }
        }

        Assert.All(Kinds, kind => Assert.False(table.MayUse(kind)));
    }

    [Fact]
    public void OnlyTheRightSlotKindAndRightsDecode()
    {
        foreach (CapabilityKind kind in Kinds.Where(k => k is not CapabilityKind.None and not CapabilityKind.Table))
        {
            for (int held = 0; held <= (int)CapabilityRights.All; held++)
            {
                CapabilityTable table = Empty();
                Assert.Equal(Status.Ok, table.Insert<FakeMachine>(7, Capability.Create(kind, (CapabilityRights)held, 0x99000), 0xBAD6E));
                foreach (CapabilityKind asked in Kinds)
                {
                    for (int wanted = 0; wanted <= (int)CapabilityRights.All; wanted += 3)
                    {
                        Status expected = asked != kind ? Status.BadCapability : wanted == 0 || (held & wanted) != wanted ? Status.Denied : Status.Ok;
                        Assert.Equal(expected, table.Decode<FakeMachine>(7, asked, (CapabilityRights)wanted, out ulong slot, out Capability found));
                        Assert.Equal(expected == Status.Ok, found.Value != 0);
                        if (expected == Status.Ok)
                        {
                            Assert.Equal((0x99000ul, 0xBAD6Eul), (found.Object, FakeMachine.At<CapabilitySlot>(slot).Badge));
                        }
                    }
                }

                Assert.All(Kinds, k => Assert.Equal(k == kind && (held & (int)CapabilityRights.Use) != 0, table.MayUse(k)));
                foreach (ulong slot in new ulong[] { 0, 6, 8, CapabilityTable.PageSlots, 7 + (1ul << 32), (7ul << 16) | 7, ulong.MaxValue })
                {
                    Assert.Equal(Status.BadCapability, table.Decode<FakeMachine>(slot, kind, (CapabilityRights)held, out _, out _));
                }
            }
        }
    }

    [Theory]
    [InlineData(0u, Status.BadArgument)]
    [InlineData(CapabilityTable.PageSlots, Status.BadArgument)]
    [InlineData(uint.MaxValue, Status.BadArgument)]
    [InlineData(4u, Status.BadState)]
    public void BadInsertionsChangeNothing(uint slot, Status status)
    {
        CapabilityTable table = Empty();
        table.Insert<FakeMachine>(4, Capability.Create(CapabilityKind.Endpoint, CapabilityRights.Send, 0x40), 0);
        Assert.Equal(status, table.Insert<FakeMachine>(slot, Capability.Create(CapabilityKind.Device, CapabilityRights.Use, 0x1000), 0));
        Assert.Equal(Status.Ok, table.Decode<FakeMachine>(4, CapabilityKind.Endpoint, CapabilityRights.Send, out _, out _));
        Assert.All(Kinds, k => Assert.False(table.MayUse(k)));
    }
}
