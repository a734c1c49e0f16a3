using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>The fields of a message that SK judges, read once.</summary>
public struct MessageShape
{
    public uint Length;
    public MessageLabel Label;
    public uint Capability;

    public readonly ulong Bytes => MessageHeader.Bytes + (ulong)Length;
    public readonly bool IsSound => Length <= MessageHeader.MaxBodyBytes;

    /// <summary>
    /// It claims to be a message that only SK sends. XnuProxy takes such a one for Linux's or SK's own word,
    /// so a component that could send it would act as Linux, or reset everybody's sessions (I15).
    /// </summary>
    public readonly bool IsOfKernel => Label is > MessageLabel.None and <= MessageLabel.MemoryWanted;
}

/// <summary>Moves messages between IPC pages, and with them the duty to answer.</summary>
/// <remarks>Another thread of the sender's component, or of the receiver's, can write to a page at any time. So what SK judges of a message it reads once (<see cref="Read"/>), and what
/// the receiver sees of that is what SK has judged (<see cref="Copy"/>).</remarks>
public static class Messages<TMachine> where TMachine : struct, IMachine
{
    /// <summary>What SK looks at of the message in an IPC page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MessageShape Read(ulong ipcPage)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(ipcPage);
        return new MessageShape { Length = header.Length, Label = header.Label, Capability = header.Capability };
    }

    /// <summary>The message of one page is in the other, as it was judged.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(ulong to, ulong from, in MessageShape shape)
    {
        TMachine.Copy(to, from, shape.Bytes);
        ref MessageHeader header = ref TMachine.At<MessageHeader>(to);
        header.Label = shape.Label;
        header.Length = shape.Length;
        header.Capability = 0;
    }

    /// <summary>Gives a server that asks for it, or waits, its next message. False: there is none.</summary>
    public static bool TryDeliver(ref KernelState kernel, ref Endpoint endpoint, ref Thread server)
    {
        if ((kernel.Pending & PendingWork.Notices) != 0 && IsProxysOwn(ref kernel, ref endpoint))
        {
            DeliverNotice(ref kernel, ref server);
            return true;
        }

        ulong node = EndpointQueue<TMachine>.Take(ref kernel, ref endpoint);
        if (node == 0)
        {
            return false;
        }

        if (EndpointQueue<TMachine>.IsThread(node))
        {
            DeliverCall(ref kernel, ref server, ref TMachine.At<Thread>(node));
        }
        else
        {
            DeliverDowncall(ref kernel, ref server, EndpointQueue<TMachine>.DowncallOf(node));
        }

        return true;
    }

    /// <summary>XnuProxy learns something as soon as it asks, or now if it waits.</summary>
    public static void Notify(ref KernelState kernel, PendingWork news)
    {
        kernel.Pending |= news;
        ref Endpoint endpoint = ref TMachine.At<Endpoint>(kernel.Components[kernel.Proxy].Endpoint);
        ulong receiver = EndpointQueue<TMachine>.TakeReceiver(ref endpoint);
        if (receiver != 0)
        {
            ref Thread thread = ref TMachine.At<Thread>(receiver);
            DeliverNotice(ref kernel, ref thread);
            Wake(ref thread, Status.Ok);
        }
    }

    /// <summary>Brings a downcall to an endpoint: into the hands of a thread that waits there, else into its queue.</summary>
    public static void Send(ref KernelState kernel, ulong endpoint, int index, DowncallMessage message)
    {
        ref Endpoint target = ref TMachine.At<Endpoint>(endpoint);
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = message;
        ulong receiver = EndpointQueue<TMachine>.TakeReceiver(ref target);
        if (receiver != 0)
        {
            ref Thread server = ref TMachine.At<Thread>(receiver);
            DeliverDowncall(ref kernel, ref server, index);
            Wake(ref server, Status.Ok);
            return;
        }

        Enqueue(ref kernel, endpoint, ref target, index);
    }

    /// <summary>As <see cref="Send"/>, with the message in <paramref name="from"/>, copied once on its way.</summary>
    public static void SendCopy(ref KernelState kernel, ulong endpoint, int index, DowncallMessage message, ulong from, in MessageShape shape)
    {
        ref Endpoint target = ref TMachine.At<Endpoint>(endpoint);
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = message;
        ulong receiver = EndpointQueue<TMachine>.TakeReceiver(ref target);
        if (receiver == 0)
        {
            Copy(MessagePage(ref kernel, index), from, in shape);
            Enqueue(ref kernel, endpoint, ref target, index);
            return;
        }

        ref Thread server = ref TMachine.At<Thread>(receiver);
        Copy(server.IpcPage, from, in shape);
        Stamp(ref kernel, ref server, ref call, index);
        Wake(ref server, Status.Ok);
    }

    /// <summary>A service's answer, or word of its end, goes to XnuProxy.</summary>
    /// <param name="server">The component that answers; its generation goes along.</param>
    public static void Complete(ref KernelState kernel, int index, int server, ulong from, Status status)
    {
        MessageShape shape = from == 0 ? default : Read(from);
        if (from == 0 || !shape.IsSound)
        {
            WriteHeader(kernel.Scratch, MessageLabel.Completion, 0, from == 0 ? status : Status.BadArgument);
            from = kernel.Scratch;
            shape = default;
        }

        shape.Label = MessageLabel.Completion;

        ref Downcall call = ref kernel.Downcalls[index];
        if (call.LentPages != 0)
        {
            Lending<TMachine>.End(ref kernel, index);
        }

        call.Badge = kernel.Components[server].Generation;
        if (call.IsInUpcall)
        {
            Copy(MessagePage(ref kernel, index), from, in shape);
            call.Late = true;
            return;
        }

        SendCopy(ref kernel, kernel.Components[kernel.Proxy].Endpoint, index, DowncallMessage.Completion, from, in shape);
    }

    /// <summary>XnuProxy has dealt with the return of an upcall: its answer goes to who asked, and the downcall's own, if it came meanwhile, to XnuProxy.</summary>
    public static void EndUpcall(ref KernelState kernel, int index, ulong from)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = DowncallMessage.None;
        call.Phase = DowncallPhase.Held;
        call.At = call.Holder;
        if (call.HasUpcaller)
        {
            Answer(ref TMachine.At<Thread>(call.Upcaller), from, Status.Ok);
        }

        if (call.Late)
        {
            call.Late = false;
            Send(ref kernel, kernel.Components[kernel.Proxy].Endpoint, index, DowncallMessage.Completion);
        }
    }

    /// <summary>A thread calls; it waits from here on.</summary>
    public static void Call(ref KernelState kernel, ref Thread caller, ulong endpoint, ulong badge, CapabilityRights rights)
    {
        ref Endpoint target = ref TMachine.At<Endpoint>(endpoint);
        caller.CallBadge = badge;
        caller.CallRights = rights;
        ulong receiver = EndpointQueue<TMachine>.TakeReceiver(ref target);
        if (receiver != 0)
        {
            ref Thread server = ref TMachine.At<Thread>(receiver);
            DeliverCall(ref kernel, ref server, ref caller);
            Wake(ref server, Status.Ok);
            return;
        }

        caller.State = ThreadState.Queued;
        caller.Target = endpoint;
        EndpointQueue<TMachine>.Add(ref kernel, ref target, caller.Address);
    }

    /// <summary>Ends a thread's wait. <paramref name="from"/> = 0: there is only a status.</summary>
    public static void Answer(ref Thread caller, ulong from, Status status)
    {
        caller.OneWay = false;
        MessageShape shape = from == 0 ? default : Read(from);
        if (from == 0 || !shape.IsSound)
        {
            Status reason = from == 0 ? status : Status.BadArgument;
            WriteHeader(caller.IpcPage, MessageLabel.Reply, 0, reason);
            Wake(ref caller, reason);
            return;
        }

        Copy(caller.IpcPage, from, in shape);
        ref MessageHeader header = ref TMachine.At<MessageHeader>(caller.IpcPage);
        header.Badge = 0;
        header.Downcall = 0;
        Wake(ref caller, Status.Ok);
    }

    /// <summary>A duty ends without an answer: who waits for it learns why.</summary>
    /// <param name="server">The component that had it.</param>
    public static void Abandon(ref KernelState kernel, int server, ref Duty duty, Status status)
    {
        Duty gone = duty;
        duty = default;
        if (gone.Kind == ServingKind.Downcall)
        {
            Complete(ref kernel, (int)gone.Whom, server, 0, status);
        }
        else if (gone.Kind == ServingKind.Thread)
        {
            Answer(ref TMachine.At<Thread>(gone.Whom), 0, status);
        }
    }

    /// <summary>Tells those who stand in an endpoint's queue that nobody will receive them. False: there are more.</summary>
    public static bool TryCancel(ref KernelState kernel, ref Endpoint endpoint, Status status, ref int budget)
    {
        while (endpoint.Head != 0)
        {
            if (budget-- <= 0)
            {
                return false;
            }

            ulong node = EndpointQueue<TMachine>.Take(ref kernel, ref endpoint);
            if (EndpointQueue<TMachine>.IsThread(node))
            {
                Answer(ref TMachine.At<Thread>(node), 0, status);
            }
            else
            {
                Complete(ref kernel, EndpointQueue<TMachine>.DowncallOf(node), endpoint.Owner, 0, status);
            }
        }

        return true;
    }

    /// <summary>The downcall on whose behalf a thread works, through the threads that call it; -1 = none.</summary>
    public static int DowncallOf(ref Thread worker)
    {
        ref Thread at = ref worker;
        for (int depth = 0; depth < Limits.Components; depth++)
        {
            switch (at.Serving.Kind)
            {
                case ServingKind.Downcall:
                    return (int)at.Serving.Whom;
                case ServingKind.Thread:
                    at = ref TMachine.At<Thread>(at.Serving.Whom);
                    break;
                default:
                    return -1;
            }
        }

        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wake(ref Thread thread, Status status)
    {
        thread.State = ThreadState.Ready;
        thread.Upcall = 0;
        thread.Context.X[0] = (ulong)status;
    }

    private static bool IsProxysOwn(ref KernelState kernel, ref Endpoint endpoint) =>
        Unsafe.AreSame(ref endpoint, ref TMachine.At<Endpoint>(kernel.Components[kernel.Proxy].Endpoint));

    private static void Enqueue(ref KernelState kernel, ulong endpoint, ref Endpoint target, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        call.At = endpoint;
        call.Phase = DowncallPhase.Queued;
        EndpointQueue<TMachine>.Add(ref kernel, ref target, EndpointQueue<TMachine>.OfDowncall(index));
    }

    private static void DeliverNotice(ref KernelState kernel, ref Thread server)
    {
        server.Serving = new Duty { Kind = ServingKind.Notice };
        if ((kernel.Pending & PendingWork.ResetNotice) != 0)
        {
            kernel.Pending &= ~PendingWork.ResetNotice;
            WriteHeader(server.IpcPage, MessageLabel.WorldReset, 0, Status.Ok);
            return;
        }

        if ((kernel.Pending & PendingWork.WishNotice) != 0)
        {
            kernel.Pending &= ~PendingWork.WishNotice;
            WriteHeader(server.IpcPage, MessageLabel.MemoryWanted, 0, Status.Ok);
            return;
        }

        kernel.Pending &= ~PendingWork.MemoryNotice;
        WriteHeader(server.IpcPage, MessageLabel.MemoryReturned, 0, Status.Ok);
    }

    private static void DeliverDowncall(ref KernelState kernel, ref Thread server, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        if (call.Message is DowncallMessage.New or DowncallMessage.UpcallReturn)
        {
            MessageLabel label = call.Message == DowncallMessage.New ? MessageLabel.Downcall : MessageLabel.UpcallReturn;
            WriteHeader(server.IpcPage, label, 0, Status.Ok);
            ref MessageHeader header = ref TMachine.At<MessageHeader>(server.IpcPage);
            header.Word0 = call.X0;
            header.Word1 = call.X1;
            header.Word2 = call.X2;
            header.Word3 = call.X3;
        }
        else
        {
            // SK's own page, where a message lies as it was judged.
            ulong page = MessagePage(ref kernel, index);
            Copy(server.IpcPage, page, Read(page));
        }

        Stamp(ref kernel, ref server, ref call, index);
    }

    /// <summary>What a server learns from SK alone, and the duty to answer.</summary>
    private static void Stamp(ref KernelState kernel, ref Thread server, ref Downcall call, int index)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(server.IpcPage);
        header.Badge = call.Message is DowncallMessage.Forwarded or DowncallMessage.Completion ? call.Badge : 0;
        header.Downcall = server.Component == kernel.Proxy ? call.Id(index) : 0;
        header.Capability = 0;
        if (call.Message == DowncallMessage.Forwarded)
        {
            Lending<TMachine>.Show(ref kernel, ref call, ref server);
        }

        if (call.Message == DowncallMessage.UpcallReturn && call.Upcaller == Downcall.ProxyItself)
        {
            call.Message = DowncallMessage.None;
        }

        server.Serving.Kind = call.Message == DowncallMessage.UpcallReturn ? ServingKind.UpcallReturn : ServingKind.Downcall;
        server.Serving.Whom = (ulong)index;
        call.Phase = DowncallPhase.Held;
        call.At = server.Address;
    }

    private static void DeliverCall(ref KernelState kernel, ref Thread server, ref Thread caller)
    {
        // It may have changed since the call was judged, while it stood in the queue.
        MessageShape shape = Read(caller.IpcPage);
        shape = shape.IsSound && !shape.IsOfKernel ? shape : default;
        uint wanted = TMachine.At<MessageHeader>(server.IpcPage).Capability;
        Copy(server.IpcPage, caller.IpcPage, in shape);
        ref MessageHeader header = ref TMachine.At<MessageHeader>(server.IpcPage);
        header.Badge = caller.CallBadge;
        int call = server.Component == kernel.Proxy ? DowncallOf(ref caller) : -1;
        header.Downcall = call < 0 ? 0 : kernel.Downcalls[call].Id(call);
        if (shape.Capability != 0 && (caller.CallRights & CapabilityRights.Grant) != 0
            && TrySend(ref kernel.Components[caller.Component], shape.Capability, ref kernel.Components[server.Component], wanted))
        {
            header.Capability = wanted;
        }

        if (caller.OneWay)
        {
            server.Serving = new Duty { Kind = ServingKind.Orphan };
            caller.OneWay = false;
            Wake(ref caller, Status.Ok);
            Background<TMachine>.Note(ref kernel, in caller);
            Background<TMachine>.Note(ref kernel, in server);
            return;
        }

        server.Serving.Kind = ServingKind.Thread;
        server.Serving.Whom = caller.Address;
        caller.State = ThreadState.Served;
        caller.Target = server.Address;
    }

    /// <summary>A derivation of what one component holds goes to the slot that another keeps for it.</summary>
    private static bool TrySend(ref Component from, uint held, ref Component to, uint wanted)
    {
        ulong source = from.Capabilities.Find<TMachine>(held);
        return source != 0 && wanted != 0
            && to.Capabilities.FindEmpty<TMachine>(wanted, out ulong slot) == Status.Ok
            && ObjectCalls<TMachine>.DeriveTo(source, slot, CapabilityRights.All, 0) == Status.Ok;
    }

    private static void WriteHeader(ulong page, MessageLabel label, uint length, Status status)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(page);
        header = default;
        header.Label = label;
        header.Length = length;
        header.Status = status;
    }

    /// <summary>Of the message with which a downcall stands in a queue.</summary>
    public static MessageLabel QueuedLabel(ref KernelState kernel, int index) => TMachine.At<MessageHeader>(MessagePage(ref kernel, index)).Label;

    private static ulong MessagePage(ref KernelState kernel, int index) => kernel.MessagePages + ((ulong)index * Limits.PageBytes);
}
