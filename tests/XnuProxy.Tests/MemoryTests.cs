using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>Memory that Linux allocates for components: every answer is judged, every allocation is freed, once, and by its own name.</summary>
public class MemoryTests
{
    private const ulong RpcAt = World.CallPage + MessageArgument.Bytes;
    private const ulong Memory = World.Ram + 0x4000_0000;
    private const ulong Cookie = 0xFFFF_0000_7777_1000;
    private const ulong Hello = 2;
    private const ulong Pages = 16;
    private const ulong Bytes = Pages * 4096;

    private static (World World, ulong Downcall) Serving(World? world = null, int index = 3)
    {
        world ??= World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session);
        return (world, world.CallRegistered(index: index).Downcall);
    }

    private static Decision Ask(World world, ulong downcall, uint command, ulong bytes = Bytes)
    {
        world.Message = default;
        world.Message.Badge = Hello + 1;
        MemoryMarshal.AsRef<UpcallMessage>(world.Body) = new UpcallMessage { Command = command, P0 = new ServiceParameter { Kind = ParameterKind.ValueIn, A = bytes } };
        world.Message.Length = 48;
        return world.Send(MessageLabel.Upcall, downcall);
    }

    /// <summary>Linux's driver answers, and is resumed.</summary>
    private static Decision Answer(World world, ulong downcall, ulong address, ulong cookie, ulong bytes = Bytes, ulong attribute = MessageParameter.TemporaryOutput, uint result = 0, ulong at = RpcAt)
    {
        world.Put(at + MessageArgument.ResultOffset, result);
        world.Put(at + MessageArgument.Bytes, new MessageParameter { Attribute = attribute, A = address, B = bytes, C = cookie });
        world.Suspended = null;
        world.Message.Badge = 0;
        return world.Send(MessageLabel.UpcallReturn, downcall);
    }

    private static Status Given(World world, ulong downcall, ulong address, ulong cookie)
    {
        Assert.Equal(Ending.Receive, Ask(world, downcall, Rpc.AllocateMemory).Ending);
        Assert.Equal(Ending.Reply, Answer(world, downcall, address, cookie).Ending);
        return world.Message.Status;
    }

    /// <summary>The service answers; the downcall ends, after as many excursions as there is memory to free.</summary>
    private static int End(World world, ulong downcall)
    {
        Decision decision = world.Complete(downcall, Tee.Success);
        for (int freed = 0; ; freed++)
        {
            Assert.Equal(Ending.Finish, decision.Ending);
            Assert.Equal((downcall, Tee.ReturnOk), (decision.Downcall, decision.X0));
            world.Suspended = null;
            Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, decision);
            if (world.Suspended == null)
            {
                Assert.Equal(Ending.Finish, world.LastEnding);
                return freed;
            }

            Assert.Equal((downcall, Tee.RpcFree), world.Suspended);
            decision = world.Send(MessageLabel.UpcallReturn, downcall);
        }
    }

    [Fact]
    public void MemoryIsAskedForAsTheDriverKnowsIt()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Ending.Receive, Ask(world, downcall, Rpc.AllocateMemory).Ending);
        Assert.Equal((downcall, Tee.RpcCommand), world.Suspended);
        MessageArgument argument = world.Get<MessageArgument>(RpcAt);
        Assert.Equal((6u, 1u), ((uint)argument.Command, argument.ParameterCount));
        MessageParameter parameter = world.ParameterAt(RpcAt, 0);
        Assert.Equal((1ul, 1ul, Bytes, 4096ul), (parameter.Attribute, parameter.A, parameter.B, parameter.C));

        // The driver rounds up to a power of two.
        Assert.Equal(Ending.Reply, Answer(world, downcall, Memory, Cookie, 2 * Bytes).Ending);
        Assert.Equal(Status.Ok, world.Message.Status);
        Assert.Equal((Pages, Hello), world.Donated[Memory]);
        Assert.Equal(0, End(world, downcall));
        Assert.Equal((1, 0), (world.State.Allocations.Count, world.Freed.Count));
    }

    private static void Wish(World world, ulong component, ulong pages)
    {
        world.Wishes.Enqueue((component, pages));
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.MemoryWanted, 0).Ending);
    }

    /// <summary>SK says who is short of memory: the call that ends next, whosever it is, fetches it on its way out.</summary>
    [Fact]
    public void MemoryThatIsWishedForIsFetchedByTheCallThatEnds()
    {
        var (world, downcall) = Serving();
        Wish(world, 5, Pages);
        Assert.Equal(Ending.Receive, world.Complete(downcall, Tee.Success).Ending);
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal((downcall, Tee.RpcCommand), world.Suspended);
        Assert.Equal((6u, Bytes), ((uint)world.Get<MessageArgument>(RpcAt).Command, world.ParameterAt(RpcAt, 0).B));
        Decision end = Answer(world, downcall, Memory, Cookie);
        Assert.Equal((Ending.Finish, downcall, Tee.ReturnOk), (end.Ending, end.Downcall, end.X0));
        Assert.Equal((Pages, 5ul), world.Donated[Memory]);
        Assert.Equal((0, 0), (world.State.Allocations.Reserved, world.State.RequestCount));

        // The next call fetches nothing.
        (_, ulong next) = Serving(world);
        Assert.Equal(Ending.Finish, world.Complete(next, Tee.Success).Ending);
        Assert.False(world.State.Wishes);
    }

    [Fact]
    public void EachCallFetchesForOneComponent()
    {
        var (world, downcall) = Serving();
        (_, ulong next) = Serving(world, index: 4);
        Wish(world, 5, 3);
        Wish(world, 7, 4);
        world.Complete(downcall, Tee.Success);
        Assert.Equal(Ending.Finish, Answer(world, downcall, Memory, Cookie).Ending);
        world.Complete(next, Tee.Success);
        Assert.Equal(Ending.Finish, Answer(world, next, Memory + 0x10_0000, Cookie + 1).Ending);
        Assert.Equal(((3ul, 5ul), (4ul, 7ul)), (world.Donated[Memory], world.Donated[Memory + 0x10_0000]));
    }

    /// <summary>Whatever Linux answers: the call ends as its service said.</summary>
    [Theory]
    [InlineData(Memory, Cookie, Tee.ErrorOutOfMemory)]
    [InlineData(Memory + 8, Cookie, 0u)]
    [InlineData(Memory, 0ul, 0u)]
    public void WhatLinuxDoesNotGiveIsNotMissed(ulong address, ulong cookie, uint result)
    {
        var (world, downcall) = Serving();
        Wish(world, 5, Pages);
        world.Complete(downcall, 0x1234);
        Decision end = Answer(world, downcall, address, cookie, result: result);
        Assert.Equal((Ending.Finish, downcall, Tee.ReturnOk), (end.Ending, end.Downcall, end.X0));
        Assert.Equal(0x1234u, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal((0, 0), (world.Donated.Count, world.State.Allocations.Reserved));
    }

    /// <summary>A Linux whose memory is in small pieces is asked for smaller ones.</summary>
    [Fact]
    public void LargePiecesAreNotNeeded()
    {
        var (world, downcall) = Serving();
        Wish(world, 5, 510);
        world.Complete(downcall, Tee.Success);
        foreach (ulong pages in (ulong[])[510, 255, 127, 64])
        {
            Assert.Equal(pages * 4096, world.ParameterAt(RpcAt, 0).B);
            Assert.Equal(pages == 64 ? Ending.Finish : Ending.Receive, Answer(world, downcall, 0, 0, result: Tee.ErrorOutOfMemory).Ending);
        }

        Assert.Equal((0, 0, 0), (world.Donated.Count, world.State.Allocations.Count, world.State.Allocations.Reserved));
    }

    /// <summary>Memory that SPTM refuses is asked for again, and freed when the call ends.</summary>
    [Fact]
    public void WhatCannotBeUsedIsFetchedAgain()
    {
        var (world, downcall) = Serving();
        world.DonateAnswer = (address, _) => address == Memory ? Status.Denied : Status.Ok;
        Wish(world, 5, Pages);
        world.Complete(downcall, Tee.Success);
        Assert.Equal(Ending.Receive, Answer(world, downcall, Memory, Cookie).Ending);
        Assert.Equal((downcall, Tee.RpcCommand), world.Suspended);
        Decision end = Answer(world, downcall, Memory + 0x10_0000, Cookie + 1);
        Assert.Equal((Ending.Finish, (Pages, 5ul)), (end.Ending, world.Donated[Memory + 0x10_0000]));
        Assert.Equal((2, 1), (world.State.Allocations.Count, world.State.Allocations.IdleCount));
    }

    /// <summary>No room for another allocation: the call just ends, and the wish comes again when the component is short again.</summary>
    [Fact]
    public void WithoutRoomNothingIsFetched()
    {
        var (world, downcall) = Serving();
        world.State.Allocations.Reserved = AllocationTable.Capacity;
        Wish(world, 5, Pages);
        Assert.Equal(Ending.Finish, world.Complete(downcall, Tee.Success).Ending);
        Assert.Equal((AllocationTable.Capacity, 0, null), (world.State.Allocations.Reserved, world.Wishes.Count, world.Suspended));
    }

    /// <summary>XnuProxy may have been told before Linux started anew, and not asked.</summary>
    [Fact]
    public void AWishOutlivesARestartOfLinux()
    {
        World world = World.Ready();
        Wish(world, 5, Pages);
        world.Send(MessageLabel.WorldReset, 0);
        Assert.True(world.State.Wishes);
    }

    [Theory, InlineData(1ul), InlineData(16ul), InlineData(511ul), InlineData(512ul)]
    public void ANewerDriverNamesEachPage(ulong pages)
    {
        var (world, downcall) = Serving();
        Ask(world, downcall, Rpc.AllocateMemory, pages * 4096);
        world.WriteList(World.ListPage, [.. Enumerable.Range(0, (int)pages).Select(i => Memory + ((ulong)i * 4096))]);
        Answer(world, downcall, World.ListPage, Cookie, pages * 4096, MessageParameter.TemporaryOutput | MessageParameter.NonContiguous);
        Assert.Equal((Status.Ok, (pages, Hello)), (world.Message.Status, world.Donated[Memory]));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(15)]
    public void AListWithAHoleOrADoubleIsNoRun(int wrong)
    {
        foreach (ulong page in (ulong[])[Memory, Memory + 0x100_0000, Memory + 1, 0, ulong.MaxValue])
        {
            var (world, downcall) = Serving();
            Ask(world, downcall, Rpc.AllocateMemory);
            ulong[] list = [.. Enumerable.Range(0, (int)Pages).Select(i => Memory + ((ulong)i * 4096))];
            if (list[wrong] == page)
            {
                continue;
            }

            list[wrong] = page;
            world.WriteList(World.ListPage, list);
            Answer(world, downcall, World.ListPage, Cookie, Bytes, MessageParameter.TemporaryOutput | MessageParameter.NonContiguous);
            Assert.Equal((Status.BadReply, 0, 0, 1ul), (world.Message.Status, world.Donated.Count, world.State.Allocations.Count, world.State.BadReplies));
        }
    }

    public static TheoryData<string, ulong, ulong, ulong, ulong> UnsoundAnswers => new()
    {
        { "unaligned", Memory + 8, Cookie, Bytes, MessageParameter.TemporaryOutput },
        { "half a page", Memory + 0x800, Cookie, Bytes, MessageParameter.TemporaryOutput },
        { "too small", Memory, Cookie, Bytes - 1, MessageParameter.TemporaryOutput },
        { "no size", Memory, Cookie, 0, MessageParameter.TemporaryOutput },
        { "no name", Memory, 0, Bytes, MessageParameter.TemporaryOutput },
        { "a value", Memory, Cookie, Bytes, MessageParameter.ValueOutput },
        { "the question", Memory, Cookie, Bytes, MessageParameter.ValueInput },
        { "an input", Memory, Cookie, Bytes, MessageParameter.TemporaryInput },
        { "registered", Memory, Cookie, Bytes, 6 },
        { "meta", Memory, Cookie, Bytes, MessageParameter.TemporaryOutput | MessageParameter.Meta },
        { "high bits", Memory, Cookie, Bytes, MessageParameter.TemporaryOutput | (1ul << 40) },
        { "a list in no memory", 0, Cookie, Bytes, MessageParameter.TemporaryOutput | MessageParameter.NonContiguous },
        { "a list at an offset", World.ListPage + 8, Cookie, Bytes, MessageParameter.TemporaryOutput | MessageParameter.NonContiguous },
    };

    [Theory, MemberData(nameof(UnsoundAnswers))]
    public void AnAnswerThatCannotBeTrueTakesNothing(string what, ulong address, ulong cookie, ulong bytes, ulong attribute)
    {
        var (world, downcall) = Serving();
        Ask(world, downcall, Rpc.AllocateMemory);
        Assert.Equal(Ending.Reply, Answer(world, downcall, address, cookie, bytes, attribute).Ending);
        Assert.True(world.Message.Status == Status.BadReply, what);
        Assert.Equal((0, 0, 0, 1ul), (world.Donated.Count, world.State.Allocations.Count, world.State.Allocations.Reserved, world.State.BadReplies));
        Assert.Equal(0, End(world, downcall));
        Assert.Empty(world.Freed);
    }

    [Fact]
    public void AWrongParameterCountIsNoAnswer()
    {
        foreach (uint count in (uint[])[0, 2, uint.MaxValue])
        {
            var (world, downcall) = Serving();
            Ask(world, downcall, Rpc.AllocateMemory);
            world.Put(RpcAt + MessageArgument.CountOffset, count);
            Answer(world, downcall, Memory, Cookie);
            Assert.Equal((Status.BadReply, 0), (world.Message.Status, world.Donated.Count));
        }
    }

    [Fact]
    public void TheAnswerIsReadOnce()
    {
        var (world, downcall) = Serving();
        Ask(world, downcall, Rpc.AllocateMemory);
        int reads = 0;
        world.AfterRead = () =>
        {
            reads++;
            world.Linux(RpcAt, 64).Fill(0xFF);
        };
        Answer(world, downcall, Memory, Cookie);
        Assert.Equal((1, Status.Ok), (reads, world.Message.Status));
        Assert.Contains(Memory, world.Donated.Keys);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(1ul)]
    [InlineData(4095ul)]
    [InlineData(Rpc.MaxMemoryBytes + 4096)]
    [InlineData(ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 4095)]
    public void AnUnreasonableWishDoesNotGoOut(ulong bytes)
    {
        var (world, downcall) = Serving();
        Assert.Equal(Ending.Reply, Ask(world, downcall, Rpc.AllocateMemory, bytes).Ending);
        Assert.Equal((Status.Denied, null), (world.Message.Status, world.Suspended));
    }

    [Fact]
    public void LinuxMayHaveNone()
    {
        var (world, downcall) = Serving();
        Ask(world, downcall, Rpc.AllocateMemory);
        Answer(world, downcall, Memory, Cookie, result: Tee.ErrorOutOfMemory);
        Assert.Equal((Status.NoMemory, 0, 0ul), (world.Message.Status, world.State.Allocations.Count, world.State.BadReplies));
    }

    /// <summary>Memory inside the window is kept until the request is over, so that the next answer lies elsewhere, and freed then.</summary>
    [Theory]
    [InlineData(1, Status.Denied)]
    [InlineData(3, Status.Denied)]
    [InlineData(4, Status.Denied)]
    [InlineData(2, Status.Busy)]
    [InlineData(2, Status.BadAddress)]
    public void MemoryThatDoesNotDoIsAskedForAgainAndFreed(int bad, Status why)
    {
        var (world, downcall) = Serving();
        world.DonateAnswer = (address, _) => address < Memory + ((ulong)bad * 0x100_0000) ? why : Status.Ok;
        Ask(world, downcall, Rpc.AllocateMemory);
        int answers = 0;
        Decision decision;
        do
        {
            decision = Answer(world, downcall, Memory + ((ulong)answers * 0x100_0000), Cookie + (ulong)answers);
            answers++;
        }
        while (decision.Ending == Ending.Receive);

        bool found = bad < Memory<FakeSystem>.Attempts;
        Assert.Equal((found ? Status.Ok : Status.NoMemory, Math.Min(bad + 1, Memory<FakeSystem>.Attempts)), (world.Message.Status, answers));
        Assert.Empty(world.Freed);
        world.Send(MessageLabel.MemoryReturned, 0);
        Assert.Equal(bad, End(world, downcall));
        Assert.Equal(Enumerable.Range(0, bad).Select(i => Cookie + (ulong)i), world.Freed);
        Assert.Equal(found ? 1 : 0, world.State.Allocations.Count);
    }

    [Fact]
    public void AQuotaThatIsUsedUpIsNotAskedForAgain()
    {
        var (world, downcall) = Serving();
        world.DonateAnswer = (_, _) => Status.NoMemory;
        Assert.Equal(Status.NoMemory, Given(world, downcall, Memory, Cookie));
        Assert.Equal(1, End(world, downcall));
        Assert.Equal([Cookie], world.Freed);
    }

    [Fact]
    public void ANameThatIsAliveIsNotTakenTwice()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Given(world, downcall, Memory, Cookie));
        Assert.Equal(Status.BadReply, Given(world, downcall, Memory + 0x100_0000, Cookie));
        Assert.Equal(1, world.State.Allocations.Count);
        Ask(world, downcall, Rpc.FreeMemory);
        Assert.Equal(1, End(world, downcall));
        Assert.Equal([Cookie], world.Freed);
    }

    [Fact]
    public void AComponentGivesBackItsOwnAlone()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Given(world, downcall, Memory, Cookie));
        world.Donated.Add(Memory + 0x800_0000, (1, 7));
        Assert.Equal(Ending.Reply, Ask(world, downcall, Rpc.FreeMemory).Ending);
        Assert.Equal(Status.Ok, world.Message.Status);
        Assert.Equal([Memory + 0x800_0000], world.Donated.Keys);
        Assert.Equal(1, End(world, downcall));
    }

    [Fact]
    public void ADriverThatLeavesHasItsMemoryBeforeItsCallEnds()
    {
        var (world, downcall) = Serving();
        for (ulong i = 0; i < 5; i++)
        {
            Assert.Equal(Status.Ok, Given(world, downcall, Memory + (i * 0x100_0000), Cookie + i));
        }

        Assert.Equal(0, End(world, downcall));
        world.WriteArgument(World.CallPage, MessageCommand.StopAsyncNotification, 0, 0);
        Decision decision = world.CallRegistered();
        int freed = 0;
        while (true)
        {
            Assert.Equal((Ending.Finish, Tee.ReturnOk), (decision.Ending, decision.X0));
            world.Suspended = null;
            Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, decision);
            if (world.Suspended == null)
            {
                break;
            }

            freed++;
            decision = world.Send(MessageLabel.UpcallReturn, decision.Downcall);
        }

        Assert.Equal((5, 0, 0), (freed, world.State.Allocations.Count, world.Donated.Count));
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal(5, world.Freed.Distinct().Count());
    }

    /// <summary>Linux's driver lends a thread, which sleeps between its turns.</summary>
    [Fact]
    public void TheBottomHalfLendsItsTime()
    {
        World world = World.Ready();
        world.WriteArgument(World.CallPage, MessageCommand.DoBottomHalf, 0, 0);
        Assert.Equal(Ending.Receive, world.CallRegistered().Ending);
        ulong lender = Assert.Single(world.Lenders);

        world.Lenders.Clear();
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.Completion, lender, status: Status.Busy).Ending);
        Assert.Equal((lender, Tee.RpcCommand), world.Suspended);
        ulong asked = World.CallPage + MessageArgument.Bytes;
        Assert.Equal(((MessageCommand)Rpc.Suspend, 1ul), (world.Get<MessageArgument>(asked).Command, world.ParameterAt(asked, 0).A));
        Assert.Empty(world.Lenders);
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.UpcallReturn, lender).Ending);
        Assert.Equal(lender, Assert.Single(world.Lenders));

        Decision decision = world.Send(MessageLabel.Completion, lender, status: Status.Ok);
        Assert.Equal((Ending.Finish, Tee.ReturnOk), (decision.Ending, decision.X0));
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal((0, 2, 0), (world.Counts.Sessions, world.Counts.Registrations, world.Counts.Requests));
    }

    /// <summary>Threads that no call runs may be short of memory where nobody calls for long.</summary>
    [Theory, InlineData(Status.Ok), InlineData(Status.Busy)]
    public void WhoLendsTimeFetchesMemory(Status status)
    {
        World world = World.Ready();
        world.WriteArgument(World.CallPage, MessageCommand.DoBottomHalf, 0, 0);
        world.CallRegistered();
        ulong lender = Assert.Single(world.Lenders);
        world.Lenders.Clear();
        Wish(world, 5, Pages);
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.Completion, lender, status: status).Ending);
        Assert.Equal((lender, Tee.RpcCommand), world.Suspended);
        ulong asked = World.CallPage + MessageArgument.Bytes;
        Assert.Equal((6u, Bytes), ((uint)world.Get<MessageArgument>(asked).Command, world.ParameterAt(asked, 0).B));

        Decision end = Answer(world, lender, Memory, Cookie, at: asked);
        Assert.Equal((Ending.Finish, lender, Tee.ReturnOk), (end.Ending, end.Downcall, end.X0));
        Assert.Equal((Pages, 5ul), world.Donated[Memory]);
        Assert.Empty(world.Lenders);
        Assert.Equal((0, 0), (world.State.Allocations.Reserved, world.Counts.Requests));
    }

    [Fact]
    public void ASecondBottomHalfHasNothingToDo()
    {
        World world = World.Ready();
        world.WriteArgument(World.CallPage, MessageCommand.DoBottomHalf, 0, 0);
        world.CallRegistered();
        Decision decision = world.CallRegistered(index: 1);
        Assert.Equal((Ending.Finish, Tee.ReturnOk), (decision.Ending, decision.X0));
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
    }

    /// <summary>Linux has taken the argument away while it lent: nothing is written, and nothing is asked.</summary>
    [Fact]
    public void ALenderWithoutItsArgumentEnds()
    {
        World world = World.Ready();
        world.WriteArgument(World.CallPage, MessageCommand.DoBottomHalf, 0, 0);
        world.CallRegistered();
        ulong lender = Assert.Single(world.Lenders);
        Assert.Equal(Tee.Success, world.Unregister(World.CallCookie));
        world.Written.Clear();
        Decision decision = world.Send(MessageLabel.Completion, lender, status: Status.Busy);
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), (decision.Ending, decision.X0));
        Assert.Empty(world.Written);
        Assert.Null(world.Suspended);
    }

    /// <summary>The names of a Linux that is gone are pointers into nothing.</summary>
    [Fact]
    public void ANewLinuxIsNotAskedToFreeWhatItNeverGave()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Given(world, downcall, Memory, Cookie));
        Ask(world, downcall, Rpc.AllocateMemory);
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.WorldReset, 0).Ending);
        Assert.Equal((0, 0, 0, 0), (world.Donated.Count, world.Returned.Count, world.State.Allocations.Count, world.State.Allocations.Reserved));
        Assert.Equal(Tee.Success, world.Register(World.CallCookie, [World.CallPage], 0, 4096));
        (_, downcall) = Serving(world);
        Assert.Equal(0, End(world, downcall));
        Assert.Empty(world.Freed);
    }

    [Fact]
    public void AFullTableAsksNoMore()
    {
        var (world, downcall) = Serving();
        for (int i = 0; i < AllocationTable.Capacity; i++)
        {
            Assert.Equal(Status.Ok, Given(world, downcall, Memory + ((ulong)i * 0x10_0000), Cookie + (ulong)i));
        }

        Assert.Equal(Ending.Reply, Ask(world, downcall, Rpc.AllocateMemory).Ending);
        Assert.Equal(Status.NoMemory, world.Message.Status);
        Ask(world, downcall, Rpc.FreeMemory);
        Assert.Equal(AllocationTable.Capacity, End(world, downcall));
        Assert.Equal((0, 0, 0), (world.State.Allocations.Count, world.State.Allocations.IdleCount, world.State.Allocations.Reserved));
    }

    [Fact]
    public void ASuspensionThatSkRefusesLeavesTheMemoryForTheNextCall()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Given(world, downcall, Memory, Cookie));
        Ask(world, downcall, Rpc.FreeMemory);
        world.SuspendAnswer = Status.NotFound;
        Assert.Equal(0, End(world, downcall));
        Assert.Equal((1, 1), (world.State.Allocations.Count, world.State.Allocations.IdleCount));
        world.SuspendAnswer = Status.Ok;
        (_, downcall) = Serving(world);
        Assert.Equal(1, End(world, downcall));
        Assert.Equal([Cookie], world.Freed);
    }

    /// <summary>An idle allocation that an ending call is to free.</summary>
    private static World WithIdleMemory()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Given(world, downcall, Memory, Cookie));
        Ask(world, downcall, Rpc.FreeMemory);
        world.SuspendAnswer = Status.NotFound;
        Assert.Equal(0, End(world, downcall));
        world.SuspendAnswer = Status.Ok;
        world.Suspended = null;
        return world;
    }

    [Fact]
    public void ARefusedCallThatFreesMemoryIsStillRefused()
    {
        World world = WithIdleMemory();
        Decision decision = world.CallRegistered(offset: 4096);
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), (decision.Ending, decision.X0));
        Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, decision);
        Assert.Equal((decision.Downcall, Tee.RpcFree), world.Suspended);
        Decision end = world.Send(MessageLabel.UpcallReturn, decision.Downcall);
        Assert.Equal((Ending.Finish, decision.Downcall, Tee.ReturnBadAddress), (end.Ending, end.Downcall, end.X0));
        Assert.Equal([Cookie], world.Freed);
    }

    [Fact]
    public void ACallThatEndsUnderAnothersNumberFreesNothing()
    {
        World world = WithIdleMemory();
        (_, ulong busy) = Serving(world, index: 3);
        Decision decision = world.CallRegistered(offset: 4096, index: 3);
        Assert.Equal(Ending.Finish, decision.Ending);
        Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, decision);
        Assert.Null(world.Suspended);
        Assert.Equal(1, End(world, busy));
        Assert.Equal([Cookie], world.Freed);
    }

    [Fact]
    public void AConclaveThatLostItsMemorySaysSo()
    {
        var (world, downcall) = Serving();
        Decision decision = world.Complete(downcall, Tee.Success, status: Status.Reclaimed);
        Assert.Equal(Ending.Finish, decision.Ending);
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.Equal((Tee.ErrorMemoryReclaimed, Tee.OriginTee), (answer.Result, answer.Origin));
    }

    /// <summary>Random words of Linux in every field: what is counted stays within bounds, and what is freed was given.</summary>
    [Fact]
    public void RandomAnswersKeepTheBooks()
    {
        ulong[] words = [0, 1, 8, 10, 0x20A, 0x10A, Memory, Memory + 1, Bytes, Bytes - 1, 4096, Cookie, Cookie + 1, World.ListPage, ulong.MaxValue];
        Gen<ulong> word = Gen.Int[0, words.Length - 1].Select(i => words[i]);
        Gen.Select(Gen.Int[0, 3], word, word, word, word, Gen.Bool).Array[1, 40].Sample(
            history =>
            {
                var (world, downcall) = Serving();
                HashSet<ulong> given = [];
                foreach ((int what, ulong attribute, ulong address, ulong bytes, ulong cookie, bool takes) in history)
                {
                    world.DonateAnswer = (at, _) => !takes ? Status.Denied : world.Donated.ContainsKey(at) ? Status.Denied : Status.Ok;
                    if (what == 3)
                    {
                        Ask(world, downcall, Rpc.FreeMemory);
                        continue;
                    }

                    if (Ask(world, downcall, Rpc.AllocateMemory).Ending != Ending.Receive)
                    {
                        continue;
                    }

                    while (Answer(world, downcall, address, cookie, bytes, what == 0 ? attribute : MessageParameter.TemporaryOutput).Ending == Ending.Receive)
                    {
                    }

                    given.Add(cookie);
                    Assert.Equal(0, world.State.Allocations.Reserved);
                    Assert.True(world.State.Allocations.Count >= world.Donated.Count);
                }

                Ask(world, downcall, Rpc.FreeMemory);
                End(world, downcall);
                Assert.Equal((0, 0), (world.State.Allocations.Count, world.Donated.Count));
                Assert.All(world.Freed, name => Assert.Contains(name, given));
                Assert.DoesNotContain(0ul, world.Freed);
            },
            iter: 500,
            threads: 1);
    }
}
