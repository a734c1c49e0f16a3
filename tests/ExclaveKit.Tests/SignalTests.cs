using System;
using System.Runtime.InteropServices;
using CsCheck;
using Exclaves.Abi;
using Xunit;

namespace Exclaves.ExclaveKit.Tests;

/// <summary>Signals: frames, masks, stacks, and what they do to waits.</summary>
public class SignalTests
{
    private const ulong Handler = TestKit.ProgramBase + 0x5000;
    private const ulong Word = TestKit.Data + 0x100;
    private const ulong Action = TestKit.Data + 0x200;
    private const ulong Time = TestKit.Data + 0x280;
    private const uint Activation = 34;

    private static void SetHandler(TestKit kit, uint signal, ulong flags, ulong mask = 0, ulong handler = Handler)
    {
        kit.Put(Action, handler);
        kit.Put(Action + 8, flags);
        kit.Put(Action + 16, 0UL);
        kit.Put(Action + 24, mask);
        Assert.Equal(0UL, kit.Call(LinuxCall.RtSigAction, signal, Action, 0, 8));
    }

    private static void Scramble(ref UserContext context, int seed)
    {
        Random random = new(seed);
        ulong stack = context.StackPointer;
        random.NextBytes(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref context, 1)));
        context.StackPointer = stack;
        context.ProcessorState = 0x6000_0000;
        context.Reserved0 = context.Reserved1 = context.FaultAddress = context.Syndrome = 0;
        context.FloatControl &= 0x07F7_0000;
    }

    [Fact]
    public void ANullReferenceReachesTheHandlerWithItsAddressAndComesBackWhereTheHandlerSays()
    {
        TestKit kit = new();
        SetHandler(kit, Signal.Segmentation, SignalAction.FlagInfo);
        Scramble(ref kit.Live, 1);
        UserContext before = kit.Live;
        kit.Fault(0x18, write: false);

        Assert.Equal(Handler, kit.Live.ProgramCounter);
        Assert.Equal(FakeWorld.Trampoline, kit.Live.X[30]);
        Assert.Equal((ulong)Signal.Segmentation, kit.Live.X[0]);
        ulong info = kit.Live.X[1];
        ulong context = kit.Live.X[2];
        Assert.Equal(kit.Live.StackPointer, info);
        Assert.Equal(info + 128, context);
        Assert.Equal(0UL, kit.Live.StackPointer & 15);

        // siginfo: signo, errno, code, address.
        Assert.Equal(Signal.Segmentation, kit.Get<uint>(info));
        Assert.Equal(1u, kit.Get<uint>(info + 8));
        Assert.Equal(0x18UL, kit.Get<ulong>(info + 16));

        // ucontext: mcontext at 176; fault_address, regs, sp, pc, pstate; then the records.
        ulong machine = context + 176;
        Assert.Equal(0x18UL, kit.Get<ulong>(machine));
        for (int i = 0; i < 31; i++) { Assert.Equal(before.X[i], kit.Get<ulong>(machine + 8 + ((ulong)i * 8))); }

        Assert.Equal(before.StackPointer, kit.Get<ulong>(machine + 256));
        Assert.Equal(before.ProgramCounter, kit.Get<ulong>(machine + 264));
        Assert.Equal(before.ProcessorState, kit.Get<ulong>(machine + 272));
        Assert.Equal(0x4650_8001u, kit.Get<uint>(machine + 288));
        Assert.Equal(528u, kit.Get<uint>(machine + 292));
        Assert.Equal(0x4553_5201u, kit.Get<uint>(machine + 288 + 528));
        Assert.Equal(0u, kit.Get<uint>(machine + 288 + 544));

        // The frame record continues the chain of frame pointers.
        Assert.Equal(before.X[29], kit.Get<ulong>(kit.Live.X[29]));
        Assert.Equal(before.X[30], kit.Get<ulong>(kit.Live.X[29] + 8));

        // The handler sends the thread elsewhere, and asks for privilege on the way.
        kit.Put(machine + 264, Handler + 0x100);
        kit.Put(machine + 272, 0x2000_03C5UL);
        kit.Call(LinuxCall.RtSigReturn);
        before.ProgramCounter = Handler + 0x100;
        before.ProcessorState = 0x2000_0000;
        Assert.True(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref before, 1)).SequenceEqual(Snapshot(kit)));
    }

    private static byte[] Snapshot(TestKit kit)
    {
        UserContext copy = kit.Live;
        copy.FaultAddress = copy.Syndrome = 0;
        return MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref copy, 1)).ToArray();
    }

    [Fact]
    public void FramesKeepEveryRegister() => Gen.Int.Sample(seed =>
    {
        UserContext context = default;
        context.StackPointer = 0x1230;
        Scramble(ref context, seed);
        byte[] frame = new byte[SignalFrame.Bytes];
        KitThread thread = new() { AlternateStack = 0x7000, AlternateStackBytes = 0x4000 };
        SignalFrame.Write(frame, in context, new SignalCause { Signal = 34, Code = Signal.CodeTkill }, in thread, 0x55);
        UserContext back = default;
        back.ThreadPointer = context.ThreadPointer; // Not part of a frame: the thread keeps it.
        Assert.True(SignalFrame.TryRead(frame, ref back, out SignalReturnState state));
        Assert.Equal(0x55UL, state.BlockedSignals);
        Assert.Equal(0x7000UL, state.AlternateStack);
        Assert.True(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref context, 1)).SequenceEqual(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref back, 1))));
    });

    [Fact]
    public void DamagedFramesNeverRaisePrivilegeNorThrow() => Gen.Select(Gen.Int[0, SignalFrame.Bytes - 1], Gen.Byte).List[1, 40].Sample(damage =>
    {
        UserContext context = default;
        byte[] frame = new byte[SignalFrame.Bytes];
        KitThread thread = default;
        SignalFrame.Write(frame, in context, new SignalCause { Signal = 34, Code = Signal.CodeTkill }, in thread, 0);
        foreach ((int at, byte value) in damage) { frame[at] = value; }

        if (SignalFrame.TryRead(frame, ref context, out SignalReturnState state))
        {
            Assert.Equal(0UL, context.ProcessorState & ~0xF100_1000UL);
            Assert.Equal(0UL, state.BlockedSignals & Signal.Unblockable);
        }
    });

    /// <summary>A program that gives up because it got no memory has exhausted what was declared for it.</summary>
    [Theory, InlineData(true, ExitCode.QuotaExhausted), InlineData(false, ExitCode.Signal + Signal.Abort)]
    public void WhoAbortsForWantOfMemoryIsReportedSo(bool wants, ulong code)
    {
        TestKit kit = new(quotaPages: 1024);
        kit.Map(4096);
        if (wants)
        {
            Assert.Equal(TestKit.Error(Errno.NoMemory), kit.Map(4096ul << 12));
        }

        Assert.Equal(code, Assert.Throws<ConclaveEnded>(() => kit.Call(LinuxCall.Tgkill, 1, kit.Tid, Signal.Abort)).Code);
    }

    [Fact]
    public void FaultsWithoutHandlerEndTheConclaveWithItsRegisters()
    {
        TestKit kit = new();
        kit.Live.X[3] = 0xDEAD;
        Assert.Equal(128UL + Signal.Segmentation, Assert.Throws<ConclaveEnded>(() => kit.Fault(0x10, write: true)).Code);
        Assert.Contains("ended by signal 11 of thread 1", kit.LogText);
        Assert.Equal(0xDEADul, kit.World.Ended.X[3]);
        Assert.DoesNotContain("dead", kit.LogText);

        kit = new TestKit();
        SetHandler(kit, Signal.Segmentation, 0);
        kit.State.Threads[0].BlockedSignals = Signal.Bit(Signal.Segmentation);
        Assert.Throws<ConclaveEnded>(() => kit.Fault(0x10, write: true));
    }

    [Fact]
    public void AFullStackEndsTheConclaveUnlessThereIsAnother()
    {
        TestKit kit = new();
        SetHandler(kit, Signal.Segmentation, SignalAction.FlagOnStack);
        kit.Live.StackPointer = 0x1000;
        Assert.Throws<ConclaveEnded>(() => kit.Fault(0xFF0, write: true));

        kit = new TestKit();
        SetHandler(kit, Signal.Segmentation, SignalAction.FlagOnStack);
        ulong stack = kit.Map(0x4000);
        kit.Put(Action, stack);
        kit.Put(Action + 8, 0UL);
        kit.Put(Action + 16, 0x4000UL);
        Assert.Equal(0UL, kit.Call(LinuxCall.SigAltStack, Action, 0));
        kit.Live.StackPointer = 0x1000;
        kit.Fault(0xFF0, write: true);
        Assert.Equal(Handler, kit.Live.ProgramCounter);
        Assert.InRange(kit.Live.StackPointer, stack, stack + 0x4000);
        Assert.Equal(TestKit.Error(Errno.NotPermitted), kit.Call(LinuxCall.SigAltStack, Action, 0));
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal(0x1000UL, kit.Live.StackPointer);
    }

    [Fact]
    public void ASignalToARunnableThreadWaitsForItsTurnAndItsMask()
    {
        TestKit kit = new();
        SetHandler(kit, Activation, SignalAction.FlagInfo | SignalAction.FlagRestart, mask: Signal.Bit(40));
        uint tid = kit.Clone();
        Assert.Equal(0UL, kit.Call(LinuxCall.Tgkill, 1, tid, Activation));
        Assert.NotEqual(Handler, kit.Live.ProgramCounter);
        Assert.Equal([1], kit.World.Kicked);
        kit.RunUntil(tid);
        Assert.Equal(Handler, kit.Live.ProgramCounter);
        Assert.Equal(unchecked((uint)Signal.CodeTkill), kit.Get<uint>(kit.Live.X[1] + 8));

        // In the handler both are blocked; a second one comes after the return.
        ulong first = kit.Live.StackPointer;
        Assert.Equal(0UL, kit.Call(LinuxCall.Tgkill, 1, tid, Activation));
        Assert.Equal(first, kit.Live.StackPointer);
        kit.Live.ProgramCounter = 0;
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal(Handler, kit.Live.ProgramCounter);
    }

    [Fact]
    public void AFutexWaitIsMadeAgainAfterTheHandler()
    {
        TestKit kit = new();
        SetHandler(kit, Activation, SignalAction.FlagRestart);
        uint tid = kit.Clone();
        kit.RunUntil(tid);
        kit.Live.ProgramCounter = TestKit.ProgramEntry;
        kit.Call(LinuxCall.Futex, Word, 0x80, 0, 0);
        Assert.Equal(1u, kit.Tid);
        kit.Call(LinuxCall.Tgkill, 1, tid, Activation);
        kit.RunUntil(tid);
        Assert.Equal(Handler, kit.Live.ProgramCounter);
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal(TestKit.ProgramEntry, kit.Live.ProgramCounter);
        Assert.Equal((ulong)LinuxCall.Futex, kit.Live.X[8]);
        Assert.Equal(Word, kit.Live.X[0]);
    }

    [Fact]
    public void ATimedWaitAndASleepAreInterrupted()
    {
        TestKit kit = new();
        SetHandler(kit, Activation, SignalAction.FlagRestart);
        kit.Put(Time, new TimeSpec { Seconds = 5 });
        uint tid = kit.Clone();
        kit.RunUntil(tid);
        kit.Call(LinuxCall.Nanosleep, Time, Time + 16);
        kit.Call(LinuxCall.Tgkill, 1, tid, Activation);
        kit.RunUntil(tid);
        kit.Call(LinuxCall.RtSigReturn);
        Assert.Equal(TestKit.Error(Errno.Interrupted), kit.Live.X[0]);
        Assert.Equal(5UL, kit.Get<TimeSpec>(Time + 16).Seconds);
    }

    /// <summary>The kick ended as the handler was entered, for the call that waits: nobody kicks again.</summary>
    [Theory]
    [InlineData(LinuxCall.Futex)]
    [InlineData(LinuxCall.Nanosleep)]
    public void ASignalThatCameBeforeTheWaitEndsIt(LinuxCall call)
    {
        TestKit kit = new();
        SetHandler(kit, Activation, SignalAction.FlagRestart);
        kit.Put(Time, new TimeSpec { Seconds = 5 });
        uint tid = kit.Clone();
        kit.Call(LinuxCall.Tgkill, 1, tid, Activation);
        kit.World.Running = 1;
        kit.World.Kicked.Clear();
        kit.Call(call, call == LinuxCall.Futex ? Word : Time, 0x80, 0, 0);
        Assert.Equal((1, Handler, ThreadState.Runnable), (kit.World.Running, kit.Live.ProgramCounter, kit.State.Threads[1].State));
    }

    [Fact]
    public void IgnoredSignalsDisturbNobody()
    {
        TestKit kit = new();
        uint tid = kit.Clone();
        kit.RunUntil(tid);
        kit.Call(LinuxCall.Futex, Word, 0x80, 0, 0);
        kit.Call(LinuxCall.Tgkill, 1, tid, 17);
        Assert.Equal(ThreadState.Futex, kit.State.Threads[1].State);
        Assert.Throws<ConclaveEnded>(() => { kit.Call(LinuxCall.Tgkill, 1, tid, 10); kit.RunUntil(tid); });
    }

    [Theory]
    [InlineData(1UL, 99UL, 34UL, Errno.NoProcess)]
    [InlineData(7UL, 1UL, 34UL, Errno.NoProcess)]
    [InlineData(1UL, 1UL, 65UL, Errno.InvalidArgument)]
    public void SignalsToNobodyAreRefused(ulong pid, ulong tid, ulong signal, Errno expected) =>
        Assert.Equal(TestKit.Error(expected), new TestKit().Call(LinuxCall.Tgkill, pid, tid, signal));

    [Fact]
    public void KillAndStopCannotBeTaken()
    {
        TestKit kit = new();
        Assert.Equal(TestKit.Error(Errno.InvalidArgument), kit.Call(LinuxCall.RtSigAction, 9, Action, 0, 8));
        kit.Put(Action, ulong.MaxValue);
        Assert.Equal(0UL, kit.Call(LinuxCall.RtSigProcMask, 2, Action, Action + 8, 8));
        Assert.Equal(~Signal.Unblockable, kit.State.Threads[0].BlockedSignals);
        Assert.Equal(0UL, kit.Call(LinuxCall.RtSigProcMask, 1, Action, Action + 8, 8));
        Assert.Equal(~Signal.Unblockable, kit.Get<ulong>(Action + 8));
        Assert.Equal(0UL, kit.State.Threads[0].BlockedSignals);
    }

    [Theory]
    [InlineData(0x00UL, Signal.Illegal)]
    [InlineData(0x3CUL, Signal.Trap)]
    [InlineData(0x2CUL, Signal.FloatingPoint)]
    [InlineData(0x22UL, Signal.Bus)]
    public void ExceptionsBecomeSignals(ulong exceptionClass, uint signal)
    {
        TestKit kit = new();
        SetHandler(kit, signal, SignalAction.FlagInfo);
        kit.Live.Syndrome = exceptionClass << 26;
        kit.Handle(ReflectReason.Exception);
        Assert.Equal(Handler, kit.Live.ProgramCounter);
        Assert.Equal((ulong)signal, kit.Live.X[0]);
    }
}
