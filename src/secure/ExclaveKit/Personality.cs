using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <summary>Linux, as one conclave sees it: calls, faults, threads, signals.</summary>
/// <remarks>
/// A view for one entry into the handler: the state, the machine and the running thread's context, which the caller resumes when
/// <see cref="Handle"/> returns. Another thread may be in it by then. One thread runs at a time, so nothing here needs a lock.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
    where TMachine : struct, IKitMachine
{
    private readonly ref KitState _state;
    private readonly ref TMachine _machine;

    /// <summary>Registers of the running thread, and of nobody else.</summary>
    private readonly ref UserContext _live;

    public Personality(ref KitState state, ref TMachine machine, ref UserContext live)
    {
        _state = ref state;
        _machine = ref machine;
        _live = ref live;
    }

    private ref KitThread Current => ref _state.Threads[_state.Current];

    /// <summary>Takes one reflected event to its end.</summary>
    public void Handle(ReflectReason reason)
    {
        switch (reason)
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
                PassTurn();
                break;
            default:
                End("SK reflects an event of an unknown kind."u8, 1);
                break;
        }

        FinishEntry();
    }

    /// <summary>Before the running thread goes on: somebody must be able to run, and signals that arrived are delivered.</summary>
    private void FinishEntry()
    {
        if (Current.State != ThreadState.Runnable) { SwitchToRunnable(); }

        DeliverPending();
    }

    private void Count(KitStatistic statistic) => _state.Statistics[(int)statistic]++;

    /// <summary>Ends the conclave, with a reason in the log.</summary>
    private void End(ReadOnlySpan<byte> reason, ulong code)
    {
        _state.Output.Flush(ref _machine);
        _state.Output.Write("exclavekit: "u8, ref _machine);
        _state.Output.Write(reason, ref _machine);
        _state.Output.Flush(ref _machine);
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
