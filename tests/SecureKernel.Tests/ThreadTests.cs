using System;
using System.Linq;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.SecureKernel.Tests;

/// <summary>Threads that a component starts itself, and what they may do to each other.</summary>
public class ThreadTests
{
    private const uint Most = 6;
    private const ulong Code = Sk.EntryPoint + 0x40;
    private const ulong Handler = Sk.EntryPoint + 0x100;
    private const ulong HandlerStack = UserLayout.StackTop - 0x2000;
    private const ulong ContextPage = UserLayout.StackTop - 0x8000;
    private const ulong Id = 0x1234_5678;

    /// <summary>Kit serves a call on CPU 0.</summary>
    private static Sk Serving(uint most = Most, ulong quota = 256)
    {
        Sk sk = Sk.Prepare(quota > 256 ? 2 * FakeMachine.MemoryBytes : FakeMachine.MemoryBytes);
        Sk.Entry(Sk.Kit).MaxThreads = most;
        Sk.Entry(Sk.Kit).QuotaBytes = quota * Limits.PageBytes;
        sk = Sk.BootPrepared(sk);
        sk.Forward(0, Sk.KitSlot, Sk.Kit);
        return sk;
    }

    private static uint Start(Sk sk, int cpu = 0, ulong argument = 7)
    {
        sk.Call(cpu, SecureCall.StartThread, Code, 0, 0x7150, argument);
        Assert.Equal(Status.Ok, (Status)sk.OnCpu(cpu).Context.X[0]);
        return (uint)sk.OnCpu(cpu).Context.X[1];
    }

    private static Sk With(int threads, uint most = Most, ulong quota = 256)
    {
        Sk sk = Serving(most, quota);
        for (int i = 1; i <= threads; i++)
        {
            Assert.Equal((uint)i, Start(sk));
        }

        return sk;
    }

    /// <summary>Another call for Kit on another CPU: it is queued, and its time runs whoever can.</summary>
    private static void Help(Sk sk, int cpu)
    {
        sk.Enter(cpu, Tee.CallWithRegdArg, 9);
        sk.AssertRuns(cpu, Sk.Proxy);
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Message(Sk.Proxy).Length = 16;
        sk.Call(cpu, SecureCall.ForwardReceive, Sk.KitSlot);
        sk.Settle(cpu);
    }

    private static Status On(Sk sk, uint thread) => sk.Result(Sk.Kit, thread);

    private static void AssertRunsThread(Sk sk, int cpu, uint thread)
    {
        sk.AssertRuns(cpu, Sk.Kit);
        Assert.Equal(thread, sk.OnCpu(cpu).Number);
    }

    /// <summary>The CPU leaves for an interrupt, and comes back.</summary>
    private static void ComeBack(Sk sk, int cpu) => sk.Enter(cpu, Tee.ReturnFromRpc, 0, 0, sk.Answer(cpu).X3);

    private static ref UserContext Saved(Sk sk, ulong page) =>
        ref FakeMachine.At<UserContext>(sk.At(Sk.Kit).Space.Translate<FakeMachine>(page, write: true));

