using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>How much more two callers get done than one, by the wall clock; needs a machine with two CPUs that has two to itself.</summary>
internal static class Scale
{
    /// <summary>Some milliseconds inside for each call.</summary>
    private const ulong Rounds = 500_000;
    private const int Calls = 8;
    private const int NullCalls = 400;

    /// <summary>The shortest time counts: what disturbs a run only makes it longer.</summary>
    private const int Repetitions = 3;
    private const double Aim = 1.8;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    public static int Run(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        double alone = Spin(device, Probe);
        (string Name, double Value, string Unit, double? Aim)[] figures =
        [
            ("scale.parallel.conclaves", 2 * alone / Spin(device, Probe, ServiceName.Hello), "ratio", Aim),
            ("scale.parallel.service", 2 * alone / Spin(device, Probe, Probe), "ratio", Aim),
            ("scale.callers.1", PerSecond(device, 1), "1/s", null),
            ("scale.callers.2", PerSecond(device, 2), "1/s", null),
            ("scale.callers.4", PerSecond(device, 4), "1/s", null),
        ];
        Console.Out.Write(json
            ? "[" + string.Join(",\n", figures.Select(figure => string.Create(
                CultureInfo.InvariantCulture, $"{{\"name\":\"{figure.Name}\",\"value\":{figure.Value:f2},\"unit\":\"{figure.Unit}\",\"aim\":{(figure.Aim is { } aim ? aim.ToString(CultureInfo.InvariantCulture) : "null")},\"peer\":null}}"))) + "]\n"
            : string.Concat(figures.Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Name,-28} {figure.Value,10:f2} {figure.Unit}\n"))));
        return 0;
    }

    /// <summary>Seconds in which a thread for each service has the same work done there.</summary>
    private static double Spin(TeeDevice device, params ServiceName[] services) => Shortest(
        services.Length, Calls, number => device.OpenSession(services[number]), (session, number) =>
        {
            Span<TeeParameter> parameters = [TeeParameter.Input(Rounds), TeeParameter.Output()];
            uint operation = services[number].Uuid == Probe.Uuid ? (uint)ProbeOperation.Spin : (uint)HelloOperation.Spin;
            session.Invoke(operation, "Spin", parameters);
        });

    private static double PerSecond(TeeDevice device, int callers) => callers * NullCalls / Shortest(
        callers, NullCalls, _ => device.OpenSession(ServiceName.Hello), (session, _) => session.Invoke((uint)HelloOperation.Null, "Null", []));

    private static double Shortest(int threads, int calls, Func<int, TeeSession> open, Action<TeeSession, int> call)
    {
        double shortest = double.MaxValue;
        TeeSession[] sessions = [.. Enumerable.Range(0, threads).Select(open)];
        for (int i = 0; i < Repetitions; i++)
        {
            // Each worker takes the time itself: a thread that only watched might get no CPU before they are done.
            using Barrier start = new(threads);
            long[] begun = new long[threads];
            long[] ended = new long[threads];
            Thread[] workers = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
            {
                call(sessions[number], number);
                start.SignalAndWait();
                begun[number] = Stopwatch.GetTimestamp();
                for (int made = 0; made < calls; made++)
                {
                    call(sessions[number], number);
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

            shortest = Math.Min(shortest, Stopwatch.GetElapsedTime(begun.Min(), ended.Max()).TotalSeconds);
        }

        foreach (TeeSession session in sessions)
        {
            session.Dispose();
        }

        return shortest;
    }
}
