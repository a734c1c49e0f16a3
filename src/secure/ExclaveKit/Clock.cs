using System;

namespace Exclaves.ExclaveKit;

/// <summary>Seconds and nanoseconds, as Linux's struct timespec.</summary>
public struct TimeSpec
{
    public const ulong NanosecondsPerSecond = 1_000_000_000;

    public ulong Seconds;
    public ulong Nanoseconds;

    /// <summary>Negative seconds are large numbers here, and refused with them.</summary>
    public readonly bool IsValid => Nanoseconds < NanosecondsPerSecond && Seconds <= long.MaxValue;
}

/// <summary>Linux's clock numbers.</summary>
public enum ClockId : uint
{
    Realtime = 0,
    Monotonic = 1,
    ProcessCpu = 2,
    ThreadCpu = 3,
    MonotonicRaw = 4,
    RealtimeCoarse = 5,
    MonotonicCoarse = 6,
    BootTime = 7,
}

/// <summary>The virtual counter read as time.</summary>
/// <remarks>
/// The secure world has no calendar that it could trust: the time of day starts at <see cref="Epoch"/> at power-on, so that it is never before
/// this code was written. A conclave that needs the date must get it from someone it believes.
/// </remarks>
public static class Clock
{
    /// <summary>2026-01-01T00:00:00Z.</summary>
    public const ulong Epoch = 1_767_225_600;

    /// <summary>A deadline that never comes.</summary>
    public const ulong Never = ulong.MaxValue;

    public static bool IsKnown(ulong clock) => clock <= (ulong)ClockId.BootTime;

    public static bool IsCalendar(ulong clock) => clock is (ulong)ClockId.Realtime or (ulong)ClockId.RealtimeCoarse;

    public static TimeSpec FromTicks(ulong ticks, ulong frequency, bool calendar) => new()
    {
        Seconds = (ticks / frequency) + (calendar ? Epoch : 0),
        Nanoseconds = MultiplyDivide(ticks % frequency, TimeSpec.NanosecondsPerSecond, frequency),
    };

    /// <summary>The first tick at or after <paramref name="time"/>; <see cref="Never"/> when the counter does not reach so far.</summary>
    public static ulong ToTicks(TimeSpec time, ulong frequency, bool calendar)
    {
        ulong seconds = calendar ? time.Seconds - Math.Min(time.Seconds, Epoch) : time.Seconds;
        if (calendar && time.Seconds < Epoch) { return 0; }

        ulong whole = Math.BigMul(seconds, frequency, out ulong low);
        ulong part = MultiplyDivide(time.Nanoseconds, frequency, TimeSpec.NanosecondsPerSecond);
        if (MultiplyDivide(part, TimeSpec.NanosecondsPerSecond, frequency) < time.Nanoseconds) { part++; }

        return whole != 0 || low > Never - part ? Never : low + part;
    }

    public static ulong Add(ulong ticks, ulong more) => ticks > Never - more ? Never : ticks + more;

    /// <summary>The result is below <paramref name="factor"/> times a billion divided by a second's worth; inputs are below 2^32, so nothing overflows.</summary>
    private static ulong MultiplyDivide(ulong value, ulong factor, ulong divisor) => value * factor / divisor;
}