    [Fact]
    public void AThreadHasItsOwnPagesAndGivesThemBack()
    {
        Sk sk = Serving();
        ulong used = sk.At(Sk.Kit).Memory.UsedFrames;
        for (ulong round = 0; round < 3; round++)
        {
            uint number = Start(sk);
            Assert.Equal((1u, 2u), (number, sk.At(Sk.Kit).ThreadCount));
            UserContext context = sk.On(Sk.Kit, number).Context;
            Assert.Equal((7ul, 1ul, 0x7150ul, Code, UserLayout.StackTopOf(1)), (context.X[0], context.X[1], context.ThreadPointer, context.ProgramCounter, context.StackPointer));
            AddressSpace space = sk.At(Sk.Kit).Space;
            ulong[] pages =
            [
                UserLayout.IpcPageOf(1), UserLayout.ContextPageOf(1),
                .. Enumerable.Range(1, (int)(UserLayout.StartedStackBytes / Limits.PageBytes)).Select(page => UserLayout.StackTopOf(1) - ((ulong)page * Limits.PageBytes)),
            ];
            ulong[] frames = [.. pages.Select(page => space.Translate<FakeMachine>(page, write: true))];
            Assert.DoesNotContain(0ul, frames);
            Assert.Equal(frames.Length, frames.Distinct().Count());
            Assert.Equal(frames[0], sk.On(Sk.Kit, 1).IpcPage);
            Assert.Equal(0ul, space.Translate<FakeMachine>(UserLayout.StackTopOf(1) - UserLayout.StartedStackBytes - Limits.PageBytes, write: false));
            foreach (ulong frame in frames)
            {
                Assert.True(FakeMachine.Machine.Memory.AsSpan((int)(frame - FakeMachine.MemoryBase), 4096).IndexOfAnyExcept((byte)0) < 0);
                FakeMachine.At<ulong>(frame + 16) = 0x5EC7E7;
            }

            // It can neither be mapped over nor unmapped.
            sk.Call(0, SecureCall.UnmapMemory, UserLayout.IpcPageOf(1), 1);
            Assert.Equal(Status.BadArgument, On(sk, 0));
            sk.Call(0, SecureCall.WaitEpoch, Id + 9, round, 2);
            AssertRunsThread(sk, 0, 1);
            sk.Call(0, SecureCall.WakeEpoch, Id + 9, round + 1, (ulong)EpochWake.All);

            // Whom this CPU's call needs goes on.
            AssertRunsThread(sk, 0, 0);
            sk.Call(0, SecureCall.WaitEpoch, Id, 2, 2, FakeMachine.Machine.Counter + 1);
            AssertRunsThread(sk, 0, 1);
            sk.Call(0, SecureCall.ExitThread);
            Assert.Equal((1u, ThreadState.Inactive), (sk.At(Sk.Kit).ThreadCount, sk.On(Sk.Kit, 1).State));
            Assert.Equal(used, sk.At(Sk.Kit).Memory.UsedFrames);
            Assert.Equal(0ul, sk.At(Sk.Kit).Space.Translate<FakeMachine>(UserLayout.IpcPageOf(1), write: false));
            FakeMachine.Machine.Counter++;
            ComeBack(sk, 0);
            AssertRunsThread(sk, 0, 0);
        }
    }

    [Theory]
    [InlineData(0ul, 0ul)]
    [InlineData(Code + 2, 0ul)]
    [InlineData(UserLayout.End, 0ul)]
    [InlineData(0xFFFF_0000_4000_0000ul, 0ul)]
    [InlineData(ulong.MaxValue - 3, 0ul)]
    [InlineData(Code, 8ul)]
    public void StartsAreChecked(ulong pc, ulong sp)
    {
        Sk sk = Serving();
        ulong used = sk.At(Sk.Kit).Memory.UsedFrames;
        sk.Call(0, SecureCall.StartThread, pc, sp);
        Assert.Equal((Status.BadArgument, used, 1u), (On(sk, 0), sk.At(Sk.Kit).Memory.UsedFrames, sk.At(Sk.Kit).ThreadCount));
    }

    [Fact]
    public void ThereAreNoMoreThanDeclaredAndNoMoreThanCanBePaid()
    {
        Sk sk = With((int)Most - 1);
        sk.Call(0, SecureCall.StartThread, Code);
        Assert.Equal(Status.NoMemory, On(sk, 0));

        // Without the memory for all of its pages none is taken.
        sk = Serving(Limits.MaxThreads, 64);
        ulong before = sk.At(Sk.Kit).Memory.UsedFrames;
        while (true)
        {
            before = sk.At(Sk.Kit).Memory.UsedFrames;
            sk.Call(0, SecureCall.StartThread, Code);
            if (On(sk, 0) != Status.Ok)
            {
                break;
            }
        }

        Assert.Equal((Status.NoMemory, before), (On(sk, 0), sk.At(Sk.Kit).Memory.UsedFrames));
        Assert.True(sk.At(Sk.Kit).Memory.FreeFrames < ThreadCalls<FakeMachine>.Pages + 3);

        // Declared alone, as all components are that say nothing.
        sk = Sk.Boot();
        sk.Forward(0, Sk.HelloSlot, Sk.Hello);
        sk.Call(0, SecureCall.StartThread, Code);
        Assert.Equal(Status.NoMemory, sk.Result(Sk.Hello));
    }

