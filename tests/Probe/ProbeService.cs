using System;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Runtime;

namespace Exclaves.Probe;

/// <summary>What Linux asks of it (Abi.ProbeOperation); by as many threads as the component has.</summary>
internal readonly struct ProbeService : IService
{
    private static ulong _arrivals;
    private static ulong _worked;
    private static ulong _sum;

    public static uint Open(ref ServiceMessage message) => Tee.Success;

    public static uint Close(ref ServiceMessage message) => Tee.Success;

    public static uint Invoke(ref ServiceMessage message)
    {
        ProbeOperation operation = (ProbeOperation)message.Operation;
        if (operation is > ProbeOperation.None and <= ProbeOperation.Send)
        {
            Measure(ref message, operation);
            return Tee.Success;
        }

        switch (operation)
        {
            case ProbeOperation.Hostile:
                Attack(ref message);
                return Tee.Success;
            case ProbeOperation.Listen:
                return Loops.Listen() == Status.Ok ? Tee.Success : Tee.ErrorGeneric;
            case ProbeOperation.Read:
                return LentBuffers.TrySum(ref message, out message.P1.A) ? Tee.Success : Tee.ErrorBadParameters;
            case ProbeOperation.Fill:
                return LentBuffers.TryFill(ref message) ? Tee.Success : Tee.ErrorBadParameters;
            case ProbeOperation.Hold:
                return LentBuffers.TryHold(ref message) ? Tee.Success : Tee.ErrorBadParameters;
            case ProbeOperation.WriteLent:
            case ProbeOperation.ReadAfter:
                LentBuffers.Trespass(operation);
                return Tee.Success;
            case ProbeOperation.Work:
                Work(ref message);
                return Tee.Success;
            case ProbeOperation.Worked:
                message.P0.A = Volatile.Read(ref _worked);
                message.P0.B = Volatile.Read(ref _sum);
                return Tee.Success;
            case ProbeOperation.Spin:
                message.P1.A = HelloTransform.Spin(message.P0.A);
                return Tee.Success;
            case ProbeOperation.Meet:
                message.P1.A = Meet(message.P0.A) ? 1ul : 0;
                return Tee.Success;
            case ProbeOperation.End:
                Endings.End((ProbeFault)message.P0.A);
                return Tee.ErrorGeneric;
            case ProbeOperation.DeriveStorm:
                message.P1.A = Storm.Derive(message.P0.A, out message.P1.B);
                return Tee.Success;
            case ProbeOperation.Sleep:
                return ServiceServer.Sleep(message.P0.A) == Status.Ok ? Tee.Success : Tee.ErrorCommunication;
            case ProbeOperation.Threads:
                StartThreads(ref message);
                return Tee.Success;
            case ProbeOperation.Flood:
                Flood(ref message);
                return Tee.Success;
            case ProbeOperation.RevokeStorm:
                message.P1.A = Storm.Revoke(message.P0.A, out message.P1.B);
                return Tee.Success;
            case ProbeOperation.Peer:
                PeerCalls.Run(ref message);
                message.P3.A = message.P0.A;
                message.P3.B = message.P0.B;
                return Tee.Success;
            default:
                return Tee.ErrorNotSupported;
        }
    }

    /// <summary>The calls may overwrite the IPC page, in which the message lies.</summary>
    private static void Measure(ref ServiceMessage message, ProbeOperation operation)
    {
        IpcPage page = IpcPage.Own;
        MessageHeader header = page.Header;
        ServiceMessage kept = message;
        Status status = Loops.Run(page, operation, kept.P0.A, out ulong ticks);
        kept.P1.A = ticks;
        kept.P1.B = (ulong)status;
        page.Header = header;
        message = kept;
    }

    private static void Attack(ref ServiceMessage message)
    {
        IpcPage page = IpcPage.Own;
        MessageHeader header = page.Header;
        ServiceMessage kept = message;
        Hostile.Run(page, kept.P0.A, kept.P0.B, ref kept);
        page.Header = header;
        message = kept;
    }

    private static void StartThreads(ref ServiceMessage message)
    {
        IpcPage page = IpcPage.Own;
        MessageHeader header = page.Header;
        ServiceMessage kept = message;
        Hostile.RunThreads(page, (ProbeStart)kept.P0.A, kept.P0.B, ref kept);
        page.Header = header;
        message = kept;
    }

    private static void Flood(ref ServiceMessage message)
    {
        IpcPage page = IpcPage.Own;
        MessageHeader header = page.Header;
        ServiceMessage kept = message;
        kept.P1.A = LogFlood.Run(page, kept.P0.A, out kept.P1.B);
        page.Header = header;
        message = kept;
    }

    private static void Work(ref ServiceMessage message)
    {
        ulong rounds = message.P0.A;
        _ = ServiceServer.Answer(ref message, Tee.Success);
        Volatile.Write(ref _sum, HelloTransform.Spin(rounds));
        _ = Interlocked.Increment(ref _worked);
    }

    /// <summary>Two that are inside at once meet. Whoever stays alone for so many turns says so.</summary>
    private static bool Meet(ulong turns)
    {
        ulong ticket = Interlocked.Increment(ref _arrivals);
        ulong complete = (ticket + 1) & ~1ul;
        for (ulong i = 0; i < turns && Volatile.Read(ref _arrivals) < complete; i++)
        {
            _ = SecureCalls.Yield();
        }

        // Alone: as if it had never come, unless somebody came just now.
        return Volatile.Read(ref _arrivals) >= complete || Interlocked.CompareExchange(ref _arrivals, ticket - 1, ticket) != ticket;
    }
}
