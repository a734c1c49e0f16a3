using Exclaves.Abi;
using Xunit;

namespace Exclaves.XnuProxy.Tests;

/// <summary>Boot stage 3 on the time of the first call that opens a service.</summary>
public class BootingTests
{
    private static World Ready()
    {
        World world = World.Ready();
        world.State.HasMint = true;
        return world;
    }

    private static Decision Open(World world, int index = 0, ulong low = Services.SignerLow, ulong high = Services.SignerHigh)
    {
        world.WriteArgument(World.CallPage, MessageCommand.OpenSession, 0, 0, World.OpenParameters(low, high));
        return world.CallRegistered(index: index);
    }

    private static ExclavesStatus Stage(World world)
    {
        uint session = world.Open(Services.StatisticsLow, Services.StatisticsHigh);
        world.WriteArgument(World.CallPage, MessageCommand.InvokeCommand, (uint)StatisticsOperation.Status, session, new MessageParameter { Attribute = 2 });
        world.CallRegistered();
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        ExclavesStatus stage = (ExclavesStatus)world.ParameterAt(World.CallPage, 0).A;
        world.Close(session);
        return stage;
    }

    [Fact]
    public void TheFirstOpenGoesToFrameMintAndThenOn()
    {
        World world = Ready();
        Assert.Equal(ExclavesStatus.ExclaveCore, Stage(world));
        Decision decision = Open(world);
        Assert.Equal((Ending.Forward, MintSlots.Proxy, 1ul, false), (decision.Ending, decision.Slot, decision.Life, decision.Lends));
        Assert.Equal((MessageLabel.Populate, 0u), (world.Message.Label, world.Message.Length));
        Assert.Equal((0, 1), (world.State.Sessions.Count, world.State.RequestCount));

        // Linux has the call back as it was: it is decoded now.
        decision = world.Send(MessageLabel.Completion, decision.Downcall);
        Assert.Equal((Ending.Forward, World.ProxySlot + 1, 0ul), (decision.Ending, decision.Slot, decision.Life));
        Assert.Equal(MessageLabel.Open, world.Message.Label);
        Assert.Equal((1, 1), (world.State.Sessions.Count, world.State.RequestCount));
        world.Complete(decision.Downcall, Tee.Success);
        Assert.Equal(Tee.Success, world.Get<MessageArgument>(World.CallPage).Result);
        Assert.Equal(ExclavesStatus.ExclaveKit, Stage(world));

        Assert.Equal(World.ProxySlot + 1, Open(world).Slot);
    }

    /// <summary>Another Linux finds it done.</summary>
    [Fact]
    public void ItHappensOnce()
    {
        World world = Ready();
        Decision first = Open(world, 0);
        Decision second = Open(world, 1);
        Assert.Equal((MintSlots.Proxy, MintSlots.Proxy), (first.Slot, second.Slot));
        Assert.Equal(World.ProxySlot + 1, world.Send(MessageLabel.Completion, second.Downcall).Slot);
        Assert.Equal(World.ProxySlot + 1, world.Send(MessageLabel.Completion, first.Downcall).Slot);
        world.Send(MessageLabel.WorldReset, 0);
        Assert.Equal((ExclavesStatus.ExclaveKit, true), (world.State.Stage, world.State.HasMint));
    }

