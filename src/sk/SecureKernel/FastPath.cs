using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>The way of a call when all is calm: a short message, somebody who waits for it, nobody else in the queue.</summary>
/// <remarks>
/// Each of these does exactly what the slow path would do, or nothing at all (the tests compare). It is short because the thread that has to run next
/// is known: the one that the message goes to, on the time of the downcall for which the sender ran. Interrupts are not looked for: EL0, where they
/// are open, is never more than one of these away.
/// </remarks>
public static class FastPath<TMachine> where TMachine : struct, IMachine
{
    /// <summary>A thread came back from EL0. <see cref="Step.None"/>: the slow path has to decide, and nothing has changed but that the thread was here.</summary>
    public static Step Returned(ref KernelState kernel, ref Cpu cpu, ref Thread caller, Trap trap)
    {
        ref Component component = ref kernel.Components[caller.Component];
        caller.Passed = component.Barriers;
        if (trap != Trap.Synchronous || !Exceptions<TMachine>.IsSystemCall(caller.Context.Syndrome)
            || kernel.Pending != PendingWork.None || component.Doomed || component.Ending || caller.Kicked || !cpu.Own)
        {
            return Step.None;
        }

        Step step = (SecureCall)caller.Context.X[8] switch
        {
            SecureCall.ForwardReceive => ForwardReceive(ref kernel, ref cpu, ref component, ref caller),
            SecureCall.ReplyReceive when caller.Context.X[0] == 0 => ReplyReceive(ref kernel, ref cpu, ref component, ref caller),
            SecureCall.FinishReceive => FinishReceive(ref kernel, ref cpu, ref component, ref caller),
            SecureCall.Call => Call(ref kernel, ref cpu, ref component, ref caller),
            _ => Step.None,
        };
        if (step != Step.None)
        {
            kernel.Counters[(int)SkCounter.SystemCalls]++;
        }

        return step;
    }

    /// <summary>Linux's call goes to XnuProxy, which waits for it.</summary>
    public static Step Begin(ref KernelState kernel, ref Cpu cpu, ref Downcall call, int index)
    {
        ref Endpoint endpoint = ref TMachine.At<Endpoint>(kernel.Components[kernel.Proxy].Endpoint);
        ulong receiver = endpoint.Receivers;
        if (receiver == 0 || kernel.Pending != PendingWork.None)
        {
            return Step.None;
        }

        ref Thread proxy = ref TMachine.At<Thread>(receiver);
        endpoint.Receivers = proxy.Next;
        call.Message = DowncallMessage.New;
        ref MessageHeader header = ref TMachine.At<MessageHeader>(proxy.IpcPage);
        header.Label = MessageLabel.Downcall;
        header.Length = 0;
        header.Badge = 0;
        header.Downcall = call.Id(index);
        header.Status = Status.Ok;
        header.Capability = 0;
        header.Word0 = call.X0;
        header.Word1 = call.X1;
        header.Word2 = call.X2;
        header.Word3 = call.X3;
        cpu.Own = true;
        return Serve(ref cpu, ref proxy, ref call, index);
    }

    /// <summary>XnuProxy hands the downcall to a service.</summary>
    private static Step ForwardReceive(ref KernelState kernel, ref Cpu cpu, ref Component component, ref Thread caller)
    {
        MessageShape shape = Messages<TMachine>.Read(caller.IpcPage);
        int index = cpu.Downcall - 1;
        ref Endpoint own = ref TMachine.At<Endpoint>(component.Endpoint);
        if (!component.IsProxy || shape.Length > Limits.ShortMessage || !Serves(ref caller, index) || own.Head != 0
            || component.Capabilities.Decode<TMachine>(caller.Context.X[0], CapabilityKind.Endpoint, CapabilityRights.Send, out ulong slot, out Capability capability) != Status.Ok)
        {
            return Step.None;
        }

        ref Endpoint target = ref TMachine.At<Endpoint>(capability.Object);
        ulong receiver = target.Receivers;
        ulong generation = caller.Context.X[2];
        if (receiver == 0 || (generation != 0 && generation != kernel.Components[target.Owner].Generation))
        {
            return Step.None;
        }

        if (caller.Context.X[3] != 0
            && Lending<TMachine>.TryAttach(ref kernel, index, caller.IpcPage, in kernel.Components[target.Owner]) != Status.Ok)
        {
            return Step.None;
        }

        ref Thread server = ref TMachine.At<Thread>(receiver);
        target.Receivers = server.Next;
        ref Downcall call = ref kernel.Downcalls[index];
        call.RpcArgument = caller.Context.X[1];
        call.Badge = TMachine.At<CapabilitySlot>(slot).Badge;
        call.Message = DowncallMessage.Forwarded;
        Messages<TMachine>.Copy(server.IpcPage, caller.IpcPage, in shape);
        Stamp(ref server, call.Badge, 0);
        Lending<TMachine>.Show(ref kernel, ref call, ref server);
        Receive(ref own, component.Endpoint, ref caller);
        return Serve(ref cpu, ref server, ref call, index);
    }

