using System;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>Threads: each is one of SK's, which run on as many CPUs as give time. A thread that waits does so in SK, in the handler; whoever ends its wait writes its result.</remarks>
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
        if ((flags & CloneThread) == 0) { return RefuseAbsent(AbsentThing.Processes, "fork"u8, Errno.InvalidArgument); }

        if ((flags & CloneRequired) != CloneRequired || stack == 0) { return Result.Of(Errno.InvalidArgument); }

        uint tid = _state.LastTid + 1;
        if ((flags & CloneParentSetTid) != 0 && !TryWrite(parentTid, tid)) { return Result.Of(Errno.BadAddress); }

        if ((flags & CloneChildSetTid) != 0 && !TryWrite(childTid, tid)) { return Result.Of(Errno.BadAddress); }

        // It enters the handler first of all, where it waits for the lock that we hold.
        int slot = _state.ThreadCount < KitState.MaxThreads ? _machine.StartThread() : -1;
        if (slot < 0) { return Result.Of(Errno.TryAgain); }

        _state.LastTid = tid;
        _state.ThreadCount++;
        _state.ThreadSlots = Math.Max(_state.ThreadSlots, slot + 1);
        ref KitThread child = ref _state.Threads[slot];
        child = default;
        child.Deadline = Clock.Never;
        ref UserContext context = ref _machine.Context(slot);
        context = _live;
        context.X[0] = 0;
        context.StackPointer = stack;
        if ((flags & CloneSetTls) != 0) { context.ThreadPointer = threadPointer; }

        child.State = ThreadState.Runnable;
        child.Tid = tid;
        child.BlockedSignals = Current.BlockedSignals;
        child.AlternateStackFlags = AlternateStackDisabled;
        child.ClearTidAddress = (flags & CloneChildClearTid) != 0 ? childTid : 0;
        return tid;
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
        FlushLines();
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
        BeginWait(ThreadState.Yield, Clock.Never);
        return Result.Ok;
    }

    private int FindTid(ulong tid)
    {
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            if (_state.Threads[i].State != ThreadState.None && _state.Threads[i].Tid == tid) { return i; }
        }

        return -1;
    }

    private static ulong IdOf(int thread) => (ulong)thread;

    /// <summary>This thread starts to wait.</summary>
    private void BeginWait(ThreadState state, ulong deadline)
    {
        Count(KitStatistic.Waits);
        ref KitThread thread = ref Current;
        thread.State = state;
        thread.Deadline = deadline;
        thread.WaitSequence = _state.WaitSequence++;
        thread.WaitEpoch = _state.Lock.NextEpoch();
    }

    /// <summary>A wait is over and its call answers <paramref name="result"/>.</summary>
    private void EndWait(int index, ulong result)
    {
        ref KitThread thread = ref _state.Threads[index];
        thread.State = ThreadState.Runnable;
        thread.Deadline = Clock.Never;
        thread.WaitAddress = 0;
        _machine.Context(index).X[0] = result;
        if (index != _thread) { _machine.WakeEpoch(IdOf(index), _state.Lock.NextEpoch(), EpochWake.Thread, index); }
    }

    private ulong GetAffinity(ulong bytes, ulong mask)
    {
        if (bytes < sizeof(ulong) || bytes % sizeof(ulong) != 0) { return Result.Of(Errno.InvalidArgument); }

        return TryWrite(mask, (1UL << (int)_state.CpuCount) - 1) ? sizeof(ulong) : Result.Of(Errno.BadAddress);
    }

    /// <summary>Linux promises that whoever runs another thread has passed a full barrier when this returns; so does SK.</summary>
    private ulong Membarrier(ulong command)
    {
        const ulong Query = 0;
        const ulong PrivateExpedited = 8;
        const ulong RegisterPrivateExpedited = 16;
        switch (command)
        {
            case Query: return PrivateExpedited | RegisterPrivateExpedited;
            case RegisterPrivateExpedited: return Result.Ok;
            case PrivateExpedited:
                BeginWait(ThreadState.Barrier, Clock.Never);
                return Result.Ok;
            default: return Result.Of(Errno.InvalidArgument);
        }
    }
}
