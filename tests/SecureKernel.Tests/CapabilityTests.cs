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

    [Fact]
    public void FieldsTileTheWord()
    {
        Assert.Equal(8, Unsafe.SizeOf<Capability>());
        (int Shift, int Bits)[] fields =
        [
            (Capability.KindShift, Capability.KindBits), (Capability.RightsShift, Capability.RightsBits),
            (Capability.GenerationShift, Capability.GenerationBits), (Capability.ObjectShift, Capability.ObjectBits),
            (Capability.BadgeShift, Capability.BadgeBits),
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
        Assert.True(Limits.Slots <= 1 << Capability.BadgeBits);
    }

    [Fact]
    public void EveryFieldComesBackAndDisturbsNoOther()
    {
        Capability all = Capability.Create((CapabilityKind)15, (CapabilityRights)255, 0xFFFF, 0xFFF_FFFF, 255);
        Assert.Equal(ulong.MaxValue, all.Value);
        Capability odd = Capability.Create(CapabilityKind.Device, CapabilityRights.Map, 0x1234, 0x00A_BCDE, 17);
        Assert.Equal(
            (CapabilityKind.Device, CapabilityRights.Map, 0x1234u, 0x00A_BCDEul, 17),
            (odd.Kind, odd.Rights, odd.Generation, odd.Object, odd.BadgeIndex));
        Capability wide = Capability.Create(CapabilityKind.None, CapabilityRights.None, 0x1_0000, 1ul << 28, 256);
        Assert.Equal(0ul, wide.Value);
    }

    [Fact]
    public void ZeroIsInert()
    {
        CapabilityTable table = default;
        for (ulong slot = 0; slot < 300; slot++)
        {
            foreach (CapabilityKind kind in Kinds)
            {
                for (int rights = 0; rights < 256; rights++)
                {
                    Assert.Equal(Status.BadCapability, table.Decode(slot, kind, (CapabilityRights)rights, out Capability none));
                    Assert.Equal(0ul, none.Value);
                }
            }
        }

        Assert.All(Kinds, kind => Assert.False(table.MayUse(kind)));
    }

    [Fact]
    public void OnlyTheRightSlotKindAndRightsDecode()
    {
        foreach (CapabilityKind kind in Kinds.Where(k => k != CapabilityKind.None))
        {
            for (int held = 0; held < 16; held++)
            {
                CapabilityTable table = default;
                Assert.Equal(Status.Ok, table.Insert(7, kind, (CapabilityRights)held, 3, 99, 0xBAD6E));
                foreach (CapabilityKind asked in Kinds)
                {
                    for (int wanted = 0; wanted < 16; wanted++)
                    {
                        Status expected = asked != kind ? Status.BadCapability : wanted == 0 || (held & wanted) != wanted ? Status.Denied : Status.Ok;
                        Assert.Equal(expected, table.Decode(7, asked, (CapabilityRights)wanted, out Capability found));
                        Assert.Equal(expected == Status.Ok, found.Value != 0);
                        if (expected == Status.Ok)
                        {
                            Assert.Equal((99ul, 3u, 0xBAD6Eul), (found.Object, found.Generation, table.Badge(found)));
                        }
                    }
                }

                Assert.All(Kinds, k => Assert.Equal(k == kind && (held & (int)CapabilityRights.Use) != 0, table.MayUse(k)));
                foreach (ulong slot in new ulong[] { 0, 6, 8, Limits.Slots, 7 + (1ul << 32), ulong.MaxValue })
                {
                    Assert.Equal(Status.BadCapability, table.Decode(slot, kind, (CapabilityRights)held, out _));
                }
            }
        }
    }

    [Theory]
    [InlineData(0u, CapabilityKind.Endpoint, 0ul, Status.BadArgument)]
    [InlineData((uint)Limits.Slots, CapabilityKind.Endpoint, 0ul, Status.BadArgument)]
    [InlineData(uint.MaxValue, CapabilityKind.Endpoint, 0ul, Status.BadArgument)]
    [InlineData(5u, CapabilityKind.None, 0ul, Status.BadArgument)]
    [InlineData(5u, CapabilityKind.Device, 1ul << 28, Status.BadArgument)]
    [InlineData(4u, CapabilityKind.Device, 1ul, Status.BadState)]
    public void BadInsertionsChangeNothing(uint slot, CapabilityKind kind, ulong target, Status status)
    {
        CapabilityTable table = default;
        table.Insert(4, CapabilityKind.Endpoint, CapabilityRights.Send, 1, 2, 0);
        Assert.Equal(status, table.Insert(slot, kind, CapabilityRights.Use, 1, target, 0));
        Assert.Equal(Status.Ok, table.Decode(4, CapabilityKind.Endpoint, CapabilityRights.Send, out _));
        Assert.All(Kinds, k => Assert.False(table.MayUse(k)));
    }
}
