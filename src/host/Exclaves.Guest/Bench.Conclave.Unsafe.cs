using System;
using System.Linq;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What a .NET conclave costs: its start, what it has when idle, and calls that lend it a buffer of 1 MiB.</summary>
internal static unsafe partial class Bench
{
    private const int Lives = 3;
    private const int LargeReadings = 20;
    private const int LargeBytes = 1 << 20;
    private const int ResultBytes = 4096;

    /// <summary>1.3 times what a freestanding service takes.</summary>
    private const string NullAim = "6469";

    /// <summary>SHA-256 of 1 MiB of zeros, and AES-256-GCM of them with key and nonce of zeros: the first block and the tag.</summary>
    private const string ZerosDigest = "30E14955EBF1352266DC2FF8067E68104607E750ABB9D3B36582B8AF909FCB58";
    private const string ZerosBlock = "CEA7403D4D606B6E074EC5D3BAF39D18";
    private const string ZerosTag = "1F55616B3612D932837E5B3CA3590979";

    private static readonly ServiceName Conclave = new(Guid.Parse(Services.Bench), "Bench");

    public static int RunConclave(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        long nothing = Nothing();
        Figure start = Start(device);
        Figure idle = Idle(device);
        Figure[] neighbour = Neighbour(device);
        using TeeSession session = device.OpenSession(Conclave);
        using SharedMemory memory = SharedMemory.Register(device, LargeBytes + ResultBytes);
        return Report(json,
        [
            start,
            idle,
            .. neighbour,
            NullCall(device, Conclave, "downcall.null.dotnet", nothing, NullAim, "16864"),
            Large(device, session, memory, BenchOperation.Digest, "downcall.sha256.1m", nothing, "1800000"),
            Large(device, session, memory, BenchOperation.Seal, "downcall.aesgcm.1m", nothing, "3770000"),
        ]);
    }

    /// <summary>From the first session to the first answer; each life begins with the end of the one before.</summary>
    private static Figure Start(TeeDevice device)
    {
        long minimum = long.MaxValue;
        long sum = 0;
        for (int i = 0; i < Lives; i++)
        {
            EndAndWait(device, Conclave);
            long took = StartOnce(device, Conclave);
            minimum = Math.Min(minimum, took);
            sum += took;
        }

        return new Figure("exclavekit.start", minimum, (double)sum / Lives, "60000000", "null");
    }

    public static long StartOnce(TeeDevice device, ServiceName conclave)
    {
        long begin = Now();
        using TeeSession session = device.OpenSession(conclave);
        session.Invoke((uint)BenchOperation.Null, "Null", []);
        return Now() - begin;
    }

    public static void End(TeeDevice device, ServiceName conclave)
    {
        using TeeSession session = device.OpenSession(conclave);
        if (session.TryInvoke((uint)BenchOperation.End, []).Succeeded)
        {
            throw new InvalidOperationException("The conclave was to end.");
        }
    }

    /// <summary>And what it had is scrubbed: its next start is like its first.</summary>
    private static void EndAndWait(TeeDevice device, ServiceName conclave)
    {
        const int Tries = 100_000;
        End(device, conclave);
        using StatisticsClient statistics = StatisticsClient.Open(device);
        int tries = 0;
        while (statistics.Components().Single(component => component.Name == "Bench").Status.UsedBytes != 0)
        {
            if (++tries == Tries)
            {
                throw new InvalidOperationException("What the conclave had is never scrubbed.");
            }
        }
    }

    private static Figure Idle(TeeDevice device)
    {
        using StatisticsClient statistics = StatisticsClient.Open(device);
        ComponentStatus status = statistics.Components().Single(component => component.Name == "Bench").Status;
        long bytes = (long)(status.UsedBytes + status.DonatedBytes);
        return new Figure("exclavekit.idle_memory", bytes, bytes, "12582912", "null", "bytes");
    }

    private static Figure Large(TeeDevice device, TeeSession session, SharedMemory memory, BenchOperation operation, string name, long nothing, string peer)
    {
        int descriptor = device.Descriptor;
        InvokeBlock block = new() { Operation = (uint)operation, Session = session.Number, ParameterCount = 2 };

        // SAFETY: block and buffer are locals that outlive every call.
        TeeBuffer buffer = new() { Address = (ulong)(&block), Bytes = (ulong)(InvokeBlock.HeaderBytes + (2 * sizeof(TeeParameter))) };
        TeeDirection direction = operation == BenchOperation.Seal ? TeeDirection.InOut : TeeDirection.In;
        long minimum = long.MaxValue;
        long sum = 0;
        for (int i = 0; i < LargeReadings; i++)
        {
            memory.Span.Clear();
            block.Parameters[0] = TeeParameter.Memory(memory, direction, 0, LargeBytes);
            block.Parameters[1] = TeeParameter.Memory(memory, TeeDirection.Out, LargeBytes, ResultBytes);
            long start = Now();
            int outcome = RawIoctl(descriptor, TeeRequest.Invoke, &buffer);
            long took = Now() - start;
            Check(outcome, block.Result, Conclave);
            minimum = Math.Min(minimum, took);
            sum += took;
            Span<byte> result = memory.Span[LargeBytes..];
            bool isRight = operation == BenchOperation.Digest
                ? Convert.ToHexString(result[..32]) == ZerosDigest
                : Convert.ToHexString(memory.Span[..16]) == ZerosBlock && Convert.ToHexString(result[..16]) == ZerosTag;
            if (!isRight)
            {
                throw new InvalidOperationException($"The conclave's {operation} is wrong.");
            }
        }

        return new Figure(name, minimum - nothing, (double)sum / LargeReadings, "null", peer);
    }
}
