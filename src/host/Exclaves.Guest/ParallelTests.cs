using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A .NET conclave whose threads run on several CPUs at once (tests/ExclaveKit.Stress): right results, collections meanwhile, and a killed caller hurts nobody.</summary>
internal static class ParallelTests
{
    /// <summary>First argument of a process that computes until it is killed.</summary>
    public const string Command = "compute-for-ever";

    private const int Kills = 5;
    private const int LifeMilliseconds = 300;
    private const ulong VictimRounds = 300;

    /// <summary>A loaded host may keep one of the machine's CPUs from running for long.</summary>
    private const int Meetings = 5;

    /// <summary>More than turns of threads in a minute.</summary>
    private const ulong SeenInTurns = 15_000;

    private static readonly ServiceName Stress = new(Guid.Parse(Services.Stress), "Stress");

    /// <summary>Computes until it is killed.</summary>
    public static int ComputeForEver()
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Stress);
        Console.Out.WriteLine("computes");
        while (true)
        {
            _ = Compute(session, 2, VictimRounds);
        }
    }

    public static int Run(int threads, int rounds)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using TeeSession session = device.OpenSession(Stress);
        _ = Compute(session, 1, 1);
        SystemCounters before = KillTest.Snapshot.Take(statistics).Counters;

        (ulong wrong, ulong collections) = Compute(session, (ulong)threads, (ulong)rounds);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parallel: {threads} threads of one call, {wrong} wrong, collected meanwhile: {(collections != 0 ? "yes" : "no")}"));
        bool good = wrong == 0 && collections != 0;

        ulong seen = 0;
        for (int i = 0; i < Meetings && seen <= SeenInTurns; i++)
        {
            seen = Meet(device);
        }

        Console.Out.WriteLine($"parallel: threads of one conclave run {(seen > SeenInTurns ? "at once" : "in turns")}");

        wrong = ComputeAtOnce(device, threads, rounds);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parallel: {threads} calls at once, {wrong} wrong"));
        good &= wrong == 0;

        ulong failed = 0;
        for (int i = 0; i < Kills; i++)
        {
            using Process victim = Self.Start(captureOutput: true, Command);
            _ = victim.StandardOutput.ReadLine();
            Thread.Sleep(LifeMilliseconds);
            victim.Kill();

            // The signal that a child has ended goes to the main thread: not this call's, which it would end while it waits.
            Thread other = new(() => (wrong, _) = Compute(session, 2, (ulong)rounds / 4));
            other.Start();
            other.Join();
            victim.WaitForExit();
            failed += wrong;
        }

        good &= failed == 0;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"parallel: {Kills} callers killed, {failed} results of others wrong"));

        // What the dead have begun is ended on time that Linux lends.
        bool returned = CounterCheck.Returned(statistics, before, "parallel", SkCounter.DowncallsInUse);
        Console.Out.WriteLine("parallel: counters " + (returned ? "returned" : "did NOT return"));
        return good && returned ? 0 : 1;
    }

    /// <summary>Two calls, so that there are two CPUs at least which run threads of the conclave.</summary>
    private static ulong Meet(TeeDevice device)
    {
        ulong seen = 0;
        Thread[] threads = new Thread[2];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                using TeeSession session = device.OpenSession(Stress);
                Span<TeeParameter> parameters = [TeeParameter.Output()];
                session.Invoke((uint)StressOperation.Meet, nameof(StressOperation.Meet), parameters);
                _ = Interlocked.Add(ref seen, parameters[0].A);
            });
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return seen;
    }

    private static ulong ComputeAtOnce(TeeDevice device, int callers, int rounds)
    {
        ulong wrong = 0;
        Thread[] threads = new Thread[callers];
        for (int i = 0; i < callers; i++)
        {
            threads[i] = new Thread(() =>
            {
                using TeeSession session = device.OpenSession(Stress);
                _ = Interlocked.Add(ref wrong, Compute(session, 1, (ulong)rounds).Wrong);
            });
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return wrong;
    }

    private static (ulong Wrong, ulong Collections) Compute(TeeSession session, ulong threads, ulong rounds)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(threads, rounds), TeeParameter.Output()];
        session.Invoke((uint)StressOperation.Compute, nameof(StressOperation.Compute), parameters);
        return (parameters[1].A, parameters[1].B);
    }
}
