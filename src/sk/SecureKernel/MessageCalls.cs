using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Calls, answers, and the wait for both.</summary>
public static class MessageCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>Threads that are looked at before a call is refused as one that waits for itself.</summary>
    private const int MaxLook = 128;

    /// <param name="name">Endpoint slot; 0 = the component's own endpoint.</param>
    public static Step Receive(ref KernelState kernel, ref Cpu cpu, ref Thread caller, ulong name)
    {
        if (caller.Serving.Kind is ServingKind.Downcall or ServingKind.Thread or ServingKind.UpcallReturn)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.BadState);
        }

        ref Component component = ref kernel.Components[caller.Component];
        ulong endpoint = component.Endpoint;
        if (name != 0)
        {
            Status status = component.Capabilities.Decode<TMachine>(name, CapabilityKind.Endpoint, CapabilityRights.Receive, out _, out Capability capability);
            if (status != Status.Ok)
            {
                return SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
            }

            endpoint = capability.Object;
        }

        if (caller.Kicked)
        {
            caller.Kicked = false;
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Kicked);
        }

        caller.Serving = default;
        caller.Context.X[0] = (ulong)Status.Ok;
        ref Endpoint target = ref TMachine.At<Endpoint>(endpoint);
        if (Messages<TMachine>.TryDeliver(ref kernel, ref target, ref caller))
        {
            caller.State = ThreadState.Ready;
        }
        else
        {
            caller.State = ThreadState.Receiving;
            caller.Target = endpoint;
            EndpointQueue<TMachine>.AddReceiver(ref target, caller.Address);
        }

        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>x0 = endpoint slot to receive at; 0 = the own one.</summary>
    public static Step ReplyReceive(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        Status status = Reply(ref kernel, ref caller, ref caller.Serving);
        return status == Status.Ok
            ? Receive(ref kernel, ref cpu, ref caller, caller.Context.X[0])
            : SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
    }

    public static Step ReplyOnly(ref KernelState kernel, ref Cpu cpu, ref Thread caller) =>
        GoOn(ref kernel, ref cpu, ref caller, Reply(ref kernel, ref caller, ref caller.Serving));

    /// <summary>x0 = reply slot: what the caller owes lies there from now on, and it can receive again.</summary>
    public static Status Defer(ref KernelState kernel, ref Thread caller)
    {
        Status status = FindReply(ref kernel, ref caller, out ulong target);
        if (status != Status.Ok)
        {
            return status;
        }

        ref Reply reply = ref TMachine.At<Reply>(target);
        if (reply.Duty.Kind != ServingKind.Nobody)
        {
            return Status.BadState;
        }

        switch (caller.Serving.Kind)
        {
            case ServingKind.Downcall when caller.Component != kernel.Proxy:
                ref Downcall call = ref kernel.Downcalls[(int)caller.Serving.Whom];
                if (call.LentPages != 0)
                {
                    // Its buffers lie in this thread's window, which the next call wants.
                    return Status.BadState;
                }

                call.Phase = DowncallPhase.Deferred;
                call.At = target;
                break;
            case ServingKind.Thread:
                ref Thread waiting = ref TMachine.At<Thread>(caller.Serving.Whom);
                if (waiting.State != ThreadState.Served)
                {
                    return Status.BadState;
                }

                waiting.State = ThreadState.Deferred;
                waiting.Target = target;
                break;
            default:
                return Status.BadState;
        }

        reply.Duty = caller.Serving;
        caller.Serving = default;
        return Status.Ok;
    }

    /// <summary>x0 = reply slot: the IPC page is the answer that was put aside there.</summary>
    public static Step ReplyDeferred(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        Status status = FindReply(ref kernel, ref caller, out ulong target);
        return status == Status.Ok
            ? GoOn(ref kernel, ref cpu, ref caller, Reply(ref kernel, ref caller, ref TMachine.At<Reply>(target).Duty))
            : SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
    }

    /// <summary>x0 = endpoint slot.</summary>
    public static Step Call(ref KernelState kernel, ref Cpu cpu, ref Thread caller, bool mayWait)
    {
        Status status = Judge(ref kernel, ref caller, mayWait, out ulong slot, out Capability capability);
        if (status != Status.Ok)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
        }

        Messages<TMachine>.Call(ref kernel, ref caller, capability.Object, TMachine.At<CapabilitySlot>(slot).Badge, capability.Rights);
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>x0 = endpoint slot: waits until the message is received, and for no answer.</summary>
    public static Step Send(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        Status status = Judge(ref kernel, ref caller, mayWait: true, out ulong slot, out Capability capability);
        if (status == Status.Ok && TMachine.At<Endpoint>(capability.Object).Owner == kernel.Proxy)
        {
            // What it is asked for it does for a thread that waits.
            status = Status.Denied;
        }

        if (status != Status.Ok)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
        }

        caller.OneWay = true;
        Messages<TMachine>.Call(ref kernel, ref caller, capability.Object, TMachine.At<CapabilitySlot>(slot).Badge, capability.Rights);
        if (caller.State == ThreadState.Queued)
        {
            return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
        }

        caller.State = ThreadState.Running;
        return Step.Run;
    }

    /// <summary>Whether the caller may send what lies in its IPC page to whom x0 names.</summary>
    private static Status Judge(ref KernelState kernel, ref Thread caller, bool mayWait, out ulong slot, out Capability capability)
    {
        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Endpoint, CapabilityRights.Send, out slot, out capability);
        if (status != Status.Ok)
        {
            return status;
        }

        MessageShape shape = Messages<TMachine>.Read(caller.IpcPage);
        if (!shape.IsSound || shape.IsOfKernel)
        {
            return Status.BadArgument;
        }

        ref Endpoint endpoint = ref TMachine.At<Endpoint>(capability.Object);
        status = Lifecycle<TMachine>.RefusalOf(ref kernel, in kernel.Components[endpoint.Owner]);
        if (status != Status.Ok)
        {
            return status;
        }

        if (endpoint.Receivers != 0)
        {
            return Status.Ok;
        }

        int look = MaxLook;
        return !mayWait ? Status.Busy : AllWaitFor(ref kernel, endpoint.Owner, caller.Address, ref look) ? Status.Deadlock : Status.Ok;
    }

    private static Step GoOn(ref KernelState kernel, ref Cpu cpu, ref Thread caller, Status status)
    {
        if (status != Status.Ok)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
        }

        caller.Context.X[0] = (ulong)Status.Ok;
        caller.State = ThreadState.Ready;
        Background<TMachine>.Note(ref kernel, in caller);
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    private static Status Reply(ref KernelState kernel, ref Thread server, ref Duty duty)
    {
        ServingKind serving = duty.Kind;
        if (serving == ServingKind.Nobody || (serving == ServingKind.Downcall && server.Component == kernel.Proxy))
        {
            return Status.BadState;
        }

        if (!Messages<TMachine>.Read(server.IpcPage).IsSound)
        {
            return Status.BadArgument;
        }

        ulong whom = duty.Whom;
        duty = default;
        switch (serving)
        {
            case ServingKind.Downcall:
                Messages<TMachine>.Complete(ref kernel, (int)whom, server.Component, server.IpcPage, Status.Ok);
                break;
            case ServingKind.Thread:
                Messages<TMachine>.Answer(ref TMachine.At<Thread>(whom), server.IpcPage, Status.Ok);
                break;
            case ServingKind.UpcallReturn:
                Messages<TMachine>.EndUpcall(ref kernel, (int)whom, server.IpcPage);
                break;
            default:
                break;
        }

        return Status.Ok;
    }

    private static Status FindReply(ref KernelState kernel, ref Thread caller, out ulong target)
    {
        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Reply, CapabilityRights.Use, out _, out Capability capability);
        target = capability.Object;
        return status;
    }

    /// <summary>Whether no thread of a component goes on before a given one does.</summary>
    /// <remarks>One that waits for a sibling goes on after the sibling.</remarks>
    private static bool AllWaitFor(ref KernelState kernel, int owner, ulong caller, ref int look)
    {
        ref Component component = ref kernel.Components[owner];
        if (component.Life != ComponentState.Running)
        {
            return false;
        }

        for (uint i = 0; i < component.ThreadCount; i++)
        {
            if (!WaitsFor(ref kernel, component.Thread(i), caller, ref look))
            {
                return false;
            }
        }

        return true;
    }

    private static bool WaitsFor(ref KernelState kernel, ulong thread, ulong caller, ref int look)
    {
        while (thread != caller && look-- > 0)
        {
            ref Thread at = ref TMachine.At<Thread>(thread);
            switch (at.State)
            {
                case ThreadState.Inactive:
                case ThreadState.Epoch when at.Deadline == 0:
                    return true;
                case ThreadState.Served:
                    thread = at.Target;
                    break;
                case ThreadState.Queued:
                    return AllWaitFor(ref kernel, TMachine.At<Endpoint>(at.Target).Owner, caller, ref look);
                case ThreadState.Deferred:
                    return AllWaitFor(ref kernel, TMachine.At<Reply>(at.Target).Owner, caller, ref look);
                default:
                    return false;
            }
        }

        return true;
    }
}
