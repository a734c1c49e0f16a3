using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>A call for which nobody can do anything sleeps in Linux, by the driver's own SUSPEND (tee-abi 1.10), instead of coming back at once.</summary>
/// <remarks>
/// That sleep is short and grows, since nothing here could end it early. A signal does, and Linux does not say so; but a sleep that was shorter than what was asked for is a signal's doing.
/// The driver looks for signals nowhere else, so the call ends then (I14): a thread that waits for a notification or a sibling is told, and can answer; whoever does not is left behind.
/// A Linux that lies about the time ends its own calls.
/// </remarks>
public static class Naps<TMachine> where TMachine : struct, IMachine
{
    /// <summary>Times that a call comes back in vain before it sleeps: most waits are for a thread that another CPU is about to end.</summary>
    private const byte Patience = 2;

    /// <summary>The longest nap is 16 ms.</summary>
    private const int LongestLog2 = 4;
    private const ulong MillisecondsPerSecond = 1000;

    /// <summary>The CPU goes to Linux and its downcall sleeps there. False: this one cannot, or should not yet.</summary>
    public static bool TryBegin(ref KernelState kernel, ref Cpu cpu)
    {
        ref Downcall call = ref kernel.Downcalls[cpu.Downcall - 1];
        int late = call.Vain++ - Patience;
        call.Vain -= late > LongestLog2 ? (byte)1 : (byte)0;
        ulong argument = late < 0 ? 0 : Place(ref kernel, in call);
        if (argument == 0)
        {
            return false;
        }

        ulong milliseconds = 1ul << (late < LongestLog2 ? late : LongestLog2);
        ref MessageArgument header = ref TMachine.At<MessageArgument>(argument);
        header = default;
        header.Command = (MessageCommand)Rpc.Suspend;
        header.Result = Tee.ErrorGeneric;
        header.ParameterCount = 1;
        ref MessageParameter parameter = ref TMachine.At<MessageParameter>(argument + MessageArgument.Bytes);
        parameter = default;
        parameter.Attribute = MessageParameter.ValueInput;
        parameter.A = milliseconds;
        call.NapEnds = TMachine.Counter() + (milliseconds * TMachine.CounterHertz() / MillisecondsPerSecond);
        _ = Downcalls<TMachine>.Suspend(ref kernel, ref cpu, Tee.RpcCommand, 0, 0);
        return true;
    }

    /// <summary>The downcall is back. What it waited for may have come meanwhile; if not, a nap that a signal cut short was its last.</summary>
    public static void End(ref KernelState kernel, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        bool whole = TMachine.Counter() >= call.NapEnds;
        call.NapEnds = 0;
        if (whole || call.IsInUpcall)
        {
            return;
        }

        switch (call.Phase)
        {
            case DowncallPhase.Queued when call.Message == DowncallMessage.Forwarded && Messages<TMachine>.QueuedLabel(ref kernel, index) != MessageLabel.Close:
                // Nobody has seen it. That a session is closed, its service must see: the driver says it once, also for a client that was killed.
                ref Endpoint endpoint = ref TMachine.At<Endpoint>(call.At);
                EndpointQueue<TMachine>.Remove(ref kernel, ref endpoint, EndpointQueue<TMachine>.OfDowncall(index));
                Messages<TMachine>.Complete(ref kernel, index, endpoint.Owner, 0, Status.Busy);
                break;
            case DowncallPhase.Held:
                Tell(ref kernel, ref call, ref TMachine.At<Thread>(call.At), index);
                break;
            case DowncallPhase.Deferred:
                ref Reply reply = ref TMachine.At<Reply>(call.At);
                reply.Duty.Kind = ServingKind.Orphan;
                Messages<TMachine>.Complete(ref kernel, index, reply.Owner, 0, Status.Cancelled);
                break;
            default:
                break;
        }
    }

    private static void Tell(ref KernelState kernel, ref Downcall call, ref Thread server, int index)
    {
        if (server.State is ThreadState.Listening or ThreadState.Epoch && !call.Told)
        {
            call.Told = true;
            if (server.State == ThreadState.Listening)
            {
                EndpointQueue<TMachine>.RemoveFrom(ref kernel, ref TMachine.At<Notification>(server.Target).Waiters, server.Address);
            }

            Messages<TMachine>.Wake(ref server, Status.Cancelled);
            return;
        }

        // Nobody takes lent pages from under a service's hands: such a call ends when the service says so. Nor is XnuProxy left in the middle of something.
        if (server.State is not (ThreadState.Ready or ThreadState.Running) && call.LentPages == 0 && server.Component != kernel.Proxy)
        {
            server.Serving.Kind = ServingKind.Orphan;
            Messages<TMachine>.Complete(ref kernel, index, server.Component, 0, Status.Cancelled);
        }
    }

    /// <summary>PA of the call's RPC argument, where Linux reads it; 0 = it has none.</summary>
    private static ulong Place(ref KernelState kernel, in Downcall call)
    {
        const ulong Offset = Limits.PageBytes - 1;
        const ulong Room = Limits.PageBytes - MessageArgument.Bytes - MessageParameter.Bytes;
        PageEntry entry = call.RpcArgument == 0 ? default : kernel.Components[kernel.Proxy].Space.Lookup<TMachine>(call.RpcArgument);
        return entry.IsValid && entry.Source == PageSource.Shared && (call.RpcArgument & Offset) <= Room && (call.RpcArgument & 7) == 0
            ? entry.Frame | (call.RpcArgument & Offset)
            : 0;
    }
}
