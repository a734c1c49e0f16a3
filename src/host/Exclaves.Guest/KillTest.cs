using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>SIGKILL at random moments. Afterwards nothing of the dead may be left in the secure world (I14).</summary>
internal static class KillTest
{
    private const int KilledBySignal9 = 128 + 9;
    private const int LongestLifeMilliseconds = 20;
    private const int SettleMilliseconds = 5000;

    /// <summary>
    /// A garbage-collected heap breathes: between two collections Signer touches at most its generation-0 budget (256 KiB, ExclaveKit's
    /// GCgen0size) anew. Everything else must be exactly as before.
    /// </summary>
    private const ulong ManagedHeapBytes = 256 * 1024;
    private const string ManagedComponent = "Signer";

    private const int WarmUpRounds = 40;
    private const int WarmUpCalls = 100;
    private const int StableRounds = 3;

    internal sealed record Snapshot(SystemCounters Counters, IReadOnlyList<ComponentReport> Components)
    {
        /// <summary>When nobody else is inside: a thread that Linux's driver lends, or a dead client's closing, is on its way out.</summary>
        public static Snapshot Take(StatisticsClient statistics)
        {
            SystemCounters counters = statistics.Counters();
            for (long deadline = Environment.TickCount64 + SettleMilliseconds; counters[SkCounter.DowncallsInUse] > 1 && Environment.TickCount64 < deadline; counters = statistics.Counters())
            {
                Thread.Sleep(10);
            }

            return new(counters, statistics.Components());
        }
    }

