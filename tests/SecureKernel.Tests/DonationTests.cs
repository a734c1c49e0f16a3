using System;
using System.Collections.Generic;
using System.Linq;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Memory of Linux in a component: what SK takes, whose it is, and how it goes back whatever happens.</summary>
public class DonationTests
{
    private const ulong Page = Limits.PageBytes;
    private const ulong Run = FakeMachine.LinuxBase + 0x80_0000;
    private const ulong Address = UserLayout.PrivateBase;
    private const ulong Limit = 1024;
    private const ulong ReadWrite = (ulong)(MemoryAccess.Read | MemoryAccess.Write);

    private static Dictionary<ulong, byte[]> Donated => FakeMachine.Machine.Donated;

    /// <summary>Hello serves a call and may have donated memory.</summary>
    private static Sk Serving(out ulong downcall)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).DonatedBytes = Limit * Page;
        sk = Sk.BootPrepared(sk);
        downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        return sk;
    }

    /// <summary>As XnuProxy does: chunk after chunk.</summary>
    private static Status Give(Sk sk, ulong address, ulong pages, ulong owner = Sk.Hello)
    {
        while (true)
        {
            Status status = Donations<FakeMachine>.Give(ref sk.State, address, pages, owner, out ulong done);
            if (status != Status.Ok || done == pages)
            {
                return status;
            }

            Assert.InRange(done, 1ul, Limits.RetypePages);
            address += done * Page;
            pages -= done;
        }
    }

    private static List<ulong> Drain(Sk sk)
    {
        for (int i = 0; sk.State.IsPending(PendingWork.Return); i++)
        {
            Assert.True(i < 1000);
            Donations<FakeMachine>.ReturnChunk(ref sk.State);
        }

        List<ulong> collected = [];
        for (ulong address = Donations<FakeMachine>.Collect(ref sk.State); address != 0; address = Donations<FakeMachine>.Collect(ref sk.State))
        {
            collected.Add(address);
        }

        return collected;
    }

    private static Status Map(Sk sk, ulong address, ulong pages)
    {
        sk.Complete(0, SecureCall.MapMemory, address, pages, ReadWrite);
        return sk.Result(Sk.Hello);
    }

    [Fact]
    public void DataLiesInDonatedMemoryAndTablesDoNot()
    {
        Sk sk = Serving(out _);
        ref Component hello = ref sk.At(Sk.Hello);
        ulong own = hello.Memory.UsedFrames;
        Assert.Equal(Status.Ok, Give(sk, Run, 3));
        Assert.Equal((3ul, 3), (hello.DonatedFree, Donated.Count));

        // Three donated pages, then the own quota: one page of it and the tables of a new region.
        sk.Call(0, SecureCall.MapMemory, Address, 4, ReadWrite);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        ulong[] frames = [.. Enumerable.Range(0, 4).Select(i => sk.At(Sk.Hello).Space.Lookup<FakeMachine>(Address + ((ulong)i * Page)).Frame)];
        Assert.Equal([Run, Run + Page, Run + (2 * Page)], frames[..3]);
        Assert.InRange(frames[3], hello.Memory.Base, hello.Memory.Base + hello.Memory.Bytes - 1);
        Assert.Equal((0ul, own + 2), (hello.DonatedFree, hello.Memory.UsedFrames));

        Donated[Run + Page][7] = 0x5A;
        sk.Call(0, SecureCall.UnmapMemory, Address, 4);
        Assert.Equal((3ul, own), (hello.DonatedFree, hello.Memory.UsedFrames));
        Assert.Equal(0, Donated[Run + Page][7]);
    }

    [Fact]
    public void TheQuotaAndTheDonatedMemoryTogetherAreTheWholePrice()
    {
        Sk sk = Serving(out _);
        ulong free = sk.At(Sk.Hello).Memory.FreeFrames;
        Assert.Equal(Status.Ok, Give(sk, Run, 8));
        sk.Complete(0, SecureCall.MapMemory, Address, free + 8, ReadWrite);
        Assert.Equal(Status.NoMemory, sk.Result(Sk.Hello));
        sk.Complete(0, SecureCall.MapMemory, Address, free + 8 - 1, ReadWrite);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        Assert.Equal(0ul, sk.At(Sk.Hello).Memory.FreeFrames);
    }

    /// <summary>XnuProxy, which runs next on CPU 0, has nothing but the news in hand.</summary>
    private static void AssertTold(Sk sk)
    {
        Assert.Equal((MessageLabel.MemoryWanted, ServingKind.Notice), (sk.Message(Sk.Proxy).Label, sk.On(Sk.Proxy).Serving.Kind));
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
    }

    /// <summary>What the component itself sees of it, at any time.</summary>
    [Fact]
    public void AComponentSeesHowMuchItHas()
    {
        Sk sk = Serving(out _);
        ulong Seen() => FakeMachine.At<StartInfo>(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(UserLayout.StartInfo).Frame).DonatedPages;
        ulong Held() => sk.At(Sk.Hello).DonatedPages;
        Assert.Equal((0ul, 0ul), (Seen(), Held()));
        Assert.Equal(Status.Ok, Give(sk, Run, 64));
        Assert.Equal((64ul, 64ul), (Seen(), Held()));
        Assert.Equal(Status.Ok, Give(sk, Run + (512 * Page), 10));
        Assert.Equal((74ul, 74ul), (Seen(), Held()));
        Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
        Assert.Equal((0ul, 0ul), (Seen(), Held()));
        Assert.Equal(2, Drain(sk).Count);

        // The next life has none.
        Assert.Equal(Status.Ok, Give(sk, Run, 64));
        Lifecycle<FakeMachine>.End(ref sk.State, ref FakeMachine.At<Thread>(sk.At(Sk.Hello).Threads), "test"u8);
        Assert.Equal(0ul, Held());
    }

    private static (Status Status, ulong Who, ulong Pages) TakeWish(Sk sk)
    {
        sk.Call(0, SecureCall.TakeWish);
        return (sk.Result(Sk.Proxy), sk.On(Sk.Proxy).Context.X[1], sk.On(Sk.Proxy).Context.X[2]);
    }

    /// <summary>A component that runs short and may have more: XnuProxy is told once, and asks who and how much when it can.</summary>
    [Fact]
    public void WhoRunsShortWishesForMore()
    {
        Sk sk = Serving(out ulong downcall);
        Assert.True(sk.At(Sk.Hello).Memory.FreeFrames < Limits.LowPages);
        Assert.Equal(Status.Ok, Give(sk, Run, Limits.LowPages));
        Assert.Equal(Status.Ok, Map(sk, Address, 1));
        Assert.False(sk.State.WishesKnown);
        Assert.Equal(Status.Ok, Map(sk, Address + Page, Limits.LowPages - 1));
        Assert.Equal(Status.Ok, Map(sk, Address + (Limits.LowPages * Page), 1));
        Assert.True(sk.State.WishesKnown && !sk.State.IsPending(PendingWork.WishNotice));
        AssertTold(sk);
        Assert.Equal((Status.Ok, (ulong)Sk.Hello, Limits.WishPages), TakeWish(sk));
        Assert.Equal((Status.NotFound, 0ul, 0ul), TakeWish(sk));
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall));
    }

    /// <summary>Also of one that is not short of memory otherwise. What is beyond anything declared is no reason to ask for so much.</summary>
    [Theory]
    [InlineData(0, 200, false)]
    [InlineData(100, 200, false)]
    [InlineData(0, Limit, false)]
    [InlineData(0, Limit + 1, true)]
    public void ARefusedMapIsAWishToo(ulong has, ulong pages, bool modest)
    {
        Sk sk = Serving(out _);
        Assert.True(has == 0 || Give(sk, Run, has) == Status.Ok);
        ulong free = sk.At(Sk.Hello).Memory.FreeFrames + has;
        Assert.Equal(Status.NoMemory, Map(sk, Address, pages));
        AssertTold(sk);
        ulong wished = Math.Min(Math.Max(pages + Limits.LowPages - free, Limits.WishPages), Limits.RunPages);
        Assert.Equal((Status.Ok, (ulong)Sk.Hello, modest ? Limits.WishPages : wished), TakeWish(sk));
    }

    [Fact]
    public void ALargerWishReplacesASmallerOne()
    {
        Sk sk = Serving(out _);
        ulong free = sk.At(Sk.Hello).Memory.FreeFrames;
        Assert.Equal(Status.NoMemory, Map(sk, Address, 200));
        Assert.Equal(Status.NoMemory, Map(sk, Address, 300));
        Assert.Equal(Status.NoMemory, Map(sk, Address, 100));
        AssertTold(sk);
        Assert.Equal((Status.Ok, (ulong)Sk.Hello, 300 + Limits.LowPages - free), TakeWish(sk));
        Assert.Equal(Status.NotFound, TakeWish(sk).Status);
    }

    /// <summary>Nothing was declared; all that was is there.</summary>
    [Fact]
    public void WhoMayHaveNoMoreWishesForNothing()
    {
        Sk none = Sk.Boot();
        none.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal(Status.Ok, Map(none, Address, 1));
        Assert.False(none.State.WishesKnown);

        Sk all = Serving(out _);
        for (ulong given = 0; given < Limit; given += Limits.RunPages)
        {
            Assert.Equal(Status.Ok, Give(all, Run + (given * Page), Limits.RunPages));
        }

        Assert.Equal(Status.Ok, Map(all, Address, Limit));
        Assert.Equal(Status.Ok, Map(all, Address + (Limit * Page), 1));
        Assert.False(all.State.WishesKnown);
    }

    [Fact]
    public void TheLastOfItIsWishedForExactly()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, Limits.RunPages));
        Assert.Equal(Status.Ok, Give(sk, Run + 0x100_0000, Limits.RunPages - 9));
        Assert.Equal(Status.Ok, Map(sk, Address, Limit - 9));
        Assert.Equal(Status.Ok, Map(sk, Address + (Limit * Page), 1));
        AssertTold(sk);
        Assert.Equal((Status.Ok, (ulong)Sk.Hello, 9ul), TakeWish(sk));
    }

    /// <summary>Two at once, and one that has got all that it may have meanwhile.</summary>
    [Fact]
    public void NoWishHidesAnother()
    {
        Sk sk = Serving(out _);
        foreach ((int who, ulong limit) in ((int, ulong)[])[(Sk.Signer, 0), (Sk.Kit, 7)])
        {
            sk.At(who).DonatedLimit = limit;
            sk.At(who).WishPages = 1;
        }

        Assert.Equal(Status.Ok, Map(sk, Address, 1));
        AssertTold(sk);
        Assert.Equal((Status.Ok, (ulong)Sk.Hello, Limits.WishPages), TakeWish(sk));
        Assert.Equal((Status.Ok, (ulong)Sk.Kit, 7ul), TakeWish(sk));
        Assert.Equal(Status.NotFound, TakeWish(sk).Status);
        Assert.False(sk.State.WishesKnown);
    }

    [Fact]
    public void OnlyXnuProxyTakesWishes()
    {
        Sk sk = Serving(out _);
        sk.Call(0, SecureCall.TakeWish);
        Assert.Equal(Status.BadCapability, sk.Result(Sk.Hello));
    }

    /// <summary>A run that is not used any more goes back by itself when much is free without it.</summary>
    [Theory, InlineData(Limits.HighPages, true), InlineData(Limits.HighPages - 60, false)]
    public void WhatIsNotNeededGoesBack(ulong more, bool goes)
    {
        Sk sk = Serving(out _);
        const ulong Used = 32;
        Assert.Equal(Status.Ok, Give(sk, Run, Used));
        Assert.Equal(Status.Ok, Map(sk, Address, Used));
        Assert.Equal(Status.Ok, Give(sk, Run + 0x100_0000, more));
        sk.Complete(0, SecureCall.UnmapMemory, Address, Used);
        Assert.Equal(goes, sk.State.Runs[0].State == RunState.Returning);
        Assert.Equal(more + (goes ? 0 : Used), sk.At(Sk.Hello).DonatedFree);
        Assert.Equal(goes ? [Run] : [], Drain(sk));
    }

    /// <summary>Who gives much back stands aside for other CPUs, page by page, and gets on none the less.</summary>
    [Theory, InlineData(false, Limits.ReturnPages), InlineData(true, 1u)]
    public void OtherCpusDoNotWaitForAWholeChunk(bool wanted, uint pages)
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, 200));
        Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
        FakeMachine.Machine.LockWanted = wanted;
        Donations<FakeMachine>.ReturnChunk(ref sk.State);
        Assert.Equal((pages, 200 - (int)pages), (sk.State.Runs[0].Back, Donated.Count));
        FakeMachine.Machine.LockWanted = false;
        Assert.Equal([Run], Drain(sk));
    }

    public static TheoryData<ulong, ulong, ulong, Status> HostileRuns => new()
    {
        { Run + 1, 1, Sk.Hello, Status.BadAddress },
        { Run + 0x800, 1, Sk.Hello, Status.BadAddress },
        { 0, 1, Sk.Hello, Status.BadAddress },
        { Virt.GicDistributor, 1, Sk.Hello, Status.BadAddress },
        { FakeMachine.LinuxBase - Page, 2, Sk.Hello, Status.BadAddress },
        { FakeMachine.LinuxBase + FakeMachine.LinuxBytes - Page, 2, Sk.Hello, Status.BadAddress },
        { FakeMachine.MemoryBase, 1, Sk.Hello, Status.BadAddress },
        { 0xFFFF_FFFF_FFFF_F000, 2, Sk.Hello, Status.BadAddress },
        { Run, 0, Sk.Hello, Status.BadArgument },
        { Run, Limits.RunPages + 1, Sk.Hello, Status.BadArgument },
        { Run, ulong.MaxValue, Sk.Hello, Status.BadArgument },
        { Run, 1, Sk.Count, Status.BadArgument },
        { Run, 1, ulong.MaxValue, Status.BadArgument },
        { Run, 1, Sk.Kit, Status.BadState },
        { Run, 1, Sk.Entropy, Status.NoMemory },
        { Run, 1, Sk.Proxy, Status.NoMemory },
    };

    /// <summary>An address that SPTM would call fatal makes the fake throw: none may get there.</summary>
    [Theory, MemberData(nameof(HostileRuns))]
    public void AWrongAnswerOfLinuxTakesNothing(ulong address, ulong pages, ulong owner, Status expected)
    {
        Sk sk = Serving(out _);
        Assert.Equal(expected, Donations<FakeMachine>.Give(ref sk.State, address, pages, owner, out ulong done));
        Assert.Equal((0ul, 0, 0ul), (done, Donated.Count, sk.State.Counters[(int)SkCounter.DonatedRuns]));
        Assert.Empty(Drain(sk));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(63), InlineData(64), InlineData(99)]
    public void ARunWithOneFrameThatSptmRefusesGoesBackWhole(int bad)
    {
        Sk sk = Serving(out _);
        FakeMachine.Machine.Refused.Add(Run + ((ulong)bad * Page));
        Assert.Equal(bad == 0 ? Status.Denied : Status.Busy, Give(sk, Run, 100));
        Assert.Equal((0ul, bad), (sk.At(Sk.Hello).DonatedFree, Donated.Count));
        Assert.Equal(bad == 0 ? [] : [Run], Drain(sk));
        Assert.Equal((0, 0ul), (Donated.Count, sk.State.Counters[(int)SkCounter.DonatedRuns]));

        // The same place does once nothing is wrong with it.
        FakeMachine.Machine.Refused.Clear();
        Assert.Equal(Status.Ok, Give(sk, Run, 100));
    }

    /// <summary>Between two chunks of a call the caller's own handler may run, and take the promise away from it: it learns that, and SK goes on.</summary>
    [Theory]
    [InlineData(SecureCall.MapMemory, Status.BadAddress)]
    [InlineData(SecureCall.ReturnDonated, Status.NoMemory)]
    public void WhatTheCallerTakesFromItselfBetweenChunksFailsTheCall(SecureCall between, Status expected)
    {
        Sk sk = Serving(out _);
        ulong own = sk.At(Sk.Hello).Memory.FreeFrames;
        const ulong Given = 24;
        Assert.Equal(Status.Ok, Give(sk, Run, Given));
        ulong pages = own + Given - 8;
        sk.Call(0, SecureCall.MapMemory, Address, pages, ReadWrite);
        ulong next = sk.On(Sk.Hello).Context.X[0];
        ulong left = sk.On(Sk.Hello).Context.X[1];
        Assert.Equal((Address + (Limits.ChunkPages * Page), pages - Limits.ChunkPages), (next, left));
        if (between == SecureCall.MapMemory)
        {
            sk.Call(0, SecureCall.MapMemory, next + Page, 1, ReadWrite);
            Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        }
        else
        {
            // Linux takes back what lies unused; the rest of the price is not there any more.
            sk.At(Sk.Hello).DonatedFree = 0;
        }

        sk.Complete(0, SecureCall.MapMemory, next, left, ReadWrite);
        Assert.Equal(expected, sk.Result(Sk.Hello));
        Assert.Equal(ComponentState.Running, sk.At(Sk.Hello).Life);
    }

    [Fact]
    public void NoFrameIsInTwoRuns()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, 10));
        foreach (ulong start in (ulong[])[Run, Run - Page, Run + Page, Run + (9 * Page)])
        {
            Assert.Equal(Status.Denied, Give(sk, start, 2));
        }

        // Neither before it is collected, though SPTM would say yes by then.
        Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
        while (Donated.Count != 0)
        {
            Donations<FakeMachine>.ReturnChunk(ref sk.State);
        }

        Assert.Equal(Status.Denied, Give(sk, Run, 10));
        Assert.Equal([Run], Drain(sk));
        Assert.Equal(Status.Ok, Give(sk, Run, 10));
    }

    [Fact]
    public void WhatIsDeclaredIsTheLimit()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, Limits.RunPages));
        Assert.Equal(Status.Ok, Give(sk, Run + (Limits.RunPages * Page), Limits.RunPages - 1));
        Assert.Equal(Status.NoMemory, Give(sk, Run + (4 * Limits.RunPages * Page), 2));
        Assert.Equal(Status.Ok, Give(sk, Run + (4 * Limits.RunPages * Page), 1));
    }

    [Fact]
    public void ARunInUseStaysWhenUnusedOnesGoBack()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, 2));
        Assert.Equal(Status.Ok, Give(sk, Run + 0x10_0000, 2));
        sk.Call(0, SecureCall.MapMemory, Address, 1, ReadWrite);
        Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
        Assert.Equal([Run + 0x10_0000], Drain(sk));
        Assert.Equal((2, 1ul), (Donated.Count, sk.At(Sk.Hello).DonatedFree));
        sk.Call(0, SecureCall.UnmapMemory, Address, 1);
        Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
        Assert.Equal([Run], Drain(sk));
        Assert.Equal((0, 0ul), (Donated.Count, sk.At(Sk.Hello).DonatedFree));
    }

    [Fact]
    public void AComponentThatFaultsGivesItsMemoryBack()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, 200));
        sk.Call(0, SecureCall.MapMemory, Address, 1, ReadWrite);
        sk.Fault(0, 0x24);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(Status.PeerDied, sk.Message(Sk.Proxy).Status);
        Assert.Equal([Run], Drain(sk));
        Assert.Empty(Donated);
        Assert.Equal((1ul, 0ul), (sk.State.Counters[(int)SkCounter.Faults], sk.State.Counters[(int)SkCounter.Reclaimed]));
    }

    /// <summary>The owner runs elsewhere: it is told, and ends at its next trap, whichever that is; Linux waits for it.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void ATouchEndsAnOwnerThatRunsOnAnotherCpu(bool byInterrupt)
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        Assert.False(Donations<FakeMachine>.TryReclaim(ref sk.State, Run + Page));
        Assert.Equal((1ul, ComponentState.Running, 4), (FakeMachine.Machine.Kicked, sk.At(Sk.Hello).Life, Donated.Count));
        _ = byInterrupt ? sk.Interrupt(0) : sk.Call(0, SecureCall.Yield);
        Assert.Equal((ComponentState.Dead, 1ul), (sk.At(Sk.Hello).Life, sk.State.Counters[(int)SkCounter.Reclaimed]));
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run + Page));
        Assert.Contains(FakeMachine.Machine.Lines, line => line.Contains("ended: memory reclaimed", StringComparison.Ordinal));
        Donated.Remove(Run + Page); // SPTM takes it.
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Reclaimed, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        Assert.Equal([Run], Drain(sk));
        Assert.Empty(Donated);
        sk.Call(0, SecureCall.FinishReceive, downcall);

        // Who comes later is told the same.
        Assert.Equal(Tee.ReturnOk, sk.Answer(0).X0);
        sk.Enter(0, Tee.CallWithRegdArg);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
        Assert.Equal(Status.Reclaimed, sk.Result(Sk.Proxy));
    }

    [Fact]
    public void ATouchEndsAnOwnerThatWaitsForItsNextMessage()
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run + (3 * Page) + 8));
        Assert.Equal((ComponentState.Dead, 0ul), (sk.At(Sk.Hello).Life, FakeMachine.Machine.Kicked));
        Assert.Equal([Run], Drain(sk));
        Assert.Equal((uint)Limits.Downcalls, sk.FreeDowncallCount());
    }

    [Fact]
    public void ATouchOfWhatIsNobodysIsSptmsAlone()
    {
        Sk sk = Serving(out _);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run + (4 * Page)));
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run - Page));
        Assert.Equal(ComponentState.Running, sk.At(Sk.Hello).Life);
    }

    /// <summary>Hello waits for Entropy, in its hands or in its queue: neither answers a component that is gone.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void ATouchEndsAnOwnerThatWaitsForAServer(bool served)
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        if (!served)
        {
            // Entropy works for Signer meanwhile.
            sk.Interrupt(0);
            sk.Answer(0);
            sk.Forward(1, Sk.SignerSlot, Sk.Signer, 2);
            sk.Call(1, SecureCall.Call, 2);
            sk.AssertRuns(1, Sk.Entropy);
            sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.State.Downcalls[0].Token);
            sk.AssertRuns(0, Sk.Hello);
        }

        sk.Message(Sk.Hello).Length = 0;
        sk.Message(Sk.Hello).Label = MessageLabel.Random;
        sk.Call(0, SecureCall.Call, 2);
        Assert.Equal(served ? (ThreadState.Served, sk.On(Sk.Entropy).Address) : (ThreadState.Queued, sk.At(Sk.Entropy).Endpoint), (sk.On(Sk.Hello).State, sk.On(Sk.Hello).Target));
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run));
        Assert.Equal(served ? ServingKind.Orphan : ServingKind.Thread, sk.On(Sk.Entropy).Serving.Kind);

        // Entropy's answer goes nowhere; the downcall's own CPU learns the end of Hello from XnuProxy.
        int cpu = served ? 0 : 1;
        sk.AssertRuns(cpu, Sk.Entropy);
        sk.Call(cpu, SecureCall.ReplyReceive);
        Assert.Equal((ThreadState.Inactive, 0ul), (sk.On(Sk.Hello).State, sk.EndpointOf(Sk.Entropy).Head));
        if (!served)
        {
            sk.Next(0);
        }

        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((downcall, Status.Reclaimed), (sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Status));
        sk.Call(0, SecureCall.FinishReceive, downcall, 9);
        Assert.Equal(9ul, sk.Answer(0).X0);
    }

    private static void Upcall(Sk sk, ulong downcall)
    {
        sk.Message(Sk.Hello).Label = MessageLabel.Upcall;
        sk.Message(Sk.Hello).Length = 8;
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcCommand);
        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.Receive);
        Assert.Equal(Tee.RpcCommand, sk.Answer(0).X0);
    }

    /// <summary>Linux's answer, which may name memory that must be freed, reaches XnuProxy though its asker is gone; the end of the call comes after it.</summary>
    [Fact]
    public void AnUpcallOutlivesItsAsker()
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        Upcall(sk, downcall);
        Assert.True(Donations<FakeMachine>.TryReclaim(ref sk.State, Run));
        Assert.Equal((DowncallPhase.Upcall, true), (sk.State.Downcalls[0].Phase, sk.State.Downcalls[0].Late));
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.State.Downcalls[0].Token);
        sk.AssertRuns(0, Sk.Proxy);

        // Word of the memory may come first.
        if (sk.Message(Sk.Proxy).Label == MessageLabel.MemoryReturned)
        {
            sk.Call(0, SecureCall.Receive);
            sk.AssertRuns(0, Sk.Proxy);
        }

        Assert.Equal((MessageLabel.UpcallReturn, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall));
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        while (sk.Message(Sk.Proxy).Label == MessageLabel.MemoryReturned)
        {
            sk.Call(0, SecureCall.Receive);
            sk.AssertRuns(0, Sk.Proxy);
        }

        Assert.Equal((MessageLabel.Completion, Status.Reclaimed, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        sk.Call(0, SecureCall.FinishReceive, downcall, 9);
        Assert.Equal(9ul, sk.Answer(0).X0);
        Assert.Equal(((uint)Limits.Downcalls, ThreadState.Inactive), (sk.FreeDowncallCount(), sk.On(Sk.Hello).State));
    }

    [Fact]
    public void AnUpcallIsFollowedByAnotherOfTheSameAsker()
    {
        Sk sk = Serving(out ulong downcall);
        Upcall(sk, downcall);
        for (int i = 0; i < 3; i++)
        {
            sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.State.Downcalls[0].Token);
            sk.AssertRuns(0, Sk.Proxy);
            Assert.Equal(MessageLabel.UpcallReturn, sk.Message(Sk.Proxy).Label);
            Assert.Equal(ThreadState.Upcalling, sk.On(Sk.Hello).State);
            if (i < 2)
            {
                sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcCommand, 7);
                Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
                sk.Call(0, SecureCall.Receive);
                Assert.Equal((Tee.RpcCommand, 7ul), (sk.Answer(0).X0, sk.State.Cpus[0].X1));
            }
        }

        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
    }

    [Fact]
    public void XnuProxyAsksLinuxOnItsOwnAccountAndServesTheCallAgain()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        for (int i = 0; i < 3; i++)
        {
            sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcFree, 1, 2);
            Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
            sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcFree);
            Assert.Equal(Status.BadState, sk.Result(Sk.Proxy));
            sk.Call(0, SecureCall.Receive);
            var (x0, x1, x2, token) = sk.Answer(0);
            Assert.Equal((Tee.RpcFree, 1ul, 2ul), (x0, x1, x2));
            sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
            sk.AssertRuns(0, Sk.Proxy);
            Assert.Equal((MessageLabel.UpcallReturn, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall));
        }

        sk.Call(0, SecureCall.FinishReceive, downcall, 5);
        Assert.Equal(5ul, sk.Answer(0).X0);
        Assert.Equal((uint)Limits.Downcalls, sk.FreeDowncallCount());
    }

    [Fact]
    public void WhenLinuxStartsAnewItsMemoryGoesBack()
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        Upcall(sk, downcall);
        Downcalls<FakeMachine>.Reset(ref sk.State);
        Assert.Equal((uint)Limits.Downcalls, sk.FreeDowncallCount());
        Assert.True(Donations<FakeMachine>.TryReturnAll(ref sk.State));
        Assert.Equal([Run], Drain(sk));
        Assert.Empty(Donated);
    }

    /// <summary>The first Linux stopped XnuProxy between two chunks of a run: nobody goes on with it, and nobody may hold what it had taken.</summary>
    [Fact]
    public void WhenLinuxStartsAnewAHalfTakenRunGoesBack()
    {
        Sk sk = Serving(out ulong downcall);
        Upcall(sk, downcall);
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.State.Downcalls[0].Token);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.Donate, Run, 3 * Limits.RetypePages, Sk.Hello);
        Assert.InRange(Donated.Count, 1, (int)(3 * Limits.RetypePages) - 1);
        sk.Interrupt(0);
        sk.Answer(0);
        ulong half = (ulong)Donated.Count;

        Downcalls<FakeMachine>.Reset(ref sk.State);
        sk.Enter(0, Tee.CallWithRegdArg);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.Receive);
        Assert.Equal((MessageLabel.WorldReset, half), (sk.Message(Sk.Proxy).Label, (ulong)Donated.Count));
        sk.Call(0, SecureCall.ReturnDonated, SecureCallArguments.Everybody);
        for (int i = 0; sk.State.IsPending(PendingWork.Return); i++)
        {
            Assert.True(i < 100);
            sk.Fault(0, 0x15, 1);
        }

        Assert.Equal([Run], Drain(sk));
        Assert.Equal((0, 0ul, 0ul), (Donated.Count, sk.At(Sk.Hello).DonatedFree, sk.State.Counters[(int)SkCounter.DonatedRuns]));
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
    }

    /// <summary>An idle component only lends what it does not use: it lives on. One that uses its memory ends.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void WhenTheDriverLeavesOnlyWhoUsesItsMemoryEnds(bool used)
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Give(sk, Run, 4));
        if (used)
        {
            sk.Call(0, SecureCall.MapMemory, Address, 1, ReadWrite);
        }

        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        if (used)
        {
            sk.Call(0, SecureCall.Receive);
            sk.AssertRuns(0, Sk.Proxy);
        }

        sk.Call(0, SecureCall.ReturnDonated, SecureCallArguments.Everybody);
        while (sk.State.IsPending(PendingWork.Return))
        {
            sk.Fault(0, 0x15, 1);
        }

        Assert.Equal(used ? ComponentState.Dead : ComponentState.Running, sk.At(Sk.Hello).Life);
        Assert.Empty(Donated);
        sk.Call(0, SecureCall.CollectDonated);
        Assert.Equal((Status.Ok, Run), (sk.Result(Sk.Proxy), sk.On(Sk.Proxy).Context.X[1]));
        sk.Call(0, SecureCall.CollectDonated);
        Assert.Equal(Status.NotFound, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);
    }

    /// <summary>Gives, mappings, returns and touches in any order: no frame is lost, none has two owners, and in the end all are Linux's.</summary>
    [Fact]
    public void RandomHistoriesLeaveNothingBehind()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 15], Gen.Int[1, 130]).Array[1, 60].Sample(
            history =>
            {
                Sk sk = Serving(out _);
                ulong own = sk.At(Sk.Hello).Memory.UsedFrames;
                HashSet<int> mapped = [];
                foreach ((int what, int place, int pages) in history)
                {
                    ref Component hello = ref sk.At(Sk.Hello);
                    if (hello.Life == ComponentState.Dead)
                    {
                        break;
                    }

                    ulong run = Run + ((ulong)place * 64 * Page);
                    switch (what)
                    {
                        case 0 or 1:
                            Status given = Give(sk, run, (ulong)pages);
                            Assert.True(given is Status.Ok or Status.Denied or Status.Busy or Status.NoMemory);
                            break;
                        case 2:
                            sk.Complete(0, SecureCall.MapMemory, Address + ((ulong)place * 64 * Page), (ulong)Math.Min(pages, 64), ReadWrite);
                            _ = sk.Result(Sk.Hello) == Status.Ok && mapped.Add(place);
                            break;
                        case 3 when mapped.Remove(place):
                            sk.Complete(0, SecureCall.UnmapMemory, Address + ((ulong)place * 64 * Page), 64);
                            break;
                        case 4:
                            Donations<FakeMachine>.ReturnUnused(ref sk.State, ref hello);
                            Drain(sk);
                            break;
                        case 5 when place == 0:
                            if (!Donations<FakeMachine>.TryReclaim(ref sk.State, run))
                            {
                                sk.Call(0, SecureCall.Yield);
                                Assert.Equal(ComponentState.Dead, hello.Life);
                            }

                            break;
                        default:
                            break;
                    }

                    AssertAgrees(sk);
                }

                if (sk.At(Sk.Hello).Life == ComponentState.Running)
                {
                    foreach (int place in mapped)
                    {
                        sk.Complete(0, SecureCall.UnmapMemory, Address + ((ulong)place * 64 * Page), 64);
                    }

                    Assert.Equal(own, sk.At(Sk.Hello).Memory.UsedFrames);
                    Donations<FakeMachine>.ReturnUnused(ref sk.State, ref sk.At(Sk.Hello));
                }

                Drain(sk);
                Assert.Equal((0, 0ul, 0ul), (Donated.Count, sk.State.Counters[(int)SkCounter.DonatedRuns], sk.At(Sk.Hello).DonatedFree));
            },
            iter: 400,
            threads: 1);
    }

    private static void AssertAgrees(Sk sk)
    {
        HashSet<ulong> frames = [];
        ulong free = 0;
        for (int i = 0; i < Limits.DonatedRuns; i++)
        {
            ref DonatedRun run = ref sk.State.Runs[i];
            if (run.State is RunState.Held)
            {
                free += run.Pages - run.Used;
                for (ulong page = 0; page < run.Pages; page++)
                {
                    Assert.True(frames.Add(run.Base + (page * Page)), "a frame in two runs");
                    Assert.True(Donated.ContainsKey(run.Base + (page * Page)), "a frame that SPTM has not given");
                }
            }
        }

        Assert.True(sk.At(Sk.Hello).Life == ComponentState.Dead || free == sk.At(Sk.Hello).DonatedFree);
    }
}
