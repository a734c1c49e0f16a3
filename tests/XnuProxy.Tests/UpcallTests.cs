using System;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>What services may ask of Linux, and what of Linux's answer they see.</summary>
public class UpcallTests
{
    private const uint GetTime = Rpc.GetTime;
    private const uint SuspendCommand = Rpc.Suspend;
    private const ulong RpcAt = World.CallPage + MessageArgument.Bytes;

    private static (World World, ulong Downcall) Serving()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, 0, session);
        Decision forward = world.CallRegistered(index: 3);
        Assert.Equal(Ending.Forward, forward.Ending);
        return (world, forward.Downcall);
    }

    private static Status Ask(World world, ulong downcall, uint command, ulong a = 0, uint length = 48)
    {
        world.Message = default;
        world.Body.Clear();
        MemoryMarshal.AsRef<UpcallMessage>(world.Body) = new UpcallMessage { Command = command, P0 = new ServiceParameter { Kind = ParameterKind.ValueIn, A = a } };
        world.Message.Length = length;
        Decision decision = world.Send(MessageLabel.Upcall, downcall);
        if (decision.Ending == Ending.Receive)
        {
            return Status.Ok;
        }

        Assert.Equal((Ending.Reply, MessageLabel.Reply), (decision.Ending, world.Message.Label));
        return world.Message.Status;
    }

    [Fact]
    public void OnlyTheListedCommandsGoOut()
    {
        for (uint command = 0; command < 64; command++)
        {
            var (world, downcall) = Serving();
            bool listed = command is GetTime or SuspendCommand or Rpc.AllocateMemory;
            Assert.Equal(listed || command == Rpc.FreeMemory ? Status.Ok : Status.Denied, Ask(world, downcall, command, command == Rpc.AllocateMemory ? 4096ul : 0));
            Assert.Equal(listed, world.Suspended != null);
        }
    }

    [Fact]
    public void SuspensionsAreShortAndRequestsAreTheCallers()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Denied, Ask(world, downcall, SuspendCommand, 10_001));
        Assert.Equal(Status.Denied, Ask(world, downcall, SuspendCommand, ulong.MaxValue));
        Assert.Equal(Status.BadState, Ask(world, 0, GetTime));
        Assert.Equal(Status.BadState, Ask(world, downcall + 1, GetTime));
        Assert.Equal(Status.BadState, Ask(world, downcall + 0x10000, GetTime));
        Assert.Equal(Status.BadArgument, Ask(world, downcall, GetTime, length: 8));
        Assert.Null(world.Suspended);
        Assert.Equal(Status.Ok, Ask(world, downcall, SuspendCommand, 10_000));
        Assert.Equal((downcall, Tee.RpcCommand), world.Suspended);
        Assert.Equal(Status.BadState, Ask(world, downcall, GetTime));
    }

    [Fact]
    public void AnUpcallThatSkRefusesIsNotPending()
    {
        var (world, downcall) = Serving();
        world.SuspendAnswer = Status.NotFound;
        Assert.Equal(Status.NotFound, Ask(world, downcall, GetTime));
        world.SuspendAnswer = Status.Ok;
        Assert.Equal(Status.Ok, Ask(world, downcall, GetTime));
    }

    [Theory]
    [InlineData(1000ul, 0ul, Tee.Success, Status.Ok)]
    [InlineData((1ul << 40) - 1, 999_999_999ul, Tee.Success, Status.Ok)]
    [InlineData(1ul << 40, 0ul, Tee.Success, Status.BadReply)]
    [InlineData(0ul, 1_000_000_000ul, Tee.Success, Status.BadReply)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, Tee.Success, Status.BadReply)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, Tee.ErrorGeneric, Status.Ok)]
    public void LinuxsTimeIsJudgedFromOneCopy(ulong seconds, ulong nanoseconds, uint result, Status status)
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Ask(world, downcall, GetTime));
        Assert.Equal((2ul, GetTime), (world.ParameterAt(RpcAt, 0).Attribute, (uint)world.Get<MessageArgument>(RpcAt).Command));
        world.Put(RpcAt + MessageArgument.ResultOffset, result);
        world.Put(RpcAt + MessageArgument.Bytes + 8, seconds);
        world.Put(RpcAt + MessageArgument.Bytes + 16, nanoseconds);
        int reads = 0;
        world.AfterRead = () =>
        {
            reads++;
            world.Linux(RpcAt, 64).Fill(0xFF);
        };
        Assert.Equal(Ending.Reply, world.Send(MessageLabel.UpcallReturn, downcall).Ending);
        Assert.Equal((1, status), (reads, world.Message.Status));
        UpcallMessage reply = MemoryMarshal.Read<UpcallMessage>(world.Body);
        bool shown = status == Status.Ok && result == Tee.Success;
        Assert.True(status != Status.Ok || (reply.Command == GetTime && reply.Result == result));
        Assert.True(!shown || (reply.P0.A == seconds && reply.P0.B == nanoseconds));
        Assert.True(status != Status.Ok || shown || (reply.P0.A == 0 && reply.P0.B == 0));
        Assert.True(status == Status.Ok || world.Message.Length == 0);
    }

    [Fact]
    public void AReturnThatNobodyWaitsForIsRefused()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Ending.Reply, world.Send(MessageLabel.UpcallReturn, downcall).Ending);
        Assert.Equal(Status.BadState, world.Message.Status);
        Assert.Equal(Status.Ok, Ask(world, downcall, GetTime));
        world.Send(MessageLabel.UpcallReturn, downcall);
        world.Send(MessageLabel.UpcallReturn, downcall);
        Assert.Equal(Status.BadState, world.Message.Status);
    }

    [Fact]
    public void WithoutRoomForItsArgumentNothingGoesOut()
    {
        World world = World.Ready();
        uint session = world.Open();
        world.WriteArgument(World.CallPage + 4040, MessageCommand.InvokeCommand, 0, session);
        Decision forward = world.CallRegistered(4040);
        Assert.Equal(Ending.Forward, forward.Ending);
        Assert.Equal(Status.BadState, Ask(world, forward.Downcall, GetTime));
        Assert.Null(world.Suspended);
    }

    [Fact]
    public void ABufferThatGoesDuringTheUpcallIsNotRead()
    {
        var (world, downcall) = Serving();
        Assert.Equal(Status.Ok, Ask(world, downcall, GetTime));
        world.Unregister(World.CallCookie);
        int reads = 0;
        world.AfterRead = () => reads++;
        world.Send(MessageLabel.UpcallReturn, downcall);
        Assert.Equal((0, Status.BadReply), (reads, world.Message.Status));
    }
}
