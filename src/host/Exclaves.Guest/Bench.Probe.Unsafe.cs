using System;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Client;

namespace Exclaves.Guest;

/// <summary>What SK's calls cost, measured inside by tests/Probe, and a call with a buffer.</summary>
internal static unsafe partial class Bench
{
    /// <summary>Nanoseconds per tick of QEMU's counter; under `-icount shift=0` also instructions.</summary>
    private const ulong TickInstructions = 16;
    private const ulong Rounds = 400;
    private const int Batches = 25;
    private const int BufferReadings = 3_000;

    private const int BufferBytes = 4096;

    private static readonly ServiceName Probe = new(Guid.Parse(Services.Probe), "Probe");

    public static int RunProbe(bool json)
    {
        using TeeDevice device = TeeDevice.Open();
        long nothing = Nothing();
        using TeeSession session = device.OpenSession(Probe);
        long notify = Notify(device, session);
        long notifySelf = Inside(session, ProbeOperation.NotifySelf);
        long resume = Inside(session, ProbeOperation.ResumeContext);
        Figure[] figures =
        [
            Of("ipc.call_reply", Inside(session, ProbeOperation.Call), "700"),
            Of("ipc.call_reply.slow", Inside(session, ProbeOperation.CallLong)),
            Of("ipc.call_reply.deferred", Inside(session, ProbeOperation.CallDeferred)),

            Of("ipc.send", Inside(session, ProbeOperation.Send)),

            // There and back are two of each.
            Of("ipc.notify", notify / 2),
            Of("thread.switch", (notify / 2) - notifySelf),
            Of("fault.to_handler", Inside(session, ProbeOperation.Fault) - resume),
            Of("fault.resume", resume),
            Of("memory.map_unmap", Inside(session, ProbeOperation.MapUnmapMemory)),
            Of("memory.map_unmap.frame", Inside(session, ProbeOperation.MapUnmapFrame)),
            Of("object.retype_delete", Inside(session, ProbeOperation.RetypeDelete)),
            ReadBuffer(device, session, nothing),
        ];
        Console.Out.Write(json ? Json(figures) : Table(figures));
        return 0;
    }

    private static Figure Of(string name, long value, string aim = "null") => new(name, value, value, aim, "null");

    /// <summary>Instructions of one round, in the batch that was disturbed least.</summary>
    private static long Inside(TeeSession session, ProbeOperation operation)
    {
        ulong minimum = ulong.MaxValue;
        for (int i = 0; i < Batches; i++)
        {
            minimum = Math.Min(minimum, Ticks(session, operation));
        }

        return (long)(minimum * TickInstructions / Rounds);
    }

    private static ulong Ticks(TeeSession session, ProbeOperation operation)
    {
        Span<TeeParameter> parameters = [TeeParameter.Input(Rounds), TeeParameter.Output()];
        session.Invoke((uint)operation, operation.ToString(), parameters);
        return parameters[1].B == (ulong)Status.Ok
            ? parameters[1].A
            : throw new InvalidOperationException($"The probe's {operation} ended with {(Status)parameters[1].B}.");
    }

    /// <summary>One thread of Linux for each thread of the probe.</summary>
    private static long Notify(TeeDevice device, TeeSession session)
    {
        ulong minimum = ulong.MaxValue;
        for (int i = 0; i < Batches; i++)
        {
            Thread listener = new(() =>
            {
                using TeeSession own = device.OpenSession(Probe);
                own.Invoke((uint)ProbeOperation.Listen, nameof(ProbeOperation.Listen), []);
            });
            listener.Start();
            minimum = Math.Min(minimum, Ticks(session, ProbeOperation.Notify));
            listener.Join();
        }

        return (long)(minimum * TickInstructions / Rounds);
    }

    private static Figure ReadBuffer(TeeDevice device, TeeSession session, long nothing)
    {
        using SharedMemory memory = SharedMemory.Register(device, BufferBytes);
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(memory.Span);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = HelloTransform.Word((ulong)i, 0);
        }

        int descriptor = device.Descriptor;
        InvokeBlock block = new() { Operation = (uint)ProbeOperation.Read, Session = session.Number, ParameterCount = 2 };

        // SAFETY: block and buffer are locals that outlive every call.
        TeeBuffer buffer = new() { Address = (ulong)(&block), Bytes = (ulong)(InvokeBlock.HeaderBytes + (2 * sizeof(TeeParameter))) };
        ulong expected = 0;
        foreach (ulong word in words)
        {
            expected += word;
        }

        long minimum = long.MaxValue;
        long begin = Now();
        for (int i = 0; i < BufferReadings; i++)
        {
            block.Parameters[0] = TeeParameter.Memory(memory, TeeDirection.In, 0, BufferBytes);
            block.Parameters[1] = TeeParameter.Output();
            long start = Now();
            int outcome = RawIoctl(descriptor, TeeRequest.Invoke, &buffer);
            long took = Now() - start;
            Check(outcome, block.Result, Probe);
            minimum = Math.Min(minimum, took);
            if (block.Parameters[1].A != expected)
            {
                throw new InvalidOperationException("The probe has read something else than what was written.");
            }
        }

        return new Figure("downcall.read4k.registered", minimum - nothing, (double)(Now() - begin) / BufferReadings, "7000", "21520");
    }
}
