using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What callers of Hello feel while another conclave starts beside it, on another CPU; by the wall clock, on a machine that has two CPUs to itself.</summary>
/// <remarks>Starts and the same time without one follow each other, so that a build machine that gets busy favours neither.</remarks>
internal static class Neighbour
{
    private const int Turns = 9;
    private const double Aim = 1.5;
    private static readonly ServiceName Conclave = new(Guid.Parse(Services.Bench), "Bench");

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        _ = Bench.StartOnce(device, Conclave);
        List<double> alone = [];
        List<double> beside = [];
        for (int i = 0; i < Turns; i++)
        {
            Bench.End(device, Conclave);
            double seconds = 0;
            beside.Add(HighOf(device, () =>
            {
                long begin = Stopwatch.GetTimestamp();
                _ = Bench.StartOnce(device, Conclave);
                seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            }));
            alone.Add(HighOf(device, () => Thread.Sleep(TimeSpan.FromSeconds(seconds))));
        }

        double ratio = Median(beside) / Median(alone);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"neighbour: p99 alone {Median(alone):f1} us, beside a start {Median(beside):f1} us"));
        Console.Out.Write(json
            ? string.Create(CultureInfo.InvariantCulture, $"[{{\"name\":\"exclavekit.start.neighbour_p99\",\"value\":{ratio:f2},\"unit\":\"ratio\",\"aim\":{Aim},\"peer\":null}}]\n")
            : string.Create(CultureInfo.InvariantCulture, $"{"exclavekit.start.neighbour_p99",-32} {ratio,10:f2} ratio\n"));
        return 0;
    }

    /// <summary>The 99th percentile of Hello's calls, in microseconds, for as long as something takes.</summary>
    private static double HighOf(TeeDevice device, Action something)
    {
        List<long> readings = new(1 << 20);
        bool isOver = false;
        using Barrier start = new(2);
        Thread caller = new(() =>
        {
            using HelloClient hello = HelloClient.Open(device);
            hello.Null();
            start.SignalAndWait();
            while (!Volatile.Read(ref isOver))
            {
                long begin = Stopwatch.GetTimestamp();
                hello.Null();
                readings.Add(Stopwatch.GetTimestamp() - begin);
            }
        });
        caller.Start();
        start.SignalAndWait();
        something();
        Volatile.Write(ref isOver, true);
        caller.Join();
        long high = readings.Order().ElementAt((int)(readings.Count * 0.99));
        return high * 1e6 / Stopwatch.Frequency;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
