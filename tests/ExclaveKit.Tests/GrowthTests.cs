using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>A conclave that may have memory of Linux asks for it where it needs it.</summary>
public class GrowthTests
{
    private const ulong Own = 1024;
    private const ulong Donated = 4096;
    private readonly List<ulong> _asked = [];

    /// <summary>Linux gives as long as <paramref name="grants"/> says so; what it gives can be mapped.</summary>
    private TestKit Make(Func<ulong, Status> grants)
    {
        TestKit kit = new(Own, Donated);
        kit.World.FrameQuota = kit.World.Frames.Count + (int)kit.State.OwnPages;
        Func<uint, byte[], Status> others = kit.World.Endpoint;
        kit.World.Endpoint = (slot, page) =>
        {
            if (slot != ComponentEntry.UpcallSlot) { return others(slot, page); }

            UpcallMessage asked = MemoryMarshal.Read<UpcallMessage>(page.AsSpan(MessageHeader.Bytes));
            Assert.Equal((MessageLabel.Upcall, Rpc.AllocateMemory), (MemoryMarshal.Read<MessageHeader>(page).Label, asked.Command));
            ulong pages = asked.P0.A / 4096;
            _asked.Add(pages);
            MessageHeader answer = new() { Label = MessageLabel.Reply, Status = grants(pages) };
            Give(kit, answer.Status == Status.Ok ? (int)pages : 0);
            MemoryMarshal.Write(page, in answer);
            return Status.Ok;
        };
        return kit;
    }

    /// <summary>Or SK gives back to Linux what is not used: less than nothing.</summary>
    private static void Give(TestKit kit, int pages)
    {
        kit.World.FrameQuota += pages;
        kit.World.DonatedPages += pages;
    }

    [Fact]
    public void WhatIsChargedBeyondTheOwnMemoryIsAskedFor()
    {
        TestKit kit = Make(_ => Status.Ok);
        new Random(1).NextBytes(kit.World.MessagePages[0]);
        byte[] message = [.. kit.World.MessagePages[0]];
        ulong memory = kit.Map(3000 * 4096);
        Assert.False(Result.IsError(memory));
        Assert.InRange(_asked.Sum(pages => (long)pages), 3000 - (long)kit.State.OwnPages, 3000);
        Assert.Equal(message, kit.World.MessagePages[0]);
        for (ulong page = 0; page < 3000; page++) { Assert.True(kit.Touch(memory + (page * 4096), write: true)); }
    }

    /// <summary>A reservation that becomes writable, as the collector does it.</summary>
    [Fact]
    public void SoIsWhatBecomesWritable()
    {
        TestKit kit = Make(_ => Status.Ok);
        ulong memory = kit.Map(3000 * 4096, writable: false);
        Assert.Empty(_asked);
        Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, memory, 3000 * 4096, 3));
        Assert.NotEmpty(_asked);
    }

    [Fact]
    public void NoMoreThanIsDeclared()
    {
        TestKit kit = Make(_ => Status.Ok);
        Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Map((Own + Donated) * 4096));
        Assert.Empty(_asked);
    }

    [Fact]
    public void ALinuxWithoutMemoryIsNoMemory()
    {
        TestKit kit = Make(_ => Status.NoMemory);
        Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Map(3000 * 4096));
        Assert.Equal([512, 256, 128, 64], _asked);
        Assert.False(Result.IsError(kit.Map(100 * 4096)));
    }

    [Fact]
    public void SmallerPiecesDoToo()
    {
        TestKit kit = Make(pages => pages > 128 ? Status.NoMemory : Status.Ok);
        Assert.False(Result.IsError(kit.Map(3000 * 4096)));
        Assert.Contains(128UL, _asked);
    }

    /// <summary>SK gives back by itself what is not used for a time.</summary>
    [Fact]
    public void APageThatFindsNoFrameAsksAgain()
    {
        TestKit kit = Make(_ => Status.Ok);
        ulong memory = kit.Map(3000 * 4096);
        Give(kit, -2000);
        _asked.Clear();
        for (ulong page = 0; page < 3000; page++) { Assert.True(kit.Touch(memory + (page * 4096), write: true)); }

        Assert.NotEmpty(_asked);
    }

    [Fact]
    public void IfLinuxHasNoneThenTheConclaveEndsAndSaysWhy()
    {
        bool has = true;
        TestKit kit = Make(_ => has ? Status.Ok : Status.NoMemory);
        ulong memory = kit.Map(3000 * 4096);
        Give(kit, -2000);
        has = false;
        ConclaveEnded end = Assert.Throws<ConclaveEnded>(() =>
        {
            for (ulong page = 0; page < 3000; page++) { kit.Touch(memory + (page * 4096), write: true); }
        });
        Assert.Equal(ExitCode.QuotaExhausted, end.Code);
        Assert.Contains("no frame is left", kit.LogText);
    }

    /// <summary>A thread that no call runs may charge; where it finds no frame it waits until somebody's call has asked.</summary>
    [Fact]
    public void WhoCannotAskWaits()
    {
        TestKit kit = Make(_ => Status.BadState);
        ulong memory = kit.Map(3000 * 4096);
        Assert.False(Result.IsError(memory));
        int room = (int)kit.State.OwnPages;
        kit.World.Refilling = (FakeWorld.Frequency / 100, 2500);
        for (ulong page = 0; page < (ulong)room + 100; page++) { Assert.True(kit.Touch(memory + (page * 4096), write: true)); }
    }

    [Fact]
    public void WhatIsBackWithLinuxIsAskedForAgain()
    {
        TestKit kit = Make(_ => Status.Ok);
        ulong memory = kit.Map(3000 * 4096);
        _asked.Clear();
        Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, memory, 3000 * 4096));
        Give(kit, -1000);
        Assert.False(Result.IsError(kit.Map(3000 * 4096)));
        Assert.InRange(_asked.Sum(pages => (long)pages), 900, 1100);
    }

    /// <summary>What is not back serves again, however often.</summary>
    [Fact]
    public void WhatIsUnmappedAndMappedDrawsNothing()
    {
        TestKit kit = Make(_ => Status.Ok);
        ulong kept = kit.Map(2000 * 4096);
        Assert.False(Result.IsError(kept));
        Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, kit.Map(1000 * 4096), 1000 * 4096));
        _asked.Clear();
        for (int i = 0; i < 100; i++)
        {
            ulong memory = kit.Map(1000 * 4096);
            Assert.False(Result.IsError(memory));
            Assert.Equal(0UL, kit.Call(LinuxCall.Munmap, memory, 1000 * 4096));
        }

        Assert.Empty(_asked);
    }

    /// <summary>All conclaves together can hold 64 runs.</summary>
    [Fact]
    public void ManySmallChargesAreFewRuns()
    {
        TestKit kit = Make(_ => Status.Ok);
        const ulong Step = 16;
        ulong memory = kit.Map((Own + Donated) / 2 * 2 * 4096, writable: false);
        for (ulong page = 0; page < Own + Donated - 600; page += Step) { Assert.Equal(0UL, kit.Call(LinuxCall.Mprotect, memory + (page * 4096), Step * 4096, 3)); }

        Assert.InRange(_asked.Count, 2, 24);
    }
}
