using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Which interrupts a device can have: shared peripheral ones (IHI 0069, 2.2).</summary>
public static class Interrupts
{
    public const uint First = 32;
    public const uint End = 1020;
}

/// <summary>What an interrupt signals. Zero: nothing.</summary>
public struct InterruptBinding
{
    /// <summary>GIC INTID; 0 = the entry is free.</summary>
    public ulong Number;

    /// <summary>Name of the notification's slot, looked up at each interrupt; 0 = none.</summary>
    public ulong Notification;
    public int Component;
    public uint Generation;
}

[InlineArray(Limits.Interrupts)]
public struct InterruptTable
{
    private InterruptBinding _first;
}

/// <summary>Interrupts of secure devices. All interrupts are Linux's; the one that it takes for its TEE driver brings it here with time to lend.</summary>
/// <remarks>Linux can be late, or come for nothing. A driver asks its device, and one that cannot wait for Linux polls.</remarks>
public static class InterruptCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = interrupt, x1 = notification (0: none). Status.NoMemory: all of <see cref="Limits.Interrupts"/> are bound.</summary>
    public static Status Bind(ref KernelState kernel, ref Thread caller)
    {
        ref Component owner = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        Status status = owner.Capabilities.Decode<TMachine>(context.X[0], CapabilityKind.Interrupt, CapabilityRights.Use, out _, out Capability interrupt);
        if (status == Status.Ok && context.X[1] != 0)
        {
            status = owner.Capabilities.Decode<TMachine>(context.X[1], CapabilityKind.Notification, CapabilityRights.Send, out _, out _);
        }

        if (status != Status.Ok)
        {
            return status;
        }

        ulong number = interrupt.Object / Capability.ObjectBytes;
        int index = Find(ref kernel, number);
        index = index >= 0 ? index : Find(ref kernel, 0);
        if (index < 0)
        {
            return Status.NoMemory;
        }

        kernel.Interrupts[index] = context.X[1] == 0
            ? default
            : new InterruptBinding { Number = number, Notification = context.X[1], Component = caller.Component, Generation = owner.Generation };
        return Status.Ok;
    }

    /// <summary>Linux has come: each device on its line may have something to say.</summary>
    public static void Raise(ref KernelState kernel)
    {
        for (int i = 0; i < Limits.Interrupts; i++)
        {
            ref InterruptBinding binding = ref kernel.Interrupts[i];
            ref Component owner = ref kernel.Components[binding.Component];
            if (binding.Number == 0 || owner.Life != ComponentState.Running || owner.Generation != binding.Generation
                || owner.Capabilities.Decode<TMachine>(binding.Notification, CapabilityKind.Notification, CapabilityRights.Send, out ulong slot, out Capability notification) != Status.Ok)
            {
                continue;
            }

            kernel.Counters[(int)SkCounter.Interrupts]++;
            NotificationCalls<TMachine>.Raise(ref kernel, notification.Object, TMachine.At<CapabilitySlot>(slot).Badge);
        }
    }

    private static int Find(ref KernelState kernel, ulong number)
    {
        for (int i = 0; i < Limits.Interrupts; i++)
        {
            if (kernel.Interrupts[i].Number == number)
            {
                return i;
            }
        }

        return -1;
    }
}
