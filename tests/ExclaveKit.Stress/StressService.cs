using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Exclaves.Abi;
using Exclaves.Kit;
using Microsoft.Extensions.Logging;

namespace Exclaves.ExclaveKit.Stress;

/// <summary>A call is a workout; the result says whether all of it went as it must.</summary>
public sealed class StressService : ConclaveService
{
    private const int Rounds = 20;
    private static int _sink;

    private readonly (string Name, Func<bool> Run)[] _steps =
    [
        ("a thread that makes no calls is stopped by the collector", CollectBesideLoop),
        ("threads allocate and are collected", AllocateInThreads),
        ("null references become exceptions", CatchNulls),
        ("exceptions cross frames, on several threads", ThrowInThreads),
        ("timers and sleeps end on time", WaitForTime),
        ("tasks and monitors wake each other", PassToken),
        ("too much memory is an exception", ExhaustMemory),
    ];

    public override void Invoke(ServiceCall call)
    {
        if (call.Operation == (uint)StressOperation.Compute)
        {
            (uint threads, uint rounds) = call.Values(0);
            (uint wrong, uint collections) = Computation.Run((int)Math.Min(threads, 8), (int)rounds);
            call.SetValues(1, wrong, collections);
            return;
        }

        if (call.Operation == (uint)StressOperation.Meet)
        {
            call.SetValues(0, Computation.Meet(), 0);
            return;
        }

        if (call.Operation == (uint)StressOperation.Absent)
        {
            if (!AbsentThings.AllRefuse()) { throw new ServiceException(Tee.ErrorBadState); }

            return;
        }

        if (call.Operation == (uint)StressOperation.Log)
        {
            WriteLog();
            return;
        }

        if (call.Operation == (uint)StressOperation.Fail)
        {
            Fail();
        }

        if (call.Operation == (uint)StressOperation.Peer)
        {
            if (!PeerCalls.AllAnswer()) { throw new ServiceException(Tee.ErrorBadState); }

            return;
        }

        foreach ((string name, Func<bool> run) in _steps)
        {
            long start = Stopwatch.GetTimestamp();
            bool passed = run();
            Console.Error.WriteLine($"{(passed ? "passed" : "FAILED")}: {name} ({Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms)");
            if (!passed) { throw new ServiceException(Tee.ErrorBadState); }
        }
    }

    /// <summary>Numbers from 4711 on are private.</summary>
    private static void WriteLog()
    {
        Console.WriteLine("output 4711");
        Console.Error.WriteLine("errors 4712");
        ILogger logger = new ConclaveLoggerProvider(LogLevel.Debug).CreateLogger("Stress");
        logger.LogDebug("{Keys} keys for {User}", 3.AsPublic(), "4713");
        logger.LogCritical(new InvalidOperationException("4714"), "no \u001b[31mseal");
        logger.LogTrace("nobody asked");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail() => Environment.FailFast("given up");

    private static bool CollectBesideLoop()
    {
        bool stop = false;
        long turns = 0;
        Thread loop = new(() =>
        {
            while (!Volatile.Read(ref stop)) { turns++; }
        });
        loop.Start();
        for (int i = 0; i < Rounds; i++)
        {
            _sink += new byte[1000].Length;
            GC.Collect();
        }

        Thread.Sleep(30);
        Volatile.Write(ref stop, true);
        loop.Join();
        return turns > 0;
    }

    private static bool AllocateInThreads()
    {
        int[] sums = new int[3];
        Thread[] threads = [.. Enumerable.Range(0, sums.Length).Select(index => new Thread(() =>
        {
            List<byte[]> kept = [];
            for (int i = 0; i < 2000; i++)
            {
                kept.Add(new byte[100 + (i % 900)]);
                if (kept.Count > 50) { kept.RemoveAt(i % 50); }

                sums[index] += kept[^1].Length - 99;
            }
        }))];
        foreach (Thread thread in threads) { thread.Start(); }

        foreach (Thread thread in threads) { thread.Join(); }

        return sums.Distinct().Count() == 1;
    }

    private static bool CatchNulls()
    {
        int caught = 0;
        for (int i = 0; i < Rounds; i++)
        {
            try
            {
                int[]? nothing = i >= 0 ? null : [1];
                _sink += nothing!.Length;
            }
            catch (NullReferenceException)
            {
                caught++;
            }
        }

        return caught == Rounds;
    }

    private static bool ThrowInThreads()
    {
        int caught = 0;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                try
                {
                    Descend(10);
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref caught);
                }
            }
        }))];
        foreach (Thread thread in threads) { thread.Start(); }

        GC.Collect();
        foreach (Thread thread in threads) { thread.Join(); }

        return caught == 3 * Rounds;
    }

    private static void Descend(int depth)
    {
        if (depth == 0) { throw new InvalidOperationException(); }

        try
        {
            Descend(depth - 1);
        }
        finally
        {
            _sink++;
        }
    }

    private static bool WaitForTime()
    {
        using ManualResetEventSlim fired = new();
        using Timer timer = new(_ => fired.Set(), null, 20, Timeout.Infinite);
        long start = Stopwatch.GetTimestamp();
        bool inTime = fired.Wait(5000);
        Thread.Sleep(10);
        return inTime && Stopwatch.GetElapsedTime(start).TotalMilliseconds is >= 29 and < 4000;
    }

    private static bool PassToken()
    {
        object gate = new();
        int token = 0;
        Task[] players = [.. Enumerable.Range(0, 2).Select(me => Task.Factory.StartNew(
            () =>
            {
                for (int i = 0; i < 100; i++)
                {
                    lock (gate)
                    {
                        while (token % 2 != me) { Monitor.Wait(gate); }

                        token++;
                        Monitor.PulseAll(gate);
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];
        return Task.WaitAll(players, 20_000) && token == 200;
    }

    private static bool ExhaustMemory()
    {
        List<byte[]> hoard = [];
        try
        {
            for (int i = 0; i < 4096; i++) { hoard.Add(new byte[1 << 20]); }

            return false;
        }
        catch (OutOfMemoryException)
        {
            hoard.Clear();
        }

        GC.Collect();
        return new byte[1 << 20].Length == 1 << 20;
    }
}
