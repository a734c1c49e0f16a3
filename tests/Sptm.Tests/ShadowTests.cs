using System;
using System.Text;
using Exclaves.Sptm.Image;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The account of TLBs in `Sptm.Checked`: each way to forget an invalidation, and the right ways beside it.</summary>
public class ShadowTests
{
    private const ulong Root = 0x1_0000_0000;
    private const ulong Other = Root + 0x2000;
    private const ulong Level2 = Root + 0x4000;
    private const ulong Level3 = Root + 0x5000;
    private const ulong Address = 0x8020_3000;
    private const ulong Block = 0x8020_0000;
    private const ulong Page = 0x783;
    private const ulong Table = 3;

    private Stage2Shadow _shadow;

    public ShadowTests()
    {
        _shadow.Begin(Root);
        _shadow.AddRoot(Root, 1);
        _shadow.AddRoot(Other, 2);
        Assert.Equal("", Write(Root + 16, 0, Level2 | Table));
        Assert.Equal("", Write(Level2 + 8, 0, Level3 | Table));
        Assert.Equal("", Write(Level3 + 24, 0, Address | Page));
        Assert.True(_shadow.IsSettled);
    }

    private static string Text(ReadOnlySpan<byte> rule) => Encoding.ASCII.GetString(rule);

    private string Write(ulong entry, ulong old, ulong value) => Text(_shadow.Write(entry, old, value));

    private string BreakPage() => Write(Level3 + 24, Address | Page, 0);

    [Fact]
    public void BreakInvalidateMakeIsRight()
    {
        Assert.Equal("", BreakPage());
        Assert.False(_shadow.IsSettled);
        _shadow.Invalidated(1, Address);
        Assert.True(_shadow.IsSettled);
        Assert.Equal("", Text(_shadow.Clear(Address)));
        Assert.Equal("", Write(Level3 + 24, 0, Address | 0x7C3));
    }

    [Fact]
    public void AValidDescriptorIsNotReplaced() => Assert.Contains("without a break", Write(Level3 + 24, Address | Page, Address | 0x7C3));

    [Fact]
    public void NothingIsMadeValidBeforeTheTlbi()
    {
        Assert.Equal("", BreakPage());
        Assert.Contains("made valid before", Write(Level3 + 24, 0, Address | 0x7C3));
        Assert.Equal("", Write(Level3 + 32, 0, (Address + 0x1000) | Page));
    }

    [Theory]
    [InlineData(2, Address)]
    [InlineData(1, Address + 0x1000)]
    public void TheTlbiOfAnotherWorldOrAddressIsNone(ushort vmid, ulong ipa)
    {
        Assert.Equal("", BreakPage());
        _shadow.Invalidated(vmid, ipa);
        Assert.False(_shadow.IsSettled);
        Assert.Contains("cleared before", Text(_shadow.Clear(Address)));
    }

    [Fact]
    public void ATableNeedsTheWholeVmid()
    {
        Assert.Equal("", Write(Level2 + 8, Level3 | Table, 0));
        _shadow.Invalidated(1, Address);
        Assert.Contains("made valid before", Write(Level2 + 8, 0, Block | 0x781));
        Assert.Contains("cleared before", Text(_shadow.Clear(Level3)));
        _shadow.InvalidatedAll(2);
        Assert.False(_shadow.IsSettled);
        _shadow.InvalidatedAll(1);
        Assert.True(_shadow.IsSettled);
        Assert.Equal("", Text(_shadow.Clear(Level3)));
        Assert.Equal("", Write(Level2 + 8, 0, Block | 0x781));
    }

    [Fact]
    public void OneAddressIsEnoughForABlock()
    {
        Assert.Equal("", Write(Level2 + 16, 0, (Block + 0x20_0000) | 0x781));
        Assert.Equal("", Write(Level2 + 16, (Block + 0x20_0000) | 0x781, 0));
        _shadow.Invalidated(1, Block + 0x20_0000 + 0x7000);
        Assert.True(_shadow.IsSettled);
    }

    [Fact]
    public void ATableThatNoWalkReachesIsFilledFreely()
    {
        Assert.Equal("", Write(Level3 + 0x1000, 0x8000_0783, 0x8000_07C3));
        Assert.True(_shadow.IsSettled);
    }
}
