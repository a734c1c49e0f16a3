using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>OPEN, INVOKE, CLOSE, CANCEL: whole flows, and whatever else Linux may send.</summary>
public class CallTests
{
    private static readonly HashSet<uint> Results =
    [
        Tee.Success, Tee.ErrorBadParameters, Tee.ErrorNotSupported, Tee.ErrorItemNotFound, Tee.ErrorBusy, Tee.ErrorOutOfMemory, Tee.ErrorShortBuffer,
        Tee.ErrorTargetDead, Tee.ErrorCommunication, Tee.ErrorBadState,
    ];

    private static MessageParameter Value(uint type, ulong a = 1, ulong b = 2, ulong c = 3) => new() { Attribute = type, A = a, B = b, C = c };

    private static MessageParameter Buffer(uint type, ulong offset, ulong bytes, ulong cookie = World.BufferCookie) =>
        new() { Attribute = type, A = offset, B = bytes, C = cookie };

    [Fact]
    public void TheDriversWholeLife()
    {
        World world = World.Ready();
        uint enumeration = world.Open(Services.EnumerationLow, Services.EnumerationHigh);
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, enumeration, Buffer(6, 0, 0));
        Assert.Equal(Tee.ReturnOk, world.CallRegistered().X0);
        Assert.Equal(Tee.ErrorShortBuffer, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal(32ul, world.ParameterAt(World.CallPage, 0).B);
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, enumeration, Buffer(6, 0, 32));
        world.CallRegistered();
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal(
            [Services.HelloLow, Services.HelloHigh, Services.SignerLow, Services.SignerHigh],
            MemoryMarshal.Cast<byte, ulong>(world.Linux(World.BufferPage + 0x100, 32)).ToArray());
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 1, enumeration, Buffer(6, 0, 32));
        world.CallRegistered();
        Assert.Equal(0ul, world.ParameterAt(World.CallPage, 0).B);
        Assert.Equal(Tee.Success, world.Close(enumeration));

        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 9, session, Buffer(5, 0, 64), Buffer(6, 64, 64), Value(1), Value(3));
        world.Linux(World.BufferPage + 0x100, 64).Fill(0xA5);
        world.Linux(World.BufferPage + 0x140, 64).Fill(0x11);
        Decision forward = world.CallRegistered();
        Assert.Equal((Ending.Forward, World.ProxySlot), (forward.Ending, forward.Slot));

        // Linux puts the RPC argument behind the four parameters.
        Assert.Equal(RegistrationTable.WindowOf(world.State.Registrations.Find(World.CallCookie)) + 32 + (4 * 32), forward.RpcArgument);
        ServiceMessage asked = world.ServiceBody;
        Assert.Equal((session, 9u, MessageLabel.Invoke), (asked.Session, asked.Operation, world.Message.Label));
        Assert.Equal((ParameterKind.BufferIn, 64ul), (asked.P0.Kind, asked.P0.A));
        Assert.True(world.Body.Slice((int)asked.P0.Offset, 64).IndexOfAnyExcept((byte)0xA5) < 0);
        Assert.Equal((ParameterKind.BufferOut, 64ul, 64ul), (asked.P1.Kind, asked.P1.A, asked.P1.B));
        Assert.Equal((ParameterKind.ValueIn, 1ul, 2ul, 3ul), (asked.P2.Kind, asked.P2.A, asked.P2.B, asked.P2.C));

        world.Body.Slice((int)asked.P1.Offset, 40).Fill(0xC3);
        world.ServiceBody.P1.A = 40;
        world.ServiceBody.P2.A = 999;
        world.ServiceBody.P3.A = 77;
        world.Written.Clear();
        Assert.Equal((Ending.Finish, Tee.ReturnOk), Pair(world.Complete(forward.Downcall, Tee.Success)));
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.Equal((Tee.Success, Tee.OriginTrustedApplication), (answer.Result, answer.Origin));
        Assert.Equal((6ul, 64ul, 40ul, World.BufferCookie), Fields(world.ParameterAt(World.CallPage, 1)));
        Assert.Equal(1ul, world.ParameterAt(World.CallPage, 2).A);
        Assert.Equal(77ul, world.ParameterAt(World.CallPage, 3).A);
        Assert.True(world.Linux(World.BufferPage + 0x140, 40).IndexOfAnyExcept((byte)0xC3) < 0);
        Assert.True(world.Linux(World.BufferPage + 0x168, 24).IndexOfAnyExcept((byte)0x11) < 0);

        Assert.Equal(Tee.Success, world.Close(session));
        Assert.Equal(Tee.Success, world.Unregister(World.BufferCookie));
        Assert.Equal(Tee.Success, world.Unregister(World.CallCookie));
        Assert.Equal((0, 0, 0, 0), world.Counts);
    }

    [Fact]
    public void StatisticsShowEveryCounterAndEveryComponent()
    {
        World world = World.Ready();
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, (uint)StatisticsOperation.Counters, session, Buffer(6, 0, 1024));
        world.CallRegistered();
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(world.Linux(World.BufferPage + 0x100, 512));
        int kernel = (int)SkCounter.Count + (int)SptmCounter.Count;
        Assert.Equal([(ulong)SkCounter.Count, (ulong)SptmCounter.Count, (ulong)ProxyCounter.Count, 1000], words[..4].ToArray());
        Assert.Equal([1, 2, 1, 0], words.Slice(3 + kernel, 4).ToArray());

        for (uint index = 0; index < 5; index++)
        {
            world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, (uint)StatisticsOperation.Component, session, Value(1, index), Buffer(6, 0, 1024));
            world.CallRegistered();
            Assert.Equal(index < 4 ? Tee.Success : Tee.ErrorItemNotFound, world.Get<MessageArgument>(World.CallPage).Result);
            Assert.True(index == 4 || world.Get<ComponentStatus>(World.BufferPage + 0x100).UntypedBase == 0x8000_0000 + index);
        }
    }

    public static TheoryData<string, MessageCommand, bool, ulong[], uint> MalformedCalls => new()
    {
        // what                        command                        session  attribute, a, b, c, ...                                      result
        { "unknown command",           (MessageCommand)8,             true,    [],                                                          Tee.ErrorNotSupported },
        { "register by this way",      MessageCommand.RegisterShm,    true,    [],                                                          Tee.ErrorNotSupported },
        { "invoke without session",    MessageCommand.InvokeCommand,  false,   [],                                                          Tee.ErrorBadParameters },
        { "close without session",     MessageCommand.CloseSession,   false,   [],                                                          Tee.ErrorBadParameters },
        { "cancel without session",    MessageCommand.Cancel,         false,   [],                                                          Tee.ErrorBadParameters },
        { "open without parameters",   MessageCommand.OpenSession,    false,   [],                                                          Tee.ErrorBadParameters },
        { "open with one",             MessageCommand.OpenSession,    false,   [0x101, 1, 2, 0],                                            Tee.ErrorBadParameters },
        { "open without meta",         MessageCommand.OpenSession,    false,   [1, 1, 2, 0, 1, 0, 0, 0],                                    Tee.ErrorBadParameters },
        { "open of nobody",            MessageCommand.OpenSession,    false,   [0x101, 9, 9, 0, 0x101, 0, 0, 0],                            Tee.ErrorItemNotFound },
        { "open, bad third",           MessageCommand.OpenSession,    false,   [0x101, Services.HelloLow, Services.HelloHigh, 0, 0x101, 0, 0, 0, 8, 0, 0, 0], Tee.ErrorBadParameters },
        { "type 4",                    MessageCommand.InvokeCommand,  true,    [4, 0, 0, 0],                                                Tee.ErrorBadParameters },
        { "type 8",                    MessageCommand.InvokeCommand,  true,    [8, 0, 0, 0],                                                Tee.ErrorBadParameters },
        { "type 12",                   MessageCommand.InvokeCommand,  true,    [12, 0, 0, 0],                                               Tee.ErrorBadParameters },
        { "type 255",                  MessageCommand.InvokeCommand,  true,    [255, 0, 0, 0],                                              Tee.ErrorBadParameters },
        { "meta where none may be",    MessageCommand.InvokeCommand,  true,    [0x101, 0, 0, 0],                                            Tee.ErrorBadParameters },
        { "high attribute bits",       MessageCommand.InvokeCommand,  true,    [1 | 1ul << 32, 0, 0, 0],                                    Tee.ErrorBadParameters },
        { "temporary with pointer",    MessageCommand.InvokeCommand,  true,    [9, World.BufferPage, 8, 0],                                 Tee.ErrorBadParameters },
        { "temporary with cookie",     MessageCommand.InvokeCommand,  true,    [10, 0, 8, 1],                                               Tee.ErrorBadParameters },
        { "non-contiguous",            MessageCommand.InvokeCommand,  true,    [0x20A, 0, 8, 0],                                            Tee.ErrorBadParameters },
        { "unknown cookie",            MessageCommand.InvokeCommand,  true,    [5, 0, 8, 1],                                                Tee.ErrorBadParameters },
        { "offset past the end",       MessageCommand.InvokeCommand,  true,    [5, 6001, 0, World.BufferCookie],                            Tee.ErrorBadParameters },
        { "size past the end",         MessageCommand.InvokeCommand,  true,    [6, 1, 6000, World.BufferCookie],                            Tee.ErrorBadParameters },
        { "offset and size wrap",      MessageCommand.InvokeCommand,  true,    [6, 8, ulong.MaxValue - 3, World.BufferCookie],              Tee.ErrorBadParameters },
        { "more than a message holds", MessageCommand.InvokeCommand,  true,    [5, 0, 5000, World.BufferCookie],                            Tee.ErrorOutOfMemory },
        { "fifth parameter",           MessageCommand.InvokeCommand,  true,    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], Tee.ErrorNotSupported },
    };

    [Theory]
    [MemberData(nameof(MalformedCalls))]
    public void MalformedCallsAreAnsweredAndChangeNothing(string what, MessageCommand command, bool hasSession, ulong[] words, uint result)
    {
        World world = World.Ready();
        uint session = hasSession ? world.Open() : 0x0001_0002;
        var before = world.Counts;
        world.WriteArgument(World.CallPage, command, 0, session, MemoryMarshal.Cast<ulong, MessageParameter>(words));
        byte[] argument = world.Linux(World.CallPage, 512).ToArray();
        world.Written.Clear();
        Decision decision = world.CallRegistered();
        Assert.Equal((Ending.Finish, Tee.ReturnOk), Pair(decision));
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.True(answer.Result == result, $"{what}: {answer.Result:x}");
        Assert.Equal(Tee.OriginTee, answer.Origin);
        Assert.Equal(before, world.Counts);
        Assert.Equal(Enumerable.Range(20, 8).Select(i => World.CallPage + (ulong)i), world.Written.Order());
        argument.AsSpan(20, 8).Clear();
        byte[] after = world.Linux(World.CallPage, 512).ToArray();
        after.AsSpan(20, 8).Clear();
        Assert.Equal(argument, after);
    }

    [Theory]
    [InlineData(World.CallCookie, 4ul)]
    [InlineData(World.CallCookie, 4072ul)]
    [InlineData(World.CallCookie, 4096ul)]
    [InlineData(World.CallCookie, ulong.MaxValue - 7)]
    [InlineData(1ul, 0ul)]
    public void AnArgumentThatIsNotRegisteredIsABadAddress(ulong cookie, ulong offset)
    {
        World world = World.Ready();
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), Pair(world.CallRegistered(offset, cookie)));
        Assert.Empty(world.Written);
        Assert.Equal(1ul, world.State.Malformed);
    }

    [Theory]
    [InlineData(7u, 0ul)]
    [InlineData(uint.MaxValue, 0ul)]
    [InlineData(0x0800_0000u, 0ul)]
    [InlineData(1u, 4064ul)]
    public void ParameterCountsAreCheckedBeforeTheyAreUsed(uint count, ulong offset)
    {
        World world = World.Ready();
        world.WriteArgument(World.CallPage + offset, MessageCommand.InvokeCommand, 0, 0);
        world.Put(World.CallPage + offset + MessageArgument.CountOffset, count);
        Assert.Equal(Tee.ReturnOk, world.CallRegistered(offset).X0);
        Assert.Equal(Tee.ErrorBadParameters, world.Get<MessageArgument>(World.CallPage + offset).Result);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(Tee.CallWithArg)]
    [InlineData(Tee.ReturnFromRpc)]
    [InlineData(uint.MaxValue)]
    public void OtherFunctionsAreNotServed(uint function)
    {
        World world = World.Ready();
        Assert.Equal((Ending.Finish, Tee.ReturnBadCommand), Pair(world.Send(MessageLabel.Downcall, world.NewDowncall(), function)));
    }

    [Fact]
    public void OnlyTheFirstCopyOfAnArgumentCounts()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 9, session, Buffer(5, 0, 16), Buffer(6, 16, 16), Value(1, 42));
        world.Linux(World.BufferPage + 0x100, 16).Fill(0x77);

        // Right after the header's copy the header turns hostile; after the parameters' copy those do; after the contents' copy all does.
        int reads = 0;
        world.AfterRead = () =>
        {
            switch (++reads)
            {
                case 1:
                    world.Linux(World.CallPage, MessageArgument.Bytes).Fill(0xFF);
                    break;
                case 2:
                    world.Linux(World.CallPage + MessageArgument.Bytes, 3 * MessageParameter.Bytes).Fill(0xFF);
                    break;
                default:
                    world.Linux(World.BufferPage + 0x100, 16).Fill(0xFF);
                    break;
            }
        };
        Decision forward = world.CallRegistered();
        Assert.Equal(Ending.Forward, forward.Ending);
        Assert.Equal(3, reads);
        ServiceMessage asked = world.ServiceBody;
        Assert.Equal((session, 9u, 42ul), (asked.Session, asked.Operation, asked.P2.A));
        Assert.True(world.Body.Slice((int)asked.P0.Offset, 16).IndexOfAnyExcept((byte)0x77) < 0);
        world.ServiceBody.P1.A = 16;
        world.Written.Clear();
        world.Complete(forward.Downcall, Tee.Success);
        Assert.Equal(3, reads);
        Assert.Equal(16, world.Written.Count(at => at >= World.BufferPage + 0x110 && at < World.BufferPage + 0x120));
        Assert.DoesNotContain(world.Written, at => at >= World.BufferPage && (at < World.BufferPage + 0x110 || at >= World.BufferPage + 0x120));
    }

    public static TheoryData<ulong, uint, uint, uint> HostileSizes => new()
    {
        // claimed        length                       result of WriteBack     service's result
        { 65,             MessageHeader.MaxBodyBytes,  Tee.ErrorShortBuffer,   Tee.Success },
        { ulong.MaxValue, MessageHeader.MaxBodyBytes,  Tee.ErrorShortBuffer,   Tee.Success },
        { 64,             200,                         Tee.ErrorCommunication, Tee.Success },
        { 64,             0,                           Tee.ErrorCommunication, Tee.Success },
        { 99,             MessageHeader.MaxBodyBytes,  Tee.ErrorShortBuffer,   Tee.ErrorShortBuffer },
        { 10,             MessageHeader.MaxBodyBytes,  Tee.ErrorGeneric,       Tee.ErrorGeneric },
    };

    [Theory]
    [MemberData(nameof(HostileSizes))]
    public void AServicesSizeIsNotTrusted(ulong claimed, uint length, uint result, uint own)
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session, Buffer(6, 0, 64));
        Decision forward = world.CallRegistered();
        world.ServiceBody.P0.A = claimed;
        world.ServiceBody.P0.Offset = 0xFFFF_FFF0;
        world.Written.Clear();
        world.Complete(forward.Downcall, own, length);
        Assert.Equal(result, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.DoesNotContain(world.Written, at => at >= World.BufferPage);
        Assert.Equal((1, 2, 0, 3), world.Counts);
    }

    [Fact]
    public void ABufferThatIsUnregisteredUnderACallIsNotWritten()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session, Buffer(6, 0, 64));
        Decision forward = world.CallRegistered(index: 1);
        byte[] saved = world.Body.ToArray();
        Assert.Equal(Tee.Success, world.Unregister(World.BufferCookie));
        Assert.Equal(Tee.Success, world.Register(World.BufferCookie, [World.BufferPage], 0, 4096));
        world.Written.Clear();
        saved.CopyTo(world.Body);
        world.ServiceBody.P0.A = 64;
        world.Complete(forward.Downcall, Tee.Success);
        Assert.Equal(Tee.ErrorBadState, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.DoesNotContain(world.Written, at => at >= World.BufferPage);

        // Without its argument, the call itself has nowhere to answer but x0.
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session);
        forward = world.CallRegistered(index: 1);
        world.Unregister(World.CallCookie);
        world.Written.Clear();
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), Pair(world.Complete(forward.Downcall, Tee.Success)));
        Assert.Empty(world.Written);
        Assert.Equal(0, world.State.RequestCount);
    }

    /// <summary>A session belongs to the life that opened it; only a new one makes a component live again.</summary>
    [Fact]
    public void ASessionEndsWithTheLifeOfItsService()
    {
        World world = World.Ready();
        world.CanRestart = true;
        uint first = world.Open();
        world.IsServiceDead = true;
        Assert.Equal((Ending.Finish, Tee.ErrorTargetDead), Invoke(world, first));
        Assert.Equal((true, 1ul), (world.IsServiceDead, world.Life));

        world.WriteArgument(World.CallPage, MessageCommand.OpenSession, 0, 0, World.OpenParameters(Services.HelloLow, Services.HelloHigh));
        Decision open = world.CallRegistered();
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, open));
        Assert.Equal((Ending.Forward, 2ul), (world.LastEnding, world.Life));
        world.Complete(open.Downcall, Tee.Success);
        uint second = world.Get<MessageArgument>(World.CallPage).Session;

        Assert.Equal((Ending.Finish, Tee.ErrorTargetDead), Invoke(world, first));
        Assert.Equal(Ending.Forward, Invoke(world, second).Ending);
    }

    private static (Ending Ending, uint Result) Invoke(World world, uint session)
    {
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 1, session);
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, world.CallRegistered()));
        return (world.LastEnding, world.Get<MessageArgument>(World.CallPage).Result);
    }

    [Fact]
    public void AServiceThatIsGoneIsAnsweredAsDead()
    {
        World world = World.Ready();
        world.IsServiceDead = true;
        world.WriteArgument(World.CallPage, MessageCommand.OpenSession, 0, 0, World.OpenParameters(Services.HelloLow, Services.HelloHigh));
        Decision forward = world.CallRegistered();
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, forward));
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.Equal((Ending.Finish, Tee.ErrorTargetDead, Tee.OriginTee), (world.LastEnding, answer.Result, answer.Origin));
        Assert.Equal((0, 2, 0, 3), world.Counts);
        world.IsServiceDead = false;

        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.CloseSession, 0, session);
        forward = world.CallRegistered();
        world.Complete(forward.Downcall, 0, 0, Status.PeerDied);
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal((0, 2, 0, 3), world.Counts);
    }

    [Fact]
    public void ASessionIdDoesNotOutliveItsSession()
    {
        World world = World.Ready();
        HashSet<uint> seen = [];
        for (int i = 0; i < 100; i++)
        {
            uint session = world.Open();
            Assert.NotEqual(0u, session);
            Assert.True(seen.Add(session));
            Assert.Equal(Tee.Success, world.Close(session));
            Assert.Equal(Tee.ErrorBadParameters, world.Close(session));
        }

        Assert.Equal(0, world.State.Sessions.Count);
    }

    [Fact]
    public void AnOldIdDoesNotReachItsPlacesNextSession()
    {
        World world = World.Ready();
        uint old = world.Open();
        world.Close(old);
        uint next = world.Open();
        Assert.Equal(old & 0xFFFF, next & 0xFFFF);
        foreach (MessageCommand command in new[] { MessageCommand.InvokeCommand, MessageCommand.CloseSession, MessageCommand.Cancel })
        {
            world.WriteArgument(World.CallPage, command, 0, old);
            Assert.Equal(Ending.Finish, world.CallRegistered().Ending);
            Assert.Equal(Tee.ErrorBadParameters, world.Get<MessageArgument>(World.CallPage).Result);
        }

        Assert.Equal(1, world.State.Sessions.Count);
        Assert.Equal(Tee.Success, world.Close(next));
    }

    [Fact]
    public void AClosingSessionWaitsForItsLastCallAndTakesNoMore()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session);
        Decision call = world.CallRegistered(index: 1);
        world.WriteArgument(World.CallPage + 512, MessageCommand.CloseSession, 0, session);
        Decision close = world.CallRegistered(512, index: 2);
        world.WriteArgument(World.CallPage + 1024, MessageCommand.InvokeCommand, 0, session);
        Assert.Equal(Ending.Finish, world.CallRegistered(1024, index: 3).Ending);
        Assert.Equal(Tee.ErrorBadParameters, world.Get<MessageArgument>(World.CallPage + 1024).Result);
        world.Complete(close.Downcall, Tee.Success);
        Assert.Equal((1, 1), (world.State.Sessions.Count, world.State.RequestCount));
        world.Complete(call.Downcall, Tee.Success);
        Assert.Equal((0, 0), (world.State.Sessions.Count, world.State.RequestCount));
    }

    [Fact]
    public void SessionsRunOutAndComeBack()
    {
        World world = World.Ready();
        uint[] sessions = [.. Enumerable.Range(0, SessionTable.Capacity).Select(_ => world.Open())];
        world.WriteArgument(World.CallPage, MessageCommand.OpenSession, 0, 0, World.OpenParameters(Services.HelloLow, Services.HelloHigh));
        Assert.Equal(Ending.Finish, world.CallRegistered().Ending);
        Assert.Equal(Tee.ErrorBusy, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.All(sessions, session => Assert.Equal(Tee.Success, world.Close(session)));
        Assert.Equal(0, world.State.Sessions.Count);
    }

    [Fact]
    public void NoDowncallIsNobodysAnswer()
    {
        World world = World.Ready();
        (int, int, int, int) before = world.Counts;
        world.Written.Clear();
        Assert.Equal((Ending.Finish, Tee.ReturnBadCommand), Pair(world.Complete(0, Tee.Success)));
        Assert.Empty(world.Written);
        Assert.Equal(before, world.Counts);
    }

    /// <summary>Linux restarts while XnuProxy is somewhere in a message: it begins anew with the memory that it has, and must find its way.</summary>
    [Fact]
    public void AResetAnywhereInAMessageDropsAllAndLeavesAWorkingProxy()
    {
        int stops = 0;
        for (int at = 1; ; at++)
        {
            World world = World.Ready();
            world.StopsAfter = at;
            try
            {
                ulong[] pages = [.. Enumerable.Range(0, 100).Select(i => World.Ram + 0x100_0000 + ((ulong)i * 4096))];
                Assert.Equal(Tee.Success, world.Register(77, pages, 0, 100 * 4096));
                uint session = world.Open();
                world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session, Buffer(7, 0, 64));
                Decision forward = world.CallRegistered();
                world.Complete(forward.Downcall, Tee.Success);
                Assert.Equal(Tee.Success, world.Unregister(77));
                Assert.True(stops > 10, $"{stops} places");
                return;
            }
            catch (World.StoppedException)
            {
                stops++;
            }

            world.StopsAfter = 0;
            Assert.Equal(Ending.Receive, world.Send(MessageLabel.WorldReset, 0).Ending);
            Assert.Equal((0, 0, 0, 0), world.Counts);
            Assert.Equal(Tee.Success, world.Register(World.CallCookie, [World.CallPage], 0, 4096));
            Assert.Equal(Tee.Success, world.Register(World.BufferCookie, [World.BufferPage, World.BufferPage + 0x1_0000], 0x100, 6000));
            world.Open();
            Assert.Equal((1, 2, 0, 3), world.Counts);
        }
    }

    [Fact]
    public void AResetOfTheWorldDropsAll()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session, Buffer(6, 0, 64));
        Decision forward = world.CallRegistered();
        Assert.Equal(Ending.Receive, world.Send(MessageLabel.WorldReset, 0).Ending);
        Assert.Equal((0, 0, 0, 0), world.Counts);

        // The answer of before finds nobody, and touches nothing.
        world.Written.Clear();
        Assert.Equal((Ending.Finish, Tee.ReturnBadCommand), Pair(world.Complete(forward.Downcall, Tee.Success)));
        Assert.Empty(world.Written);
        Assert.Equal((0, 0, 0, 0), world.Counts);
        Assert.Equal(Tee.Success, world.Register(World.CallCookie, [World.CallPage], 0, 4096));
        Assert.NotEqual(session, world.Open());
    }

    [Fact]
    public void ANullBufferAsksForItsSize()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session, new MessageParameter { Attribute = 10, B = 0 });
        Decision forward = world.CallRegistered();
        Assert.Equal((ParameterKind.BufferOut, 0ul, 1ul), (world.ServiceBody.P0.Kind, world.ServiceBody.P0.A, world.ServiceBody.P0.C));
        world.ServiceBody.P0.A = 123;
        world.Complete(forward.Downcall, Tee.Success);
        Assert.Equal(Tee.ErrorShortBuffer, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal((10ul, 0ul, 123ul, 0ul), Fields(world.ParameterAt(World.CallPage, 0)));
    }

    /// <summary>Linux's bytes are random, a service's answers as well. Fakes throw when anything leaves its bounds.</summary>
    [Fact]
    public void RandomBytesGetKnownAnswers()
    {
        Gen<ulong> attribute = Gen.OneOf(Gen.Int[0, 16].Select(i => (ulong)i), Gen.Int[0, 16].Select(i => 0x100ul | (uint)i), Gen.ULong);
        Gen<ulong> word = Gen.OneOf(Gen.Int[0, 70].Select(i => (ulong)i), Gen.Int[0, 7000].Select(i => (ulong)i), Gen.ULong);
        Gen<ulong> cookie = Gen.OneOf(Gen.Const(World.BufferCookie), Gen.Const(World.CallCookie), Gen.Const(0ul), Gen.ULong);
        Gen<MessageParameter> parameter = Gen.Select(attribute, word, word, cookie, (t, a, b, c) => new MessageParameter { Attribute = t, A = a, B = b, C = c });
        Gen<(uint Command, uint Count, bool Stale, bool Meta, ulong Offset, ulong Claim, uint Length, MessageParameter[] Parameters)> step = Gen.Select(
            Gen.OneOf(Gen.UInt[0, 6], Gen.UInt), Gen.OneOf(Gen.UInt[0, 8], Gen.UInt), Gen.Bool, Gen.Bool, Gen.OneOf(Gen.ULong[0, 400].Select(o => o * 8), Gen.ULong.Select(o => o is > 3200 and < 4096 ? o + 4096 : o)),
            word, Gen.UInt[0, MessageHeader.MaxBodyBytes], parameter.Array[6]);
        step.Array[1, 12].Sample(steps =>
        {
            World world = World.Ready();
            uint session = world.Open();
            foreach (var (command, count, stale, meta, offset, claim, length, parameters) in steps)
            {
                if (meta)
                {
                    World.OpenParameters(Services.HelloLow, Services.HelloHigh).CopyTo(parameters, 0);
                }

                ulong at = World.CallPage + (offset <= 3200 ? offset : 0);
                world.WriteArgument(at, (MessageCommand)command, 0, stale ? session + 0x10000 : session, parameters);
                world.Put(at + MessageArgument.CountOffset, count);
                byte[] before = world.Linux(at, 224).ToArray();
                world.Written.Clear();
                Decision decision = world.CallRegistered(offset);
                if (decision.Ending == Ending.Forward)
                {
                    Assert.Equal(World.ProxySlot, decision.Slot);
                    Assert.InRange(world.Message.Length, (uint)Unsafe.SizeOf<ServiceMessage>(), (uint)MessageHeader.MaxBodyBytes);
                    world.ServiceBody.P0.A = claim;
                    world.ServiceBody.P1.A = claim;
                    decision = world.Complete(decision.Downcall, claim % 3 == 0 ? Tee.ErrorShortBuffer : Tee.Success, length);
                }

                if (world.Lenders.Count != 0)
                {
                    Assert.Equal((Ending.Receive, (uint)MessageCommand.DoBottomHalf), (decision.Ending, command));
                    decision = world.Send(MessageLabel.Completion, world.Lenders[0]);
                    world.Lenders.Clear();
                }

                Assert.Equal(Ending.Finish, decision.Ending);
                Assert.Contains(decision.X0, new[] { Tee.ReturnOk, Tee.ReturnBadAddress });
                if (decision.X0 != Tee.ReturnOk)
                {
                    Assert.Empty(world.Written);
                    continue;
                }

                MessageArgument answer = world.Get<MessageArgument>(at);
                bool aliased = parameters.Any(p => p.C == World.CallCookie);
                Assert.True(aliased || Results.Contains(answer.Result), $"{answer.Result:x}");
                Assert.True(aliased || answer.Origin is Tee.OriginTee or Tee.OriginTrustedApplication);
                for (ulong i = 0; i < 6 && !aliased; i++)
                {
                    ulong from = MessageArgument.Bytes + (i * MessageParameter.Bytes);
                    Assert.DoesNotContain(world.Written, w => w >= at + from && w < at + from + 8);
                    Assert.True((parameters[i].Attribute & 0xFF) < 4 || !world.Written.Contains(at + from + 24));
                }

                Assert.Equal(0, world.State.RequestCount);
                if (world.State.Sessions.Find(session) < 0)
                {
                    session = world.Open();
                }
            }

            world.Send(MessageLabel.WorldReset, 0);
            Assert.Equal((0, 0, 0, 0), world.Counts);
        }, iter: 2000);
    }

    [Fact]
    public void UnknownLabelsAreAnswered()
    {
        World world = World.Ready();
        Assert.Equal(Ending.Reply, world.Send(MessageLabel.Random, 0).Ending);
        Assert.Equal((MessageLabel.Reply, 0u, Status.BadCall), (world.Message.Label, world.Message.Length, world.Message.Status));
    }

    private static (Ending Ending, ulong X0) Pair(Decision decision) => (decision.Ending, decision.X0);

    private static (ulong Attribute, ulong A, ulong B, ulong C) Fields(MessageParameter parameter) => (parameter.Attribute, parameter.A, parameter.B, parameter.C);
}
