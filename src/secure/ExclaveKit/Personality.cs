using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>Linux, as one conclave sees it: calls, faults, threads, signals.</summary>
/// <remarks>
/// A view for one entry into the handler by one of the conclave's threads, with the lock: the state, the machine, and the context which it goes on with.
/// Nothing here waits. What has to is a call of SK that the thread makes without the lock (<see cref="Await"/>), and whose end it comes back with
/// (<see cref="EndAwait"/>); <see cref="KitThread.State"/> says which.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
    where TMachine : struct, IKitMachine
{
    private readonly ref KitState _state;
    private readonly ref TMachine _machine;

    /// <summary>Registers of this thread.</summary>
    private readonly ref UserContext _live;
    private readonly int _thread;

    public Personality(ref KitState state, ref TMachine machine, int thread)
    {
        _state = ref state;
        _machine = ref machine;
        _thread = thread;
        _live = ref machine.Context(thread);
    }

    private ref KitThread Current => ref _state.Threads[_thread];

    /// <summary>The thread goes back to its program; else it has to <see cref="Await"/> first.</summary>
    public bool IsReady => Current.State == ThreadState.Runnable;

    /// <summary>The thread has ended.</summary>
    public bool IsGone => Current.State == ThreadState.None;

    /// <summary>Takes one reflected event as far as it goes.</summary>
    public void Handle(ReflectReason reason)
    {
        Current.Reason = reason;
        Current.MemoryRefused = false;
        Current.MayOvercommit = false;
        Current.Naps = 0;
        Act();
        FinishEntry();
    }

    private void Act()
    {
        switch (Current.Reason)
        {
            case ReflectReason.SystemCall:
                HandleCall();
                break;
            case ReflectReason.Fault:
                HandleFault();
                break;
            case ReflectReason.Exception:
                HandleException();
                break;
            case ReflectReason.Tick:
                break;
            default:
                End("SK reflects an event of an unknown kind."u8, 1);
                break;
        }
    }

    /// <summary>What the thread waits for, in SK, without the lock.</summary>
    public Status Await()
    {
        ref KitThread thread = ref Current;
        switch (thread.State)
        {
            case ThreadState.Call:
                return _machine.Call(thread.Slot);
            case ThreadState.Yield:
                _machine.Yield();
                return Status.Ok;
            case ThreadState.Barrier:
                _machine.Barrier();
                return Status.Ok;
            case ThreadState.Memory when thread.Deadline == Clock.Never:
                return AskForMemory();
            default:
                // Whoever ends this wait has had a later epoch, so it does not matter who is first.
                return _machine.WaitEpoch(IdOf(_thread), thread.WaitEpoch, 0, thread.Deadline == Clock.Never ? 0 : thread.Deadline);
        }
    }

    /// <summary>It is back, with the lock.</summary>
    public void EndAwait(Status status)
    {
        switch (Current.State)
        {
            case ThreadState.Call:
                EndWait(_thread, status == Status.Ok ? TakeAnswer() : Refused(status));
                break;
            case ThreadState.Yield or ThreadState.Barrier:
                EndWait(_thread, Result.Ok);
                break;
            case ThreadState.Memory:
                EndMemory(status);
                break;
            case ThreadState.Futex or ThreadState.Sleep when Current.Deadline <= _machine.Counter:
                EndWait(_thread, Current.State == ThreadState.Sleep ? Result.Ok : Result.Of(Errno.TimedOut));
                break;
            case ThreadState.Futex or ThreadState.Sleep or ThreadState.Pipe:
                // For nothing: what woke it came before this.
                Current.WaitEpoch = _state.Lock.NextEpoch();
                break;
            default:
                break;
        }

        FinishEntry();
    }

    /// <summary>Before the thread goes on, or waits: signals that arrived are delivered. Nobody would come for them later.</summary>
    private void FinishEntry()
    {
        if (!IsReady && !IsGone) { InterruptSelf(); }

        if (IsReady) { DeliverPending(); }
    }

    private void Count(KitStatistic statistic) => _state.Statistics[(int)statistic]++;

    /// <summary>Ends the conclave, with a reason in the log.</summary>
    private void End(ReadOnlySpan<byte> reason, ulong code)
    {
        FlushLines();
        _state.Notice.Write("exclavekit: "u8, in this);
        _state.Notice.Write(reason, in this);
        _state.Notice.Flush(in this);
        _machine.Exit(code);
    }

    /// <summary>Reads program memory, after making sure that it is there.</summary>
    private bool TryRead(ulong address, Span<byte> destination)
    {
        if (!TryTouch(address, (ulong)destination.Length, MemoryAccess.Read)) { return false; }

        _machine.Read(address, destination);
        return true;
    }

    private bool TryWrite(ulong address, ReadOnlySpan<byte> source)
    {
        if (!TryTouch(address, (ulong)source.Length, MemoryAccess.Write)) { return false; }

        _machine.Write(address, source);
        return true;
    }

    private bool TryRead<T>(ulong address, out T value)
        where T : unmanaged
    {
        value = default;
        return TryRead(address, MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref value, 1)));
    }

    private bool TryWrite<T>(ulong address, T value)
        where T : unmanaged =>
        TryWrite(address, MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref value, 1)));

    /// <summary>Stores a value for the program and answers success, or "bad address".</summary>
    private ulong Answer<T>(ulong address, T value)
        where T : unmanaged =>
        TryWrite(address, value) ? Result.Ok : Result.Of(Errno.BadAddress);
}
