using System;
using System.Globalization;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What tests/Probe tries from inside the secure world.</summary>
internal static class ProbeTests
{
    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    public static int Hostile(int count, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using TeeSession session = device.OpenSession(Probe);
        Once(session, ProbeOperation.Call);
        SystemCounters before = KillTest.Snapshot.Take(statistics).Counters;
        Span<TeeParameter> parameters = [TeeParameter.Input((ulong)seed, (ulong)count), TeeParameter.Output(), TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Hostile, nameof(ProbeOperation.Hostile), parameters);

        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"hostile: {parameters[1].A} calls, seed {seed}: {parameters[1].B} not refused as documented"));
        bool good = parameters[1].B == 0 && parameters[1].A > (ulong)count / 2;
        if (parameters[1].B != 0)
        {
            Console.Out.WriteLine($"hostile: the first is {(SecureCall)parameters[2].A}: {(Status)(uint)parameters[2].B} and not {(Status)(parameters[2].B >> 32)}");
        }

        good &= CounterCheck.Returned(
            statistics, before, "hostile",
            SkCounter.DowncallsInUse, SkCounter.SharedMappings, SkCounter.FramesInUse, SkCounter.DonatedRuns, SkCounter.Faults, SkCounter.ReflectedFaults);

        // It works as before.
        Once(session, ProbeOperation.Call);
        Once(session, ProbeOperation.NotifySelf);
        Once(session, ProbeOperation.MapUnmapFrame);
        return good ? 0 : 1;
    }

    /// <summary>Each system call of the walk has the status that the model knows beforehand, and nothing of it stays.</summary>
    public static int Walk(int steps, int seed)
    {
        const int StepsOfOneCall = 2000;
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using TeeSession session = device.OpenSession(new ServiceName(Guid.Parse(Services.Walker), "Walker"));
        SystemCounters before = KillTest.Snapshot.Take(statistics).Counters;
        ulong done = 0;
        ulong refused = 0;
        for (int walked = 0; walked < steps; walked += StepsOfOneCall)
        {
            int next = Math.Min(StepsOfOneCall, steps - walked);
            ulong own = ((ulong)seed << 32) + (ulong)walked;
            Span<TeeParameter> parameters = [TeeParameter.Input(own, (ulong)next), TeeParameter.Output(), TeeParameter.Output(), TeeParameter.Output()];
            session.Invoke((uint)ProbeOperation.Walk, nameof(ProbeOperation.Walk), parameters);
            done += parameters[1].A;
            refused += parameters[1].B;
            if (parameters[2].A != 0)
            {
                SecureCall call = (SecureCall)(parameters[2].A - 1);
                string what = call == SecureCall.None
                    ? $"{parameters[3].A:x} has {parameters[3].B:x}"
                    : $"{call} {parameters[3].A:x} {parameters[3].B:x}: {(Status)(uint)parameters[2].B} and not {(Status)(parameters[2].B >> 32)}";
                Console.Out.WriteLine($"walk: seed {own:x}, after {parameters[1].A + parameters[1].B} calls: {what}");
                return 1;
            }
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"walk: seed {seed}, {steps} steps: {done} calls done, {refused} refused, each as the model says"));
        return CounterCheck.Returned(statistics, before, "walk", SkCounter.DowncallsInUse, SkCounter.FramesInUse, SkCounter.Faults) ? 0 : 1;
    }

    /// <summary>Each is refused for its reason, and nothing of those that ran stays.</summary>
    public static int StartThreads(int count)
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        using TeeSession session = device.OpenSession(Probe);
        SystemCounters before = KillTest.Snapshot.Take(statistics).Counters;
        Span<TeeParameter> parameters = [TeeParameter.Input((ulong)ProbeStart.Refused, (ulong)count), TeeParameter.Output(), TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Threads, nameof(ProbeOperation.Threads), parameters);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"threads: {parameters[1].A} calls, {parameters[1].B} not as documented"));
        if (parameters[1].B != 0)
        {
            Console.Out.WriteLine($"threads: the first is {(SecureCall)parameters[2].A}: {(Status)(uint)parameters[2].B} and not {(Status)(parameters[2].B >> 32)}");
        }

        bool isWhole = CounterCheck.Returned(statistics, before, "threads", SkCounter.FramesInUse, SkCounter.Faults);
        Console.Out.WriteLine($"threads: counters {(isWhole ? "returned" : "differ")}");
        return parameters[1].B == 0 && isWhole ? 0 : 1;
    }

    /// <summary>The caller is told, and who opens a session anew finds it alive.</summary>
    public static int StartFatally(ProbeStart how)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        TeeResult result = session.TryInvoke((uint)ProbeOperation.Threads, [TeeParameter.Input((ulong)how), TeeParameter.Output(), TeeParameter.Output()]);
        Console.Out.WriteLine($"start: {how} was answered with {result}");
        using TeeSession next = device.OpenSession(Probe);
        Once(next, ProbeOperation.NotifySelf);
        return result.Code == Tee.ErrorTargetDead ? 0 : 1;
    }

    /// <summary>All of the flood is taken, and nothing else.</summary>
    public static int Flood(int count)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        Span<TeeParameter> parameters = [TeeParameter.Input((ulong)count), TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Flood, nameof(ProbeOperation.Flood), parameters);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"flood: {parameters[1].A} taken, {parameters[1].B} not refused"));
        return parameters[1].A == (ulong)count && parameters[1].B == 0 ? 0 : 1;
    }

    /// <summary>The component calls others while it serves this; what it was asked comes back.</summary>
    public static int Peer()
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        (ulong a, ulong b) = ((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64());
        Span<TeeParameter> parameters = [TeeParameter.Input(a, b), TeeParameter.Output(), TeeParameter.Output(), TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Peer, nameof(ProbeOperation.Peer), parameters);
        bool isWhole = (parameters[3].A, parameters[3].B) == (a, b);
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"peer: {parameters[1].A} calls; first wrong: {parameters[1].B}; what was asked is {(isWhole ? "whole" : "NOT whole")}"));
        if (parameters[1].B != 0)
        {
            Console.Out.WriteLine($"peer: it ended with {(Status)parameters[2].A}, due was {(Status)parameters[2].B}");
        }

        return parameters[1].B == 0 && isWhole ? 0 : 1;
    }

    /// <summary>Fails when either was alone.</summary>
    public static int Meet(int turns)
    {
        using TeeDevice device = TeeDevice.Open();
        int met = 0;
        Thread[] visitors = new Thread[2];
        for (int i = 0; i < visitors.Length; i++)
        {
            visitors[i] = new Thread(() =>
            {
                using TeeSession session = device.OpenSession(Probe);
                Span<TeeParameter> parameters = [TeeParameter.Input((ulong)turns), TeeParameter.Output()];
                session.Invoke((uint)ProbeOperation.Meet, nameof(ProbeOperation.Meet), parameters);
                _ = Interlocked.Add(ref met, (int)parameters[1].A);
            });
            visitors[i].Start();
        }

        foreach (Thread visitor in visitors)
        {
            visitor.Join();
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"meet: {met} of {visitors.Length} were not alone"));
        return met == visitors.Length ? 0 : 1;
    }

    /// <summary>The caller is told, and who opens a session anew finds it alive.</summary>
    public static int End(ProbeFault fault)
    {
        using TeeDevice device = TeeDevice.Open();
        using TeeSession session = device.OpenSession(Probe);
        TeeResult result = session.TryInvoke((uint)ProbeOperation.End, [TeeParameter.Input((ulong)fault)]);
        Console.Out.WriteLine($"end: {fault} was answered with {result}");
        using TeeSession next = device.OpenSession(Probe);
        Once(next, ProbeOperation.NotifySelf);
        return result.Code == Tee.ErrorTargetDead ? 0 : 1;
    }

    private static void Once(TeeSession session, ProbeOperation operation)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(1), TeeParameter.Output()];
        session.Invoke((uint)operation, operation.ToString(), parameters);
        if (parameters[1].B != (ulong)Status.Ok)
        {
            throw new InvalidOperationException($"The probe's {operation} ended with {(Status)parameters[1].B}.");
        }
    }
}
