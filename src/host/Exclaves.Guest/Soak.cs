using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Everything at once, for as long as one likes: calls, crashes, kills, stops, donations, CPUs that come and go. Afterwards every counter is where it was.</summary>
internal static partial class Soak
{
    private const int Callers = 4;
    private const int StopSignal = 19;
    private const int ContinueSignal = 18;
    private const int DonatedPages = 200;
    private const string SuspendMode = "/sys/power/mem_sleep";
    private const string SuspendDepth = "/sys/power/pm_test";
    private const string SuspendDelay = "/sys/module/suspend/parameters/pm_test_delay";
    private const string SuspendNow = "/sys/power/state";
    private const string CpuFolder = "/sys/devices/system/cpu";

    private const ulong RevokeRounds = 2_000;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    /// <summary>Components that crash on purpose.</summary>
    private static readonly string[] Mortal = ["Hello", "Probe"];

    /// <summary>A storm that does nothing for so long hangs.</summary>
    private static readonly TimeSpan StandsStill = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Progress = TimeSpan.FromSeconds(10);

    /// <summary>One kind of trouble: how often it was made, and what must not have happened.</summary>
    private sealed class Storm(string name, Action<Storm, Random> once)
    {
        private long _done;

        public string Name { get; } = name;
        public long Done => Interlocked.Read(ref _done);
        public List<string> Wrong { get; } = [];
        public TimeSpan LastSeen { get; set; }
        public long LastDone { get; set; }

        public void Run(Func<bool> goesOn, int seed)
        {
            Random random = new(seed);
            while (goesOn())
            {
                try
                {
                    once(this, random);
                }
                catch (TeeException error) when (error.Failure == TeeFailure.ServiceEnded)
                {
                    // The crasher was faster. The next turn opens a session to the next life.
                }
                catch (Exception error) when (error is TeeException or IOException)
                {
                    Complain(error.Message);
                }

                _ = Interlocked.Increment(ref _done);
            }
        }

        public void Complain(string what)
        {
            lock (Wrong)
            {
                Wrong.Add(what);
            }
        }
    }

    public static int Run(int seconds, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        KillTest.WarmUp(device, Callers + 4);
        KillTest.WarmUpManagedHeap(device, statistics);
        WarmUpProbe(device);
        WarmUpDriver(device);
        KillTest.Snapshot before = KillTest.Snapshot.Take(statistics);

        Storm[] storms =
        [
            .. Enumerable.Range(0, Callers).Select(_ => new Storm("calls", Call)),
            new("signatures", Sign), new("crashes", CrashHello), new("donations", GiveMemory), new("kills", Kill), new("stops", Stop), new("hotplug", PlugCpus),
            new("revocations", Revoke), new("endings", EndProbe), new("suspends", Suspend),
        ];
        Stopwatch clock = Stopwatch.StartNew();
        bool stop = false;
        Thread[] threads = [.. storms.Select((storm, i) => new Thread(() => storm.Run(() => !Volatile.Read(ref stop), seed + i)) { IsBackground = true })];
        Console.Out.WriteLine($"soak: {seconds} s, seed {seed}");
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        bool hangs = false;
        while (clock.Elapsed < TimeSpan.FromSeconds(seconds) && !hangs)
        {
            Thread.Sleep(TimeSpan.FromSeconds(Math.Min(Progress.TotalSeconds, Math.Max(0.1, seconds - clock.Elapsed.TotalSeconds))));
            hangs = Watch(storms, clock.Elapsed);
            Report(storms, clock.Elapsed);
        }

        Volatile.Write(ref stop, true);
        hangs |= !threads.All(thread => thread.Join(StandsStill));
        WriteOnline(Enumerable.Range(1, Math.Max(0, CpuCount() - 1)), "1");
        using (HelloClient hello = HelloClient.Open(device))
        {
            _ = hello.Memory(HelloMemoryAction.Drop);
            hello.Null();
        }

        WarmUpProbe(device);
        List<string> wrong = [.. storms.SelectMany(storm => storm.Wrong.Select(what => $"{storm.Name}: {what}")), .. KillTest.Settle(statistics, before, Mortal)];
        foreach (string what in wrong.Take(20))
        {
            Console.Out.WriteLine($"wrong: {what}");
        }

        ulong ticks = statistics.Counters()[SkCounter.LongestMasked];
        ulong lives = statistics.Components().Single(component => component.Name == "Hello").Status.Generation;
        ulong probes = statistics.Components().Single(component => component.Name == "Probe").Status.Generation;
        Console.Out.WriteLine($"soak: {(hangs ? "something hangs" : "nothing hangs")}, {wrong.Count} wrong; {lives} lives of Hello, {probes} of Probe; longest masked {ticks} ticks");
        return hangs || wrong.Count != 0 ? 1 : 0;
    }

