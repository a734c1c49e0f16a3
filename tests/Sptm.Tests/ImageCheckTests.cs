using System;
using System.Collections.Generic;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Every rule about the image header and its segments, broken one at a time.</summary>
public class ImageCheckTests
{
    private const ulong Ram = 0x8000_0000;

    private delegate void Damage(ref ImageHeader header);

    private static ImageHeader Sound() => new()
    {
        Magic = ImageHeader.MagicValue,
        Version = ImageHeader.CurrentVersion,
        ComponentCount = 4,
        ServiceCount = 3,
        BootArgumentBytes = 20,
        BootArguments = 0x4060_2000,
        SecureEnd = 0x40E0_0000,
        KernelBase = 0x40E0_0000,
        KernelBytes = 0x300_0000,
        InitramfsBase = 0x43E0_0000,
        InitramfsBytes = 0x123_4567,
        PoolBytes = 0x800_0000,
        Components = 0x4060_1000,
        Services = 0x4060_1800,
        SkTextPages = 20,
        SkRodataPages = 3,
    };

    [Fact]
    public void ASoundHeaderIsPlanned()
    {
        Assert.True(ImageCheck.TryPlan(Sound(), Ram, out ImagePlan plan, out _));
        Assert.Equal((Virt.RamBase + Ram - 0x800_0000, 0x800_0000ul), (plan.PoolBase, plan.PoolBytes));
    }

    public static IEnumerable<object[]> Mistakes()
    {
        Damage[] all =
        [
            (ref ImageHeader h) => h.Magic++,
            (ref ImageHeader h) => h.Version++,
            (ref ImageHeader h) => h.SecureEnd += 0x1000,
            (ref ImageHeader h) => h.SecureEnd = Virt.ImageHeaderBase,
            (ref ImageHeader h) => h.SecureEnd = 0,
            (ref ImageHeader h) => h.KernelBase -= 0x20_0000,
            (ref ImageHeader h) => h.KernelBase += 0x1000,
            (ref ImageHeader h) => h.KernelBytes = 0,
            (ref ImageHeader h) => h.KernelBytes = ulong.MaxValue,
            (ref ImageHeader h) => h.InitramfsBase -= 0x1000,
            (ref ImageHeader h) => h.InitramfsBase += 1,
            (ref ImageHeader h) => h.InitramfsBytes = ulong.MaxValue,
            (ref ImageHeader h) => h.InitramfsBytes = 0x7800_0000,
            (ref ImageHeader h) => h.PoolBytes = 0,
            (ref ImageHeader h) => h.PoolBytes += 0x1000,
            (ref ImageHeader h) => h.PoolBytes = Ram,
            (ref ImageHeader h) => h.PoolBytes = ulong.MaxValue & ~0x1F_FFFFul,
            (ref ImageHeader h) => h.ComponentCount = 97,
            (ref ImageHeader h) => h.Components = 0x4020_0000,
            (ref ImageHeader h) => h.Components = h.SecureEnd,
            (ref ImageHeader h) => h.Components += 4,
            (ref ImageHeader h) => h.Services = ulong.MaxValue & ~7ul,
            (ref ImageHeader h) => h.ServiceCount = uint.MaxValue,
            (ref ImageHeader h) => h.BootArgumentBytes = 2049,
            (ref ImageHeader h) => h.BootArguments = h.SecureEnd - 4,
            (ref ImageHeader h) => h.SkTextPages = 0,
            (ref ImageHeader h) => h.SkTextPages = 513,
            (ref ImageHeader h) => h.SkRodataPages = uint.MaxValue,
        ];
        for (int i = 0; i < all.Length; i++)
        {
            yield return [i, all[i]];
        }
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void EachMistakeIsRefusedByItsRule(int number, Delegate damage)
    {
        ImageHeader header = Sound();
        ((Damage)damage)(ref header);
        Assert.False(ImageCheck.TryPlan(header, Ram, out _, out ReadOnlySpan<byte> rule), $"mistake {number}");
        Assert.False(rule.IsEmpty);
    }

    private static SegmentEntry Segment() => new()
    {
        VirtualBase = UserLayout.ComponentBase,
        PhysicalBase = 0x4061_0000,
        FileBytes = 0x2345,
        MemoryBytes = 0x3000,
        Access = MemoryAccess.Read | MemoryAccess.Execute,
    };

    [Fact]
    public void ASoundSegmentPasses() => Assert.True(ImageCheck.IsSegmentSound(Segment(), 0x40E0_0000));

    [Fact]
    public void WriteAndExecuteNeverPass()
    {
        for (uint access = 0; access < 32; access++)
        {
            SegmentEntry segment = Segment();
            segment.Access = (MemoryAccess)access;
            Assert.Equal(access < 6, ImageCheck.IsSegmentSound(segment, 0x40E0_0000));
        }
    }

    [Theory]
    [InlineData(0x4061_0800ul, 0x2345ul, 0x3000ul, UserLayout.ComponentBase)]
    [InlineData(0x4040_0000ul, 0x2345ul, 0x3000ul, UserLayout.ComponentBase)]
    [InlineData(0x40DF_F000ul, 0x2345ul, 0x3000ul, UserLayout.ComponentBase)]
    [InlineData(0x4061_0000ul, 0x3001ul, 0x3000ul, UserLayout.ComponentBase)]
    [InlineData(0x4061_0000ul, ulong.MaxValue, ulong.MaxValue, UserLayout.ComponentBase)]
    [InlineData(0x4061_0000ul, 0x2345ul, 0x3000ul, UserLayout.ComponentBase + 8)]
    [InlineData(0x4061_0000ul, 0x2345ul, 0x3000ul, UserLayout.End)]
    [InlineData(0x4061_0000ul, 0x2345ul, 0x3000ul, 0xFFFF_0000_4020_0000ul)]
    public void BadSegmentsAreRefused(ulong physical, ulong file, ulong memory, ulong address)
    {
        SegmentEntry segment = Segment();
        segment.PhysicalBase = physical;
        segment.FileBytes = file;
        segment.MemoryBytes = memory;
        segment.VirtualBase = address;
        Assert.False(ImageCheck.IsSegmentSound(segment, 0x40E0_0000));
    }
}
