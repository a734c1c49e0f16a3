using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>Futexes. The queue of an address is the set of threads that name it, in the order of their sequence numbers.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong FutexWait = 0;
    private const ulong FutexWake = 1;
    private const ulong FutexRequeue = 3;
    private const ulong FutexCompareRequeue = 4;
    private const ulong FutexWaitBits = 9;
    private const ulong FutexWakeBits = 10;
    private const ulong FutexPrivate = 128;
    private const ulong FutexRealtime = 256;
    private const uint FutexAnyone = uint.MaxValue;

    private ulong Futex(ulong address, ulong operation, ulong value, ulong timeout, ulong second, uint third)
    {
        if ((address & 3) != 0) { return Result.Of(Errno.InvalidArgument); }

        bool calendar = (operation & FutexRealtime) != 0;
        switch (operation & ~(FutexPrivate | FutexRealtime))
        {
            case FutexWait: return WaitFutex(address, (uint)value, FutexAnyone, timeout, isAbsolute: false, calendar: false);
            case FutexWaitBits: return WaitFutex(address, (uint)value, third, timeout, isAbsolute: true, calendar);
            case FutexWake: return WakeFutex(address, (uint)value, FutexAnyone);
            case FutexWakeBits: return third == 0 ? Result.Of(Errno.InvalidArgument) : WakeFutex(address, (uint)value, third);
            case FutexRequeue: return Requeue(address, (uint)value, second, (uint)timeout);
            case FutexCompareRequeue:
                if (!TryRead(address, out uint current)) { return Result.Of(Errno.BadAddress); }

                return current != third ? Result.Of(Errno.TryAgain) : Requeue(address, (uint)value, second, (uint)timeout);
            default: return Result.Of(Errno.NoSystemCall);
        }
    }

    private ulong WaitFutex(ulong address, uint expected, uint mask, ulong timeout, bool isAbsolute, bool calendar)
    {
        if (mask == 0) { return Result.Of(Errno.InvalidArgument); }

        ulong deadline = Clock.Never;
        if (timeout != 0)
        {
            if (!TryRead(timeout, out TimeSpec time)) { return Result.Of(Errno.BadAddress); }

            if (!time.IsValid) { return Result.Of(Errno.InvalidArgument); }

            deadline = DeadlineOf(time, isAbsolute, calendar);
        }

        if (!TryRead(address, out uint value)) { return Result.Of(Errno.BadAddress); }

        if (value != expected) { return Result.Of(Errno.TryAgain); }

        Current.WaitAddress = address;
        Current.WaitMask = mask;
        BeginWait(ThreadState.Futex, deadline);
        return Result.Ok;
    }

    private ulong WakeFutex(ulong address, uint count, uint mask)
    {
        uint woken = 0;
        while (woken < count)
        {
            int index = FindWaiter(address, mask);
            if (index < 0) { break; }

            EndWait(index, Result.Ok);
            woken++;
        }

        return woken;
    }

    /// <summary>Wakes some, and lets others wait for the second address instead, in the order in which they came.</summary>
    private ulong Requeue(ulong address, uint wake, ulong second, uint move)
    {
        if ((second & 3) != 0) { return Result.Of(Errno.InvalidArgument); }

        ulong moved = WakeFutex(address, wake, FutexAnyone);
        for (uint i = 0; i < move && second != address; i++)
        {
            int index = FindWaiter(address, FutexAnyone);
            if (index < 0) { break; }

            _state.Threads[index].WaitAddress = second;
            _state.Threads[index].WaitSequence = _state.WaitSequence++;
            moved++;
        }

        return moved;
    }

    /// <summary>Who has waited longest.</summary>
    private int FindWaiter(ulong address, uint mask)
    {
        int best = -1;
        for (int i = 0; i < _state.ThreadSlots; i++)
        {
            ref KitThread thread = ref _state.Threads[i];
            bool matches = thread.State == ThreadState.Futex && thread.WaitAddress == address && (thread.WaitMask & mask) != 0;
            if (matches && (best < 0 || thread.WaitSequence < _state.Threads[best].WaitSequence)) { best = i; }
        }

        return best;
    }
}
