using System;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A .NET conclave that takes more memory than its own within one call: Linux gives it, and has it back in the end.</summary>
internal static class Growth
{
    private const int Rounds = 3;
    private static readonly ServiceName Conclave = new(Guid.Parse(Services.Bench), "Bench");

    public static int Run(uint mebibytes)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        SystemCounters before = statistics.Counters();
        uint got = 0;
        for (int round = 0; round < Rounds; round++)
        {
            using TeeSession session = device.OpenSession(Conclave);
            Span<TeeParameter> parameters = [TeeParameter.Input(mebibytes), TeeParameter.Output()];
            session.Invoke((uint)BenchOperation.Grow, "Grow", parameters);
            got = (uint)parameters[1].A;
            if (got != mebibytes) { break; }
        }

        ComponentStatus status = statistics.Components().Single(component => component.Name == "Bench").Status;
        Bench.End(device, Conclave);
        SystemCounters after = statistics.Counters();
        for (int tries = 0; tries < 200 && !IsBack(before, after); tries++)
        {
            // Freeing is done by calls that end, one allocation each.
            Thread.Sleep(5);
            after = statistics.Counters();
        }

        Console.Out.WriteLine($"conclave grow: {got} of {mebibytes} MiB, held {status.DonatedBytes >> 20} MiB of Linux's; {(IsBack(before, after) ? "all back" : "NOT all back")}: "
            + $"frames {after[SptmCounter.DonatedFrames]}, runs {after[SkCounter.DonatedRuns]}, allocations {after[ProxyCounter.Allocations]}");
        return got == mebibytes && IsBack(before, after) ? 0 : 1;
    }

    private static bool IsBack(SystemCounters before, SystemCounters after) =>
        after[SptmCounter.DonatedFrames] == before[SptmCounter.DonatedFrames] && after[SkCounter.DonatedRuns] == before[SkCounter.DonatedRuns]
        && after[ProxyCounter.Allocations] == before[ProxyCounter.Allocations];
}
