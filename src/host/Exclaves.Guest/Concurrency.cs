using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>All of Hello's operations from several threads at once, on a session they share and on their own.</summary>
internal static class Concurrency
{
    private const int Operations = 5;
    private const ulong SpinRounds = 20_000;

    public static int Run(int count, int threads, int seed)
    {
        using TeeDevice device = TeeDevice.Open();
        using HelloClient shared = HelloClient.Open(device);
        int next = -1;
        int wrong = 0;
        int failed = 0;
        ulong sum = HelloTransform.Spin(SpinRounds);
        Stopwatch clock = Stopwatch.StartNew();
        Thread[] workers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            Random random = new(seed + i);
            workers[i] = new Thread(() =>
            {
                try
                {
                    using HelloClient own = HelloClient.Open(device);
                    while (Interlocked.Increment(ref next) < count)
                    {
                        if (!One(random, device, shared, own, sum))
                        {
                            _ = Interlocked.Increment(ref wrong);
                        }
                    }
                }
                catch (TeeException error)
                {
                    _ = Interlocked.Increment(ref failed);
                    Console.Error.WriteLine($"concurrency: {error.Message}");
                }
            });
            workers[i].Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"concurrency: {count} calls from {threads} threads in {clock.Elapsed.TotalSeconds:f1} s: {wrong} wrong, {failed} threads failed"));
        return wrong == 0 && failed == 0 ? 0 : 1;
    }

    private static bool One(Random random, TeeDevice device, HelloClient shared, HelloClient own, ulong sum)
    {
        // Transform keeps its buffer in the client object, so it is for the thread's own client; values can go through the shared one.
        HelloClient either = random.Next(2) == 0 ? shared : own;
        switch (random.Next(Operations))
        {
            case 0:
                byte[] nonce = new byte[HelloTransform.Bytes];
                byte[] answer = new byte[HelloTransform.Bytes];
                byte[] expected = new byte[HelloTransform.Bytes];
                random.NextBytes(nonce);
                HelloClient.ExpectedTransform(nonce, expected);
                own.Transform(nonce, answer);
                return answer.AsSpan().SequenceEqual(expected);

            case 1:
                (ulong a, ulong b) = ((ulong)random.NextInt64(), (ulong)random.NextInt64());
                return either.Echo(a, b) == (a, b);

            case 2:
                return either.Spin(SpinRounds) == sum;

            case 3:
                return either.Time().Nanoseconds < 1_000_000_000;

            default:
                using (HelloClient brief = HelloClient.Open(device))
                {
                    brief.Null();
                }

                return true;
        }
    }
}
