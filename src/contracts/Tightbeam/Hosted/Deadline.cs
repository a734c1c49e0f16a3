using System;
using System.Diagnostics;
using System.Threading;

namespace Exclaves.Tightbeam;

/// <summary>When a caller stops waiting. The default value is never.</summary>
public readonly struct Deadline
{
    private readonly long _timestamp;

    private Deadline(long timestamp) => _timestamp = timestamp;

    public static Deadline None => default;

    public bool IsNone => _timestamp == 0;

    /// <summary>What is left, never negative; <see cref="Timeout.InfiniteTimeSpan"/> when there is none.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (IsNone)
            {
                return Timeout.InfiniteTimeSpan;
            }

            TimeSpan left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), _timestamp);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public static Deadline After(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        double ticks = time.TotalSeconds * Stopwatch.Frequency;
        long now = Stopwatch.GetTimestamp();
        return ticks >= long.MaxValue - now ? None : new(now + Math.Max(1, (long)ticks));
    }
}
