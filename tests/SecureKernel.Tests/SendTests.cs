using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Messages that want no answer.</summary>
public class SendTests
{
    private const uint EntropySlot = 2;

    /// <summary>Hello serves a call on CPU 0.</summary>
    private static Sk Serving()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Message(Sk.Hello).Label = MessageLabel.Invoke;
        sk.Message(Sk.Hello).Length = 8;
        sk.Body(Sk.Hello)[3] = 0x5A;
        return sk;
    }

    [Fact]
    public void TheSenderGoesOnWhenAServerWaits()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.Send, EntropySlot);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        Assert.Equal((ThreadState.Ready, ServingKind.Orphan), (sk.On(Sk.Entropy).State, sk.On(Sk.Entropy).Serving.Kind));
        Assert.Equal((8u, 0xE2ul, (byte)0x5A), (sk.Message(Sk.Entropy).Length, sk.Message(Sk.Entropy).Badge, sk.Body(Sk.Entropy)[3]));

        // Nobody's call needs the server: Linux is asked for time.
        Assert.NotEqual(0ul, sk.State.Background.May[0] & (1ul << Sk.Entropy));
    }

    [Fact]
    public void TheServersAnswerGoesNowhere()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.Send, EntropySlot);
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.Call, EntropySlot);
        sk.AssertRuns(0, Sk.Entropy);
        Assert.Equal(ThreadState.Queued, sk.On(Sk.Hello).State);
        sk.Message(Sk.Entropy).Label = MessageLabel.Reply;
        sk.Message(Sk.Entropy).Status = Status.NoMemory;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Entropy);
        Assert.Equal((ThreadState.Served, ServingKind.Thread), (sk.On(Sk.Hello).State, sk.On(Sk.Entropy).Serving.Kind));
    }

    [Fact]
    public void WhoIsBusyIsHelpedAndTheSenderGoesOnWhenTheMessageIsTaken()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.Send, EntropySlot);
        sk.Call(0, SecureCall.Send, EntropySlot);
        sk.AssertRuns(0, Sk.Entropy);
        Assert.Equal(ThreadState.Queued, sk.On(Sk.Hello).State);
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((Status.Ok, ServingKind.Downcall), (sk.Result(Sk.Hello), sk.On(Sk.Hello).Serving.Kind));
        Assert.Equal((ThreadState.Ready, ServingKind.Orphan), (sk.On(Sk.Entropy).State, sk.On(Sk.Entropy).Serving.Kind));
    }

    [Fact]
    public void WhoSendsLearnsThatTheServerEnded()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.Send, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        sk.Fault(0, 0x24);
        sk.Settle(0);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.PeerDied, sk.Result(Sk.Hello));
    }

    /// <summary>A call after a message whose server ended wants its answer.</summary>
    [Fact]
    public void ACallAfterwardsIsACall()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.Send, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        sk.Fault(0, 0x24);
        sk.AssertRuns(0, Sk.Hello);
        sk.Message(Sk.Hello).Label = MessageLabel.Invoke;
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.Call, EntropySlot);
        sk.AssertRuns(0, Sk.Entropy);
        Assert.Equal((ThreadState.Served, ServingKind.Thread), (sk.On(Sk.Hello).State, sk.On(Sk.Entropy).Serving.Kind));
    }

    [Theory]
    [InlineData(ComponentEntry.UpcallSlot, MessageLabel.Upcall, Status.Denied)]
    [InlineData(EntropySlot, MessageLabel.WorldReset, Status.BadArgument)]
    [InlineData(77u, MessageLabel.Invoke, Status.BadCapability)]
    public void WhatIsNoMessageForThemIsRefused(uint slot, MessageLabel label, Status expected)
    {
        Sk sk = Serving();
        sk.Message(Sk.Hello).Label = label;
        sk.Call(0, SecureCall.Send, slot);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(expected, sk.Result(Sk.Hello));
        Assert.Equal(ServingKind.Nobody, sk.On(Sk.Entropy).Serving.Kind);
    }
}
