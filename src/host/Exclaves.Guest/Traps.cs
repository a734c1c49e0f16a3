using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>How often the monitor was entered while a command ran: what hardware would feel of it.</summary>
/// <remarks>
/// A reading of the counter is itself a few traps; the least of several readings in a row is taken off. An interrupt that falls due in a reading
/// is two more, the way out and back in; the secure kernel counts those.
/// </remarks>
internal static class Traps
{
    private const int Readings = 20;
    private const ulong TrapsOfInterrupt = 2;
    private const int ExitFailed = 1;

    public static int Run(string[] command)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        ulong own = ulong.MaxValue;
        ulong before = Read(statistics);
        for (int i = 0; i < Readings; i++)
        {
            ulong next = Read(statistics);
            own = Math.Min(own, next - before);
            before = next;
        }

        long start = Stopwatch.GetTimestamp();
        int exit = Start(command);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        ulong traps = Read(statistics) - before - own;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"traps {Math.Round(traps * 1000 / time.TotalSeconds)}"));
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{traps} traps in {time.TotalSeconds:f1} s; a reading is {own}"));
        return exit;
    }

    private static ulong Read(StatisticsClient statistics)
    {
        SystemCounters counters = statistics.Counters();
        return counters[SptmCounter.Traps] - (TrapsOfInterrupt * counters[SkCounter.Interrupted]);
    }

    private static int Start(string[] command)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]))!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (Win32Exception error)
        {
            Console.Error.WriteLine($"exclave-guest: {command[0]} does not start: {error.Message}");
            return ExitFailed;
        }
    }
}
