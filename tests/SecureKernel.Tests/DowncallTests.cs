using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Tokens, upcalls, helping, ends of components: one property at a time.</summary>
public class DowncallTests
{
    /// <summary>Linux calls, and an interrupt sends it back with a token.</summary>
    private static ulong Suspended(Sk sk, int cpu, ulong nonce)
    {
        sk.Enter(cpu, Tee.CallWithRegdArg, nonce);
        FakeMachine.Machine.InterruptPending = true;
        if (sk.Steps[cpu] == Step.Run)
        {
            sk.Interrupt(cpu);
        }

        var answer = sk.Answer(cpu);
        FakeMachine.Machine.InterruptPending = false;
        Assert.Equal(Tee.RpcForeignInterrupt, answer.X0);
        Assert.NotEqual(0ul, answer.X3);
        return answer.X3;
    }

    private static ulong Resume(Sk sk, ulong token)
    {
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
        return sk.Steps[0] == Step.Leave ? sk.Answer(0).X0 : Tee.ReturnOk;
    }

    [Fact]
    public void ACallIsAnsweredWithWhatXnuProxySays()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg, 0x11, 0x22, 0x33);
        sk.AssertRuns(0, Sk.Proxy);
        MessageHeader message = sk.Message(Sk.Proxy);
        Assert.Equal((MessageLabel.Downcall, 0x11ul, 0x22ul, 0x33ul), (message.Label, message.Word1, message.Word2, message.Word3));
        sk.Call(0, SecureCall.FinishReceive, message.Downcall, 1, 2, 3, 4);
        Assert.Equal((1ul, 2ul, 3ul, 4ul), sk.Answer(0));
        Assert.Equal((uint)Limits.Downcalls, sk.FreeDowncallCount());
        Assert.Equal(0ul, sk.State.Counters[(int)SkCounter.DowncallsInUse]);
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData((ulong)Tee.CallWithArg)]
    [InlineData(ulong.MaxValue)]
    public void OtherCallsAreUnknown(ulong function)
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, function);
        Assert.Equal((Tee.ReturnUnknown, 0ul, 0ul, 0ul), sk.Answer(0));
    }

    [Fact]
    public void ForgedTokensAreRefusedAndTheRightOneWorksOnce()
    {
        Sk sk = Sk.Boot();
        ulong first = Suspended(sk, 0, 1);
        ulong second = Suspended(sk, 0, 2);
        Assert.NotEqual(first, second);
        List<ulong> forged = [0, first ^ second, first | (1ul << 32), first | (1ul << 63), (first & ~511ul) | (second & 511), (first & ~511ul) | 300, ulong.MaxValue];
        forged.AddRange(Enumerable.Range(0, 32).Select(bit => first ^ (1ul << bit)));
        ulong bad = 0;
        foreach (ulong token in forged.Where(t => t != first && t != second))
        {
            Assert.Equal(Tee.ReturnResume, Resume(sk, token));
            Assert.Equal(++bad, sk.State.Counters[(int)SkCounter.BadTokens]);
        }

        // The right one, then again while it is inside, then again after its next suspension.
        Assert.Equal(Tee.ReturnOk, Resume(sk, first));
        Assert.Equal(Step.Run, sk.Steps[0]);
        sk.Enter(1, Tee.ReturnFromRpc, 0, 0, first);
        Assert.Equal(Tee.ReturnResume, sk.Answer(1).X0);
        sk.Interrupt(0);
        ulong third = sk.Answer(0).X3;
        Assert.NotEqual(first, third);
        Assert.Equal(Tee.ReturnResume, Resume(sk, first));
        Assert.Equal(Tee.ReturnOk, Resume(sk, third));
        Assert.Equal(2ul, sk.State.Counters[(int)SkCounter.DowncallsInUse]);
    }

    [Fact]
    public void ATokenOfAnEndedCallIsWorthNothing()
    {
        Sk sk = Sk.Boot();
        ulong token = Suspended(sk, 0, 1);
        Resume(sk, token);
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(0);
        Assert.Equal(Tee.ReturnResume, Resume(sk, token));

        // The context is used again: still not.
        ulong next = Suspended(sk, 0, 2);
        Assert.Equal(token & 511, next & 511);
        Assert.Equal(Tee.ReturnResume, Resume(sk, token));
    }

    /// <summary>The whole period of one context: every turn but the zero one, each once.</summary>
    [Fact]
    public void TokensDoNotRepeatSoonAndAreNeverZero()
    {
        const int Period = 1 << 23;
        Sk sk = Sk.Boot();
        bool[] seen = new bool[Period];
        ref Cpu cpu = ref sk.State.Cpus[0];
        for (int i = 1; i < Period; i++)
        {
            cpu.Downcall = 1;
            Downcalls<FakeMachine>.Suspend(ref sk.State, ref cpu, Tee.RpcForeignInterrupt, 0, 0);
            ulong turn = cpu.X3 >> 9;
            if (turn is 0 or >= Period || (cpu.X3 & 511) != 0 || seen[turn])
            {
                Assert.Fail($"token {cpu.X3:x} after {i} suspensions");
            }

            seen[turn] = true;
        }
    }

    [Fact]
    public void NoDowncallsAreLeftAfterTheLast()
    {
        Sk sk = Sk.Boot();
        List<ulong> tokens = [];
        for (int i = 0; i < Limits.Downcalls; i++)
        {
            tokens.Add(Suspended(sk, 0, (ulong)i));
        }

        Assert.Equal(Limits.Downcalls, tokens.Distinct().Count());
        sk.Enter(0, Tee.CallWithRpcArg, 0, FakeMachine.LinuxBase);
        Assert.Equal(Tee.ReturnThreadLimit, sk.Answer(0).X0);
        Assert.Equal([FakeMachine.LinuxBase], FakeMachine.Machine.ArgumentsDone);
        HashSet<ulong> answers = [];
        foreach (ulong token in tokens.AsEnumerable().Reverse())
        {
            sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);

            // XnuProxy works through its queue, for others first: helping.
            while (sk.Settle(0) == Step.Run)
            {
                sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall, 0, sk.Message(Sk.Proxy).Word1);
            }

            Assert.True(answers.Add(sk.Answer(0).X1));
        }

        Assert.Equal(Limits.Downcalls, answers.Count);
        Assert.Equal((0ul, (uint)Limits.Downcalls), (sk.State.Counters[(int)SkCounter.DowncallsInUse], sk.FreeDowncallCount()));
    }

    [Fact]
    public void TheArgumentPageIsReleasedWithItsCall()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRpcArg, 1, 0x2345_6000);
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        sk.Answer(0);
        Assert.Equal([0x1_2345_6000ul], FakeMachine.Machine.ArgumentsDone);
    }

    [Fact]
    public void AForwardedCallComesBackAsACompletion()
    {
        Sk sk = Sk.Boot();
        ulong downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        MessageHeader got = sk.Message(Sk.Hello);
        Assert.Equal((Sk.HelloBadge, 0ul, 16u), (got.Badge, got.Downcall, got.Length));
        sk.Message(Sk.Hello).Label = MessageLabel.WorldReset;
        sk.Message(Sk.Hello).Badge = 99;
        sk.Message(Sk.Hello).Downcall = 99;
        sk.Message(Sk.Hello).Length = 8;
        sk.Body(Sk.Hello)[0] = 0x5A;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Proxy);
        MessageHeader answer = sk.Message(Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, (ulong)sk.At(Sk.Hello).Generation, downcall, 8u), (answer.Label, answer.Badge, answer.Downcall, answer.Length));
        Assert.Equal(0x5A, sk.Body(Sk.Proxy)[0]);
        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);
    }

    [Fact]
    public void XnuProxysCallsAreXnuProxysAlone()
    {
        Sk sk = Sk.Boot();
        ulong downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        SecureCall[] calls =
        [
            SecureCall.Forward, SecureCall.ForwardReceive, SecureCall.Finish, SecureCall.FinishReceive, SecureCall.Suspend, SecureCall.LinuxRead,
            SecureCall.LinuxWrite, SecureCall.ShareMap, SecureCall.ShareUnmap, SecureCall.Counters, SecureCall.ComponentInfo, SecureCall.PhysicalAddress,
            SecureCall.MapDevice, SecureCall.Donate, SecureCall.ReturnDonated, SecureCall.CollectDonated,
            SecureCall.Restart, SecureCall.LendTime, SecureCall.MintKit,
        ];
        foreach (SecureCall call in calls)
        {
            Assert.Equal(Step.Run, sk.Call(0, call, downcall, UserLayout.IpcPage, 8));
            Assert.True(sk.Result(Sk.Hello) == Status.BadCapability, $"{call}");
        }

        for (ulong call = (ulong)SecureCall.LendTime + 1; call < 80; call++)
        {
            if (!Enum.IsDefined((SecureCall)call))
            {
                sk.Call(0, (SecureCall)call);
                Assert.Equal(Status.BadCall, sk.Result(Sk.Hello));
            }
        }

        sk.Call(0, SecureCall.None);
        Assert.Equal(Status.BadCall, sk.Result(Sk.Hello));
        Assert.Empty(FakeMachine.Machine.Copies);
    }

    [Fact]
    public void AnAnswerThatIsOwedIsNotForgotten()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        (SecureCall Call, ulong X0, Status Status)[] wrong =
        [
            (SecureCall.Receive, 0, Status.BadState), (SecureCall.ReplyReceive, 0, Status.BadState), (SecureCall.Reply, 0, Status.BadState),
            (SecureCall.FinishReceive, downcall + 1, Status.NotFound), (SecureCall.FinishReceive, downcall + 0x10000, Status.NotFound),
            (SecureCall.FinishReceive, downcall | (1ul << 62), Status.NotFound), (SecureCall.ForwardReceive, 0, Status.BadCapability),
            (SecureCall.ForwardReceive, 1, Status.Denied), (SecureCall.ForwardReceive, 5, Status.BadCapability),
        ];
        foreach (var (call, x0, status) in wrong)
        {
            Assert.Equal(Step.Run, sk.Call(0, call, x0));
            Assert.True(sk.Result(Sk.Proxy) == status, $"{call} {x0:x}: {sk.Result(Sk.Proxy)}");
        }

        sk.Message(Sk.Proxy).Length = MessageHeader.MaxBodyBytes + 1;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
        Assert.Equal(Status.BadArgument, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.Finish, downcall, 5);
        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.Finish, downcall, 6);
        Assert.Equal(Status.BadState, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.Receive);
        Assert.Equal(5ul, sk.Answer(0).X0);
    }

    [Theory]
    [InlineData(MessageLabel.Downcall)]
    [InlineData(MessageLabel.Completion)]
    [InlineData(MessageLabel.UpcallReturn)]
    [InlineData(MessageLabel.WorldReset)]
    [InlineData(MessageLabel.MemoryReturned)]
    [InlineData(MessageLabel.MemoryWanted)]
    public void AComponentCannotSpeakInTheNameOfSkOrLinux(MessageLabel label)
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        foreach (SecureCall call in (SecureCall[])[SecureCall.Call, SecureCall.TryCall])
        {
            sk.Message(Sk.Hello).Label = label;
            sk.Call(0, call, ComponentEntry.UpcallSlot);
            sk.AssertRuns(0, Sk.Hello);
            Assert.Equal(Status.BadArgument, sk.Result(Sk.Hello));
        }

        sk.Message(Sk.Hello).Label = MessageLabel.Upcall;
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.AssertRuns(0, Sk.Proxy);
    }

    [Fact]
    public void AnUpcallGoesToLinuxAndComesBackToWhoAsked()
    {
        Sk sk = Sk.Boot();
        ulong downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);

        // Hello asks Signer, and Signer asks Linux on the same downcall.
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Signer);
        Assert.Equal((0xE3ul, 0ul), (sk.Message(Sk.Signer).Badge, sk.Message(Sk.Signer).Downcall));
        sk.Message(Sk.Signer).Label = MessageLabel.Upcall;
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Upcall, downcall, (ulong)Sk.Signer + 1), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Badge));
        sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcCommand, 7, 8);
        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
        sk.Call(0, SecureCall.Receive);
        var upcall = sk.Answer(0);
        Assert.Equal((Tee.RpcCommand, 7ul, 8ul), (upcall.X0, upcall.X1, upcall.X2));

        // Another call for Hello finds it waiting for Linux: nothing to run, so back it goes.
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(1).X0);

        sk.Enter(0, Tee.ReturnFromRpc, 0x51, 0x52, upcall.X3);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.UpcallReturn, downcall, 0x51ul), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Word1));
        sk.Message(Sk.Proxy).Length = 4;
        sk.Body(Sk.Proxy)[0] = 0x77;
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Signer);
        Assert.Equal((Status.Ok, (byte)0x77), (sk.Result(Sk.Signer), sk.Body(Sk.Signer)[0]));
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.ReplyReceive);
    }

    [Fact]
    public void AnUpcallOutsideADowncallHasNone()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.AssertRuns(0, Sk.Proxy);
        ulong downcall = sk.Message(Sk.Proxy).Downcall;
        foreach (ulong other in new ulong[] { 0, downcall + 1, downcall ^ 0x10000, ulong.MaxValue })
        {
            sk.Call(0, SecureCall.Suspend, other, Tee.RpcCommand);
            Assert.Equal(Status.NotFound, sk.Result(Sk.Proxy));
        }

        // Somebody else's downcall is refused as well.
        sk.Steps[1] = Step.Leave;
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        int index = sk.State.Cpus[1].Downcall - 1;
        sk.Call(0, SecureCall.Suspend, sk.State.Downcalls[index].Id(index), Tee.RpcCommand);
        Assert.Equal(Status.BadState, sk.Result(Sk.Proxy));
    }

    [Fact]
    public void CirclesAreRefusedAtTheirLastLink()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        sk.Call(0, SecureCall.Receive);
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        Assert.Equal(Status.Deadlock, sk.Result(Sk.Signer));
        sk.Call(0, SecureCall.TryCall, Sk.PeerSlot);
        Assert.Equal(Status.Busy, sk.Result(Sk.Signer));

        // No circle through somebody who is free.
        sk.Call(0, SecureCall.Call, 2);
        sk.AssertRuns(0, Sk.Entropy);
    }

    [Fact]
    public void ALongerCircleIsSeenToo()
    {
        // Kit calls Hello, which calls Signer, which may not call Hello; Kit's own call stands.
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.KitSlot, Sk.Kit);
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.Receive);
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Signer);
        sk.Call(0, SecureCall.Receive);
        sk.At(Sk.Signer).Capabilities.Insert<FakeMachine>(9, Capability.Create(CapabilityKind.Endpoint, CapabilityRights.Send, sk.At(Sk.Kit).Endpoint), 0);
        sk.Call(0, SecureCall.Call, 9);
        Assert.Equal(Status.Deadlock, sk.Result(Sk.Signer));
        sk.At(Sk.Signer).Capabilities.Insert<FakeMachine>(10, Capability.Create(CapabilityKind.Endpoint, CapabilityRights.Send, sk.At(Sk.Signer).Endpoint), 0);
        sk.Call(0, SecureCall.Call, 10);
        Assert.Equal(Status.Deadlock, sk.Result(Sk.Signer));
    }

    [Fact]
    public void ACallForAnEarlierLifeOfAServerIsRefused()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Length = 0;
        sk.At(Sk.Hello).Generation = 7;
        foreach (ulong generation in new ulong[] { 1, 6, 8, (1ul << 32) | 7, ulong.MaxValue })
        {
            sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot, 0, generation);
            Assert.Equal(Status.PeerDied, sk.Result(Sk.Proxy));
        }

        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot, 0, 7);
        sk.AssertRuns(0, Sk.Hello);
    }

    [Fact]
    public void AServerIsHelpedByWhoWaitsForIt()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Interrupt(0);
        ulong token = sk.Answer(0).X3;
        ulong helped = sk.State.Counters[(int)SkCounter.Helped];

        // Linux does not schedule the first thread. The second one runs Hello on its own time, and both get their answers.
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        ulong second = sk.Message(Sk.Proxy).Downcall;
        sk.Call(1, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(1, Sk.Hello);
        Assert.Equal(helped + 1, sk.State.Counters[(int)SkCounter.Helped]);
        sk.Call(1, SecureCall.ReplyReceive);
        sk.AssertRuns(1, Sk.Hello);
        sk.Call(1, SecureCall.ReplyReceive);
        for (int i = 0; i < 2; i++)
        {
            sk.AssertRuns(1, Sk.Proxy);
            sk.Call(1, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall, sk.Message(Sk.Proxy).Downcall == second ? 2u : 1);
        }

        Assert.Equal(2ul, sk.Answer(1).X0);
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
        Assert.Equal(1ul, sk.Answer(0).X0);
    }

    [Fact]
    public void AThreadThatRunsElsewhereIsWaitedForWithBounds()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.Enter(1, Tee.CallWithRegdArg, 2);
        int pauses = 1;
        while (sk.Steps[1] == Step.Pause)
        {
            pauses++;
            sk.Next(1);
        }

        Assert.InRange(pauses, 2, (int)Limits.SpinRounds + 2);
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(1).X0);
        Assert.Equal(Step.Run, sk.Steps[0]);
    }

    /// <summary>However many wait for a component that ends: each learns it, no step is long, and an interrupt is let in between.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData((int)Limits.ChunkCallers)]
    [InlineData((5 * (int)Limits.ChunkCallers) + 1)]
    [InlineData(Limits.Downcalls - 1)]
    public void AllWhoWaitForOneThatEndsLearnItChunkByChunk(int waiting)
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Interrupt(0);
        ulong first = sk.Answer(0).X3;
        List<ulong> tokens = [];
        FakeMachine.Machine.InterruptPending = true;
        for (int i = 0; i < waiting; i++)
        {
            // Linux's interrupt comes as soon as the call stands in Hello's queue.
            FakeMachine.Machine.InterruptPending = false;
            sk.Enter(0, Tee.CallWithRegdArg, 1);
            sk.AssertRuns(0, Sk.Proxy);
            sk.Message(Sk.Proxy).Length = 16;
            FakeMachine.Machine.InterruptPending = true;
            sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
            tokens.Add(sk.Answer(0).X3);
        }

        // Hello ends, and Linux's interrupts let nothing else happen on its time.
        FakeMachine.Machine.InterruptPending = false;
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, first);
        sk.AssertRuns(0, Sk.Hello);
        FakeMachine.Machine.InterruptPending = true;
        sk.Fault(0, 0x24, 0x46);
        (ulong why, _, _, first) = sk.Answer(0);
        Assert.Equal(Tee.RpcForeignInterrupt, why);
        Assert.Equal((ComponentState.Dead, true), (sk.At(Sk.Hello).Life, sk.EndpointOf(Sk.Hello).Head != 0));

        FakeMachine.Machine.InterruptPending = false;
        int told = 0;
        foreach (ulong token in tokens)
        {
            sk.Enter(0, Tee.ReturnFromRpc, 0, 0, token);
            while (sk.Settle(0) == Step.Run)
            {
                Assert.Equal(Sk.Proxy, sk.OnCpu(0).Component);
                Assert.Equal((MessageLabel.Completion, Status.PeerDied), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status));
                told++;
                sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall, Tee.ReturnOk);
            }

            Assert.Equal(Tee.ReturnOk, sk.Answer(0).X0);
        }

        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, first);
        Assert.Equal(Tee.ReturnOk, sk.Answer(0).X0);
        Assert.Equal((waiting + 1, (ushort)0, (uint)Limits.Downcalls), (told, sk.EndpointOf(Sk.Hello).Head, sk.FreeDowncallCount()));
    }

    [Fact]
    public void WhoCrashesIsReportedScrubbedAndAnsweredFor()
    {
        Sk sk = Sk.Boot();
        ulong downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        ulong secret = sk.On(Sk.Hello).IpcPage;
        Assert.Equal(1, sk.State.Components[Sk.Hello].Memory.UsedFrames > 20 ? 1 : 0);
        sk.Fault(0, 0x24, 0x46);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Completion, Status.PeerDied, downcall), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Status, sk.Message(Sk.Proxy).Downcall));
        Assert.Contains(FakeMachine.Machine.Lines, line => line.StartsWith("component2: ended: write to unmapped memory, ESR 0x", StringComparison.Ordinal));
        string[] report = [.. FakeMachine.Machine.Lines.SkipWhile(line => line != "[Exclaves] crash in component2: write to unmapped memory")];
        Assert.Equal(11, report.Length);
        Assert.StartsWith("[Exclaves] cpu 0 pc 0x", report[1], StringComparison.Ordinal);
        Assert.Contains(" esr 0x90000046 sp 0x", report[1], StringComparison.Ordinal);
        Assert.Equal("[Exclaves] x28 0x0 0x0 0x0", report[9]);
        Assert.StartsWith("[Exclaves] end: it alone ends", report[10], StringComparison.Ordinal);
        Assert.False(sk.State.IsPending(PendingWork.Report));
        Assert.Equal((ComponentState.Dead, 2u, 0ul), (sk.At(Sk.Hello).Life, sk.At(Sk.Hello).Generation, sk.At(Sk.Hello).Space.Root));
        sk.Call(0, SecureCall.FinishReceive, downcall);
        sk.Answer(0);

        // Its memory is zero, and nobody reaches it any more.
        for (int i = 0; i < 6; i++)
        {
            sk.Enter(0, Tee.CallWithRegdArg, 3);
            sk.AssertRuns(0, Sk.Proxy);
            sk.Call(0, SecureCall.Forward, Sk.HelloSlot);
            Assert.Equal(Status.PeerDied, sk.Result(Sk.Proxy));
            sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
            sk.Answer(0);
        }

        Assert.False(sk.State.IsPending(PendingWork.Scrub));
        Assert.Equal(0ul, sk.At(Sk.Hello).Memory.UsedFrames);
        Assert.Equal(0ul, FakeMachine.At<ulong>(secret));
        ref Untyped memory = ref sk.At(Sk.Hello).Memory;
        Assert.True(FakeMachine.Machine.Memory.AsSpan((int)(memory.Base - FakeMachine.MemoryBase), (int)memory.Bytes).IndexOfAnyExcept((byte)0) < 0);
    }

    [Theory]
    [InlineData(0x15ul, 0ul)]
    [InlineData(0x15ul, 2ul)]
    [InlineData(0x20ul, 0ul)]
    [InlineData(0x22ul, 0ul)]
    [InlineData(0x00ul, 0ul)]
    [InlineData(0x3Cul, 0ul)]
    public void WithoutAPersonalityEveryExceptionIsTheEnd(ulong exceptionClass, ulong rest)
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Fault(0, exceptionClass, rest);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(ComponentState.Dead, sk.At(Sk.Hello).Life);
        Assert.Equal(1ul, sk.State.Counters[(int)SkCounter.Faults]);
    }

    /// <summary>Linux reads the report. Of a production image it learns who, why and where, and nothing that a register held.</summary>
    [Fact]
    public void AProductionImageReportsNoRegisters()
    {
        Sk sk = Sk.Prepare();
        FakeMachine.At<MeasurementLog>(Sk.LogPage).Signer = SignerKind.Production;
        sk = Sk.BootPrepared(sk);
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        ref UserContext context = ref sk.On(Sk.Hello).Context;
        for (int i = 0; i < 29; i++)
        {
            context.X[i] = 0x5EC2E7;
        }

        ulong stack = UserLayout.StackTop - 0x100;
        FakeMachine.At<ulong>(sk.At(Sk.Hello).Space.Translate<FakeMachine>(stack, write: true) + 8) = 0x40_0100;
        (context.X[29], context.X[30], context.StackPointer, context.FaultAddress, context.ProgramCounter) = (stack, 0x5EC2E7, 0x5EC2E7, 0x5EC2E7, 0x40_0042);
        sk.Fault(0, 0x24, 0x46);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.DoesNotContain(FakeMachine.Machine.Lines, line => line.Contains("5ec2e7", StringComparison.OrdinalIgnoreCase));
        string[] report = [.. FakeMachine.Machine.Lines.SkipWhile(line => line != "[Exclaves] crash in component2: write to unmapped memory")];
        Assert.Equal("[Exclaves] cpu 0 pc 0x400042 esr 0x90000046", report[1]);
        Assert.Equal(["[Exclaves] from 0x400100", "[Exclaves] end: it alone ends; its next session starts it anew"], report[2..]);
    }

    [Fact]
    public void WithoutXnuProxyThereIsNoSk()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        Assert.Equal(PanicCode.CoreEnded, Assert.Throws<PanicException>(() => sk.Fault(0, 0x24)).Code);
    }

    [Theory, InlineData(Sk.Proxy), InlineData(Sk.Entropy)]
    public void AnyComponentOfTheCoreTakesSkWithIt(int component)
    {
        Sk sk = Sk.Boot();
        if (component == Sk.Proxy)
        {
            sk.Enter(0, Tee.CallWithRegdArg);
        }
        else
        {
            sk.Forward(0, Sk.HelloSlot, Sk.Hello);
            sk.Call(0, SecureCall.Call, 2);
        }

        sk.AssertRuns(0, component);
        ref UserContext context = ref sk.On(component).Context;
        ulong stack = UserLayout.StackTop - 0x100;
        ulong frame = sk.At(component).Space.Translate<FakeMachine>(stack, write: true);
        FakeMachine.At<ulong>(frame) = stack + 0x20;
        FakeMachine.At<ulong>(frame + 8) = 0x40_0100;
        FakeMachine.At<ulong>(frame + 0x20) = UserLayout.StackTop + 0x1_0000;
        FakeMachine.At<ulong>(frame + 0x28) = 0x40_0200;
        context.X[29] = stack;
        context.X[7] = 0x7777;
        context.ProgramCounter = 0x40_0042;
        context.FaultAddress = 0xBAD;
        Assert.Equal(PanicCode.CoreEnded, Assert.Throws<PanicException>(() => sk.Fault(0, 0x24, 6)).Code);

        ref PanicRecord record = ref sk.State.LastWords;
        Assert.StartsWith($"component{component}\0", Encoding.ASCII.GetString(record.Component));
        Assert.Equal("read of unmapped memory", Encoding.ASCII.GetString(((ReadOnlySpan<byte>)record.Message)[..(int)record.MessageBytes]));
        Assert.Equal((0x40_0042ul, 0xBADul, 0x7777ul, (0x24ul << 26) | 6), (record.ProgramCounter, record.FaultAddress, record.X[7], record.Syndrome));

        // The second record's caller lies outside every page of the component: the walk ends there.
        Assert.Equal((2u, 0x40_0100ul, 0x40_0200ul), (record.Depth, record.Backtrace[0], record.Backtrace[1]));
    }

    [Fact]
    public void ABacktraceInACircleEnds()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        ulong stack = UserLayout.StackTop - 0x100;
        FakeMachine.At<ulong>(sk.At(Sk.Proxy).Space.Translate<FakeMachine>(stack, write: true)) = stack;
        sk.On(Sk.Proxy).Context.X[29] = stack;
        Assert.Throws<PanicException>(() => sk.Fault(0, 0x24));
        Assert.Equal((uint)PanicRecord.MaxDepth, sk.State.LastWords.Depth);
    }

    [Fact]
    public void TheThreadThatPanicsWaitsWhereXnuProxyNamedAPlaceInSharedMemory()
    {
        const ulong Window = UserLayout.SharedBase;
        const ulong Frame = FakeMachine.LinuxBase + 0x5000;
        Sk sk = Sk.Boot();
        Assert.Equal(default, Autopsy<FakeMachine>.CallOf(ref sk.State, -1));
        sk.Forward(2, Sk.HelloSlot, Sk.Hello, rpcArgument: Window + 0x180);
        int index = sk.State.Cpus[2].Downcall - 1;
        Assert.Equal(default, Autopsy<FakeMachine>.CallOf(ref sk.State, index));

        ref Component proxy = ref sk.At(Sk.Proxy);
        Assert.Equal(Status.Ok, proxy.Space.Map<FakeMachine>(ref proxy.Memory, Window, PageEntry.Create(Frame, PageAccess.ReadWrite, PageSource.Shared)));
        Assert.Equal(new ParkedCall { RpcArgument = Frame + 0x180, Cpu = 3 }, Autopsy<FakeMachine>.CallOf(ref sk.State, index));

        // Its own Linux thread is away while another call's runs the thread that faults: it is the one to wait.
        sk.Call(2, SecureCall.Call, 2);
        sk.AssertRuns(2, Sk.Entropy);
        sk.Interrupt(2);
        uint token = (uint)sk.Answer(2).X3;
        sk.Enter(0, Tee.CallWithRegdArg);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot, Window + 0x300);
        sk.AssertRuns(0, Sk.Entropy);
        Assert.Throws<PanicException>(() => sk.Fault(0, 0x24));
        Assert.Equal(new ParkedCall { RpcArgument = Frame + 0x180, Token = token }, sk.State.LastWords.Call);
    }

    [Fact]
    public void TheNextCallInTheSameContextNamesNoPlaceYet()
    {
        const ulong Window = UserLayout.SharedBase;
        Sk sk = Sk.Boot();
        ref Component proxy = ref sk.At(Sk.Proxy);
        Assert.Equal(
            Status.Ok, proxy.Space.Map<FakeMachine>(ref proxy.Memory, Window, PageEntry.Create(FakeMachine.LinuxBase, PageAccess.ReadWrite, PageSource.Shared)));
        sk.Forward(0, Sk.HelloSlot, Sk.Hello, rpcArgument: Window);
        int index = sk.State.Cpus[0].Downcall - 1;
        sk.Fault(0, 0x24);
        sk.AssertRuns(0, Sk.Proxy);
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall, Tee.ReturnOk);
        sk.Answer(0);
        sk.Enter(0, Tee.CallWithRegdArg);
        Assert.Equal(index, sk.State.Cpus[0].Downcall - 1);
        Assert.Equal(default, Autopsy<FakeMachine>.CallOf(ref sk.State, index));
    }

    [Fact]
    public void AResetStopsXnuProxyInTheMiddleOfAnUpcallsRequest()
    {
        Sk sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.AssertRuns(0, Sk.Proxy);
        sk.On(Sk.Proxy).Context.ProgramCounter += 0x40;
        sk.Interrupt(0);
        sk.Answer(0);

        Downcalls<FakeMachine>.Reset(ref sk.State);
        Assert.Equal((ThreadState.Ready, Status.BadReply), (sk.On(Sk.Hello).State, sk.Result(Sk.Hello)));
        Assert.Equal((ThreadState.Ready, ServingKind.Nobody, Sk.EntryPoint), (sk.On(Sk.Proxy).State, sk.On(Sk.Proxy).Serving.Kind, sk.On(Sk.Proxy).Context.ProgramCounter));
    }

    [Fact]
    public void AResetDoesNotStopWhatXnuProxyDoesForACallThatIsInside()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg, 1);
        sk.AssertRuns(0, Sk.Proxy);
        sk.On(Sk.Proxy).Context.ProgramCounter += 0x40;
        Downcalls<FakeMachine>.Reset(ref sk.State);
        Assert.Equal((ThreadState.Running, ServingKind.Downcall, Sk.EntryPoint + 0x40), (sk.On(Sk.Proxy).State, sk.On(Sk.Proxy).Serving.Kind, sk.On(Sk.Proxy).Context.ProgramCounter));
        sk.Call(0, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall, Tee.ReturnOk);
        Assert.Equal(Tee.ReturnOk, sk.Answer(0).X0);
    }

    [Fact]
    public void AResetAbandonsWhatIsAway()
    {
        Sk sk = Sk.Boot();

        // One call in an upcall, one interrupted in XnuProxy's queue, one interrupted in Signer's hands.
        ulong downcall = sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Call(0, SecureCall.Call, ComponentEntry.UpcallSlot);
        sk.Call(0, SecureCall.Suspend, downcall, Tee.RpcCommand);
        sk.Call(0, SecureCall.Receive);
        ulong upcall = sk.Answer(0).X3;
        sk.Forward(0, Sk.SignerSlot, Sk.Signer, 2);
        sk.Interrupt(0);
        ulong held = sk.Answer(0).X3;
        ulong queued = Suspended(sk, 0, 3);

        Downcalls<FakeMachine>.Reset(ref sk.State);
        Assert.Equal((0ul, (uint)Limits.Downcalls), (sk.State.Counters[(int)SkCounter.DowncallsInUse], sk.FreeDowncallCount()));
        foreach (ulong token in new[] { upcall, held, queued })
        {
            Assert.Equal(Tee.ReturnResume, Resume(sk, token));
        }

        Assert.Equal((ThreadState.Ready, Status.BadReply), (sk.On(Sk.Hello).State, sk.Result(Sk.Hello)));
        Assert.Equal(ServingKind.Orphan, sk.On(Sk.Hello).Serving.Kind);
        Assert.Equal(ServingKind.Orphan, sk.On(Sk.Signer).Serving.Kind);

        // XnuProxy was in the middle of the third call's message: it begins anew, hears of the reset before the next call, and what orphans answer is dropped.
        sk.Enter(0, Tee.CallWithRegdArg, 9);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((Sk.EntryPoint, UserLayout.StackTop, UserLayout.StartInfo), (sk.On(Sk.Proxy).Context.ProgramCounter, sk.On(Sk.Proxy).Context.StackPointer, sk.On(Sk.Proxy).Context.X[0]));
        Assert.Equal(ServingKind.Nobody, sk.On(Sk.Proxy).Serving.Kind);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal(MessageLabel.WorldReset, sk.Message(Sk.Proxy).Label);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((MessageLabel.Downcall, 9ul), (sk.Message(Sk.Proxy).Label, sk.Message(Sk.Proxy).Word1));
        sk.Message(Sk.Proxy).Length = 0;
        sk.Call(0, SecureCall.ForwardReceive, Sk.HelloSlot);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.ReplyReceive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(ServingKind.Downcall, sk.On(Sk.Hello).Serving.Kind);
    }

    [Fact]
    public void SharedPagesAreMappedAllOrNoneAndCounted()
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        const ulong List = UserLayout.StackTop - 0x1000;
        ulong list = sk.At(Sk.Proxy).Space.Translate<FakeMachine>(List, write: true);
        ulong used = sk.At(Sk.Proxy).Memory.UsedFrames;
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, (int)SecureCallArguments.SharePages]).Array[30].Sample(
            steps =>
            {
                foreach (var (bad, count) in steps)
                {
                    for (int i = 0; i < count; i++)
                    {
                        FakeMachine.At<ulong>(list + ((ulong)i * 8)) = FakeMachine.LinuxBase + ((ulong)i << 12);
                    }

                    ref ulong last = ref FakeMachine.At<ulong>(list + ((ulong)(count - 1) * 8));
                    last = bad switch
                    {
                        0 => last | 1,
                        1 => 0,
                        2 => FakeMachine.LinuxBase + FakeMachine.LinuxBytes,
                        3 => FakeMachine.MemoryBase,
                        4 => ulong.MaxValue & ~0xFFFul,
                        _ => last,
                    };
                    bool refused = bad == 5;
                    if (refused)
                    {
                        FakeMachine.Machine.Refused.Add(last);
                    }

                    sk.Call(0, SecureCall.ShareMap, List, (ulong)count, UserLayout.SharedBase);
                    Assert.Equal(bad > 5 ? Status.Ok : refused ? Status.Denied : Status.BadAddress, sk.Result(Sk.Proxy));
                    Assert.Equal(bad > 5 ? count : 0, FakeMachine.Machine.Shared.Count);
                    Assert.Equal((ulong)FakeMachine.Machine.Shared.Count, sk.State.Counters[(int)SkCounter.SharedMappings]);
                    FakeMachine.Machine.Refused.Clear();
                    if (bad > 5)
                    {
                        sk.Call(0, SecureCall.ShareMap, List, 1, UserLayout.SharedBase);
                        Assert.Equal(Status.BadState, sk.Result(Sk.Proxy));
                        Assert.Equal(0ul, sk.At(Sk.Proxy).Space.Translate<FakeMachine>(UserLayout.SharedBase, write: false));
                        sk.Complete(0, SecureCall.ShareUnmap, UserLayout.SharedBase, 64);
                        Assert.Equal(Status.Ok, sk.Result(Sk.Proxy));
                    }

                    Assert.Empty(FakeMachine.Machine.Shared);
                    Assert.Equal((used, 0ul), (sk.At(Sk.Proxy).Memory.UsedFrames, sk.State.Counters[(int)SkCounter.SharedMappings]));
                }
            },
            iter: 20,
            threads: 1);
    }

    [Theory]
    [InlineData(0ul, UserLayout.IpcPage, 8ul, Status.BadAddress)]
    [InlineData(FakeMachine.LinuxBase, 0ul, 8ul, Status.BadAddress)]
    [InlineData(FakeMachine.LinuxBase, ulong.MaxValue - 4095, 8ul, Status.BadAddress)]
    [InlineData(FakeMachine.LinuxBase, UserLayout.IpcPage, 0ul, Status.BadArgument)]
    [InlineData(FakeMachine.LinuxBase, UserLayout.IpcPage, 4097ul, Status.BadArgument)]
    [InlineData(FakeMachine.LinuxBase + 1, UserLayout.IpcPage, 4096ul, Status.BadArgument)]
    [InlineData(FakeMachine.LinuxBase, UserLayout.IpcPage + 1, 4096ul, Status.BadArgument)]
    [InlineData(FakeMachine.MemoryBase, UserLayout.IpcPage, 8ul, Status.BadAddress)]
    [InlineData(FakeMachine.LinuxBase, UserLayout.IpcPage + 8, 4000ul, Status.Ok)]
    [InlineData(FakeMachine.LinuxBase, UserLayout.StartInfo, 8ul, Status.BadAddress)]
    [InlineData(FakeMachine.LinuxBase, Sk.EntryPoint, 8ul, Status.BadAddress)]
    public void CopiesOfLinuxsMemoryGoToOwnWritablePages(ulong linux, ulong address, ulong bytes, Status status)
    {
        Sk sk = Sk.Boot();
        sk.Enter(0, Tee.CallWithRegdArg);
        sk.Call(0, SecureCall.LinuxRead, linux, address, bytes);
        Assert.Equal(status, sk.Result(Sk.Proxy));
        Assert.Equal(status == Status.Ok ? 1 : 0, FakeMachine.Machine.Copies.Count);
    }
}
