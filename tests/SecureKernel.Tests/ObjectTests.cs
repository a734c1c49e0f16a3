using System;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Threads beside each other, notifications, answers put aside, capabilities in messages, ends of objects and second lives: one property at a time.</summary>
public class ObjectTests
{
    private const uint UntypedSlot = 10;
    private const uint Made = 11;

    /// <summary>From here on all slots are empty.</summary>
    private const uint Wide = ComponentEntry.UpcallSlot + 1;

    /// <summary>Hello has two threads and 64 KiB to make objects of; its first thread serves a call on CPU 0.</summary>
    private static Sk Serving(out ulong downcall)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).Threads = 2;
        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, 0x1_0000, 0);
        sk = Sk.BootPrepared(sk);
        downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal(0u, sk.OnCpu(0).Number);
        return sk;
    }

    /// <summary>A second call comes on CPU 1 and finds the second thread.</summary>
    private static ulong ServeSecond(Sk sk)
    {
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(1u, sk.OnCpu(1).Number);
        if (sk.OnCpu(1).Serving.Kind == ServingKind.Nobody)
        {
            sk.Call(1, SecureCall.Receive);
            sk.AssertRuns(1, Sk.Hello);
        }

        Assert.Equal(ServingKind.Downcall, sk.OnCpu(1).Serving.Kind);
        return downcall;
    }

    private static Status Make(Sk sk, ObjectKind kind, uint slot, ulong count = 1)
    {
        sk.Complete(0, SecureCall.Retype, UntypedSlot, (ulong)kind, 0, slot, count);
        return (Status)sk.OnCpu(0).Context.X[0];
    }

    private static Status Result(Sk sk, int cpu) => (Status)sk.OnCpu(cpu).Context.X[0];

    [Fact]
    public void ThreadsOfOneServiceRunAtOnce()
    {
        Sk sk = Serving(out ulong first);
        ulong second = ServeSecond(sk);
        ref Thread thread = ref sk.OnCpu(1);
        Assert.Equal((UserLayout.IpcPageOf(1), UserLayout.StackTopOf(1)), (thread.Context.ThreadPointer, thread.Context.StackPointer));
        Assert.NotEqual(sk.On(Sk.Hello, 0).IpcPage, sk.On(Sk.Hello, 1).IpcPage);

        // They answer in the order in which they are done.
        sk.Call(1, SecureCall.ReplyReceive);
        sk.AssertRuns(1, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, second), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall));
        sk.Call(1, SecureCall.FinishReceive, second, 7);
        Assert.Equal(7ul, sk.Answer(1).X0);
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, first, 8);
        Assert.Equal(8ul, sk.Answer(0).X0);
        Assert.Equal((ThreadState.Receiving, ThreadState.Receiving), (sk.On(Sk.Hello, 0).State, sk.On(Sk.Hello, 1).State));
    }

    [Fact]
    public void AThirdCallHelpsWhicheverThreadCanRun()
    {
        Sk sk = Serving(out _);
        ulong second = ServeSecond(sk);
        sk.Interrupt(1);
        sk.Answer(1);

        // Thread 0 runs on CPU 0, thread 1 stands where its call was interrupted: CPU 2 runs it, to have it free.
        sk.Enter(2, Tee.CallWithRegdArg, 3);
        sk.AssertRuns(2, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(2, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(2, Sk.Hello);
        Assert.Equal((1u, false), (sk.OnCpu(2).Number, sk.State.Cpus[2].Own));
        sk.Call(2, SecureCall.ReplyReceive);
        sk.AssertRuns(2, Sk.Hello);
        Assert.Equal((1u, ServingKind.Downcall, true), (sk.OnCpu(2).Number, sk.OnCpu(2).Serving.Kind, sk.State.Cpus[2].Own));
        Assert.NotEqual(0ul, second);
    }

    /// <summary>On one CPU: the first call's thread stands back, and the second call gets a thread that works for nobody, not that one's turn again and again.</summary>
    [Fact]
    public void AThreadThatWorksForNobodyComesFirst()
    {
        Sk sk = Serving(out _);
        sk.Call(0, SecureCall.Yield);
        sk.Answer(0);
        sk.Enter(0, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((1u, ServingKind.Nobody), (sk.OnCpu(0).Number, sk.OnCpu(0).Serving.Kind));
    }

    /// <summary>Its memory stays as it is until no thread of it runs anywhere.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void AComponentEndsWithAllItsThreads(bool byInterrupt)
    {
        Sk sk = Serving(out ulong first);
        ulong second = ServeSecond(sk);
        ulong root = sk.At(Sk.Hello).Space.Root;
        FakeMachine.Machine.Kicked = 0;
        sk.Fault(0, 0x24);
        Assert.Equal((2ul, true, root), (FakeMachine.Machine.Kicked, sk.At(Sk.Hello).Ending, sk.At(Sk.Hello).Space.Root));
        Assert.Equal((ComponentState.Dead, false), (sk.At(Sk.Hello).Life, sk.At(Sk.Hello).Scrubbing));

        // The first caller's CPU learns it at once, and so does XnuProxy of the second one's.
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((first, Status.PeerDied), (sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Status));
        sk.Call(0, SecureCall.FinishReceive, first);
        sk.Answer(0);
        _ = byInterrupt ? sk.Interrupt(1) : sk.Call(1, SecureCall.MapMemory, UserLayout.PrivateBase, 1, 3);
        Assert.Equal((false, 0ul, true), (sk.At(Sk.Hello).Ending, sk.At(Sk.Hello).Space.Root, sk.At(Sk.Hello).Scrubbing));
        sk.AssertRuns(1, Sk.Proxy);
        Assert.Equal((second, Status.PeerDied), (sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Status));
        sk.Call(1, SecureCall.FinishReceive, second);
        sk.Answer(1);
        Assert.Equal(0ul, sk.State.Counters[(int)SkCounter.DowncallsInUse]);
    }

    [Fact]
    public void ADeadComponentIsDeclaredAnewWithItsDeclaredCapabilitiesAlone()
    {
        Sk sk = Serving(out ulong downcall);
        Assert.Equal(Status.Ok, Make(sk, ObjectKind.Frame, Made, 3));
        sk.Call(0, SecureCall.MapFrame, Made, UserLayout.PrivateBase, 3);
        sk.Call(0, SecureCall.Derive, Made + 5, 2, 63, 0);
        Assert.Equal(Status.Ok, Result(sk, 0));
        ulong frame = FakeMachine.At<CapabilitySlot>(sk.At(Sk.Hello).Capabilities.Find<FakeMachine>(Made)).Capability.Object;
        FakeMachine.At<ulong>(frame) = 0x5EC2E7;
        sk.Fault(0, 0x24);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Complete(0, SecureCall.Restart, Sk.Hello);
        Assert.Equal(Status.Ok, Result(sk, 0));
        Assert.Equal((ComponentState.Idle, 2u, 0ul, 0ul), (sk.At(Sk.Hello).Life, sk.At(Sk.Hello).Generation, sk.At(Sk.Hello).Memory.UsedFrames, FakeMachine.At<ulong>(frame)));
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        for (uint slot = 1; slot < table.Slots; slot++)
        {
            bool declared = slot is 1 or 2 or Sk.PeerSlot or UntypedSlot or ComponentEntry.UpcallSlot;
            Assert.Equal(declared, !FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(slot)).IsEmpty);
        }

        foreach (ulong who in new ulong[] { Sk.Hello, Sk.Proxy, Sk.Entropy })
        {
            sk.Call(0, SecureCall.Restart, who);
            Assert.Equal(Status.BadState, Result(sk, 0));
        }

        sk.Call(0, SecureCall.Restart, Sk.Count);
        Assert.Equal(Status.NotFound, Result(sk, 0));
        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);

        // It lives again, and makes the same objects out of the same memory.
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        Assert.Equal(Status.Ok, Make(sk, ObjectKind.Frame, Made, 3));
        Assert.Equal(frame, FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Made)).Capability.Object);
    }

    [Fact]
    public void BitsReachWhoWaitsAndStayForWhoDoesNot()
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Assert.Equal(Status.Ok, Make(sk, ObjectKind.Notification, Made));
        sk.Call(0, SecureCall.Derive, Made + 1, Made, 1, 0b0101);
        sk.Call(0, SecureCall.Derive, Made + 2, Made, 2, 0);
        foreach (var (call, slot, status) in new (SecureCall, uint, Status)[]
        {
            (SecureCall.Poll, Made, Status.Busy), (SecureCall.Poll, Made + 1, Status.Denied), (SecureCall.Signal, Made + 2, Status.Denied),
            (SecureCall.Signal, 1, Status.BadCapability), (SecureCall.Wait, 2, Status.BadCapability), (SecureCall.Signal, Made, Status.Ok), (SecureCall.Poll, Made, Status.Busy),
        })
        {
            sk.Call(0, call, slot);
            Assert.True(status == Result(sk, 0), $"{call} {slot}: {Result(sk, 0)}");
        }

        sk.Call(0, SecureCall.Signal, Made + 1);
        sk.Call(0, SecureCall.Poll, Made);
        Assert.Equal((Status.Ok, 0b0101ul), (Result(sk, 0), sk.OnCpu(0).Context.X[1]));

        // Thread 1 waits; its CPU has nobody to run but thread 0, which runs elsewhere.
        sk.Call(1, SecureCall.Wait, Made + 2);
        Assert.Equal(ThreadState.Listening, sk.On(Sk.Hello, 1).State);
        Assert.Equal(Step.Pause, sk.Steps[1]);
        sk.Call(0, SecureCall.Signal, Made + 1);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal((1u, Status.Ok, 0b0101ul), (sk.OnCpu(1).Number, Result(sk, 1), sk.OnCpu(1).Context.X[1]));
        sk.Call(1, SecureCall.Poll, Made);
        Assert.Equal(Status.Busy, Result(sk, 1));
    }

    /// <summary>The time of a call whose thread waits for a bit runs the other threads of its component.</summary>
    [Fact]
    public void WhoWaitsForABitHelpsWhoSetsIt()
    {
        Sk sk = Serving(out _);
        Make(sk, ObjectKind.Notification, Made);
        sk.Call(0, SecureCall.Derive, Made + 1, Made, 1, 1);
        sk.Call(0, SecureCall.Wait, Made);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((1u, false), (sk.OnCpu(0).Number, sk.State.Cpus[0].Own));
        sk.Call(0, SecureCall.Signal, Made + 1);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal((0u, 1ul), (sk.OnCpu(0).Number, sk.OnCpu(0).Context.X[1]));

        // Nobody can set it: the call goes back to Linux, which may kill it, and comes again.
        sk.Call(0, SecureCall.Wait, Made);
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(0).X0);
    }

    [Fact]
    public void AnAnswerPutAsideIsGivenLater()
    {
        Sk sk = Serving(out ulong first);
        Make(sk, ObjectKind.Reply, Made, 2);
        sk.Call(0, SecureCall.ReplyDeferred, Made);
        Assert.Equal(Status.BadState, Result(sk, 0));
        sk.Call(0, SecureCall.Defer, Made);
        Assert.Equal((Status.Ok, DowncallPhase.Deferred), (Result(sk, 0), sk.State.Downcalls[0].Phase));
        sk.Call(0, SecureCall.Defer, Made + 1);
        Assert.Equal(Status.BadState, Result(sk, 0));
        sk.Call(0, SecureCall.Receive);

        // Its own call makes thread 1 run as far as it can, and goes back to Linux with nothing.
        while (sk.Settle(0) == Step.Run)
        {
            sk.Call(0, SecureCall.Receive);
        }

        ulong token = sk.Answer(0).X3;
        ulong second = ServeAnother(sk);
        uint thread = sk.OnCpu(1).Number;
        sk.Message(Sk.Hello, thread).Label = MessageLabel.Reply;
        sk.Message(Sk.Hello, thread).Length = 8;
        sk.Body(Sk.Hello, thread)[0] = 0x77;
        sk.Call(1, SecureCall.ReplyDeferred, Made);
        Assert.Equal(Status.Ok, Result(sk, 1));
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, first, (byte)0x77), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall, sk.Body(Sk.Proxy)[0]));
        Assert.NotEqual(first, second);
        sk.Call(1, SecureCall.ReplyDeferred, Made);
        Assert.Equal(Status.BadState, Result(sk, 1));
    }

    private static ulong ServeAnother(Sk sk)
    {
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(1, Sk.Hello);
        return downcall;
    }

    [Fact]
    public void AnObjectThatGoesAnswersForWhatItOwes()
    {
        Sk sk = Serving(out ulong first);
        Make(sk, ObjectKind.Reply, Made);
        sk.Call(0, SecureCall.Defer, Made);
        sk.Complete(0, SecureCall.Delete, Made);
        Assert.Equal(Status.Ok, Result(sk, 0));
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((first, Status.Revoked), (sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Status));
    }

    [Fact]
    public void WhoWaitsAtAnEndpointThatGoesIsTold()
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.Endpoint, Made);

        // Thread 1 calls through an endpoint at which nobody receives; thread 0 takes it away.
        sk.Message(Sk.Hello, 1).Length = 0;
        sk.Message(Sk.Hello, 1).Label = MessageLabel.Random;
        sk.Call(1, SecureCall.Call, Made);
        Assert.Equal((ThreadState.Queued, Step.Pause), (sk.On(Sk.Hello, 1).State, sk.Steps[1]));
        sk.Complete(0, SecureCall.Delete, Made);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(Status.Revoked, Result(sk, 1));

        // The other way round: a receiver.
        Make(sk, ObjectKind.Endpoint, Made);
        sk.Call(1, SecureCall.Reply);
        sk.On(Sk.Hello, 1).State = ThreadState.Running;
        sk.State.Cpus[1].Thread = sk.On(Sk.Hello, 1).Address;
        sk.Call(1, SecureCall.Receive, Made);
        Assert.Equal(ThreadState.Receiving, sk.On(Sk.Hello, 1).State);
        sk.Complete(0, SecureCall.Delete, Made);
        Assert.Equal((ThreadState.Ready, Status.Revoked), (sk.On(Sk.Hello, 1).State, sk.Result(Sk.Hello, 1)));
    }

    /// <summary>What ends in the end has to make progress in each step, however deep the thing lies that has somebody to tell.</summary>
    [Fact]
    public void ATableGoesWithAnEndpointInItAtWhichSomebodyWaits()
    {
        const uint Inside = (Made << CapabilityTable.IndexBits) | 5;
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.CapabilityTable, Made);
        Assert.Equal(Status.Ok, Make(sk, ObjectKind.Endpoint, Inside));
        sk.Message(Sk.Hello, 1).Length = 0;
        sk.Message(Sk.Hello, 1).Label = MessageLabel.Random;
        sk.Call(1, SecureCall.Call, Inside);
        Assert.Equal(ThreadState.Queued, sk.On(Sk.Hello, 1).State);
        sk.Complete(0, SecureCall.Delete, Made);
        Assert.Equal(Status.Ok, Result(sk, 0));
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(Status.Revoked, Result(sk, 1));
    }

    /// <summary>A capability goes along with a message when the endpoint's capability allows it and the receiver waits for one.</summary>
    [Theory]
    [InlineData(CapabilityRights.Send | CapabilityRights.Grant, Made + 8, true)]
    [InlineData(CapabilityRights.Send, Made + 8, false)]
    [InlineData(CapabilityRights.Send | CapabilityRights.Grant, 0u, false)]
    [InlineData(CapabilityRights.Send | CapabilityRights.Grant, 1u, false)]
    [InlineData(CapabilityRights.Send | CapabilityRights.Grant, 1000u, false)]
    public void ACapabilityGoesAlong(CapabilityRights rights, uint wanted, bool arrives)
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.Endpoint, Made);
        Make(sk, ObjectKind.Frame, Made + 1);
        sk.Call(0, SecureCall.Derive, Made + 2, Made, (ulong)rights, 0xBAD6E);
        sk.Call(1, SecureCall.Reply);
        sk.On(Sk.Hello, 1).State = ThreadState.Running;
        sk.State.Cpus[1].Thread = sk.On(Sk.Hello, 1).Address;
        sk.Message(Sk.Hello, 1).Capability = wanted;
        sk.Call(1, SecureCall.Receive, Made);

        sk.Message(Sk.Hello).Label = MessageLabel.Random;
        sk.Message(Sk.Hello).Length = 0;
        sk.Message(Sk.Hello).Capability = Made + 1;
        sk.Call(0, SecureCall.Call, Made + 2);
        Assert.Equal((0xBAD6Eul, arrives ? wanted : 0), (sk.Message(Sk.Hello, 1).Badge, sk.Message(Sk.Hello, 1).Capability));
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        CapabilitySlot slot = FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Made + 8));
        Assert.Equal(arrives, !slot.IsEmpty);
        if (arrives)
        {
            CapabilitySlot sent = FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Made + 1));
            Assert.Equal((CapabilityKind.Frame, sent.Capability.Object, sent.Capability.Depth + 1), (slot.Capability.Kind, slot.Capability.Object, slot.Capability.Depth));
        }
    }

    /// <summary>A second thread of the caller's component changes the message after SK has judged it, while it stands in the queue.</summary>
    [Theory]
    [InlineData(MessageLabel.WorldReset, 0u)]
    [InlineData(MessageLabel.Downcall, 8u)]
    [InlineData(MessageLabel.Upcall, uint.MaxValue)]
    [InlineData(MessageLabel.Upcall, (uint)MessageHeader.MaxBodyBytes + 1)]
    public void AMessageThatChangesInTheQueueArrivesHarmless(MessageLabel label, uint length)
    {
        Sk sk = Serving(out _);
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Message(Sk.Hello).Label = MessageLabel.Upcall;
        sk.Message(Sk.Hello).Length = 8;
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        Assert.Equal(ThreadState.Queued, sk.On(Sk.Hello).State);
        sk.Message(Sk.Hello).Label = label;
        sk.Message(Sk.Hello).Length = length;
        sk.Call(1, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(1);
        sk.Settle(0);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.None, 0u, ServingKind.Thread), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Length, sk.On(Sk.Proxy).Serving.Kind));
    }

    [Fact]
    public void WhatALifePassedOnEndsWithIt()
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        sk.Call(0, SecureCall.Derive, Made, 1, (ulong)CapabilityRights.All, 0xBAD6E);
        sk.Call(0, SecureCall.Derive, Made + 1, Made, (ulong)CapabilityRights.Send, 0);
        Assert.Equal(Status.Ok, Result(sk, 0));
        foreach (ulong slot in new ulong[] { 1, 2, UntypedSlot, ComponentEntry.UpcallSlot })
        {
            sk.Call(0, SecureCall.Delete, slot);
            Assert.Equal(Status.Denied, Result(sk, 0));
            sk.Call(0, SecureCall.Move, Made + 5, slot);
            Assert.Equal(Status.Denied, Result(sk, 0));
        }

        sk.Complete(0, SecureCall.Revoke, 1);
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        Assert.True(FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Made)).IsEmpty);
        Assert.True(FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Made + 1)).IsEmpty);

        // Those to whom the description gave it keep it: XnuProxy reaches Hello.
        Assert.Equal(Status.Ok, sk.At(Sk.Proxy).Capabilities.Decode<FakeMachine>(Sk.HelloSlot, CapabilityKind.Endpoint, CapabilityRights.Send, out _, out _));
    }

    /// <summary>Three derivations for every step of the revocation, from whatever can be derived from: as much as three other CPUs do while one waits for SK's lock.</summary>
    [Theory, InlineData(SecureCall.Revoke), InlineData(SecureCall.Delete)]
    public void ARevocationEndsHoweverFastOthersDerive(SecureCall call)
    {
        const uint First = Wide + 1;
        const uint Sources = 24;
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.Endpoint, Wide);
        for (uint i = 0; i < Sources; i++)
        {
            sk.Call(0, SecureCall.Derive, First + i, Wide + (i / 3), (ulong)CapabilityRights.All);
            Assert.Equal(Status.Ok, Result(sk, 0));
        }

        ref UserContext context = ref sk.OnCpu(0).Context;
        ulong next = context.ProgramCounter;
        sk.Call(0, call, Wide);
        int steps = 0;
        for (; context.ProgramCounter == next - 4; steps++)
        {
            Assert.True(steps < 100, "does not end");
            for (uint tries = 0, made = 0; made < 3 && tries < Sources * 2; tries++)
            {
                uint to = First + ((tries + (uint)steps) % Sources);
                sk.Call(1, SecureCall.Derive, to, First + ((to * 7) % Sources), (ulong)CapabilityRights.All);
                made += Result(sk, 1) == Status.Ok ? 1u : 0;
            }

            context.ProgramCounter = next;
            sk.Fault(0, 0x15, 1);
        }

        Assert.Equal((Status.Ok, true), (Result(sk, 0), steps > 2));
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        for (uint i = 0; i < Sources; i++)
        {
            Assert.True(FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(First + i)).IsEmpty);
        }

        // Afterwards it is as before.
        sk.Call(0, SecureCall.Derive, First, Wide, (ulong)CapabilityRights.All);
        Assert.Equal(call == SecureCall.Revoke ? Status.Ok : Status.BadCapability, Result(sk, 0));
        Assert.Equal(default, sk.State.Closing);
    }

    /// <summary>Who begins and never goes on holds nobody else up, and what it began to take away stays closed.</summary>
    [Fact]
    public void ARevocationThatIsLeftUndoneStopsNoOther()
    {
        const uint Second = Wide + 1;
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.Endpoint, Wide, 2);
        for (uint i = 0; i < Limits.ChunkClosed + 8; i++)
        {
            sk.Call(0, SecureCall.Derive, Wide + 2 + i, Wide, (ulong)CapabilityRights.All);
            Assert.Equal(Status.Ok, Result(sk, 0));
        }

        uint last = Wide + 2 + Limits.ChunkClosed + 8;
        sk.Call(0, SecureCall.Derive, last, Second, (ulong)CapabilityRights.All);
        sk.Call(0, SecureCall.Revoke, Wide);
        Assert.NotEqual(0ul, sk.State.Closing.Root);
        sk.Call(1, SecureCall.Derive, last + 1, Wide, (ulong)CapabilityRights.All);
        Assert.Equal(Status.Revoked, Result(sk, 1));
        sk.Complete(1, SecureCall.Revoke, Second);
        Assert.Equal((Status.Ok, default(Closing)), (Result(sk, 1), sk.State.Closing));
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        Assert.True(FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(last)).IsEmpty);
        for (uint i = 0; i < Limits.ChunkClosed + 8; i++)
        {
            CapabilitySlot slot = FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(Wide + 2 + i));
            Assert.True(slot.Capability.IsClosed);
            sk.Call(1, SecureCall.Derive, last, Wide + 2 + i, (ulong)CapabilityRights.All);
            Assert.Equal(Status.Revoked, Result(sk, 1));
        }

        sk.Complete(1, SecureCall.Revoke, Wide);
        sk.Call(1, SecureCall.Derive, last, Wide, (ulong)CapabilityRights.All);
        Assert.Equal(Status.Ok, Result(sk, 1));
    }

    /// <summary>The slots on which a closing stands can move and go.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void AClosingGoesOnWhereItsSlotsAreNow(bool moves)
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        Make(sk, ObjectKind.Endpoint, Wide);
        for (uint i = 0; i < Limits.ChunkClosed + 8; i++)
        {
            sk.Call(0, SecureCall.Derive, Wide + 1 + i, Wide, (ulong)CapabilityRights.All);
        }

        sk.Call(0, SecureCall.Revoke, Wide);
        ulong last = sk.State.Closing.Last;
        CapabilityTable table = sk.At(Sk.Hello).Capabilities;
        uint name = Wide;
        while (table.Find<FakeMachine>(name) != last)
        {
            name++;
        }

        if (moves)
        {
            sk.Call(1, SecureCall.Move, 120, name);
            Assert.Equal(table.Find<FakeMachine>(120), sk.State.Closing.Last);
            sk.Call(1, SecureCall.Move, 121, Wide);
            Assert.Equal(table.Find<FakeMachine>(121), sk.State.Closing.Root);
        }
        else
        {
            sk.Complete(1, SecureCall.Delete, name);
            Assert.Equal(Status.Ok, Result(sk, 1));
        }

        sk.Complete(1, SecureCall.Revoke, moves ? 121ul : Wide);
        Assert.Equal((Status.Ok, default(Closing)), (Result(sk, 1), sk.State.Closing));
        for (uint i = Wide + 1; i < 121; i++)
        {
            Assert.True(FakeMachine.At<CapabilitySlot>(table.Find<FakeMachine>(i)).IsEmpty);
        }
    }

    /// <summary>What boot derived outlives the revocation, and can be derived from again.</summary>
    [Fact]
    public void WhatBootDerivedIsOpenAgain()
    {
        Sk sk = Serving(out _);
        ServeSecond(sk);
        for (uint i = 0; i < 8; i++)
        {
            sk.Call(0, SecureCall.Derive, Wide + i, Sk.PeerSlot, (ulong)CapabilityRights.All);
            Assert.Equal(Status.Ok, Result(sk, 0));
        }

        sk.Call(1, SecureCall.Derive, Wide + 20, 1, (ulong)CapabilityRights.All, 0xBAD6E);
        sk.Complete(1, SecureCall.Revoke, 1);
        Assert.Equal(Status.Ok, Result(sk, 1));
        ulong proxys = sk.At(Sk.Proxy).Capabilities.Find<FakeMachine>(Sk.HelloSlot);
        Assert.True(FakeMachine.At<CapabilitySlot>(proxys).Capability.IsOpen);
        sk.Call(0, SecureCall.Derive, Wide + 9, Sk.PeerSlot, (ulong)CapabilityRights.All);
        Assert.Equal(Status.Ok, Result(sk, 0));
    }

    [Fact]
    public void ThreadsBeyondTheLimitAreRefusedAtBoot()
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).Threads = Limits.Threads + 1;
        Assert.Equal(PanicCode.BadBootInfo, Assert.Throws<PanicException>(sk.Initialize).Code);
    }

    [Theory]
    [InlineData(0x800ul, PanicCode.PoolTooSmall)]
    [InlineData(0x3000ul, PanicCode.PoolTooSmall)]
    [InlineData(0ul, PanicCode.PoolTooSmall)]
    [InlineData(1ul << 40, PanicCode.PoolTooSmall)]
    [InlineData(1ul << 63, PanicCode.PoolTooSmall)]
    public void UntypedMemoryThatCannotBeIsRefusedAtBoot(ulong bytes, PanicCode code)
    {
        Sk sk = Sk.Prepare();
        Sk.Grant(Sk.Hello, GrantKind.Untyped, UntypedSlot, bytes, 0);
        Assert.Equal(code, Assert.Throws<PanicException>(sk.Initialize).Code);
    }
}
