using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What callers of Hello feel of a conclave that starts: a thread that comes before all others calls at fixed times meanwhile.</summary>
/// <remarks>
/// On one CPU, where instructions count. A call is measured from when it is due, and calls that become due while one waits are late with it. How long a call takes once it has begun is the secure world's;
/// how late it begins is also Linux's, which has to take the CPU away from the thread whose call starts the conclave. What Linux alone does to the caller, processes that start in place of the conclave show.
/// </remarks>
internal static unsafe partial class Bench
{
    private const int NeighbourStarts = 12;
    private const int NeighbourProcesses = 8;
    private const int NeighbourCalls = 1 << 15;
    private const long PeriodNanoseconds = 40_000;
    private const int SchedulerFifo = 1;

    /// <param name="Late">From when the call was due until it began.</param>
    /// <param name="Took">From then until its answer.</param>
    private readonly record struct DueCall(long Late, long Took)
    {
        public long All => Late + Took;
    }

    private static Figure[] Neighbour(TeeDevice device)
    {
        List<DueCall> start = [];
        List<DueCall> process = [];
        List<DueCall> alone = [];
        for (int i = 0; i < NeighbourStarts; i++)
        {
            EndAndWait(device, Conclave);
            start.AddRange(Calls(device, () => StartOnce(device, Conclave)));
            process.AddRange(Calls(device, StartProcesses));
            alone.AddRange(Calls(device, () => Thread.Sleep(30)));
        }

        Tell("alone", alone);
        Tell("beside a conclave that starts", start);
        Tell("beside processes that start", process);
        long high = At(start.Select(call => call.All), 0.99);
        long usual = At(alone.Select(call => call.All), 0.99);
        return
        [
            new Figure("exclavekit.start.neighbour_p99", high * 100 / usual, high * 100.0 / usual, "150", "null", "% of alone"),
            Of("exclavekit.start.neighbour_late", start.Max(call => call.Late)),
        ];
    }

    private static void StartProcesses()
    {
        for (int i = 0; i < NeighbourProcesses; i++)
        {
            using Process process = Process.Start("/bin/busybox", "true");
            process.WaitForExit();
        }
    }

    private static void Tell(string what, List<DueCall> calls)
    {
        Console.Error.WriteLine($"neighbour: {calls.Count} calls {what}: since due {Distribution(calls.Select(call => call.All))}; late {Distribution(calls.Select(call => call.Late))}; took {Distribution(calls.Select(call => call.Took))}");
    }

    private static string Distribution(IEnumerable<long> values) =>
        $"p50 {At(values, 0.5)}, p90 {At(values, 0.9)}, p99 {At(values, 0.99)}, p99.9 {At(values, 0.999)}, most {values.Max()}";

    private static long At(IEnumerable<long> values, double part)
    {
        long[] sorted = [.. values.Order()];
        return sorted[(int)(sorted.Length * part)];
    }

    /// <summary>Calls that are due at fixed times, as long as something takes.</summary>
    private static List<DueCall> Calls(TeeDevice device, Action something)
    {
        List<DueCall> calls = new(NeighbourCalls);
        bool isOver = false;
        using Barrier start = new(2);
        Thread caller = new(() =>
        {
            using HelloClient hello = HelloClient.Open(device);
            hello.Null();
            int priority = 1;

            // SAFETY: struct sched_param is one int; the kernel reads it.
            if (SetScheduler(0, SchedulerFifo, &priority) != 0)
            {
                throw new InvalidOperationException("No thread can come before others here.");
            }

            start.SignalAndWait();
            long due = Now();
            while (!Volatile.Read(ref isOver))
            {
                due += PeriodNanoseconds;
                TimeSpec wait = new() { Nanoseconds = due - Now() };
                if (wait.Nanoseconds > 0)
                {
                    // SAFETY: the kernel reads one timespec.
                    _ = Sleep(&wait, null);
                }

                long begun = Now();
                hello.Null();
                calls.Add(new DueCall(begun - due, Now() - begun));
            }
        });
        caller.Start();
        start.SignalAndWait();
        something();
        Volatile.Write(ref isOver, true);
        caller.Join();
        return calls;
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int Sleep(TimeSpec* time, TimeSpec* rest);
}
