using System;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Threads: all of them on the one thread that SK knows, one at a time. A thread runs until it waits, ends, yields, or is interrupted while another could run.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong CloneVm = 0x100;
    private const ulong CloneSignalHandlers = 0x800;
    private const ulong CloneThread = 0x1_0000;
    private const ulong CloneSetTls = 0x8_0000;
    private const ulong CloneParentSetTid = 0x10_0000;
    private const ulong CloneChildClearTid = 0x20_0000;
    private const ulong CloneChildSetTid = 0x100_0000;
    private const ulong CloneRequired = CloneVm | CloneSignalHandlers | CloneThread;

    private ulong Clone(ulong flags, ulong stack, ulong parentTid, ulong threadPointer, ulong childTid)
    {
        // Processes do not exist here; a thread that shares all is the only kind.
        if ((flags & CloneRequired) != CloneRequired || stack == 0) { return Result.Of(Errno.InvalidArgument); }

        int slot = FindFreeThread();
        if (slot < 0) { return Result.Of(Errno.TryAgain); }

        uint tid = _state.LastTid + 1;
        if ((flags & CloneParentSetTid) != 0 && !TryWrite(parentTid, tid)) { return Result.Of(Errno.BadAddress); }

        if ((flags & CloneChildSetTid) != 0 && !TryWrite(childTid, tid)) { return Result.Of(Errno.BadAddress); }

        _state.LastTid = tid;
        _state.ThreadCount++;
        _state.ThreadSlots = Math.Max(_state.ThreadSlots, slot + 1);
        ref KitThread child = ref _state.Threads[slot];
        child = default;
        child.Context = _live;
        child.Context.X[0] = 0;
        child.Context.StackPointer = stack;
        if ((flags & CloneSetTls) != 0) { child.Context.ThreadPointer = threadPointer; }

        child.State = ThreadState.Runnable;
        child.Tid = tid;
        child.BlockedSignals = Current.BlockedSignals;
        child.AlternateStackFlags = AlternateStackDisabled;
        child.ClearTidAddress = (flags & CloneChildClearTid) != 0 ? childTid : 0;
        return tid;
    }

    private int FindFreeThread()
    {
        for (int i = 0; i < KitState.MaxThreads; i++)
        {
            if (_state.Threads[i].State == ThreadState.None) { return i; }
        }

        return -1;
    }

    private ulong ExitThread()
    {
        if (_state.ThreadCount == 1) { return ExitProcess(0); }

        ulong clear = Current.ClearTidAddress;
        if (clear != 0 && TryWrite(clear, 0u)) { WakeFutex(clear, 1, FutexAnyone); }

        Current.State = ThreadState.None;
        _state.ThreadCount--;
        return Result.Ok;
    }

    private ulong ExitProcess(ulong code)
    {
        _state.Output.Flush(ref _machine);
        _machine.Exit(code);
        return Result.Ok;
    }

    private ulong SetTidAddress(ulong address)
    {
        Current.ClearTidAddress = address;
        return Current.Tid;
    }

    private ulong YieldTurn()
    {
        _live.X[0] = Result.Ok;
        PassTurn();
        return _live.X[0];
    }

    /// <summary>Lets the next runnable thread go on, if there is one.</summary>
    private void PassTurn()
    {
        ExpireWaits();
        int next = FindRunnable();
        if (next >= 0) { SwitchTo(next); }
    }

    /// <summary>The running thread cannot go on: finds one that can, by waiting for it if need be.</summary>
    private void SwitchToRunnable()
    {
        while (true)
        {
            ExpireWaits();
            int next = FindRunnable();
            if (next >= 0)
            {
                SwitchTo(next);
                return;
            }

            int receiver = FindReceiver();
            if (receiver >= 0)
            {
                // Deadlines of others are looked at when the message is here: nobody pays for time before that.
                AwaitMessage(receiver);
            }
            else if (_state.TimedWaits > 0)
            {
                _machine.Yield();
            }
            else
            {
                End("every thread waits for another one."u8, 1);
            }
        }
    }

    /// <summary>The next runnable thread after the running one, in order; the running one itself is the last choice.</summary>
    private int FindRunnable()
    {
        int index = _state.Current;
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            index = index + 1 < _state.ThreadSlots ? index + 1 : 0;
            if (_state.Threads[index].State == ThreadState.Runnable) { return index; }
        }

        return -1;
    }

    private int FindReceiver()
    {
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            if (_state.Threads[i].State == ThreadState.Receive) { return i; }
        }

        return -1;
    }

    private int FindTid(ulong tid)
    {
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            if (_state.Threads[i].State != ThreadState.None && _state.Threads[i].Tid == tid) { return i; }
        }

        return -1;
    }

    private void SwitchTo(int index)
    {
        if (index == _state.Current) { return; }

        Count(KitStatistic.Switches);
        if (Current.State != ThreadState.None) { Current.Context = _live; }

        _state.Current = index;
        _live = Current.Context;
    }

    /// <summary>The registers of any thread: those of the running one are live, all others are saved.</summary>
    private ref UserContext ContextOf(int index) => ref index == _state.Current ? ref _live : ref _state.Threads[index].Context;

    /// <summary>The running thread starts to wait.</summary>
    private void BeginWait(ThreadState state, ulong deadline)
    {
        ref KitThread thread = ref Current;
        thread.State = state;
        thread.Deadline = deadline;
        thread.WaitSequence = _state.WaitSequence++;
        if (deadline != Clock.Never) { _state.TimedWaits++; }
    }

    /// <summary>A wait is over and its call answers <paramref name="result"/>.</summary>
    private void EndWait(int index, ulong result)
    {
        ref KitThread thread = ref _state.Threads[index];
        if (thread.Deadline != Clock.Never) { _state.TimedWaits--; }

        thread.State = ThreadState.Runnable;
        thread.Deadline = Clock.Never;
        thread.WaitAddress = 0;
        ContextOf(index).X[0] = result;
    }

    private void ExpireWaits()
    {
        if (_state.TimedWaits == 0) { return; }

        ulong now = _machine.Counter;
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            ref KitThread thread = ref _state.Threads[i];
            if (thread.State is not (ThreadState.Futex or ThreadState.Sleep) || thread.Deadline > now) { continue; }

            EndWait(i, thread.State == ThreadState.Sleep ? Result.Ok : Result.Of(Errno.TimedOut));
        }
    }

    private ulong GetAffinity(ulong bytes, ulong mask)
    {
        // One thread runs at a time, so there is one CPU.
        if (bytes < sizeof(ulong) || bytes % sizeof(ulong) != 0) { return Result.Of(Errno.InvalidArgument); }

        return TryWrite(mask, 1UL) ? sizeof(ulong) : Result.Of(Errno.BadAddress);
    }

    /// <summary>Every thread sees what the others have written, since they take turns on one CPU: SK's switch between CPUs is a barrier itself.</summary>
    private static ulong Membarrier(ulong command)
    {
        const ulong Query = 0;
        const ulong PrivateExpedited = 8;
        const ulong RegisterPrivateExpedited = 16;
        return command switch
        {
            Query => PrivateExpedited | RegisterPrivateExpedited,
            PrivateExpedited or RegisterPrivateExpedited => Result.Ok,
            _ => Result.Of(Errno.InvalidArgument),
        };
    }
}
