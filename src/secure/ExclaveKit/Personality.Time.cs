using Exclaves.Abi;

namespace Exclaves.ExclaveKit;

/// <remarks>Clocks and sleeps.</remarks>
public readonly ref partial struct Personality<TMachine>
{
    private const ulong TimerAbsolute = 1;

    private ulong GetTime(ulong clock, ulong address)
    {
        if (!Clock.IsKnown(clock)) { return Result.Of(Errno.InvalidArgument); }

        return Answer(address, Clock.FromTicks(_machine.Counter, _machine.CounterFrequency, Clock.IsCalendar(clock)));
    }

    private ulong GetResolution(ulong clock, ulong address)
    {
        if (!Clock.IsKnown(clock)) { return Result.Of(Errno.InvalidArgument); }

        ulong nanoseconds = TimeSpec.NanosecondsPerSecond / _machine.CounterFrequency;
        return address == 0 ? Result.Ok : Answer(address, new TimeSpec { Nanoseconds = nanoseconds == 0 ? 1 : nanoseconds });
    }

    private ulong Sleep(ulong clock, ulong flags, ulong request, ulong rest)
    {
        if (!Clock.IsKnown(clock) || clock == (ulong)ClockId.ThreadCpu) { return Result.Of(Errno.InvalidArgument); }

        if (!TryRead(request, out TimeSpec time)) { return Result.Of(Errno.BadAddress); }

        if (!time.IsValid) { return Result.Of(Errno.InvalidArgument); }

        bool isAbsolute = (flags & TimerAbsolute) != 0;
        ulong deadline = DeadlineOf(time, isAbsolute, Clock.IsCalendar(clock));
        if (deadline <= _machine.Counter) { return Result.Ok; }

        Current.RestAddress = isAbsolute ? 0 : rest;
        BeginWait(ThreadState.Sleep, deadline);
        return Result.Ok;
    }

    private ulong DeadlineOf(TimeSpec time, bool isAbsolute, bool calendar)
    {
        ulong ticks = Clock.ToTicks(time, _machine.CounterFrequency, isAbsolute && calendar);
        return isAbsolute ? ticks : Clock.Add(_machine.Counter, ticks);
    }

    /// <summary>How much of a sleep is left, for the program that was woken early.</summary>
    private void StoreRest(in KitThread thread)
    {
        if (thread.RestAddress == 0) { return; }

        ulong now = _machine.Counter;
        ulong left = thread.Deadline > now ? thread.Deadline - now : 0;
        TryWrite(thread.RestAddress, Clock.FromTicks(left, _machine.CounterFrequency, calendar: false));
    }
}
