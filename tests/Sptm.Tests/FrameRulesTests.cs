using System;
using System.Collections.Generic;
using System.Linq;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>The frame tables, walked whole: I1, I2, I3.</summary>
public class FrameRulesTests
{
    private static readonly FrameType[] Types = Enum.GetValues<FrameType>();

    [Fact]
    public void EveryTypeHasARow() => Assert.Equal(FrameRules.TypeCount, Types.Length);

    [Fact]
    public void ZeroGrantsNothing()
    {
        Assert.Equal(FrameAccess.None, FrameRules.LinuxAccess(default));
        Assert.Equal(FrameAccess.None, FrameRules.SkAccess(default));
    }

    [Fact]
    public void LinuxReachesItsOwnFramesAndReadsWhatIsPublished()
    {
        foreach (FrameType type in Types)
        {
            FrameAccess expected = type switch
            {
                FrameType.XnuDefault or FrameType.SkSharedRw => FrameAccess.All,
                FrameType.SkSharedRo or FrameType.SptmLog => FrameAccess.Read,
                FrameType.XnuIo => FrameAccess.ReadWrite,
                _ => FrameAccess.None,
            };
            Assert.Equal(expected, FrameRules.LinuxAccess(type));
        }
    }

    [Fact]
    public void SkReachesNeitherLinuxNorTheMonitor()
    {
        foreach (FrameType type in Types.Where(t => t is FrameType.XnuDefault or FrameType.SptmCode or FrameType.SptmData or FrameType.SptmPageTable or FrameType.SptmLog))
        {
            Assert.Equal(FrameAccess.None, FrameRules.SkAccess(type));
        }
    }

    [Fact]
    public void NothingIsWritableAndExecutableForSk()
    {
        foreach (FrameType type in Types)
        {
            Assert.NotEqual(FrameAccess.Write | FrameAccess.Execute, FrameRules.SkAccess(type) & (FrameAccess.Write | FrameAccess.Execute));
        }
    }

    [Fact]
    public void UnknownTypesGrantNothing()
    {
        for (int raw = FrameRules.TypeCount; raw < 256; raw++)
        {
            Assert.Equal(FrameAccess.None, FrameRules.LinuxAccess((FrameType)raw));
            Assert.Equal(FrameAccess.None, FrameRules.SkAccess((FrameType)raw));
            FrameEntry frame = new() { Type = (FrameType)raw };
            Assert.Equal(Status.BadArgument, FrameRules.Apply(ref frame, FrameOperation.Share));
        }
    }

    private static readonly (FrameType From, FrameOperation Operation, FrameType To)[] Legal =
    [
        (FrameType.XnuDefault, FrameOperation.Share, FrameType.SkSharedRw),
        (FrameType.SkSharedRw, FrameOperation.Share, FrameType.SkSharedRw),
        (FrameType.SkSharedRw, FrameOperation.Unshare, FrameType.XnuDefault),
        (FrameType.XnuDefault, FrameOperation.NameArgument, FrameType.XnuDefault),
        (FrameType.XnuDefault, FrameOperation.ForgetArgument, FrameType.XnuDefault),
        (FrameType.SkSharedRw, FrameOperation.NameArgument, FrameType.SkSharedRw),
        (FrameType.SkSharedRw, FrameOperation.ForgetArgument, FrameType.SkSharedRw),
    ];

    public static IEnumerable<object[]> EveryPair() =>
        from type in Enumerable.Range(0, FrameRules.TypeCount + 1)
        from operation in Enumerable.Range(0, FrameRules.OperationCount + 1)
        select new object[] { (FrameType)type, (FrameOperation)operation };

    [Theory]
    [MemberData(nameof(EveryPair))]
    public void OnlyTheLegalPairsChangeAnything(FrameType from, FrameOperation operation)
    {
        FrameEntry frame = new() { Type = from, ArgumentCount = 1, BorrowCount = from == FrameType.SkSharedRw ? (ushort)1 : (ushort)0 };
        FrameEntry before = frame;
        Status status = FrameRules.Apply(ref frame, operation);
        int hit = Array.FindIndex(Legal, row => row.From == from && row.Operation == operation);
        Assert.Equal(hit >= 0, status == Status.Ok);
        Assert.Equal(hit >= 0 ? Legal[hit].To : from, frame.Type);
        if (hit < 0)
        {
            Assert.Equal((before.BorrowCount, before.ArgumentCount), (frame.BorrowCount, frame.ArgumentCount));
        }
    }

    [Fact]
    public void CountsRefuseAtTheirEnds()
    {
        FrameEntry frame = new() { Type = FrameType.SkSharedRw, BorrowCount = ushort.MaxValue, ArgumentCount = byte.MaxValue };
        Assert.Equal(Status.Busy, FrameRules.Apply(ref frame, FrameOperation.Share));
        Assert.Equal(Status.Busy, FrameRules.Apply(ref frame, FrameOperation.NameArgument));
        frame.ArgumentCount = 0;
        Assert.Equal(Status.Denied, FrameRules.Apply(ref frame, FrameOperation.ForgetArgument));
        Assert.Equal((ushort.MaxValue, (byte)0), (frame.BorrowCount, frame.ArgumentCount));
    }

    [Fact]
    public void AFrameIsClaimedOnce()
    {
        FrameTable table = new(new FrameEntry[16], Virt.RamBase);
        Assert.Equal(Status.Ok, table.Claim(Virt.RamBase + 0x1000, 0x2000, FrameType.SptmCode));
        Assert.Equal(Status.BadState, table.Claim(Virt.RamBase + 0x2000, 0x2000, FrameType.SkDefault));
        Assert.Equal(FrameType.Unknown, table.TypeOf(Virt.RamBase + 0x3000));
        table.ClaimRestForLinux();
        Assert.Equal(FrameType.SptmCode, table.TypeOf(Virt.RamBase + 0x2FFF));
        Assert.Equal(FrameType.XnuDefault, table.TypeOf(Virt.RamBase));
    }

    [Theory]
    [InlineData(0ul, 0x1000ul)]
    [InlineData(Virt.RamBase, 0ul)]
    [InlineData(Virt.RamBase + 1, 0x1000ul)]
    [InlineData(Virt.RamBase, 0x1001ul)]
    [InlineData(Virt.RamBase + 0xF000, 0x2000ul)]
    [InlineData(Virt.RamBase - 0x1000, 0x2000ul)]
    [InlineData(Virt.RamBase, 0xFFFF_FFFF_FFFF_F000ul)]
    public void BadRangesAreRefused(ulong start, ulong bytes)
    {
        FrameTable table = new(new FrameEntry[16], Virt.RamBase);
        Assert.Equal(Status.BadAddress, table.Claim(start, bytes, FrameType.SkDefault));
    }

    [Fact]
    public void AddressesOutsideRamHaveNoType()
    {
        FrameTable table = new(new FrameEntry[16], Virt.RamBase);
        table.ClaimRestForLinux();
        foreach (ulong address in new[] { 0ul, Virt.RamBase - 1, Virt.RamBase + 0x1_0000, ulong.MaxValue, Virt.RamBase + (1ul << 44) })
        {
            Assert.Equal(FrameType.Unknown, table.TypeOf(address));
        }
    }
}
