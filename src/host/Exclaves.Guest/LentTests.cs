using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>Buffers that a service sees in place (tests/Probe): read, filled, shared while the call lasts, and out of reach before and after.</summary>
internal static class LentTests
{
    private const int Page = 4096;
    private const int BufferBytes = 1 << 20;
    /// <summary>More than any machine needs until this process had a CPU: who gives up early says nothing about sharing.</summary>
    private const ulong Turns = 1UL << 40;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    public static int Run()
    {
        using TeeDevice device = TeeDevice.Open();
        using StatisticsClient statistics = StatisticsClient.Open(device);
        SystemCounters before;
        int wrong = 0;
        using (TeeSession session = device.OpenSession(Probe))
        {
            // It starts with its first session; what it needs to live is no leak.
            before = KillTest.Snapshot.Take(statistics).Counters;
            using SharedMemory memory = SharedMemory.Register(device, BufferBytes);
            Random.Shared.NextBytes(memory.Span);
            (int Offset, int Bytes)[] pieces = [(0, Page), (8, 8), (Page - 8, 16), (Page - 8, Page + 16), (24, 17 * Page), (0, BufferBytes)];
            foreach ((int offset, int bytes) in pieces)
            {
                wrong += Reads(session, memory, offset, bytes) ? 0 : 1;
                wrong += Fills(session, memory, offset, bytes) ? 0 : 1;
            }

            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lent: {pieces.Length} pieces read and filled in place, {wrong} wrong"));
            bool seen = IsSharedWhileItLasts(session, memory);
            Console.Out.WriteLine("lent: " + (seen ? "a write of Linux during the call is seen" : "a write of Linux during the call is NOT seen"));
            wrong += seen ? 0 : 1;
        }

        wrong += Ends(device, ProbeOperation.WriteLent, "a write to what was lent to be read");
        wrong += Ends(device, ProbeOperation.ReadAfter, "a read after the call");
        using TeeSession again = device.OpenSession(Probe);
        return CounterCheck.Returned(statistics, before, "lent", SkCounter.DowncallsInUse, SkCounter.SharedMappings, SkCounter.FramesInUse) && wrong == 0 ? 0 : 1;
    }

    private static bool Reads(TeeSession session, SharedMemory memory, int offset, int bytes)
    {
        ulong sum = 0;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(memory.Span.Slice(offset, bytes)))
        {
            sum += word;
        }

        Span<TeeParameter> parameters = [TeeParameter.Memory(memory, TeeDirection.In, offset, bytes), TeeParameter.Output()];
        session.Invoke((uint)ProbeOperation.Read, nameof(ProbeOperation.Read), parameters);
        return parameters[1].A == sum;
    }

    private static bool Fills(TeeSession session, SharedMemory memory, int offset, int bytes)
    {
        byte[] outside = memory.Span.ToArray();
        Span<TeeParameter> parameters = [TeeParameter.Memory(memory, TeeDirection.Out, offset, bytes), TeeParameter.Input(5)];
        session.Invoke((uint)ProbeOperation.Fill, nameof(ProbeOperation.Fill), parameters);
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(memory.Span.Slice(offset, bytes));
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i] != HelloTransform.Word((ulong)i, 5))
            {
                return false;
            }
        }

        return memory.Span[..offset].SequenceEqual(outside.AsSpan(0, offset)) && memory.Span[(offset + bytes)..].SequenceEqual(outside.AsSpan(offset + bytes));
    }

    /// <summary>The service waits inside its call for what this process writes meanwhile.</summary>
    private static bool IsSharedWhileItLasts(TeeSession session, SharedMemory memory)
    {
        memory.Span[..16].Clear();
        ulong seen = 0;
        Thread caller = new(() =>
        {
            Span<TeeParameter> parameters = [TeeParameter.Memory(memory, TeeDirection.InOut, 0, Page), TeeParameter.Input(Turns), TeeParameter.Output()];
            session.Invoke((uint)ProbeOperation.Hold, nameof(ProbeOperation.Hold), parameters);
            seen = parameters[2].A;
        });
        caller.Start();
        while (caller.IsAlive)
        {
            Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(memory.Span);
            if (Volatile.Read(ref words[0]) == 1)
            {
                Volatile.Write(ref words[1], 7);
                break;
            }

            Thread.Yield();
        }

        caller.Join();
        return seen == 7;
    }

    private static int Ends(TeeDevice device, ProbeOperation operation, string what)
    {
        using SharedMemory memory = SharedMemory.Register(device, Page);
        using TeeSession session = device.OpenSession(Probe);
        session.Invoke((uint)ProbeOperation.Read, nameof(ProbeOperation.Read), [TeeParameter.Memory(memory, TeeDirection.In, 0, Page), TeeParameter.Output()]);
        TeeResult result = operation == ProbeOperation.WriteLent
            ? session.TryInvoke((uint)operation, [TeeParameter.Memory(memory, TeeDirection.In, 0, Page)])
            : session.TryInvoke((uint)operation, []);
        Console.Out.WriteLine($"lent: {what}: {result}");
        return result.Code == Tee.ErrorTargetDead ? 0 : 1;
    }
}
