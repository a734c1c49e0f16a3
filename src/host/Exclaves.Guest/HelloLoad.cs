using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Many transforms from many processes: none may be lost, none wrong.</summary>
internal static class HelloLoad
{
    public static int Run(int count, int processes, int seed, string service)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Process[] workers = new Process[processes];
        for (int i = 0; i < processes; i++)
        {
            int share = (count / processes) + (i < count % processes ? 1 : 0);
            workers[i] = Self.Start(captureOutput: true, "hello-worker", "--count", Text(share), "--seed", Text(seed + i), "--service", service);
        }

        long right = 0;
        long wrong = 0;
        long slowest = 0;
        bool clean = true;
        foreach (Process worker in workers)
        {
            string line = worker.StandardOutput.ReadToEnd();
            worker.WaitForExit();
            long[] numbers = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(word => long.TryParse(word, out long number) ? number : 0)];
            clean &= worker.ExitCode == 0 && numbers.Length == 3;
            if (numbers.Length == 3)
            {
                right += numbers[0];
                wrong += numbers[1];
                slowest = Math.Max(slowest, numbers[2]);
            }

            worker.Dispose();
        }

        long lost = count - right - wrong;
        double seconds = clock.Elapsed.TotalSeconds;
        Console.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"hello: {count} calls from {processes} processes in {seconds:f1} s ({count / seconds:f0}/s): {lost} lost, {wrong} wrong, slowest {slowest} ms"));
        return clean && lost == 0 && wrong == 0 ? 0 : 1;
    }

    /// <summary>One process of it. Prints: right answers, wrong answers, slowest call in milliseconds.</summary>
    public static int Work(int count, int seed, string service)
    {
        Random random = new(seed);
        byte[] nonce = new byte[HelloTransform.Bytes];
        byte[] answer = new byte[HelloTransform.Bytes];
        byte[] expected = new byte[HelloTransform.Bytes];
        int right = 0;
        int wrong = 0;
        long slowest = 0;
        try
        {
            using TeeDevice device = TeeDevice.Open();
            using HelloClient hello = HelloClient.Open(device, new ServiceName(Guid.Parse(service), "Hello"));
            for (int i = 0; i < count; i++)
            {
                random.NextBytes(nonce);
                HelloClient.ExpectedTransform(nonce, expected);
                long begin = Stopwatch.GetTimestamp();
                hello.Transform(nonce, answer);
                slowest = Math.Max(slowest, (long)Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
                if (answer.AsSpan().SequenceEqual(expected))
                {
                    right++;
                }
                else
                {
                    wrong++;
                }
            }
        }
        finally
        {
            Console.Out.WriteLine($"{right} {wrong} {slowest}");
        }

        return wrong == 0 ? 0 : 1;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
