using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Moves messages between IPC pages, and with them the duty to answer.</summary>
/// <remarks>A message is copied while its sender does not run, so it cannot change underneath.</remarks>
public static class Messages<TMachine> where TMachine : struct, IMachine
{
    /// <summary>Bytes of the message in an IPC page, or 0 when its length is none a message may have.</summary>
    public static ulong BytesOf(ulong ipcPage)
    {
        uint length = TMachine.At<MessageHeader>(ipcPage).Length;
        return length <= MessageHeader.MaxBodyBytes ? MessageHeader.Bytes + (ulong)length : 0;
    }

    /// <summary>
    /// Whether the message in an IPC page claims to be one that only SK sends. XnuProxy takes such a message for Linux's or SK's own word,
    /// so a component that could send it would act as Linux, or reset everybody's sessions (I15).
    /// </summary>
    public static bool IsKernelLabel(ulong ipcPage) =>
        TMachine.At<MessageHeader>(ipcPage).Label is > MessageLabel.None and <= MessageLabel.MemoryReturned;

    /// <summary>Gives a server that waits, or asks for, its next message. False: there is none.</summary>
    public static bool TryDeliver(ref KernelState kernel, ref Component server)
    {
        if (kernel.ResetPending && server.IsProxy)
        {
            kernel.ResetPending = false;
            WriteHeader(server.IpcPage, MessageLabel.WorldReset, 0, Status.Ok);
            server.Serving = ServingKind.Notice;
            return true;
        }

        if (kernel.MemoryNotice && server.IsProxy)
        {
            kernel.MemoryNotice = false;
            WriteHeader(server.IpcPage, MessageLabel.MemoryReturned, 0, Status.Ok);
            server.Serving = ServingKind.Notice;
            return true;
        }

        ushort node = EndpointQueue.Take(ref kernel, ref server);
        if (node == 0)
        {
            return false;
        }

        int index = EndpointQueue.IndexOf(node);
        if (EndpointQueue.IsThread(node))
        {
            DeliverCall(ref kernel, ref server, ref kernel.Components[index]);
        }
        else
        {
            DeliverDowncall(ref kernel, ref server, index);
        }

        return true;
    }

    /// <summary>Wakes XnuProxy for a notice of SK, if it waits.</summary>
    public static void Notify(ref KernelState kernel)
    {
        ref Component proxy = ref kernel.Components[kernel.Proxy];
        if (proxy.Thread == ThreadState.Receiving && TryDeliver(ref kernel, ref proxy))
        {
            Wake(ref proxy, Status.Ok);
        }
    }

    /// <summary>Brings a downcall to a server: into its hands when it waits, else into its queue.</summary>
    public static void Send(ref KernelState kernel, ref Component server, int index, DowncallMessage message)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = message;
        call.At = (int)server.Index;
        if (server.Thread == ThreadState.Receiving)
        {
            DeliverDowncall(ref kernel, ref server, index);
            Wake(ref server, Status.Ok);
            return;
        }

