using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Bits that one thread sets and another waits for.</summary>
public static class NotificationCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = notification: the bits of the capability's badge are set, and one thread that waits has them.</summary>
    public static Status Signal(ref KernelState kernel, ref Thread caller)
    {
        Status status = Find(ref kernel, ref caller, CapabilityRights.Send, out ulong slot, out ulong target);
        if (status != Status.Ok)
        {
            return status;
        }

        Raise(ref kernel, target, TMachine.At<CapabilitySlot>(slot).Badge);
        return Status.Ok;
    }

    public static void Raise(ref KernelState kernel, ulong target, ulong bits)
    {
        ref Notification notification = ref TMachine.At<Notification>(target);
        notification.Word |= bits;
        ulong waiter = notification.Waiters;
        if (waiter != 0 && notification.Word != 0)
        {
            ref Thread thread = ref TMachine.At<Thread>(waiter);
            notification.Waiters = thread.Next;
            thread.Context.X[1] = notification.Word;
            notification.Word = 0;
            Messages<TMachine>.Wake(ref thread, Status.Ok);
            Background<TMachine>.Note(ref kernel, in thread);
        }
    }

    /// <summary>x0 = notification: its bits, in x1, as soon as there are any. </summary>
    public static Step Wait(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        Status status = Find(ref kernel, ref caller, CapabilityRights.Receive, out _, out ulong target);
        if (status != Status.Ok)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, status);
        }

        ref Notification notification = ref TMachine.At<Notification>(target);
        if (notification.Word != 0)
        {
            Take(ref caller, ref notification);
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Ok);
        }

        caller.State = ThreadState.Listening;
        caller.Target = target;
        caller.Next = notification.Waiters;
        notification.Waiters = caller.Address;
        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>x0 = notification: its bits, in x1, or <see cref="Status.Busy"/>.</summary>
    public static Status Poll(ref KernelState kernel, ref Thread caller)
    {
        Status status = Find(ref kernel, ref caller, CapabilityRights.Receive, out _, out ulong target);
        if (status != Status.Ok)
        {
            return status;
        }

        ref Notification notification = ref TMachine.At<Notification>(target);
        status = notification.Word != 0 ? Status.Ok : Status.Busy;
        Take(ref caller, ref notification);
        return status;
    }

    private static void Take(ref Thread caller, ref Notification notification)
    {
        caller.Context.X[1] = notification.Word;
        notification.Word = 0;
    }

    private static Status Find(ref KernelState kernel, ref Thread caller, CapabilityRights rights, out ulong slot, out ulong target)
    {
        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Notification, rights, out slot, out Capability capability);
        target = capability.Object;
        return status;
    }
}
