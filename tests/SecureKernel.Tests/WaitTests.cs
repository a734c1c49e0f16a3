using System;
using System.Linq;
using System.Runtime.InteropServices;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Calls for which nobody can do anything: they sleep in Linux, and a signal ends them. Threads that work for no call: Linux lends them time.</summary>
public class WaitTests
{
    private const uint UntypedSlot = 10;
    private const uint Made = 11;
    private const ulong Window = UserLayout.SharedBase + (508 * Limits.PageBytes);
    private const ulong Frame = FakeMachine.LinuxBase + 0x10_0000;
    private const ulong Argument = Window + 0x240;

    /// <summary>Hello serves a call on CPU 0 whose RPC argument lies at 0x240 of a shared page, and has a notification in slot 11.</summary>
    private static Sk Serving(out ulong downcall, ulong rpcArgument = Argument, uint threads = 1)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).Threads = threads;
        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, 0x1_0000, 0);
        sk = Sk.BootPrepared(sk);
        sk.Share(Window, Frame, 2);
        downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello, rpcArgument: rpcArgument);
        sk.Complete(0, SecureCall.Retype, UntypedSlot, (ulong)ObjectKind.Notification, 0, Made, 1);
        Assert.Equal(Status.Ok, sk.Result(Sk.Hello));
        return sk;
    }

    private static (ulong X0, ulong Token) Left(Sk sk, int cpu)
    {
        (ulong x0, _, _, ulong token) = sk.Answer(cpu);
        return (x0, token);
    }

    private static void Back(Sk sk, int cpu, ulong token) => sk.Enter(cpu, Tee.ReturnFromRpc, 0, 0, token);

    /// <summary>The thread waits, and its call comes back in vain until it sleeps.</summary>
    private static ulong Asleep(Sk sk, SecureCall wait = SecureCall.Wait)
    {
        sk.Call(0, wait, Made);
        if (sk.Settle(0) == Step.Run)
        {
            // A second thread has to come to its first message.
            sk.Call(0, SecureCall.Receive);
        }

        (ulong x0, ulong token) = Left(sk, 0);
        for (int i = 0; x0 == Tee.RpcForeignInterrupt; i++)
        {
            Assert.True(i < 3);
            Back(sk, 0, token);
            (x0, token) = Left(sk, 0);
        }

        Assert.Equal(Tee.RpcCommand, x0);
        return token;
    }

    private static MessageArgument Asked => MemoryMarshal.Read<MessageArgument>(FakeMachine.Machine.SharedPage(Frame).AsSpan(0x240));
    private static MessageParameter AskedParameter => MemoryMarshal.Read<MessageParameter>(FakeMachine.Machine.SharedPage(Frame).AsSpan(0x240 + MessageArgument.Bytes));

    [Fact]
    public void AWaitSleepsLongerAndLonger()
    {
        Sk sk = Serving(out _);
        sk.Call(0, SecureCall.Wait, Made);
        Assert.All([1, 2], _ =>
        {
            (ulong x0, ulong token) = Left(sk, 0);
            Assert.Equal(Tee.RpcForeignInterrupt, x0);
            Back(sk, 0, token);
        });
        foreach (ulong milliseconds in (ulong[])[1, 2, 4, 8, 16, 16, 16])
        {
            (ulong x0, ulong token) = Left(sk, 0);
            Assert.Equal(Tee.RpcCommand, x0);
            Assert.Equal(((MessageCommand)Rpc.Suspend, 1u), (Asked.Command, Asked.ParameterCount));
            Assert.Equal((MessageParameter.ValueInput, milliseconds), (AskedParameter.Attribute, AskedParameter.A));
            FakeMachine.Machine.Counter += milliseconds * 1000;
            Back(sk, 0, token);
        }

        Assert.Equal(ThreadState.Listening, sk.On(Sk.Hello).State);
    }

    /// <summary>Another call sets the bit while the first one sleeps.</summary>
    [Fact]
    public void WhatCameMeanwhileIsTaken()
    {
        Sk sk = Serving(out ulong downcall, threads: 2);
        ulong token = Asleep(sk);
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(1, Sk.Hello);
        sk.Complete(1, SecureCall.Derive, Made + 1, Made, (ulong)CapabilityRights.All, 4);
        sk.Call(1, SecureCall.Signal, Made + 1);

        // Far too early: but there is something to do, so nobody looks why.
        Back(sk, 0, token);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((Status.Ok, 4ul), (sk.Result(Sk.Hello), sk.On(Sk.Hello).Context.X[1]));
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Ok, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
    }

    [Fact]
    public void ASignalIsToldOnceAndEndsTheCallTheSecondTime()
    {
        Sk sk = Serving(out ulong downcall);
        Back(sk, 0, Asleep(sk));
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Cancelled, sk.Result(Sk.Hello));
        Assert.Equal(0ul, FakeMachine.At<Notification>(FakeMachine.At<CapabilitySlot>(sk.At(Sk.Hello).Capabilities.Find<FakeMachine>(Made)).Capability.Object).Waiters);

        Back(sk, 0, Asleep(sk));
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Cancelled, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        Assert.Equal((ThreadState.Listening, ServingKind.Orphan), (sk.On(Sk.Hello).State, sk.On(Sk.Hello).Serving.Kind));
        sk.Call(0, SecureCall.FinishReceive, downcall);
        Assert.Equal((0ul, 0ul), (sk.Answer(0).X0, sk.State.Counters[(int)SkCounter.DowncallsInUse]));
    }

    [Fact]
    public void WhoWaitsForASiblingIsToldToo()
    {
        Sk sk = Serving(out _, threads: 2);
        Back(sk, 0, Asleep(sk, SecureCall.WaitEpoch));
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Cancelled, sk.Result(Sk.Hello));

        Back(sk, 0, Asleep(sk, SecureCall.WaitEpoch));
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Cancelled), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status));
        Assert.Equal((ThreadState.Epoch, ServingKind.Orphan), (sk.On(Sk.Hello).State, sk.On(Sk.Hello).Serving.Kind));
    }

    /// <summary>Who stands behind one that waits is not begun: it can be made again. That a session is closed is said once, so it waits.</summary>
    [Theory, InlineData(MessageLabel.Open, true), InlineData(MessageLabel.Invoke, true), InlineData(MessageLabel.Close, false)]
    public void ACallThatNobodyHasSeenIsTakenBack(MessageLabel label, bool isTakenBack)
    {
        Sk sk = Serving(out _);
        ulong first = Asleep(sk);
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        ulong second = sk.Message(Sk.Proxy).Downcall;
        sk.Message(Sk.Proxy).Label = label;
        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot, Window + 0x800);
        (ulong x0, ulong token) = Left(sk, 1);
        for (int i = 0; x0 == Tee.RpcForeignInterrupt; i++)
        {
            Assert.True(i < 3);
            Back(sk, 1, token);
            (x0, token) = Left(sk, 1);
        }

        Back(sk, 1, token);
        if (!isTakenBack)
        {
            Assert.Equal(Tee.RpcCommand, sk.Answer(1).X0);
            Assert.NotEqual(0ul, sk.EndpointOf(Sk.Hello).Head);
            return;
        }

        sk.AssertRuns(1, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Busy, second), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        Assert.Equal(0ul, sk.EndpointOf(Sk.Hello).Head);
        sk.Call(1, SecureCall.FinishReceive, second);
        Assert.Equal(0ul, sk.Answer(1).X0);
        FakeMachine.Machine.Counter += 1000;
        Back(sk, 0, first);
        Assert.Equal(Tee.RpcCommand, sk.Answer(0).X0);
    }

    /// <summary>The service would fault: a call that lends pages ends when the service says so.</summary>
    [Fact]
    public void LentPagesStayAsLongAsTheServiceHasThem()
    {
        Sk sk = Sk.Prepare();
        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, 0x1_0000, 0);
        sk = Sk.BootPrepared(sk);
        sk.Share(Window, Frame, 2);
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Message(Sk.Proxy).Word0 = LentRange.Create(Window + Limits.PageBytes, 1, true).Value;
        MemoryMarshal.CreateSpan(ref sk.Message(Sk.Proxy).Word1, 3).Clear();
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot, Argument, 0, 1);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Hello);
        sk.Complete(0, SecureCall.Retype, UntypedSlot, (ulong)ObjectKind.Notification, 0, Made, 1);
        Back(sk, 0, Asleep(sk));
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Cancelled, sk.Result(Sk.Hello));
        Back(sk, 0, Asleep(sk));
        Assert.Equal((ThreadState.Listening, ServingKind.Downcall), (sk.On(Sk.Hello).State, sk.On(Sk.Hello).Serving.Kind));
        Assert.False(sk.At(Sk.Hello).Space.Lookup<FakeMachine>(UserLayout.LentWindowOf(0)).IsHole);
    }

    public static TheoryData<ulong> NoPlaces => [0, Window + Limits.PageBytes - 56, Window + 0x244, Window + (8 * Limits.PageBytes), UserLayout.IpcPage];

    /// <summary>Without a sound RPC argument Linux cannot be told to sleep: the call is one that an interrupt stopped, and nothing is written.</summary>
    [Theory, MemberData(nameof(NoPlaces))]
    public void WithoutAPlaceToAskNobodySleeps(ulong rpcArgument)
    {
        Sk sk = Serving(out _, rpcArgument);
        byte[] before = [.. FakeMachine.Machine.SharedPage(Frame)];
        sk.Call(0, SecureCall.Wait, Made);
        for (int i = 0; i < 10; i++)
        {
            (ulong x0, ulong token) = Left(sk, 0);
            Assert.Equal(Tee.RpcForeignInterrupt, x0);
            Back(sk, 0, token);
        }

        Assert.True(before.SequenceEqual(FakeMachine.Machine.SharedPage(Frame)));
    }

    /// <summary>Hello answers its call and works on.</summary>
    private static Sk Working()
    {
        Sk sk = Serving(out ulong downcall);
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.Reply);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(MessageLabel.Completion, sk.Message(Sk.Proxy).Label);
        sk.Call(0, SecureCall.FinishReceive, downcall);
        Assert.Equal(0ul, sk.Answer(0).X0);
        return sk;
    }

    /// <summary>Linux's driver makes the call of its bottom half, and XnuProxy lends its time.</summary>
    private static ulong Lend(Sk sk, int cpu, Status expected = Status.Ok)
    {
        sk.Enter(cpu, Tee.CallWithRegdArg, 6);
        sk.AssertRuns(cpu, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        sk.Call(cpu, SecureCall.LendTime, downcall);
        Assert.Equal(expected, sk.Result(Sk.Proxy));
        if (expected == Status.Ok)
        {
            sk.Call(cpu, SecureCall.Receive);
        }

        return downcall;
    }

    [Fact]
    public void LinuxIsAskedForTimeOnceAndLendsIt()
    {
        Sk sk = Working();
        Assert.Equal((1, ThreadState.Ready, ServingKind.Nobody), (FakeMachine.Machine.Notified, sk.On(Sk.Hello).State, sk.On(Sk.Hello).Serving.Kind));

        // Another call, of another service: Linux knows already.
        ulong other = sk.Forward(1, Sk.SignerSlot, Sk.Signer, 3);
        sk.Message(Sk.Signer).Length = 0;
        sk.Call(1, SecureCall.ReplyReceive);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Call(1, SecureCall.FinishReceive, other);
        sk.Answer(1);
        Assert.Equal(1, FakeMachine.Machine.Notified);

        ulong lender = Lend(sk, 1);
        sk.AssertRuns(1, Sk.Hello);
        sk.Call(1, SecureCall.Receive);
        sk.AssertRuns(1, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Ok, lender), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        sk.Call(1, SecureCall.FinishReceive, lender);
        sk.Answer(1);
        Assert.Equal((1, 0ul), (FakeMachine.Machine.Notified, sk.State.Counters[(int)SkCounter.DowncallsInUse]));
    }

    [Fact]
    public void WhoLendsTimeGetsItBackAfterSomeTurns()
    {
        Sk sk = Working();
        ulong lender = Lend(sk, 0);
        for (int turn = 0; turn < 2; turn++)
        {
            sk.AssertRuns(0, Sk.Hello);
            sk.Interrupt(0);
            (ulong x0, ulong token) = Left(sk, 0);
            Assert.Equal(Tee.RpcForeignInterrupt, x0);
            Back(sk, 0, token);
        }

        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.Busy, lender), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));

        // After its sleep it lends on. Nobody was asked again meanwhile, for it was there.
        sk.Call(0, SecureCall.LendTime, lender);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(1, FakeMachine.Machine.Notified);
    }

    [Fact]
    public void OneLendsAtATimeAndOnlyWhatItHolds()
    {
        Sk sk = Working();
        ulong lender = Lend(sk, 0);
        sk.AssertRuns(0, Sk.Hello);
        ulong second = Lend(sk, 1, Status.BadState);
        sk.Call(1, SecureCall.LendTime, lender);
        Assert.Equal(Status.BadState, sk.Result(Sk.Proxy));
        sk.Call(1, SecureCall.LendTime, second + 0x10000);
        Assert.Equal(Status.NotFound, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.LendTime, lender);
        Assert.Equal(Status.BadCapability, sk.Result(Sk.Hello));
    }

    /// <summary>A call needs the thread that works for nobody: it is helped to its next message on that call's time.</summary>
    [Fact]
    public void ACallHelpsWhoStillWorks()
    {
        Sk sk = Working();
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(ServingKind.Nobody, sk.On(Sk.Hello).Serving.Kind);
        sk.Call(1, SecureCall.Receive);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(ServingKind.Downcall, sk.On(Sk.Hello).Serving.Kind);
    }

    /// <summary>A component that starts for a call is run by that call, as soon as Linux lets it: Linux's highest thread need not come for it. Unless Linux leaves the call out for long.</summary>
    [Theory, InlineData(0, 0), InlineData(19_000, 0), InlineData(21_000, 1)]
    public void WhatAnInterruptedCallRunsIsNotAskedTimeFor(ulong ticks, int asked)
    {
        Sk sk = Sk.Boot();
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Call(1, SecureCall.ForwardReceive, Sk.SignerSlot);
        sk.AssertRuns(1, Sk.Signer);
        Assert.Equal(ServingKind.Nobody, sk.On(Sk.Signer).Serving.Kind);
        sk.Interrupt(1);
        (ulong x0, ulong token) = Left(sk, 1);
        Assert.Equal((Tee.RpcForeignInterrupt, 0), (x0, FakeMachine.Machine.Notified));

        // Somebody else's call ends meanwhile.
        FakeMachine.Machine.Counter += ticks;
        ulong other = sk.Forward(0, Sk.HelloSlot, Sk.Hello, 3);
        sk.Message(Sk.Hello).Length = 0;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, other);
        sk.Answer(0);
        Assert.Equal(asked, FakeMachine.Machine.Notified);
        Back(sk, 1, token);
        sk.AssertRuns(1, Sk.Signer);
    }

    [Fact]
    public void ALinuxThatStartsAnewIsAskedAnew()
    {
        Sk sk = Working();
        Lend(sk, 0);
        sk.AssertRuns(0, Sk.Hello);
        sk.Interrupt(0);
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(0).X0);
        Downcalls<FakeMachine>.Reset(ref sk.State);
        Assert.Equal((0ul, 0), (sk.State.Counters[(int)SkCounter.DowncallsInUse], sk.State.Background.Lender));
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(MessageLabel.WorldReset, sk.Message(Sk.Proxy).Label);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(0);
        Assert.Equal(2, FakeMachine.Machine.Notified);
    }

    /// <summary>All may have work, one has: none is passed over, wherever the look begins.</summary>
    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void NoComponentIsPassedOver(int last)
    {
        Sk sk = Working();
        sk.State.Background.May[0] = (1ul << Sk.Count) - 1;
        sk.State.Background.Last = last;
        Lend(sk, 0);
        sk.AssertRuns(0, Sk.Hello);
    }

    [Fact]
    public void WhoEndsHasNoWorkLeft()
    {
        Sk sk = Working();
        ulong lender = Lend(sk, 0);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.Exit);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((Status.Ok, lender), (sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
    }
}