    /// <summary>Freestanding services go on; what SK says of the others, the client learns.</summary>
    [Fact]
    public void AFailureStays()
    {
        World world = Ready();
        Decision decision = Open(world);
        decision = world.Send(MessageLabel.Completion, decision.Downcall, status: Status.Failed);
        Assert.Equal(World.ProxySlot + 1, decision.Slot);
        Assert.Equal(ExclavesStatus.Failure, Stage(world));
        Assert.Equal(World.ProxySlot, Open(world, 2, Services.HelloLow, Services.HelloHigh).Slot);
        world.ForwardAnswer = Status.NotPopulated;
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, Open(world, 3)));
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.Equal((Ending.Finish, Tee.ErrorBadState, Tee.OriginTee), (world.LastEnding, answer.Result, answer.Origin));
    }

    /// <summary>Killed while others were with FrameMint: it says nothing of FrameMint, before and after it has done its work.</summary>
    [Theory]
    [InlineData(Status.Busy, Tee.ErrorCancel)]
    [InlineData(Status.Cancelled, Tee.ErrorExternalCancel)]
    public void WhoGivesUpChangesNothing(Status status, uint result)
    {
        World world = Ready();
        Decision[] calls = [Open(world, 0), Open(world, 1), Open(world, 2)];
        Decision end = world.Send(MessageLabel.Completion, calls[0].Downcall, status: status);
        Assert.Equal((Ending.Finish, result, ExclavesStatus.ExclaveCore), (end.Ending, world.Get<MessageArgument>(World.CallPage).Result, world.State.Stage));
        Assert.Equal((MintSlots.Proxy, 0), (Open(world, 3).Slot, world.State.Sessions.Count));

        Assert.Equal(World.ProxySlot + 1, world.Send(MessageLabel.Completion, calls[1].Downcall).Slot);
        end = world.Send(MessageLabel.Completion, calls[2].Downcall, status: status);
        Assert.Equal((Ending.Finish, ExclavesStatus.ExclaveKit), (end.Ending, world.State.Stage));
    }

    [Fact]
    public void WhoseArgumentIsGoneWhenHeGivesUpHearsSo()
    {
        World world = Ready();
        Decision decision = Open(world);
        Assert.Equal(Tee.Success, world.Unregister(World.CallCookie));
        world.Written.Clear();
        decision = world.Send(MessageLabel.Completion, decision.Downcall, status: Status.Busy);
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress, 0), (decision.Ending, decision.X0, world.State.RequestCount));
        Assert.Empty(world.Written);
    }

    /// <summary>The call goes on without it, to its service.</summary>
    [Fact]
    public void WhoCannotBeAskedHasFailed()
    {
        World world = Ready();
        (world.ForwardAnswer, world.RefusedSlot) = (Status.BadCapability, MintSlots.Proxy);
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, Open(world)));
        Assert.Equal((Ending.Forward, MessageLabel.Open, ExclavesStatus.Failure), (world.LastEnding, world.Message.Label, world.State.Stage));
        Assert.Equal((1, 1), (world.State.Sessions.Count, world.State.RequestCount));
    }

    [Fact]
    public void WhereNobodyCanBeReachedTheClientHearsIt()
    {
        World world = Ready();
        world.ForwardAnswer = Status.BadCapability;
        Assert.Equal(Status.Ok, Proxy<FakeSystem>.CarryOut(ref world.State, world.Services, Open(world)));
        MessageArgument answer = world.Get<MessageArgument>(World.CallPage);
        Assert.Equal((Ending.Finish, Tee.ErrorTargetDead, Tee.OriginTee), (world.LastEnding, answer.Result, answer.Origin));
        Assert.Equal((0, 0), (world.State.Sessions.Count, world.State.RequestCount));
        Assert.Equal(ExclavesStatus.Failure, Stage(world));
    }

    /// <summary>Linux may take the buffer away meanwhile, or start anew.</summary>
    [Fact]
    public void WhoseArgumentIsGoneHearsSo()
    {
        World world = Ready();
        Decision decision = Open(world);
        Assert.Equal(Tee.Success, world.Unregister(World.CallCookie));
        world.Written.Clear();
        decision = world.Send(MessageLabel.Completion, decision.Downcall);
        Assert.Equal((Ending.Finish, Tee.ReturnBadAddress), (decision.Ending, decision.X0));
        Assert.Empty(world.Written);
        Assert.Equal((0, 0), (world.State.Sessions.Count, world.State.RequestCount));

        world = Ready();
        decision = Open(world);
        world.Send(MessageLabel.WorldReset, 0);
        decision = world.Send(MessageLabel.Completion, decision.Downcall);
        Assert.Equal((Ending.Finish, Tee.ReturnBadCommand, ExclavesStatus.ExclaveCore), (decision.Ending, decision.X0, world.State.Stage));
    }

    [Fact]
    public void WithoutFrameMintNothingIsAsked()
    {
        World world = World.Ready();
        Assert.Equal(World.ProxySlot + 1, Open(world).Slot);
        Assert.False(Booting<FakeSystem>.HasMint());
        Assert.Equal(ExclavesStatus.ExclaveCore, Stage(world));
    }
}