        call.Phase = DowncallPhase.Queued;
        EndpointQueue.Add(ref kernel, ref server, EndpointQueue.OfDowncall(index));
    }

    /// <summary>As <see cref="Send"/>, with the message in <paramref name="from"/>, copied once on its way.</summary>
    public static void SendCopy(ref KernelState kernel, ref Component server, int index, DowncallMessage message, ulong from, ulong bytes)
    {
        bool waits = server.Thread == ThreadState.Receiving;
        TMachine.Copy(waits ? server.IpcPage : MessagePage(ref kernel, index), from, bytes);
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = message;
        call.At = (int)server.Index;
        if (waits)
        {
            Stamp(ref server, ref call, index);
            Wake(ref server, Status.Ok);
            return;
        }

        call.Phase = DowncallPhase.Queued;
        EndpointQueue.Add(ref kernel, ref server, EndpointQueue.OfDowncall(index));
    }

    /// <summary>A service's answer, or word of its end, goes to XnuProxy.</summary>
    public static void Complete(ref KernelState kernel, int index, ulong from, Status status)
    {
        ref Component proxy = ref kernel.Components[kernel.Proxy];
        ulong bytes = from == 0 ? 0 : BytesOf(from);
        if (bytes == 0)
        {
            WriteHeader(kernel.Scratch, MessageLabel.Completion, 0, from == 0 ? status : Status.BadArgument);
            from = kernel.Scratch;
            bytes = MessageHeader.Bytes;
        }

        ref Downcall call = ref kernel.Downcalls[index];
        if (call.IsInUpcall)
        {
            TMachine.Copy(MessagePage(ref kernel, index), from, bytes);
            call.Late = true;
            return;
        }

        SendCopy(ref kernel, ref proxy, index, DowncallMessage.Completion, from, bytes);
    }

    /// <summary>XnuProxy has dealt with the return of an upcall: its answer goes to who asked, and the downcall's own, if it came meanwhile, to XnuProxy.</summary>
    public static void EndUpcall(ref KernelState kernel, int index, ulong from)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        call.Message = DowncallMessage.None;
        call.Phase = DowncallPhase.Held;
        call.At = call.Holder;
        if (call.Upcaller >= 0)
        {
            Answer(ref kernel.Components[call.Upcaller], from, Status.Ok);
        }

        if (call.Late)
        {
            call.Late = false;
            Send(ref kernel, ref kernel.Components[kernel.Proxy], index, DowncallMessage.Completion);
        }
    }

    /// <summary>A thread calls a server that is alive; it waits from here on.</summary>
    public static void Call(ref KernelState kernel, ref Component caller, ref Component server, ulong badge)
    {
        caller.Thread = ThreadState.Waiting;
        caller.WaitingFor = (int)server.Index;
        caller.CallBadge = badge;
        if (server.Thread == ThreadState.Receiving)
        {
            DeliverCall(ref kernel, ref server, ref caller);
            Wake(ref server, Status.Ok);
            return;
        }

        EndpointQueue.Add(ref kernel, ref server, EndpointQueue.OfThread((int)caller.Index));
    }

    /// <summary>Ends a thread's wait. <paramref name="from"/> = 0: there is only a status.</summary>
    public static void Answer(ref Component caller, ulong from, Status status)
    {
        ulong bytes = from == 0 ? 0 : BytesOf(from);
        if (bytes == 0)
        {
            Status reason = from == 0 ? status : Status.BadArgument;
            WriteHeader(caller.IpcPage, MessageLabel.Reply, 0, reason);
            Wake(ref caller, reason);
            return;
        }

        TMachine.Copy(caller.IpcPage, from, bytes);
        ref MessageHeader header = ref TMachine.At<MessageHeader>(caller.IpcPage);
        header.Badge = 0;
        header.Downcall = 0;
        Wake(ref caller, Status.Ok);
    }

    /// <summary>The downcall on whose behalf a component works, through the threads that call it; -1 = none.</summary>
    public static int DowncallOf(ref KernelState kernel, ref Component worker)
    {
        int at = (int)worker.Index;
        for (int depth = 0; depth < Limits.Components; depth++)
        {
            ref Component component = ref kernel.Components[at];
            switch (component.Serving)
            {
                case ServingKind.Downcall:
                    return component.ServingIndex;
                case ServingKind.Thread:
                    at = component.ServingIndex;
                    break;
                default:
                    return -1;
            }
        }

        return -1;
    }

    private static void DeliverDowncall(ref KernelState kernel, ref Component server, int index)
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
            ulong page = MessagePage(ref kernel, index);
            TMachine.Copy(server.IpcPage, page, BytesOf(page));
        }

        Stamp(ref server, ref call, index);
    }

    /// <summary>What a server learns from SK alone, and the duty to answer.</summary>
    private static void Stamp(ref Component server, ref Downcall call, int index)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(server.IpcPage);
        bool forwarded = call.Message == DowncallMessage.Forwarded;
        header.Badge = forwarded ? call.Badge : 0;
        header.Downcall = server.IsProxy ? call.Id(index) : 0;
        if (call.Message == DowncallMessage.Completion)
        {
            header.Label = MessageLabel.Completion;
        }

        if (call.Message == DowncallMessage.UpcallReturn && call.Upcaller == Downcall.ProxyItself)
        {
            call.Message = DowncallMessage.None;
        }

        server.Serving = call.Message == DowncallMessage.UpcallReturn ? ServingKind.UpcallReturn : ServingKind.Downcall;
        server.ServingIndex = index;
        call.Phase = DowncallPhase.Held;
    }

    private static void DeliverCall(ref KernelState kernel, ref Component server, ref Component caller)
    {
        TMachine.Copy(server.IpcPage, caller.IpcPage, BytesOf(caller.IpcPage));
        ref MessageHeader header = ref TMachine.At<MessageHeader>(server.IpcPage);
        header.Badge = caller.CallBadge;
        int call = server.IsProxy ? DowncallOf(ref kernel, ref caller) : -1;
        header.Downcall = call < 0 ? 0 : kernel.Downcalls[call].Id(call);
        server.Serving = ServingKind.Thread;
        server.ServingIndex = (int)caller.Index;
    }

    private static void Wake(ref Component component, Status status)
    {
        component.Thread = ThreadState.Ready;
        component.UpcallOf = 0;
        component.Context.X[0] = (ulong)status;
    }

    private static void WriteHeader(ulong page, MessageLabel label, uint length, Status status)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(page);
        header = default;
        header.Label = label;
        header.Length = length;
        header.Status = status;
    }

    private static ulong MessagePage(ref KernelState kernel, int index) => kernel.MessagePages + ((ulong)index * Limits.PageBytes);
}
