using System;
using System.Globalization;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Counters of the system after a test, against those before it.</summary>
internal static class CounterCheck
{
    private const int SettleMilliseconds = 20_000;
    private const int LookMilliseconds = 10;

    /// <summary>
    /// Whether all that was in use in the middle of a test has come back, at the latest after 20 s: what a dead caller leaves is ended on time
    /// that Linux lends, after the caller is gone. Says which has not.
    /// </summary>
    /// <param name="statistics">Where counters are read.</param>
    /// <param name="before">Taken by <see cref="KillTest.Snapshot.Take"/>, with nobody else inside.</param>
    /// <param name="test">First word of the line.</param>
    /// <param name="counters">Which must be as they were.</param>
    public static bool Returned(StatisticsClient statistics, SystemCounters before, string test, params ReadOnlySpan<SkCounter> counters)
    {
        SystemCounters after = statistics.Counters();
        for (long deadline = Environment.TickCount64 + SettleMilliseconds; !AreSame(before, after, counters) && Environment.TickCount64 < deadline; after = statistics.Counters())
        {
            Thread.Sleep(LookMilliseconds);
        }

        foreach (SkCounter counter in counters)
        {
            if (after[counter] != before[counter])
            {
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{test}: {counter} was {before[counter]} and is {after[counter]}"));
            }
        }

        return AreSame(before, after, counters);
    }

    private static bool AreSame(SystemCounters before, SystemCounters after, ReadOnlySpan<SkCounter> counters)
    {
        foreach (SkCounter counter in counters)
        {
            if (after[counter] != before[counter])
            {
                return false;
            }
        }

        return true;
    }
}
