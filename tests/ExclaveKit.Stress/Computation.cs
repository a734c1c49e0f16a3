using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Exclaves.ExclaveKit.Stress;

/// <summary>Threads that compute, allocate and are collected at once. Each keeps what it makes on the heap for a while, so that a collection that moves or frees too much is seen.</summary>
internal static class Computation
{
    private const int Kept = 64;
    private const int Steps = 2000;
    private const int Looks = 50_000_000;
    private static long _turns;

    /// <summary>How many threads came to another result than the caller's own thread, and collections meanwhile.</summary>
    public static (uint Wrong, uint Collections) Run(int count, int rounds)
    {
        ulong[] results = new ulong[count];
        int left = count;
        int before = GC.CollectionCount(0);
        Thread[] threads = [.. Enumerable.Range(0, count).Select(index => new Thread(() =>
        {
            results[index] = Chain(rounds);
            Interlocked.Decrement(ref left);
        }))];
        foreach (Thread thread in threads) { thread.Start(); }

        while (Volatile.Read(ref left) != 0)
        {
            GC.Collect();
            Thread.Sleep(1);
        }

        foreach (Thread thread in threads) { thread.Join(); }

        ulong expected = Chain(rounds);
        return ((uint)results.Count(result => result != expected), (uint)(GC.CollectionCount(0) - before));
    }

    /// <summary>How often this thread has seen another one's work go on. Threads that take turns see it once in a turn, those that run at once all the time.</summary>
    public static uint Meet()
    {
        bool stop = false;
        Thread other = new(() =>
        {
            while (!Volatile.Read(ref stop)) { Volatile.Write(ref _turns, _turns + 1); }
        });
        other.Start();
        uint seen = 0;
        long last = 0;
        for (int look = 0; look < Looks; look++)
        {
            long turns = Volatile.Read(ref _turns);
            seen += turns != last ? 1u : 0u;
            last = turns;
        }

        Volatile.Write(ref stop, true);
        other.Join();
        return seen;
    }

    /// <summary>Without calls for long stretches: such a thread is stopped by a signal.</summary>
    private static ulong Chain(int rounds)
    {
        Queue<ulong[]> kept = new();
        ulong state = 0x9E37_79B9_7F4A_7C15;
        for (int round = 0; round < rounds; round++)
        {
            ulong[] block = new ulong[16];
            for (int step = 0; step < Steps; step++)
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                block[step & 15] += state;
            }

            kept.Enqueue(block);
            if (kept.Count > Kept) { state += kept.Dequeue().Aggregate((sum, word) => (sum * 31) + word); }
        }

        return state;
    }
}
