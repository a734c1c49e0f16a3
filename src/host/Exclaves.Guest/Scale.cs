using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>How much more two threads get done than one, by the wall clock; needs a machine with two CPUs that has two to itself.</summary>
/// <remarks>Pieces of work are seconds long, and one thread's and two threads' are measured in turn. The shortest of each counts: a host that is busy with others only makes them longer.</remarks>
internal static class Scale
{
    /// <summary>Some milliseconds inside for each call.</summary>
    private const ulong Rounds = 500_000;
    private const double PieceSeconds = 3;
    private const int Turns = 5;
    private const double Aim = 1.8;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        int calls = CallsFor(device, PieceSeconds);
        (string Name, double Value)[] figures =
        [
            ("scale.parallel.conclaves", Gain(device, calls, Probe, ServiceName.Hello)),
            ("scale.parallel.service", Gain(device, calls, Probe, Probe)),
        ];
        Console.Out.Write(json
            ? "[" + string.Join(",\n", figures.Select(figure => string.Create(
                CultureInfo.InvariantCulture, $"{{\"name\":\"{figure.Name}\",\"value\":{figure.Value:f2},\"unit\":\"ratio, at least\",\"aim\":{Aim},\"peer\":null}}"))) + "]\n"
            : string.Concat(figures.Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-28} {figure.Value,10:f2} ratio\n"))));
        return 0;
    }

    /// <summary>Work that two threads do in the time in which one does one thread's.</summary>
    private static double Gain(TeeDevice device, int calls, ServiceName one, ServiceName other)
    {
        List<double> alone = [];
        List<double> together = [];
        for (int i = 0; i < Turns; i++)
        {
            alone.Add(Seconds(device, calls, one));
            together.Add(Seconds(device, calls, one, other));
        }

        Console.Error.WriteLine($"scale: alone {Text(alone)}; together {Text(together)}");
        return 2 * alone.Min() / together.Min();
    }

    private static int CallsFor(TeeDevice device, double seconds)
    {
        const int Sample = 50;
        return Math.Max(1, (int)(Sample * seconds / Seconds(device, Sample, Probe)));
    }

    /// <summary>From the first beginning to the last end of threads, one for each service, that have the same work done there.</summary>
    private static double Seconds(TeeDevice device, int calls, params ServiceName[] services)
    {
        // Each worker takes the time itself: a thread that only watched might get no CPU before they are done.
        using Barrier start = new(services.Length);
        long[] begun = new long[services.Length];
        long[] ended = new long[services.Length];
        Thread[] workers = [.. services.Select((service, number) => new Thread(() =>
        {
            using TeeSession session = device.OpenSession(service);
            Span<TeeParameter> parameters = [TeeParameter.Input(Rounds), TeeParameter.Output()];
            uint operation = service.Uuid == Probe.Uuid ? (uint)ProbeOperation.Spin : (uint)HelloOperation.Spin;
            session.Invoke(operation, "Spin", parameters);
            start.SignalAndWait();
            begun[number] = Stopwatch.GetTimestamp();
            for (int made = 0; made < calls; made++)
            {
                session.Invoke(operation, "Spin", parameters);
            }

            ended[number] = Stopwatch.GetTimestamp();
        }))];
        foreach (Thread worker in workers)
        {
            worker.Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        return Stopwatch.GetElapsedTime(begun.Min(), ended.Max()).TotalSeconds;
    }

    private static string Text(List<double> seconds) => string.Join(" ", seconds.Select(value => value.ToString("f2", CultureInfo.InvariantCulture)));
}