    /// <summary>
    /// Linux's driver keeps the pages of its messages, ten in each, and with a page the context that needed it first, with all its sessions, even when that client was killed.
    /// So we need them first: more at once than all storms together.
    /// </summary>
    private static void WarmUpDriver(TeeDevice device)
    {
        const int Messages = 40;
        const ulong Milliseconds = 50;
        using Barrier start = new(Messages);
        Thread[] threads = [.. Enumerable.Range(0, Messages).Select(_ => new Thread(() =>
        {
            using TeeSession session = device.OpenSession(Probe);
            start.SignalAndWait();
            session.Invoke((uint)ProbeOperation.Sleep, nameof(ProbeOperation.Sleep), [TeeParameter.Input(Milliseconds)]);
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

    private static bool Watch(Storm[] storms, TimeSpan now)
    {
        bool hangs = false;
        foreach (Storm storm in storms)
        {
            if (storm.Done != storm.LastDone)
            {
                (storm.LastDone, storm.LastSeen) = (storm.Done, now);
            }
            else if (now - storm.LastSeen > StandsStill)
            {
                Console.Out.WriteLine($"soak: {storm.Name} stands still");
                hangs = true;
            }
        }

        return hangs;
    }

    private static void Report(Storm[] storms, TimeSpan now) =>
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"soak: {now.TotalSeconds:f0} s: ")
            + string.Join(", ", storms.GroupBy(storm => storm.Name).Select(group => $"{group.Sum(storm => storm.Done)} {group.Key}")));

    private static void Call(Storm storm, Random random)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        byte[] nonce = new byte[HelloTransform.Bytes];
        byte[] answer = new byte[HelloTransform.Bytes];
        byte[] expected = new byte[HelloTransform.Bytes];
        for (int i = 0; i < 50; i++)
        {
            random.NextBytes(nonce);
            HelloClient.ExpectedTransform(nonce, expected);
            hello.Transform(nonce, answer);
            if (!answer.AsSpan().SequenceEqual(expected))
            {
                storm.Complain("an answer is wrong");
            }

            if (random.Next(10) == 0)
            {
                _ = hello.Spin((ulong)random.Next(100_000));
                _ = hello.Time();
            }
        }
    }

    private static void Sign(Storm storm, Random random)
    {
        using TeeDevice device = TeeDevice.Open();
        using SignerClient signer = SignerClient.Open(device);
        byte[] digest = new byte[SignerClient.DigestBytes];
        _ = signer.Generate();
        for (int i = 0; i < 10; i++)
        {
            random.NextBytes(digest);
            _ = signer.Sign(digest);
        }
    }

    private static void CrashHello(Storm storm, Random random)
    {
        Thread.Sleep(random.Next(400));
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        TeeResult result = hello.Crash();
        if (result.Code is not (Tee.ErrorTargetDead or Tee.ErrorMemoryReclaimed))
        {
            storm.Complain($"a crash was answered with {result}");
        }
    }

    private static void GiveMemory(Storm storm, Random random)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient hello = HelloClient.Open(device);
        (ulong filled, _) = hello.Memory(HelloMemoryAction.Fill, DonatedPages);
        (ulong good, _) = hello.Memory(HelloMemoryAction.Check);
        _ = hello.Memory(random.Next(2) == 0 ? HelloMemoryAction.Keep : HelloMemoryAction.Drop);
        if (good != filled)
        {
            storm.Complain($"{good} pages of {filled} hold what was written");
        }
    }

    private static void Kill(Storm storm, Random random) => KillTest.KillOne(random.Next(), random);

    /// <summary>A client that Linux stops in the middle of whatever it does, and lets go on.</summary>
    private static void Stop(Storm storm, Random random)
    {
        using Process client = Self.Start(captureOutput: true, Victim.Command, "0", random.Next().ToString(CultureInfo.InvariantCulture));
        _ = client.StandardOutput.Read();
        for (int i = 0; i < 5 && !client.HasExited; i++)
        {
            _ = Signal(client.Id, StopSignal);
            Thread.Sleep(random.Next(100));
            _ = Signal(client.Id, ContinueSignal);
            Thread.Sleep(random.Next(20));
        }

        client.Kill();
        client.WaitForExit();
    }

    private static void PlugCpus(Storm storm, Random random)
    {
        int[] others = [.. Enumerable.Range(1, Math.Max(0, CpuCount() - 1))];
        random.Shuffle(others);
        WriteOnline(others, "0");
        random.Shuffle(others);
        WriteOnline(others, "1");
        Thread.Sleep(random.Next(500));
    }

    /// <summary>Starts it, and takes back what a life may have left.</summary>
    private static void WarmUpProbe(TeeDevice device)
    {
        using TeeSession session = device.OpenSession(Probe);
        session.Invoke((uint)ProbeOperation.RevokeStorm, "RevokeStorm", [TeeParameter.Input(8), TeeParameter.Output()]);
    }

    /// <summary>One thread derives, another takes back, in a component that somebody ends now and then.</summary>
    private static void Revoke(Storm storm, Random random)
    {
        using TeeDevice device = TeeDevice.Open();
        ulong rounds = (ulong)random.NextInt64((long)RevokeRounds);
        Thread deriver = new(() => Rage(storm, device, ProbeOperation.DeriveStorm, rounds * 2));
        deriver.Start();
        Rage(storm, device, ProbeOperation.RevokeStorm, rounds);
        deriver.Join();
    }

    private static void Rage(Storm storm, TeeDevice device, ProbeOperation operation, ulong rounds)
    {
        try
        {
            using TeeSession session = device.OpenSession(Probe);
            Span<TeeParameter> parameters = [TeeParameter.Input(rounds), TeeParameter.Output()];
            session.Invoke((uint)operation, operation.ToString(), parameters);
            if (parameters[1].B != 0)
            {
                storm.Complain($"{operation} got {(Status)(parameters[1].B - 1)}");
            }
        }
        catch (TeeException error) when (error.Failure == TeeFailure.ServiceEnded)
        {
            // As in every storm.
        }
        catch (TeeException error)
        {
            storm.Complain(error.Message);
        }
    }

    /// <summary>In any of the ways in which a component can end.</summary>
    private static void EndProbe(Storm storm, Random random)
    {
        Thread.Sleep(random.Next(2000));
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        TeeResult result = session.TryInvoke((uint)ProbeOperation.End, [TeeParameter.Input((ulong)random.Next(1, (int)ProbeFault.Count))]);
        if (result.Code is not (Tee.ErrorTargetDead or Tee.ErrorMemoryReclaimed))
        {
            storm.Complain($"an end was answered with {result}");
        }
    }

    /// <summary>Linux freezes every process, wherever it is, and suspends to idle as far as the kernel's own test does: this machine's only clock that could wake it is under test too.</summary>
    private static void Suspend(Storm storm, Random random)
    {
        Thread.Sleep(random.Next(3000));
        File.WriteAllText(SuspendMode, "s2idle");
        File.WriteAllText(SuspendDelay, "0");
        File.WriteAllText(SuspendDepth, "freezer");
        try
        {
            File.WriteAllText(SuspendNow, "mem");
        }
        catch (IOException)
        {
            // A process could not be frozen in time; Linux has thawed the others.
        }
    }

    private static int CpuCount() => Directory.GetDirectories(CpuFolder, "cpu?").Length;

    private static void WriteOnline(IEnumerable<int> cpus, string text)
    {
        foreach (int cpu in cpus)
        {
            SetOnline($"{CpuFolder}/cpu{cpu}/online", text);
        }
    }

    /// <summary>While Linux suspends it refuses: no CPU comes or goes then. It is asked again for some seconds.</summary>
    private static void SetOnline(string file, string text)
    {
        const int Busy = 16;
        const int Tries = 500;
        for (int i = 0; ; i++)
        {
            try
            {
                File.WriteAllText(file, text);
                return;
            }
            catch (IOException error) when (error.HResult == Busy && i < Tries)
            {
                Thread.Sleep(20);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
