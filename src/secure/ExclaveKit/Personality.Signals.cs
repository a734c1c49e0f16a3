using System;
using System.Numerics;
using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>
/// Signals: a collection stops running threads by one, and a null reference becomes an exception by one. Delivery edits the context that is about to run.
/// </remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong MaskBytes = 8;
    private const uint AlternateStackOn = 1;
    private const uint AlternateStackDisabled = 2;
    private const uint AlternateStackAutoDisarm = 1u << 31;
    private const ulong MinAlternateStack = 5120;
    private const ulong InstructionBytes = 4;

    private ulong SetAction(ulong number, ulong action, ulong old, ulong maskBytes)
    {
        bool settable = Signal.IsValid(number) && (Signal.Bit((uint)number) & Signal.Unblockable) == 0;
        if (maskBytes != MaskBytes || !Signal.IsValid(number) || (action != 0 && !settable)) { return Result.Of(Errno.InvalidArgument); }

        SignalAction wanted = default;
        if (action != 0 && !TryRead(action, out wanted)) { return Result.Of(Errno.BadAddress); }

        ref SignalAction entry = ref _state.Actions[(int)number - 1];
        if (old != 0 && !TryWrite(old, entry)) { return Result.Of(Errno.BadAddress); }

        if (action != 0)
        {
            entry = wanted;
            entry.Mask &= ~Signal.Unblockable;
        }

        return Result.Ok;
    }

    private ulong SetMask(ulong how, ulong set, ulong old, ulong maskBytes)
    {
        if (maskBytes != MaskBytes) { return Result.Of(Errno.InvalidArgument); }

        ulong previous = Current.BlockedSignals;
        if (set != 0)
        {
            if (!TryRead(set, out ulong bits)) { return Result.Of(Errno.BadAddress); }

            ulong next = how switch { 0 => previous | bits, 1 => previous & ~bits, 2 => bits, _ => previous };
            if (how > 2) { return Result.Of(Errno.InvalidArgument); }

            Current.BlockedSignals = next & ~Signal.Unblockable;
        }

        return old == 0 ? Result.Ok : Answer(old, previous);
    }

    private ulong SetAlternateStack(ulong wanted, ulong old)
    {
        ref KitThread thread = ref Current;
        bool isOn = IsOnAlternateStack(in thread, _live.StackPointer);
        StackDescription previous = new()
        {
            Base = thread.AlternateStack,
            Flags = thread.AlternateStackFlags | (isOn ? AlternateStackOn : 0),
            Bytes = thread.AlternateStackBytes,
        };
        if (wanted != 0)
        {
            if (!TryRead(wanted, out StackDescription stack)) { return Result.Of(Errno.BadAddress); }

            if (isOn) { return Result.Of(Errno.NotPermitted); }

            uint flags = (uint)stack.Flags & ~AlternateStackAutoDisarm;
            if (flags > AlternateStackDisabled) { return Result.Of(Errno.InvalidArgument); }

            bool isDisabled = flags == AlternateStackDisabled;
            if (!isDisabled && stack.Bytes < MinAlternateStack) { return Result.Of(Errno.NoMemory); }

            thread.AlternateStack = isDisabled ? 0 : stack.Base;
            thread.AlternateStackBytes = isDisabled ? 0 : stack.Bytes;
            thread.AlternateStackFlags = isDisabled ? AlternateStackDisabled : 0;
        }

        return old == 0 ? Result.Ok : Answer(old, previous);
    }

    private static bool IsOnAlternateStack(in KitThread thread, ulong stackPointer) =>
        thread.AlternateStackBytes != 0 && stackPointer - thread.AlternateStack <= thread.AlternateStackBytes
        && stackPointer > thread.AlternateStack;

    private ulong SendSignal(ulong tid, ulong number, int code)
    {
        int index = FindTid(tid);
        if (index < 0) { return Result.Of(Errno.NoProcess); }

        if (number == 0) { return Result.Ok; }

        if (!Signal.IsValid(number)) { return Result.Of(Errno.InvalidArgument); }

        _state.Threads[index].PendingSignals |= Signal.Bit((uint)number);
        if (index != _thread) { Interrupt(index); }

        return Result.Ok;
    }

    /// <summary>Ends a wait because a signal is to be handled. The call is made again afterwards where Linux would do so.</summary>
    private void Interrupt(int index)
    {
        ref KitThread thread = ref _state.Threads[index];
        thread.PendingSignals &= ~IgnoredSignals(thread.PendingSignals & ~thread.BlockedSignals);
        ulong deliverable = thread.PendingSignals & ~thread.BlockedSignals;
        if (deliverable == 0) { return; }

        if (index != _thread && thread.State is not (ThreadState.Futex or ThreadState.Sleep or ThreadState.Pipe))
        {
            // It runs, or is in SK for something else: it sees to its signals itself when it comes here.
            _machine.Kick(index);
            return;
        }

        ref SignalAction action = ref _state.Actions[BitOperations.TrailingZeroCount(deliverable)];

        // A wait with a deadline answers "interrupted" even with SA_RESTART, as Linux does once a handler has run.
        bool isTimed = thread.Deadline != Clock.Never;
        bool restarts = !isTimed && (action.Flags & SignalAction.FlagRestart) != 0;
        if (thread.State == ThreadState.Sleep) { StoreRest(in thread); }

        EndWait(index, restarts ? thread.CallArgument : Result.Of(Errno.Interrupted));
        if (restarts)
        {
            ref UserContext context = ref _machine.Context(index);
            context.ProgramCounter -= InstructionBytes;
            context.X[8] = thread.CallNumber;
        }
    }

    /// <summary>This thread is about to wait, and was kicked before it came here.</summary>
    private void InterruptSelf()
    {
        ref KitThread thread = ref Current;
        if ((thread.PendingSignals & ~thread.BlockedSignals) == 0) { return; }

        if (thread.State is ThreadState.Futex or ThreadState.Sleep or ThreadState.Pipe) { Interrupt(_thread); }
    }

    /// <summary>Those of the signals that would do nothing.</summary>
    private ulong IgnoredSignals(ulong signals)
    {
        ulong ignored = 0;
        for (ulong rest = signals; rest != 0; rest &= rest - 1)
        {
            int index = BitOperations.TrailingZeroCount(rest);
            ulong handler = _state.Actions[index].Handler;
            bool isIgnored = handler == SignalAction.Ignore || (handler == SignalAction.Default && Signal.IsIgnoredByDefault((uint)index + 1));
            ignored |= isIgnored ? 1UL << index : 0;
        }

        return ignored;
    }

    /// <summary>Hands the running thread the signals that arrived for it. Each one becomes a frame above the one before.</summary>
    private void DeliverPending()
    {
        while (true)
        {
            ref KitThread thread = ref Current;
            thread.PendingSignals &= ~IgnoredSignals(thread.PendingSignals & ~thread.BlockedSignals);
            ulong deliverable = thread.PendingSignals & ~thread.BlockedSignals;
            if (deliverable == 0) { return; }

            uint signal = (uint)BitOperations.TrailingZeroCount(deliverable) + 1;
            thread.PendingSignals &= ~Signal.Bit(signal);
            Deliver(new SignalCause { Signal = signal, Code = Signal.CodeTkill });
        }
    }

    /// <summary>A fault of the running thread: the handler runs now, or the conclave ends.</summary>
    private void ForceSignal(in SignalCause cause)
    {
        bool blocked = (Current.BlockedSignals & Signal.Bit(cause.Signal)) != 0;
        ulong handler = _state.Actions[(int)cause.Signal - 1].Handler;
        if (blocked || handler is SignalAction.Default or SignalAction.Ignore)
        {
            EndBySignal(in cause);
            return;
        }

        Deliver(in cause);
    }

    /// <summary>Pushes a frame and points the running thread at the handler.</summary>
    private void Deliver(in SignalCause cause)
    {
        ref KitThread thread = ref Current;
        ref SignalAction action = ref _state.Actions[(int)cause.Signal - 1];
        if (action.Handler == SignalAction.Default)
        {
            EndBySignal(in cause);
            return;
        }

        Count(KitStatistic.Signals);
        ulong stack = _live.StackPointer;
        bool useAlternate = (action.Flags & SignalAction.FlagOnStack) != 0 && thread.AlternateStackBytes != 0 && !IsOnAlternateStack(in thread, stack);
        if (useAlternate) { stack = thread.AlternateStack + thread.AlternateStackBytes; }

        ulong frame = (stack - SignalFrame.Bytes) & ~15UL;
        Span<byte> image = ((Span<byte>)_state.Scratch)[..SignalFrame.Bytes];
        SignalFrame.Write(image, in _live, in cause, in thread, thread.BlockedSignals);
        if (!TryWrite(frame, image))
        {
            // No room for the handler of a fault: most often the stack has overflowed.
            EndBySignal(new SignalCause { Signal = Signal.Segmentation, Code = Signal.CodeKernel, Address = frame }, ExitCode.StackOverflow);
            return;
        }

        thread.BlockedSignals |= action.Mask;
        if ((action.Flags & SignalAction.FlagNoDefer) == 0) { thread.BlockedSignals |= Signal.Bit(cause.Signal); }

        _live.X[0] = cause.Signal;
        _live.X[1] = frame + SignalFrame.InfoOffset;
        _live.X[2] = frame + SignalFrame.ContextOffset;
        _live.X[29] = frame + SignalFrame.RecordOffset;
        _live.X[30] = (action.Flags & SignalAction.FlagRestorer) != 0 ? action.Restorer : _machine.SignalReturn;
        _live.StackPointer = frame;
        _live.ProgramCounter = action.Handler;
        if ((action.Flags & SignalAction.FlagResetHandler) != 0) { action.Handler = SignalAction.Default; }
    }

    private void ReturnFromSignal()
    {
        Span<byte> image = ((Span<byte>)_state.Scratch)[..SignalFrame.Bytes];
        if ((_live.StackPointer & 15) != 0 || !TryRead(_live.StackPointer, image) || !SignalFrame.TryRead(image, ref _live, out SignalReturnState state))
        {
            EndBySignal(new SignalCause { Signal = Signal.Segmentation, Code = Signal.CodeKernel, Address = _live.StackPointer });
            return;
        }

        ref KitThread thread = ref Current;
        thread.BlockedSignals = state.BlockedSignals;
        thread.AlternateStack = state.AlternateStack;
        thread.AlternateStackBytes = state.AlternateStackBytes;
        thread.AlternateStackFlags = state.AlternateStackFlags;
    }
}
