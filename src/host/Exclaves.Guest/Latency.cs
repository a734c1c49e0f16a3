using System;
using System.Globalization;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>How long an interrupt of Linux has waited for the secure kernel at most since the machine booted.</summary>
internal static class Latency
{
    /// <summary>Nanoseconds per tick of QEMU's counter; under `-icount shift=0` also instructions.</summary>
    private const ulong TickInstructions = 16;
    private const int Aim = 20_000;

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        ulong longest = statistics.Counters()[SkCounter.LongestMasked] * TickInstructions;
        Console.Out.WriteLine(json
            ? string.Create(CultureInfo.InvariantCulture, $"[{{\"name\":\"irq.latency.max\",\"value\":{longest},\"unit\":\"instructions\",\"aim\":{Aim},\"peer\":null}}]")
            : string.Create(CultureInfo.InvariantCulture, $"irq.latency.max {longest}, aim {Aim}"));
        return 0;
    }
}
