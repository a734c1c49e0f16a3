using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.Sptm.Tests;

/// <summary>Stage-2 walks against a plain model, with break-before-make checked by the fake machine.</summary>
public class Stage2Tests
{
    private const ulong Root = 0x8000_0000;
    private const ulong PoolBase = 0x8010_0000;

    private static (Stage2<FakeMachine> Tables, TablePool Pool) New(ulong poolBytes = 0x40_0000)
    {
        FakeMachine.Reset();
        return (new Stage2<FakeMachine>(Root, 1, FrameAccess.None), new TablePool(PoolBase, poolBytes));
    }

    [Theory]
    [InlineData(0x4000_0000ul, 0x4000_0000ul, 1)]
    [InlineData(0x4020_0000ul, 0x20_0000ul, 2)]
    [InlineData(0x4020_1000ul, 0x1000ul, 3)]
    [InlineData(0x80_0000_0000ul, 0x80_0000_0000ul, 1)]
    public void RangesUseTheLargestLeaves(ulong start, ulong bytes, int level)
    {
        var (tables, pool) = New();
        ulong before = pool.FreeBytes;
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, start, bytes, FrameAccess.All, device: false));
        Assert.Equal((ulong)(level - 1) * 4096, before - pool.FreeBytes);
        Assert.Equal(FrameAccess.All, Stage2Descriptor.AccessOf(tables.Lookup(start + bytes - 1)));
        Assert.Equal(0ul, tables.Lookup(start - 1));
        Assert.Equal(0ul, tables.Lookup(start + bytes));
    }

    [Theory]
    [InlineData(1ul, 0x1000ul)]
    [InlineData(0ul, 0x1001ul)]
    [InlineData(0ul, 0ul)]
    [InlineData(0xFF_FFFF_F000ul, 0x2000ul)]
    [InlineData(0xFFFF_FFFF_FFFF_F000ul, 0x2000ul)]
    [InlineData(1ul << 40, 0x1000ul)]
    public void BadRangesAreRefused(ulong start, ulong bytes)
    {
        var (tables, pool) = New();
        Assert.Equal(Status.BadAddress, tables.SetRange(ref pool, start, bytes, FrameAccess.All, device: false));
        Assert.Empty(FakeMachine.Memory);
    }

    [Fact]
    public void ASplitKeepsTheRestOfTheBlock()
    {
        var (tables, pool) = New();
        tables.SetRange(ref pool, 0x4000_0000, 0x4000_0000, FrameAccess.All, device: false);
        Assert.Equal(Status.Ok, tables.SetRange(ref pool, 0x4123_4000, 0x1000, FrameAccess.None, device: false));
        Assert.Equal(0ul, tables.Lookup(0x4123_4000));
        Assert.Equal(FrameAccess.All, Stage2Descriptor.AccessOf(tables.Lookup(0x4123_3000)));
        Assert.Equal(FrameAccess.All, Stage2Descriptor.AccessOf(tables.Lookup(0x4123_5000)));
        Assert.Equal(FrameAccess.All, Stage2Descriptor.AccessOf(tables.Lookup(0x7FFF_F000)));
        Assert.Equal(0x4123_5000ul, tables.Lookup(0x4123_5000) & Stage2Descriptor.AddressMask);
        Assert.Equal(0, FakeMachine.Stale);
    }

    [Fact]
    public void AnEmptyPoolRefusesAndOpensNothing()
    {
        var (tables, pool) = New(poolBytes: 0x1000);
        Assert.Equal(Status.NoMemory, tables.SetRange(ref pool, 0x4000_0000, 0x1000, FrameAccess.All, device: false));
        Assert.Equal(0ul, tables.Lookup(0x4000_0000));
    }

    [Fact]
    public void RandomChangesMatchAModelOfPages()
    {
        Gen<(int Page, int Pages, int Access)[]> walk = Gen.Select(Gen.Int[0, 2047], Gen.Int[1, 1024], Gen.Int[0, 3]).Array[1, 25];
        FrameAccess[] choices = [FrameAccess.None, FrameAccess.Read, FrameAccess.ReadWrite, FrameAccess.All];
        walk.Sample(steps =>
        {
            var (tables, pool) = New();
            FrameAccess[] model = new FrameAccess[4096];
            foreach (var (page, pages, access) in steps)
            {
                Status status = tables.SetRange(ref pool, Virt.RamBase + ((ulong)page << 12), (ulong)pages << 12, choices[access], device: false);
                Assert.Equal(Status.Ok, status);
                Array.Fill(model, choices[access], page, pages);
                Assert.Equal(0, FakeMachine.Stale);
            }

            for (int i = 0; i < model.Length; i++)
            {
                ulong ipa = Virt.RamBase + ((ulong)i << 12);
                ulong leaf = tables.Lookup(ipa);
                Assert.Equal(model[i], Stage2Descriptor.AccessOf(leaf));
            }
        }, iter: 200);
    }

    [Theory]
    [InlineData(FrameAccess.None)]
    [InlineData(FrameAccess.Write)]
    [InlineData(FrameAccess.Execute)]
    public void WithoutReadThereIsNoLeaf(FrameAccess access) => Assert.Equal(0ul, Stage2Descriptor.Leaf(0x4000_0000, 3, access, device: false));

    [Fact]
    public void DevicesAreNeverExecutable()
    {
        ulong leaf = Stage2Descriptor.Leaf(0x0900_0000, 3, FrameAccess.All, device: true);
        Assert.Equal(FrameAccess.ReadWrite, Stage2Descriptor.AccessOf(leaf));
        Assert.True(Stage2Descriptor.IsDevice(leaf));
    }

    [Fact]
    public void SharingIsCountedAndUnmappedAtTheLastReturn()
    {
        Gen.Select(Gen.Int[0, 15], Gen.Bool).Array[1, 200].Sample(steps =>
        {
            var (tables, pool) = New();
            FrameTable frames = new(new FrameEntry[16], Virt.RamBase);
            frames.Claim(Virt.RamBase, 0x4000, FrameType.SkDefault);
            frames.ClaimRestForLinux();
            int[] model = new int[16];
            foreach (var (index, share) in steps)
            {
                ulong address = Virt.RamBase + ((ulong)index << 12);
                Status status = share
                    ? Sharing.Share(frames, tables, ref pool, address)
                    : Sharing.Unshare(frames, tables, ref pool, address);
                bool expected = index >= 4 && (share || model[index] > 0);
                Assert.Equal(expected, status == Status.Ok);
                model[index] += expected ? (share ? 1 : -1) : 0;
                Assert.Equal(model[index], frames.Entry(address).BorrowCount);
                Assert.Equal(model[index] > 0 ? FrameAccess.ReadWrite : FrameAccess.None, Stage2Descriptor.AccessOf(tables.Lookup(address)));
                Assert.Equal(0, FakeMachine.Stale);
            }
        }, iter: 300);
    }

    [Theory]
    [InlineData(0x4000_0001ul)]
    [InlineData(0ul)]
    [InlineData(0x0900_0000ul)]
    [InlineData(0x4001_0000ul)]
    [InlineData(ulong.MaxValue & ~0xFFFul)]
    public void SharingOutsideRamIsRefused(ulong address)
    {
        var (tables, pool) = New();
        FrameTable frames = new(new FrameEntry[16], Virt.RamBase);
        frames.ClaimRestForLinux();
        Assert.Equal(Status.Denied, Sharing.Share(frames, tables, ref pool, address));
        Assert.Equal(Status.Denied, Sharing.Unshare(frames, tables, ref pool, address));
    }

    [Fact]
    public void CopiesStayInsideOneFrameOfTheRightType()
    {
        FrameTable frames = new(new FrameEntry[16], Virt.RamBase);
        frames.Claim(Virt.RamBase, 0x1000, FrameType.SkDefault);
        frames.Claim(Virt.RamBase + 0x1000, 0x1000, FrameType.SptmData);
        frames.Claim(Virt.RamBase + 0x2000, 0x1000, FrameType.SkConst);
        frames.ClaimRestForLinux();
        ulong linux = Virt.RamBase + 0x3000;
        ulong secure = Virt.RamBase;
        Assert.Equal(Status.Ok, CopyRules.CheckRead(frames, linux, secure, 4096));
        Assert.Equal(Status.Ok, CopyRules.CheckRead(frames, linux + 4095, secure + 1, 1));
        Assert.Equal(Status.BadAddress, CopyRules.CheckRead(frames, linux + 1, secure, 4096));
        Assert.Equal(Status.BadAddress, CopyRules.CheckRead(frames, linux, secure + 1, 4096));
        Assert.Equal(Status.BadAddress, CopyRules.CheckRead(frames, linux, secure, 0));
        Assert.Equal(Status.BadAddress, CopyRules.CheckRead(frames, linux, secure, ulong.MaxValue));
        foreach (ulong source in new[] { secure, secure + 0x1000, secure + 0x2000, 0ul, 0x0900_0000ul, ulong.MaxValue & ~0xFFFul })
        {
            Assert.Equal(Status.Denied, CopyRules.CheckRead(frames, source, secure, 8));
        }

        foreach (ulong target in new[] { secure + 0x1000, secure + 0x2000, linux, 0ul })
        {
            Assert.Equal(Status.BadAddress, CopyRules.CheckRead(frames, linux, target, 8));
        }

        Assert.Equal(Status.Denied, CopyRules.CheckWrite(frames, linux, secure, 8));
        FrameRules.Apply(ref frames.Entry(linux), FrameOperation.NameArgument);
        Assert.Equal(Status.Ok, CopyRules.CheckWrite(frames, linux, secure, 8));
        Assert.Equal(Status.Denied, CopyRules.CheckWrite(frames, linux + 0x1000, secure, 8));
        FrameRules.Apply(ref frames.Entry(linux), FrameOperation.ForgetArgument);
        Assert.Equal(Status.Denied, CopyRules.CheckWrite(frames, linux, secure, 8));
    }

    /// <summary>SK names memory that SPTM reads or writes for it: never a frame that SK could not touch so itself, also not the second of two.</summary>
    [Fact]
    public void WhatSkNamesForTheMonitorIsItsOwn()
    {
        FrameTable frames = new(new FrameEntry[16], Virt.RamBase);
        frames.Claim(Virt.RamBase, 0x2000, FrameType.SkDefault);
        frames.Claim(Virt.RamBase + 0x2000, 0x1000, FrameType.SkConst);
        frames.Claim(Virt.RamBase + 0x3000, 0x1000, FrameType.SkCode);
        frames.ClaimRestForLinux();
        const ulong Data = Virt.RamBase;
        const ulong Const = Virt.RamBase + 0x2000;
        foreach ((ulong address, ulong bytes, bool read, bool written) in new[]
        {
            (Data, 0x1000ul, true, true),
            (Data + 0xFF8, 16ul, true, true),
            (Const - 8, 8ul, true, true),
            (Const - 8, 9ul, true, false),
            (Const, 0x1000ul, true, false),
            (Const + 0xFF8, 16ul, false, false),
            (Const + 0x1000, 8ul, false, false),
            (Const + 0x2000, 8ul, false, false),
            (Data - 8, 8ul, false, false),
            (Data - 8, 16ul, false, false),
            (Data, 0ul, false, false),
            (Data, 0x1001ul, false, false),
            (Data, ulong.MaxValue, false, false),
            (ulong.MaxValue, 2ul, false, false),
        })
        {
            Assert.Equal((address, bytes, read), (address, bytes, CopyRules.IsOwn(frames, address, bytes, isWritten: false)));
            Assert.Equal((address, bytes, written), (address, bytes, CopyRules.IsOwn(frames, address, bytes, isWritten: true)));
        }
    }
}
