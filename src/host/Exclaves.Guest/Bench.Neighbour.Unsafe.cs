using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What callers of Hello feel of a conclave that starts: a thread that comes before all others calls again and again meanwhile.</summary>
/// <remarks>On one CPU, where instructions count. How long a call takes is the secure world's; how late it begins is also Linux's, which has to take the CPU away from the thread whose call starts the conclave.</remarks>
internal static unsafe partial class Bench
{
    private const int NeighbourStarts = 12;
    private const long PeriodNanoseconds = 40_000;
    private const int SchedulerFifo = 1;

    private static Figure[] Neighbour(TeeDevice device)
    {
        List<(long Late, long Took)> beside = [];
        List<(long Late, long Took)> alone = [];
        for (int i = 0; i < NeighbourStarts; i++)
        {
            EndAndWait(device, Conclave);
            beside.AddRange(Calls(device, () => StartOnce(device, Conclave)));
            alone.AddRange(Calls(device, () => Thread.Sleep(5)));
        }

        long high = High(beside.Select(call => call.Took));
        long usual = High(alone.Select(call => call.Took));
        long latest = beside.Max(call => call.Late);
        Console.Error.WriteLine($"neighbour: p99 of {alone.Count} calls alone {usual}, of {beside.Count} beside a start {high}; late by {alone.Max(call => call.Late)} and {latest} at most");
        return
        [
            new Figure("exclavekit.start.neighbour_p99", high * 100 / usual, high * 100.0 / usual, "150", "null", "% of alone"),
            Of("exclavekit.start.neighbour_late", latest),
        ];
    }

    /// <summary>How late each call began, and how long it took, as long as something takes.</summary>
    private static List<(long Late, long Took)> Calls(TeeDevice device, Action something)
    {
        List<(long Late, long Took)> calls = new(1 << 15);
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
            TimeSpec period = new() { Nanoseconds = PeriodNanoseconds };
            while (!Volatile.Read(ref isOver))
            {
                long due = Now() + PeriodNanoseconds;

                // SAFETY: the kernel reads one timespec.
                _ = Sleep(&period, null);
                long begun = Now();
                hello.Null();
                calls.Add((begun - due, Now() - begun));
            }
        });
        caller.Start();
        start.SignalAndWait();
        something();
        Volatile.Write(ref isOver, true);
        caller.Join();
        return calls;
    }

    private static long High(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[(int)(sorted.Length * 0.99)];
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int thread, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int Sleep(TimeSpec* time, TimeSpec* rest);
}
