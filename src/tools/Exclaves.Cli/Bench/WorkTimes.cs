using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Exclaves.Cli.Bench;

/// <summary>What src/guest/work.sh and `exclave-guest traps` printed in one boot.</summary>
/// <param name="Seconds">By name of the work; the shortest, where it was done more than once.</param>
/// <param name="TrapsPerSecond">Exceptions taken to the monitor while it was done; null where nobody counted.</param>
public sealed record WorkTimes(IReadOnlyDictionary<string, double> Seconds, double? TrapsPerSecond)
{
    private const string Traps = "traps";
    private const double Hundredth = 0.01;

    /// <summary>Lines of a name and a number: hundredths of a second, or thousandths of a trap per second.</summary>
    public static WorkTimes Parse(byte[] output)
    {
        Dictionary<string, double> seconds = [];
        double? traps = null;
        foreach (string line in Encoding.UTF8.GetString(output).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ') is not [string name, string number] || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            {
                throw new ExclaveException($"The guest's work said something unknown: {line}");
            }

            if (name == Traps)
            {
                traps = value / 1000.0;
            }
            else
            {
                double time = value * Hundredth;
                seconds[name] = seconds.TryGetValue(name, out double shortest) ? Math.Min(time, shortest) : time;
            }
        }

        return new WorkTimes(seconds, traps);
    }

    /// <summary>Of several runs, the time of the one that was disturbed least.</summary>
    public static double Shortest(IEnumerable<WorkTimes> runs, string work) =>
        runs.Min(times => times.Seconds.TryGetValue(work, out double seconds) ? seconds : throw new ExclaveException($"The guest did not measure {work}."));
}
