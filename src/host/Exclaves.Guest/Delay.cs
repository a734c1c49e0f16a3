using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>A client that gets nowhere delays nobody: others help what it has begun to its end. Whoever is delayed hangs, and so does this.</summary>
internal static partial class Delay
{
    private const int StopSignal = 19;
    private const int ContinueSignal = 18;
    private const int Others = 3;

    /// <summary>Calls that each of the others finishes while the client stands where it was stopped.</summary>
    private const int CallsEach = 10;
    private const string Group = "/tmp/cgroup";

    private const int Callers = 64;
    private const int CallsBesideTheSleeper = 10;
    private const ulong SleepMilliseconds = 10_000;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    /// <summary>Clients of Signer, whose collector runs inside: one has 1 % of a CPU, one is stopped wherever it is just then, three others sign.</summary>
    public static int Slow(int rounds, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using Process poor = Sign(seed);
        LimitToOnePercent(poor);
        using Process stopped = Sign(seed + 1);
        ulong helped = statistics.Counters()[SkCounter.Helped];
        Random random = new(seed);
        int inside = 0;
        for (int round = 0; round < rounds; round++)
        {
            Thread.Sleep(random.Next(20));
            _ = Signal(stopped.Id, StopSignal);
            ulong before = statistics.Counters()[SkCounter.Helped];
            Thread[] others = [.. Enumerable.Range(0, Others).Select(number => new Thread(() => SignSome(device, seed + round + number)))];
            foreach (Thread other in others)
            {
                other.Start();
            }

            foreach (Thread other in others)
            {
                other.Join();
            }

            inside += statistics.Counters()[SkCounter.Helped] > before ? 1 : 0;
            _ = Signal(stopped.Id, ContinueSignal);
        }

        helped = statistics.Counters()[SkCounter.Helped] - helped;
        bool alive = !poor.HasExited && !stopped.HasExited;
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"delay: {rounds} rounds of {Others} clients and {CallsEach} signatures each; somebody was helped in {inside} rounds, {helped} times; both slow clients {(alive ? "live" : "ENDED")}"));
        Drop(poor);
        Drop(stopped);
        return alive && inside > 0 ? 0 : 1;
    }

    /// <summary>One caller waits in an upcall; the others are many times as many as the service has threads.</summary>
    public static int Upcall()
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession sleeping = device.OpenSession(Probe);
        using ManualResetEventSlim asleep = new();
        bool awake = false;
        Thread sleeper = new(() =>
        {
            asleep.Set();
            sleeping.Invoke((uint)ProbeOperation.Sleep, nameof(ProbeOperation.Sleep), [TeeParameter.Input(SleepMilliseconds)]);
            Volatile.Write(ref awake, true);
        });
        sleeper.Start();
        asleep.Wait();
        int done = 0;
        Thread[] others = [.. Enumerable.Range(1, Callers - 1).Select(number => new Thread(() =>
        {
            using TeeSession session = device.OpenSession(number % 2 == 0 ? Probe : ServiceName.Hello);
            uint operation = number % 2 == 0 ? (uint)ProbeOperation.Spin : (uint)HelloOperation.Spin;
            Span<TeeParameter> parameters = [TeeParameter.Input(100), TeeParameter.Output()];
            for (int i = 0; i < CallsBesideTheSleeper; i++)
            {
                session.Invoke(operation, "Spin", parameters);
            }

            _ = Interlocked.Increment(ref done);
        }))];
        foreach (Thread other in others)
        {
            other.Start();
        }

        foreach (Thread other in others)
        {
            other.Join();
        }

        bool first = !Volatile.Read(ref awake);
        sleeper.Join();
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"delay: {done} of {Callers - 1} went on {(first ? "while one slept" : "only AFTER one had slept")}"));
        return first && done == Callers - 1 ? 0 : 1;
    }

    private static Process Sign(int seed)
    {
        Process client = Self.Start(captureOutput: true, Victim.Command, ((int)VictimKind.Sign).ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture));
        _ = client.StandardOutput.Read();
        return client;
    }

    private static void SignSome(TeeDevice device, int seed)
    {
        using SignerClient signer = SignerClient.Open(device);
        byte[] digest = new byte[SignerClient.DigestBytes];
        new Random(seed).NextBytes(digest);
        _ = signer.Generate();
        for (int i = 0; i < CallsEach; i++)
        {
            _ = signer.Sign(digest);
        }
    }

    /// <summary>Control groups, version 2: of each tenth of a second a thousandth.</summary>
    private static void LimitToOnePercent(Process process)
    {
        Directory.CreateDirectory(Group);
        if (!File.Exists($"{Group}/cgroup.procs"))
        {
            using Process mount = Process.Start("mount", ["-t", "cgroup2", "none", Group]);
            mount.WaitForExit();
            File.WriteAllText($"{Group}/cgroup.subtree_control", "+cpu");
        }

        Directory.CreateDirectory($"{Group}/poor");
        File.WriteAllText($"{Group}/poor/cpu.max", "1000 100000");
        File.WriteAllText($"{Group}/poor/cgroup.procs", process.Id.ToString(CultureInfo.InvariantCulture));
    }

    private static void Drop(Process process)
    {
        process.Kill();
        process.WaitForExit();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