    [Fact]
    public void ExitsAreRefusedToThoseWhoOweAndToTheFirst()
    {
        Sk sk = With(2);
        sk.Call(0, SecureCall.ExitThread);
        Assert.Equal(Status.BadState, On(sk, 0));

        // The second serves a call of its own.
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 2);
        AssertRunsThread(sk, 0, 1);
        Help(sk, 1);
        AssertRunsThread(sk, 1, 2);
        sk.Call(1, SecureCall.Receive);
        AssertRunsThread(sk, 1, 2);
        Assert.Equal(ServingKind.Downcall, sk.On(Sk.Kit, 2).Serving.Kind);
        sk.Call(1, SecureCall.ExitThread);
        Assert.Equal(Status.BadState, On(sk, 2));
        sk.Call(1, SecureCall.Reply);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Call(1, SecureCall.FinishReceive, sk.Message(Sk.Proxy).Downcall);
        Assert.Equal(Step.Leave, sk.Steps[1]);
        Help(sk, 1);
        AssertRunsThread(sk, 1, 2);
        sk.Call(1, SecureCall.ExitThread);

        // The number in the middle is free again, the last one is not.
        Assert.Equal(2u, sk.At(Sk.Kit).ThreadCount);
        Assert.Equal(2u, Start(sk));
        Assert.Equal(3u, Start(sk));
    }

    /// <summary>While it serves the call, in its own window; and the table of the window goes with the thread.</summary>
    [Fact]
    public void AStartedThreadSeesWhatIsLentToIt()
    {
        const ulong Window = UserLayout.SharedBase;
        const ulong Linux = FakeMachine.LinuxBase + 0x10_0000;
        Sk sk = With(1);
        ulong used = sk.At(Sk.Kit).Memory.UsedFrames;
        Assert.Equal(2u, Start(sk));
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 3);
        AssertRunsThread(sk, 0, 2);
        sk.Enter(1, Tee.CallWithRegdArg, 9);
        sk.AssertRuns(1, Sk.Proxy);
        sk.Share(Window, Linux, 2);
        sk.Message(Sk.Proxy).Label = MessageLabel.Invoke;
        sk.Message(Sk.Proxy).Length = 16;
        sk.Message(Sk.Proxy).Word0 = LentRange.Create(Window, 2, writable: true).Value;
        (sk.Message(Sk.Proxy).Word1, sk.Message(Sk.Proxy).Word2, sk.Message(Sk.Proxy).Word3) = (0, 0, 0);
        sk.Call(1, SecureCall.ForwardReceive, Sk.KitSlot, 0, 0, 1);
        AssertRunsThread(sk, 1, 1);
        sk.Call(1, SecureCall.Receive);
        AssertRunsThread(sk, 1, 1);

        AddressSpace space = sk.At(Sk.Kit).Space;
        LentRange seen = new(sk.Message(Sk.Kit, 1).Word0);
        Assert.Equal((UserLayout.LentWindowOf(1), 2u, true), (seen.Address, seen.Pages, seen.IsWritable));
        PageEntry entry = space.Lookup<FakeMachine>(seen.Address + Limits.PageBytes);
        Assert.Equal((Linux + Limits.PageBytes, PageSource.Shared, true), (entry.Frame, entry.Source, entry.IsWritable));
        Assert.True(space.Lookup<FakeMachine>(UserLayout.LentWindowOf(2)).IsHole);
        Assert.True(space.Lookup<FakeMachine>(UserLayout.LentWindowOf(0)).IsHole);
        sk.Call(1, SecureCall.Reply);
        Assert.True(space.Lookup<FakeMachine>(seen.Address).IsHole);
        Assert.True(space.Lookup<FakeMachine>(seen.Address + Limits.PageBytes).IsHole);

        sk.Call(0, SecureCall.ExitThread);
        Assert.Equal((used, 0ul), (sk.At(Sk.Kit).Memory.UsedFrames, sk.On(Sk.Kit, 2).LentTable));
    }

    [Fact]
    public void AThreadOfAPersonalityStartsInItsHandler()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, ContextPage);
        uint number = Start(sk);
        Personality personality = sk.On(Sk.Kit, number).Personality;
        Assert.Equal((Handler, UserLayout.StackTopOf(1), UserLayout.ContextPageOf(1), true), (personality.Handler, personality.StackPointer, personality.Context, personality.InHandler));
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 2);
        AssertRunsThread(sk, 0, 1);
        Saved(sk, UserLayout.ContextPageOf(1)).ProgramCounter = 0x4444;
        Saved(sk, UserLayout.ContextPageOf(1)).ThreadPointer = 0x7777;
        sk.Call(0, SecureCall.ResumeContext, UserLayout.ContextPageOf(1));
        Assert.Equal((0x4444ul, 0x7777ul), (sk.On(Sk.Kit, 1).Context.ProgramCounter, sk.On(Sk.Kit, 1).Context.ThreadPointer));
        sk.Fault(0, 0x15);
        Assert.Equal((Handler, UserLayout.StackTopOf(1)), (sk.On(Sk.Kit, 1).Context.ProgramCounter, sk.On(Sk.Kit, 1).Context.StackPointer));
    }

    [Fact]
    public void AWakeThatComesFirstIsNotLost()
    {
        Sk sk = With(1);
        sk.Call(0, SecureCall.WakeEpoch, Id, 5, (ulong)EpochWake.One);
        Assert.Equal((Status.Ok, 0ul), (On(sk, 0), sk.On(Sk.Kit).Context.X[1]));
        Assert.Equal(Step.Run, sk.Call(0, SecureCall.WaitEpoch, Id, 4));
        Assert.Equal((Status.Ok, ThreadState.Running), (On(sk, 0), sk.On(Sk.Kit).State));

        // One that is not older waits; an older wake-up does not end it.
        sk.Call(0, SecureCall.WaitEpoch, Id, 5);
        AssertRunsThread(sk, 0, 1);
        sk.Call(0, SecureCall.WakeEpoch, Id, 5, (ulong)EpochWake.All);
        Assert.Equal((0ul, ThreadState.Epoch), (sk.On(Sk.Kit, 1).Context.X[1], sk.On(Sk.Kit).State));

        // The counter never goes back.
        sk.Call(0, SecureCall.WakeEpoch, Id, 2, (ulong)EpochWake.All);
        sk.Call(0, SecureCall.WakeEpoch, Id + 1, 6, (ulong)EpochWake.All);
        Assert.Equal(ThreadState.Epoch, sk.On(Sk.Kit).State);
        sk.Call(0, SecureCall.WakeEpoch, Id, 6, (ulong)EpochWake.All);
        AssertRunsThread(sk, 0, 0);
        Assert.Equal((Status.Ok, 1ul), (On(sk, 0), sk.On(Sk.Kit, 1).Context.X[1]));
    }

    /// <summary>Threads 1 to 3 wait, in this order of epochs: 2, 3, 1. Thread 4 runs.</summary>
    private static Sk Three()
    {
        Sk sk = With(4);
        sk.Call(0, SecureCall.WaitEpoch, Id + 1, 1);
        foreach ((uint thread, ulong epoch) in new[] { (1u, 12ul), (2u, 13ul), (3u, 11ul) })
        {
            AssertRunsThread(sk, 0, thread);
            sk.Call(0, SecureCall.WaitEpoch, Id, epoch, thread == 3 ? 5ul : 0);
        }

        AssertRunsThread(sk, 0, 4);
        return sk;
    }

    private static uint[] Awake(Sk sk) => [.. Enumerable.Range(1, 3).Select(i => (uint)i).Where(i => sk.On(Sk.Kit, i).State == ThreadState.Ready)];

    [Fact]
    public void OneIsTheEarliestAndAllAreThoseThatAreOlder()
    {
        Sk sk = Three();
        foreach ((ulong epoch, EpochWake whom, ulong thread, uint[] awake) in new (ulong, EpochWake, ulong, uint[])[]
        {
            (11, EpochWake.One, 0, []), (20, EpochWake.One, 0, [3]), (20, EpochWake.Thread, 3, [3]), (13, EpochWake.All, 0, [1, 3]), (21, EpochWake.Thread, 2, [1, 2, 3]),
        })
        {
            int before = Awake(sk).Length;
            sk.Call(0, SecureCall.WakeEpoch, Id, epoch, (ulong)whom, thread);
            Assert.Equal(awake, Awake(sk));
            Assert.Equal((Status.Ok, (ulong)(awake.Length - before)), (On(sk, 4), sk.On(Sk.Kit, 4).Context.X[1]));
        }
    }

    [Fact]
    public void TheOneThatIsWokenIsTheOwnerForTheOthers()
    {
        Sk sk = Three();
        sk.Call(0, SecureCall.WakeEpoch, Id, 20, (ulong)EpochWake.OneWithOwner);
        Assert.Equal([3u], Awake(sk));
        Assert.Equal((4u, 4u), (sk.On(Sk.Kit, 1).Owner, sk.On(Sk.Kit, 2).Owner));
    }

    [Theory]
    [InlineData(SecureCall.WaitEpoch, Id, 1ul, Most + 1ul, 0ul)]
    [InlineData(SecureCall.WaitEpoch, Id, 1ul, ulong.MaxValue, 0ul)]
    [InlineData(SecureCall.WakeEpoch, Id, 1ul, 0ul, 0ul)]
    [InlineData(SecureCall.WakeEpoch, Id, 1ul, 5ul, 0ul)]
    [InlineData(SecureCall.WakeEpoch, Id, 1ul, (1ul << 32) | 1, 0ul)]
    [InlineData(SecureCall.WakeEpoch, Id, 1ul, (ulong)EpochWake.Thread, (ulong)Most)]
    [InlineData(SecureCall.WakeEpoch, Id, 1ul, (ulong)EpochWake.Thread, (1ul << 32) | 1)]
    [InlineData(SecureCall.Kick, 0ul, 0ul, 0ul, 0ul)]
    [InlineData(SecureCall.Barrier, 1ul, 0ul, 0ul, 0ul)]
    [InlineData(SecureCall.Barrier, ulong.MaxValue, 0ul, 0ul, 0ul)]
    public void HostileArgumentsAreRefused(SecureCall call, ulong x0, ulong x1, ulong x2, ulong x3)
    {
        Sk sk = With(1);
        Assert.Equal(Step.Run, sk.Call(0, call, x0, x1, x2, x3));
        Assert.Equal((Status.BadArgument, ThreadState.Running), (On(sk, 0), sk.On(Sk.Kit).State));
        Assert.All((ulong[])[2, Most, Most + 1, (1ul << 32) | 1, ulong.MaxValue], number =>
        {
            sk.Call(0, SecureCall.Kick, number);
            Assert.Equal(Status.NotFound, On(sk, 0));
        });
        Assert.Equal((0ul, false), (FakeMachine.Machine.Kicked, sk.On(Sk.Kit, 1).Kicked));
    }

    /// <summary>An owner that has ended, waits itself, is on another CPU, or is nobody: a sibling that can run is helped.</summary>
    [Fact]
    public void TheOwnerIsHelpedFirst()
    {
        Sk sk = With(3);
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 4);
        AssertRunsThread(sk, 0, 3);
        Assert.False(sk.State.Cpus[0].Own);

        // The owner waits for another one.
        sk.Call(0, SecureCall.WaitEpoch, Id + 1, 1, 3);
        AssertRunsThread(sk, 0, 2);

        // The last one calls a service: that is helped.
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(sk.On(Sk.Kit, 2).Address, sk.On(Sk.Hello).Serving.Whom);
        sk.Call(0, SecureCall.ReplyReceive);
        AssertRunsThread(sk, 0, 2);

        // It ends, and the others are left with each other: the one that can run is run.
        sk.Call(0, SecureCall.ExitThread);
        AssertRunsThread(sk, 0, 1);
    }

    [Fact]
    public void ACircleOfOwnersEndsTheComponentAndNotTheLook()
    {
        Sk sk = With(2);
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 2);
        AssertRunsThread(sk, 0, 1);
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 1);
        AssertRunsThread(sk, 0, 2);
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 3);
        sk.AssertRuns(0, Sk.Proxy);
        Assert.Equal((ComponentState.Dead, Status.PeerDied), (sk.At(Sk.Kit).Life, sk.Message(Sk.Proxy).Status));
    }

    [Fact]
    public void ADeadlineIsLookedAtWhenSomebodyGivesTime()
    {
        Sk sk = With(1);
        FakeMachine.Machine.Counter = 500;
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 0, 500);
        Assert.Equal((Status.TimedOut, ThreadState.Running, Step.Run), (On(sk, 0), sk.On(Sk.Kit).State, sk.Steps[0]));
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 0, 600);
        AssertRunsThread(sk, 0, 1);
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 0, 700);

        // Both sleep: Linux has the time.
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(0).X0);
        FakeMachine.Machine.Counter = 700;
        sk.Enter(0, Tee.ReturnFromRpc, 0, 0, sk.State.Cpus[0].X3);
        AssertRunsThread(sk, 0, 0);
        Assert.Equal(Status.TimedOut, On(sk, 0));

        // The other one, when its turn comes.
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 0, 800);
        AssertRunsThread(sk, 0, 1);
        Assert.Equal(Status.TimedOut, On(sk, 1));
    }

    [Fact]
    public void AKickEntersTheHandlerWhereverTheThreadIs()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, ContextPage);
        Start(sk);
        Help(sk, 1);
        AssertRunsThread(sk, 1, 1);
        ulong context = UserLayout.ContextPageOf(1);
        Saved(sk, context).ProgramCounter = 0x4444;
        sk.Call(1, SecureCall.ResumeContext, context);

        // On another CPU: it is brought out, and enters when it is run next.
        sk.Call(0, SecureCall.Kick, 1);
        Assert.Equal((Status.Ok, 2ul), (On(sk, 0), FakeMachine.Machine.Kicked));
        sk.Interrupt(1);
        ComeBack(sk, 1);
        AssertRunsThread(sk, 1, 1);
        Assert.Equal((ReflectReason.Tick, 0x4444ul), ((ReflectReason)sk.On(Sk.Kit, 1).Context.X[0], Saved(sk, context).ProgramCounter));

        // In its handler: at the end of that, once.
        sk.Call(0, SecureCall.Kick, 1);
        sk.Interrupt(1);
        ComeBack(sk, 1);
        AssertRunsThread(sk, 1, 1);
        Saved(sk, context).ProgramCounter = 0x5554;
        sk.Call(1, SecureCall.ResumeContext, context);
        Assert.Equal((ReflectReason.Tick, Handler, 0x5554ul), ((ReflectReason)sk.On(Sk.Kit, 1).Context.X[0], sk.On(Sk.Kit, 1).Context.ProgramCounter, Saved(sk, context).ProgramCounter));
        sk.Call(1, SecureCall.ResumeContext, context);
        Assert.Equal(0x5554ul, sk.On(Sk.Kit, 1).Context.ProgramCounter);

        // A handler that is entered for something else sees to it too.
        sk.Call(0, SecureCall.Kick, 1);
        sk.Fault(1, 0x15);
        sk.Call(1, SecureCall.ResumeContext, context);
        Assert.Equal(0x5554ul, sk.On(Sk.Kit, 1).Context.ProgramCounter);

        // While it waits, and before.
        sk.Fault(1, 0x15);
        sk.Call(1, SecureCall.WaitEpoch, Id, 1);
        ulong token = sk.Answer(1).X3;
        Assert.Equal(ThreadState.Epoch, sk.On(Sk.Kit, 1).State);
        sk.Call(0, SecureCall.Kick, 1);
        Assert.Equal((ThreadState.Ready, Status.Kicked), (sk.On(Sk.Kit, 1).State, On(sk, 1)));
        sk.Enter(1, Tee.ReturnFromRpc, 0, 0, token);
        AssertRunsThread(sk, 1, 1);
        sk.Call(0, SecureCall.Kick, 1);
        sk.Call(1, SecureCall.WaitEpoch, Id, 1);
        Assert.Equal((ThreadState.Running, Status.Kicked), (sk.On(Sk.Kit, 1).State, On(sk, 1)));
        sk.Call(0, SecureCall.Kick, 1);
        sk.Call(1, SecureCall.Receive);
        Assert.Equal((ThreadState.Running, Status.Kicked), (sk.On(Sk.Kit, 1).State, On(sk, 1)));

        // While it waits for a message: it does not get one any more.
        sk.Call(1, SecureCall.Receive);
        AssertRunsThread(sk, 1, 1);
        sk.Call(1, SecureCall.ReplyReceive);
        sk.AssertRuns(1, Sk.Proxy);
        Assert.Equal(ThreadState.Receiving, sk.On(Sk.Kit, 1).State);
        sk.Call(0, SecureCall.Kick, 1);
        Assert.Equal((ThreadState.Ready, Status.Kicked, 0ul), (sk.On(Sk.Kit, 1).State, On(sk, 1), sk.EndpointOf(Sk.Kit).Receivers));
    }

    [Fact]
    public void ABarrierWaitsForThoseThatRanAndForNoOthers()
    {
        Sk sk = With(3);
        Assert.Equal(Step.Run, sk.Call(0, SecureCall.Barrier));
        Assert.Equal((Status.Ok, 0ul), (On(sk, 0), FakeMachine.Machine.Kicked));

        Help(sk, 1);
        AssertRunsThread(sk, 1, 1);
        Help(sk, 2);
        AssertRunsThread(sk, 2, 2);
        ulong next = sk.On(Sk.Kit).Context.ProgramCounter;
        sk.Call(0, SecureCall.Barrier);
        ulong ticket = sk.On(Sk.Kit).Context.X[0];
        Assert.Equal((next - 4, 6ul), (sk.On(Sk.Kit).Context.ProgramCounter, FakeMachine.Machine.Kicked));

        // As often as it is made: until both were here. A third one that runs by now has seen all.
        bool Again()
        {
            ref UserContext caller = ref sk.On(Sk.Kit).Context;
            Assert.Equal(ticket, caller.X[0]);
            caller.ProgramCounter = next;
            sk.Fault(0, 0x15, 1);
            return caller.ProgramCounter == next - 4;
        }

        Assert.True(Again());
        sk.Interrupt(1);
        Assert.True(Again());
        Help(sk, 3);
        Assert.Equal(Step.Run, sk.Steps[3]);
        sk.Call(2, SecureCall.Log, 0, 0);
        Assert.Equal(Step.Run, sk.Steps[2]);
        Assert.False(Again());
        Assert.Equal(Status.Ok, On(sk, 0));
    }

    [Fact]
    public void BarriersOfTwoEndBoth()
    {
        Sk sk = With(1);
        Help(sk, 1);
        AssertRunsThread(sk, 1, 1);
        sk.Call(0, SecureCall.Barrier);
        Assert.NotEqual(Status.Ok, On(sk, 0));
        sk.Call(1, SecureCall.Barrier);

        // Each was here when the other began.
        sk.Fault(0, 0x15, 1);
        Assert.Equal(Status.Ok, On(sk, 0));
        sk.Fault(1, 0x15, 1);
        Assert.Equal(Status.Ok, On(sk, 1));
    }

    [Fact]
    public void ThreadsOfAPersonalityTakeTurns()
    {
        Sk sk = Serving();
        sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, ContextPage);
        for (int i = 0; i < 3; i++)
        {
            Start(sk);
        }

        uint[] order = [.. Enumerable.Range(0, 8).Select(_ =>
        {
            sk.Interrupt(0);
            ComeBack(sk, 0);
            sk.AssertRuns(0, Sk.Kit);
            return sk.OnCpu(0).Number;
        })];
        Assert.Equal([1u, 2u, 3u, 0u, 1u, 2u, 3u, 0u], order);

        // A turn that is given up goes to a sibling at once; alone, to Linux.
        sk.Call(0, SecureCall.Yield);
        AssertRunsThread(sk, 0, 1);
        sk = Serving();
        sk.Call(0, SecureCall.SetPersonality, Handler, HandlerStack, ContextPage);
        sk.Call(0, SecureCall.Yield);
        Assert.Equal(Tee.RpcForeignInterrupt, sk.Answer(0).X0);
    }

    [Fact]
    public void AThreadInItsEndWaitsForNobody()
    {
        Sk sk = With(1);

        // Hello would wait for Kit, whose first thread waits for Hello and whose second one waits for the first.
        sk.Call(0, SecureCall.WaitEpoch, Id, 1, 2);
        AssertRunsThread(sk, 0, 1);
        sk.Call(0, SecureCall.WakeEpoch, Id, 2, (ulong)EpochWake.All);
        AssertRunsThread(sk, 0, 0);
        Help(sk, 1);
        AssertRunsThread(sk, 1, 1);
        sk.Call(1, SecureCall.WaitEpoch, Id, 5);
        sk.Call(0, SecureCall.Call, Sk.PeerSlot);
        sk.AssertRuns(0, Sk.Hello);
        sk.Call(0, SecureCall.Receive);
        sk.AssertRuns(0, Sk.Hello);
        Assert.Equal(Status.Ok, ObjectCalls<FakeMachine>.DeriveTo(
            sk.At(Sk.Proxy).Capabilities.Find<FakeMachine>(Sk.KitSlot), sk.At(Sk.Hello).Capabilities.Base + (40 * CapabilitySlot.Bytes), CapabilityRights.All, 0));
        sk.Call(0, SecureCall.Call, 40);
        Assert.Equal(Status.Deadlock, sk.Result(Sk.Hello));

        // With a thread that can run there is hope.
        sk.On(Sk.Kit, 1).State = ThreadState.Ready;
        sk.Call(0, SecureCall.Call, 40);
        Assert.Equal(ThreadState.Queued, sk.On(Sk.Hello).State);
    }

    [Fact]
    public void AComponentEndsWhileItsThreadsWaitAndRun()
    {
        Sk sk = With((int)Limits.MaxThreads - 1, Limits.MaxThreads, 600);
        ulong free = sk.At(Sk.Kit).Memory.Bytes / Limits.PageBytes;
        Help(sk, 1);
        AssertRunsThread(sk, 1, 1);
        Help(sk, 2);
        AssertRunsThread(sk, 2, 2);
        for (uint i = 3; i < Limits.MaxThreads; i++)
        {
            Help(sk, 3);
            AssertRunsThread(sk, 3, i);
            switch (i % 3)
            {
                case 0:
                    sk.Call(3, SecureCall.WaitEpoch, Id + i, i, (i % 7) + 1);
                    break;
                case 1:
                    sk.Call(3, SecureCall.Call, Sk.PeerSlot);
                    break;
                default:
                    sk.Call(3, SecureCall.Receive);
                    break;
            }

            if (sk.Settle(3) == Step.Run)
            {
                sk.Interrupt(3);
                sk.Settle(3);
            }
        }

        sk.Call(0, SecureCall.Exit);
        Assert.Equal(ComponentState.Dead, sk.At(Sk.Kit).Life);
        Assert.Equal(6ul, FakeMachine.Machine.Kicked & 6);
        for (int i = 0; sk.At(Sk.Kit).Ending || sk.At(Sk.Kit).Scrubbing; i++)
        {
            Assert.True(i < 2000, "does not end");
            if (i == 30)
            {
                // The last two trap for good.
                Assert.True(sk.At(Sk.Kit).Ending);
                sk.Interrupt(1);
                sk.Call(2, SecureCall.Yield);
            }

            FakeMachine.Machine.BeginStep();
            Lifecycle<FakeMachine>.ScrubChunk(ref sk.State);
            Assert.InRange(FakeMachine.Machine.Work, 0ul, 5000ul);
        }

        Assert.All(Enumerable.Range(0, (int)Limits.MaxThreads), i => Assert.Equal((ThreadState.Inactive, ServingKind.Nobody), (sk.On(Sk.Kit, (uint)i).State, sk.On(Sk.Kit, (uint)i).Serving.Kind)));
        Assert.Equal((0ul, free), (sk.At(Sk.Kit).Memory.UsedFrames, sk.At(Sk.Kit).Memory.FreeFrames));

        // In its next life it has the threads that SK starts, and no epochs.
        sk.At(Sk.Kit).Life = ComponentState.Idle;
        for (int i = 0; sk.At(Sk.Kit).Life != ComponentState.Running; i++)
        {
            Assert.True(i < 100);
            Lifecycle<FakeMachine>.StartChunk(ref sk.State, ref sk.At(Sk.Kit));
        }

        Assert.Equal((1u, ThreadState.Ready, ThreadState.Inactive, 0ul), (sk.At(Sk.Kit).ThreadCount, sk.On(Sk.Kit).State, sk.On(Sk.Kit, 1).State, sk.At(Sk.Kit).Epochs[3]));
    }

    [Theory]
    [InlineData(0u, 1u, false)]
    [InlineData(2u, 1u, true)]
    [InlineData(1u, 65u, true)]
    [InlineData(8u, 64u, false)]
    public void TheNumberOfThreadsIsJudged(uint threads, uint most, bool refused)
    {
        Sk sk = Sk.Prepare();
        Sk.Entry(Sk.Hello).Threads = threads;
        Sk.Entry(Sk.Hello).MaxThreads = most;
        if (refused)
        {
            Assert.Equal(PanicCode.BadBootInfo, Assert.Throws<PanicException>(() => Sk.BootPrepared(sk)).Code);
        }
        else
        {
            Sk.BootPrepared(sk);
        }
    }
}
