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
    private const int LongestLifeMilliseconds = 30;
    private const int SettleMilliseconds = 5000;

    public static int Run(int count, int processes, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        WarmUp(device, processes);
        SystemCounters before = statistics.Counters();

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
        return survived == 0 && leaks.Count == 0 ? 0 : 1;
    }

    private static int KillOne(int turn, Random random)
    {
        VictimKind[] kinds = Enum.GetValues<VictimKind>();
        VictimKind kind = kinds[turn % kinds.Length];
        using Process victim = Self.Start(captureOutput: true, "victim", kind.ToString(), "--seed", turn.ToString(CultureInfo.InvariantCulture));

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
    private static void WarmUp(TeeDevice device, int processes)
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

    private static List<string> Settle(StatisticsClient statistics, SystemCounters before)
    {
        Stopwatch clock = Stopwatch.StartNew();
        List<string> leaks;
        do
        {
            leaks = Compare(before, statistics.Counters());
            if (leaks.Count != 0)
            {
                Thread.Sleep(100);
            }
        }
        while (leaks.Count != 0 && clock.ElapsedMilliseconds < SettleMilliseconds);

        return leaks;
    }

    private static List<string> Compare(SystemCounters before, SystemCounters after)
    {
        (string Name, ulong Before, ulong After)[] rows =
        [
            ("SK downcall contexts", before[SkCounter.DowncallsInUse], after[SkCounter.DowncallsInUse]),
            ("SK shared mappings", before[SkCounter.SharedMappings], after[SkCounter.SharedMappings]),
            ("SK frames", before[SkCounter.FramesInUse], after[SkCounter.FramesInUse]),
            ("SPTM shared frames", before[SptmCounter.SharedFrames], after[SptmCounter.SharedFrames]),
            ("XnuProxy sessions", before[ProxyCounter.Sessions], after[ProxyCounter.Sessions]),
            ("XnuProxy registrations", before[ProxyCounter.Registrations], after[ProxyCounter.Registrations]),
            ("XnuProxy requests", before[ProxyCounter.Requests], after[ProxyCounter.Requests]),
        ];
        return [.. rows.Where(row => row.Before != row.After).Select(row => $"{row.Name}: {row.Before} before, {row.After} after")];
    }
}
