using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What a null call costs when there are more callers, more services, more conclaves. Nothing should grow.</summary>
internal static unsafe partial class Bench
{
    private const int CallerReadings = 4_000;

    /// <summary>Threads of one process, each with its session, that take turns.</summary>
    public static int RunCallers(bool json, int[] counts)
    {
        using TeeDevice device = TeeDevice.Open();
        long nothing = Nothing();
        return Report(json, counts.Select(count => Of($"scale.callers.{count}", TakingTurns(device, count) - nothing)));
    }

    /// <summary>One service; <paramref name="count"/> says which of how many it is.</summary>
    public static int RunServices(bool json, int count, string uuid)
    {
        using TeeDevice device = TeeDevice.Open();
        return Report(json, [Of($"scale.services.{count}", Lowest(device, new ServiceName(Guid.Parse(uuid), "the last")))]);
    }

    /// <summary>Calls Hello while 1, 2, 4 ... of all conclaves run.</summary>
    public static int RunConclaves(bool json, string[] others)
    {
        using TeeDevice device = TeeDevice.Open();
        List<TeeSession> sessions = [device.OpenSession(ServiceName.Hello)];
        List<Figure> figures = [];
        for (int running = 1; running <= others.Length + 1; running *= 2)
        {
            while (sessions.Count < running)
            {
                TeeSession next = device.OpenSession(new ServiceName(Guid.Parse(others[sessions.Count - 1]), "a copy"));
                next.Invoke(0, "Null", []);
                sessions.Add(next);
            }

            figures.Add(Of($"scale.conclaves.{running}", Lowest(device, ServiceName.Hello)));
        }

        foreach (TeeSession session in sessions)
        {
            session.Dispose();
        }

        return Report(json, figures);
    }

    private static long Lowest(TeeDevice device, ServiceName service) => NullCall(device, service, "", Nothing(), "null", "null").Minimum;

    private static int Report(bool json, IEnumerable<Figure> figures)
    {
        Figure[] all = [.. figures];
        Console.Out.Write(json ? Json(all) : Table(all));
        return 0;
    }

    /// <summary>Half of the calls take no more: the lowest reading would not know of the others.</summary>
    private static long TakingTurns(TeeDevice device, int threads)
    {
        long[][] readings = [.. Enumerable.Range(0, threads).Select(_ => new long[CallerReadings])];
        using Barrier start = new(threads);
        Thread[] callers = [.. readings.Select(own => new Thread(() =>
        {
            using TeeSession session = device.OpenSession(ServiceName.Hello);
            session.Invoke(0, "Null", []);
            start.SignalAndWait();
            MakeCalls(device.Descriptor, session.Number, own);
        }))];
        foreach (Thread caller in callers)
        {
            caller.Start();
        }

        foreach (Thread caller in callers)
        {
            caller.Join();
        }

        long[] sorted = [.. readings.SelectMany(own => own).Order()];
        return sorted[sorted.Length / 2];
    }

    private static void MakeCalls(int descriptor, uint session, long[] readings)
    {
        InvokeBlock block = new() { Session = session };

        // SAFETY: block and buffer are locals that outlive every call; without parameters the kernel touches the header alone.
        TeeBuffer buffer = new() { Address = (ulong)(&block), Bytes = InvokeBlock.HeaderBytes };
        for (int i = 0; i < readings.Length; i++)
        {
            long begin = Now();
            int outcome = RawIoctl(descriptor, TeeRequest.Invoke, &buffer);
            readings[i] = Now() - begin;
            Check(outcome, block.Result, ServiceName.Hello);
            _ = SchedYield();
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_yield")]
    [SuppressGCTransition]
    private static partial int SchedYield();
}
