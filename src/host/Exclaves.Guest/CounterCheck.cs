using System;
using System.Globalization;
using System.Linq;
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
    public static bool Returned(StatisticsClient statistics, SystemCounters before, string test, params SkCounter[] counters)
    {
        long deadline = Environment.TickCount64 + SettleMilliseconds;
        while (true)
        {
            SystemCounters after = statistics.Counters();
            SkCounter[] differing = [.. counters.Where(counter => after[counter] != before[counter])];
            if (differing.Length != 0 && Environment.TickCount64 < deadline)
            {
                Thread.Sleep(LookMilliseconds);
                continue;
            }

            foreach (SkCounter counter in differing)
            {
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{test}: {counter} was {before[counter]} and is {after[counter]}"));
            }

            return differing.Length == 0;
        }
    }
}