    /// <summary>A server answers the downcall, or the thread, that it works for.</summary>
    private static Step ReplyReceive(ref KernelState kernel, ref Cpu cpu, ref Component component, ref Thread server)
    {
        MessageShape shape = Messages<TMachine>.Read(server.IpcPage);
        ref Endpoint own = ref TMachine.At<Endpoint>(component.Endpoint);
        if (shape.Length > Limits.ShortMessage || own.Head != 0 || component.IsProxy)
        {
            return Step.None;
        }

        if (server.Serving.Kind == ServingKind.Thread)
        {
            ref Thread caller = ref TMachine.At<Thread>(server.Serving.Whom);
            Messages<TMachine>.Copy(caller.IpcPage, server.IpcPage, in shape);
            Stamp(ref caller, 0, 0);
            Receive(ref own, component.Endpoint, ref server);
            caller.Context.X[0] = (ulong)Status.Ok;
            return Dispatcher<TMachine>.Switch(ref cpu, ref caller);
        }

        int index = cpu.Downcall - 1;
        ref Endpoint proxys = ref TMachine.At<Endpoint>(kernel.Components[kernel.Proxy].Endpoint);
        ulong receiver = proxys.Receivers;
        ref Downcall call = ref kernel.Downcalls[index];
        if (receiver == 0 || !Serves(ref server, index) || call.IsInUpcall)
        {
            return Step.None;
        }

        ref Thread proxy = ref TMachine.At<Thread>(receiver);
        proxys.Receivers = proxy.Next;
        if (call.LentPages != 0)
        {
            Lending<TMachine>.End(ref kernel, index);
        }

        call.Badge = component.Generation;
        call.Message = DowncallMessage.Completion;
        shape.Label = MessageLabel.Completion;
        Messages<TMachine>.Copy(proxy.IpcPage, server.IpcPage, in shape);
        Stamp(ref proxy, call.Badge, call.Id(index));
        Receive(ref own, component.Endpoint, ref server);
        return Serve(ref cpu, ref proxy, ref call, index);
    }

    /// <summary>XnuProxy has Linux's answer.</summary>
    private static Step FinishReceive(ref KernelState kernel, ref Cpu cpu, ref Component component, ref Thread caller)
    {
        int index = cpu.Downcall - 1;
        ref Downcall call = ref kernel.Downcalls[index];
        ref UserContext context = ref caller.Context;
        ref Endpoint own = ref TMachine.At<Endpoint>(component.Endpoint);
        if (!component.IsProxy || !Serves(ref caller, index) || context.X[0] != call.Id(index) || own.Head != 0)
        {
            return Step.None;
        }

        call.X0 = context.X[1];
        call.X1 = context.X[2];
        call.X2 = context.X[3];
        call.X3 = context.X[4];
        Receive(ref own, component.Endpoint, ref caller);
        return Downcalls<TMachine>.Finish(ref kernel, ref cpu);
    }

    /// <summary>A thread calls a server that waits.</summary>
    private static Step Call(ref KernelState kernel, ref Cpu cpu, ref Component component, ref Thread caller)
    {
        MessageShape shape = Messages<TMachine>.Read(caller.IpcPage);
        if (shape.Length > Limits.ShortMessage || shape.IsOfKernel || shape.Capability != 0
            || component.Capabilities.Decode<TMachine>(caller.Context.X[0], CapabilityKind.Endpoint, CapabilityRights.Send, out ulong slot, out Capability capability) != Status.Ok)
        {
            return Step.None;
        }

        ref Endpoint target = ref TMachine.At<Endpoint>(capability.Object);
        ulong receiver = target.Receivers;
        if (receiver == 0 || target.Owner == kernel.Proxy)
        {
            return Step.None;
        }

        ref Thread server = ref TMachine.At<Thread>(receiver);
        target.Receivers = server.Next;
        ulong badge = TMachine.At<CapabilitySlot>(slot).Badge;
        Messages<TMachine>.Copy(server.IpcPage, caller.IpcPage, in shape);
        Stamp(ref server, badge, 0);
        caller.CallBadge = badge;
        caller.CallRights = capability.Rights;
        caller.State = ThreadState.Served;
        caller.Target = receiver;
        server.Serving.Kind = ServingKind.Thread;
        server.Serving.Whom = caller.Address;
        server.Context.X[0] = (ulong)Status.Ok;
        return Dispatcher<TMachine>.Switch(ref cpu, ref server);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Serves(ref Thread server, int index) => server.Serving.Kind == ServingKind.Downcall && server.Serving.Whom == (ulong)index;

    /// <summary>What the receiver learns from SK alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stamp(ref Thread receiver, ulong badge, ulong downcall)
    {
        ref MessageHeader header = ref TMachine.At<MessageHeader>(receiver.IpcPage);
        header.Badge = badge;
        header.Downcall = downcall;
    }

    /// <summary>The caller owes nobody anything and waits for its next message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Receive(ref Endpoint endpoint, ulong address, ref Thread caller)
    {
        caller.Serving = default;
        caller.State = ThreadState.Receiving;
        caller.Target = address;
        caller.Next = endpoint.Receivers;
        endpoint.Receivers = caller.Address;
        caller.Context.X[0] = (ulong)Status.Ok;
    }

    /// <summary>The server has the downcall in its hands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Step Serve(ref Cpu cpu, ref Thread server, ref Downcall call, int index)
    {
        server.Serving.Kind = ServingKind.Downcall;
        server.Serving.Whom = (ulong)index;
        server.Context.X[0] = (ulong)Status.Ok;
        call.Phase = DowncallPhase.Held;
        call.At = server.Address;
        return Dispatcher<TMachine>.Switch(ref cpu, ref server);
    }
}