    public static int Run(int count, int processes, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        WarmUp(device, processes);
        WarmUpManagedHeap(device, statistics);
        Snapshot before = Snapshot.Take(statistics);

        Stopwatch clock = Stopwatch.StartNew();
        int next = -1;
        int early = 0;
        int survived = 0;
        Thread[] killers = new Thread[processes];
        for (int i = 0; i < processes; i++)
        {
            Random random = new(seed + i);
            killers[i] = new Thread(() =>
            {
                int turn;
                while ((turn = Interlocked.Increment(ref next)) < count)
                {
                    int exit = KillOne(turn, random);
                    if (exit != KilledBySignal9)
                    {
                        _ = Interlocked.Increment(ref survived);
                        Console.Error.WriteLine($"killtest: victim {turn} ended by itself with {exit}");
                    }
                    else if (turn % 8 == 7)
                    {
                        _ = Interlocked.Increment(ref early);
                    }
                }
            });
            killers[i].Start();
        }

        foreach (Thread killer in killers)
        {
            killer.Join();
        }

        List<string> leaks = Settle(statistics, before);
        foreach (string leak in leaks)
        {
            Console.Out.WriteLine($"leak: {leak}");
        }

        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"killtest: {count} clients killed in {clock.Elapsed.TotalSeconds:f1} s ({early} of them at start-up), {survived} ended by themselves, {leaks.Count} counters off"));
        foreach ((ComponentReport one, ComponentReport two) in before.Components.Zip(statistics.Components()))
        {
            Console.Out.WriteLine($"killtest: memory of {one.Name}: {one.Status.UsedBytes / 1024} KiB before, {two.Status.UsedBytes / 1024} KiB after");
        }

        return survived == 0 && leaks.Count == 0 ? 0 : 1;
    }

    internal static int KillOne(int turn, Random random)
    {
        VictimKind[] kinds = Enum.GetValues<VictimKind>();
        VictimKind kind = kinds[turn % kinds.Length];
        using Process victim = Self.Start(
            captureOutput: true, Victim.Command, ((int)kind).ToString(CultureInfo.InvariantCulture), turn.ToString(CultureInfo.InvariantCulture));

        // Seven of eight have opened their session; the eighth dies somewhere on its way there.
        if (turn % 8 != 7)
        {
            _ = victim.StandardOutput.Read();
        }

        Thread.Sleep(TimeSpan.FromMilliseconds(random.NextDouble() * LongestLifeMilliseconds));
        victim.Kill();
        victim.WaitForExit();
        return victim.ExitCode;
    }

    // Starts the conclaves and lets Linux's driver grow its pool of argument pages: both stay and are no leak.
    internal static void WarmUp(TeeDevice device, int processes)
    {
        using (SignerClient signer = SignerClient.Open(device))
        {
            _ = signer.Generate();
            _ = signer.Sign(new byte[SignerClient.DigestBytes]);
        }

        Thread[] threads = [.. Enumerable.Range(0, processes + 1).Select(number => new Thread(() =>
        {
            using HelloClient hello = HelloClient.Open(device);
            _ = hello.Spin(1_000_000);
            _ = hello.Time();
            hello.Transform(new byte[HelloTransform.Bytes], new byte[HelloTransform.Bytes]);
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }
    }

    // Until the heap has been through collections and stands.
    internal static void WarmUpManagedHeap(TeeDevice device, StatisticsClient statistics)
    {
        ulong used = 0;
        int stable = 0;
        for (int round = 0; round < WarmUpRounds && stable < StableRounds; round++)
        {
            for (int call = 0; call < WarmUpCalls; call++)
            {
                using SignerClient signer = SignerClient.Open(device);
                if (call % 10 == 0)
                {
                    _ = signer.Generate();
                    _ = signer.Sign(new byte[SignerClient.DigestBytes]);
                }
            }

            ulong now = statistics.Components().First(component => component.Name == ManagedComponent).Status.UsedBytes;
            stable = now == used ? stable + 1 : 0;
            used = now;
        }
    }

    /// <param name="mortal">Components that may have ended and live again.</param>
    internal static List<string> Settle(StatisticsClient statistics, Snapshot before, params string[] mortal)
    {
        Stopwatch clock = Stopwatch.StartNew();
        List<string> leaks;
        do
        {
            leaks = Compare(before, Snapshot.Take(statistics), mortal);
            if (leaks.Count != 0)
            {
                Thread.Sleep(100);
            }
        }
        while (leaks.Count != 0 && clock.ElapsedMilliseconds < SettleMilliseconds);

        return leaks;
    }

    private static List<string> Compare(Snapshot before, Snapshot after, string[] mortal)
    {
        (SystemCounters first, SystemCounters last) = (before.Counters, after.Counters);
        (string Name, ulong Before, ulong After)[] rows =
        [
            ("SK downcall contexts", first[SkCounter.DowncallsInUse], last[SkCounter.DowncallsInUse]),
            ("SK shared mappings", first[SkCounter.SharedMappings], last[SkCounter.SharedMappings]),
            ("SPTM shared frames", first[SptmCounter.SharedFrames], last[SptmCounter.SharedFrames]),
            ("XnuProxy sessions", first[ProxyCounter.Sessions], last[ProxyCounter.Sessions]),
            ("XnuProxy registrations", first[ProxyCounter.Registrations], last[ProxyCounter.Registrations]),
            ("XnuProxy requests", first[ProxyCounter.Requests], last[ProxyCounter.Requests]),
        ];
        List<string> leaks = [.. rows.Where(row => row.Before != row.After).Select(row => $"{row.Name}: {row.Before} before, {row.After} after")];
        foreach ((ComponentReport one, ComponentReport two) in before.Components.Zip(after.Components))
        {
            if (one.Status.State != two.Status.State || (one.Status.Generation != two.Status.Generation && !mortal.Contains(one.Name)))
            {
                leaks.Add($"{one.Name} ended: it was {one.Status.State}, it is {two.Status.State}");
                continue;
            }

            ulong allowed = one.Name == ManagedComponent ? one.Status.UsedBytes + ManagedHeapBytes : one.Status.UsedBytes;
            bool exact = one.Name != ManagedComponent && two.Status.UsedBytes != one.Status.UsedBytes;
            if (exact || two.Status.UsedBytes > allowed)
            {
                leaks.Add($"memory of {one.Name}: {one.Status.UsedBytes / 1024} KiB before, {two.Status.UsedBytes / 1024} KiB after");
            }
        }

        return leaks;
    }
}
