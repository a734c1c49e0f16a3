using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Who holds what from the start: the image's table, and nothing else (I15).</summary>
public static class Distribution<TMachine> where TMachine : struct, IMachine
{
    /// <summary>A component's own endpoint, to receive.</summary>
    public static Status Declare(ref Component component) =>
        component.Capabilities.Insert<TMachine>(
            ComponentEntry.OwnEndpointSlot,
            Capability.Create(CapabilityKind.Endpoint, CapabilityRights.Receive, component.Endpoint, Endpoint.SizeLog2, original: true, declared: true),
            0);

    /// <summary>What the image's table grants to a component: for every life of it.</summary>
    public static Status Grant(ref KernelState kernel, ref Component component)
    {
        ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(component.Entry);
        Status status = Status.Ok;
        for (int i = 0; i < (int)entry.GrantCount && status == Status.Ok; i++)
        {
            status = GrantOne(ref kernel, ref component, ref entry.Grants[i]);
        }

        for (uint i = 0; i < kernel.ServiceCount && status == Status.Ok; i++)
        {
            status = GrantForService(ref kernel, ref component, ref ServiceAt(ref kernel, i));
        }

        return status;
    }

    /// <summary>Revokes a chunk of what a dead component held and gave. In the end nothing is left but what boot made.</summary>
    public static void TakeBack(ref KernelState kernel, ref Component component)
    {
        int budget = (int)Limits.ChunkCapabilities;
        for (; component.ScrubSlot < component.Capabilities.Slots; component.ScrubSlot++)
        {
            ulong slot = component.Capabilities.Find<TMachine>(component.ScrubSlot);
            ref CapabilitySlot held = ref TMachine.At<CapabilitySlot>(slot);
            if (held.IsEmpty)
            {
                continue;
            }

            bool done = held.Capability.IsDeclared
                ? Derivation<TMachine>.TryRevoke(ref kernel, slot, ref budget)
                : Derivation<TMachine>.TryDelete(ref kernel, slot, ref budget);
            if (!done)
            {
                return;
            }
        }
    }

    public static ref ServiceEntry ServiceAt(ref KernelState kernel, uint index) =>
        ref TMachine.At<ServiceEntry>(kernel.Services + (index * (ulong)Unsafe.SizeOf<ServiceEntry>()));

    /// <summary>XnuProxy calls every service, and whoever serves Linux may ask Linux: XnuProxy decides what.</summary>
    private static Status GrantForService(ref KernelState kernel, ref Component component, ref ServiceEntry service)
    {
        bool serves = service.Component == component.Index;
        if (!component.IsProxy && !serves)
        {
            return Status.Ok;
        }

        Status status = serves
            ? Derive(ref kernel, ref component, ComponentEntry.UpcallSlot, kernel.Proxy, component.Index + 1)
            : Derive(ref kernel, ref component, service.ProxySlot, (int)service.Component, ComponentEntry.ProxyBadge);

        // A component with several services has the slot already, and XnuProxy that of a component with several.
        return status == Status.BadState ? Status.Ok : status;
    }

    private static Status GrantOne(ref KernelState kernel, ref Component component, ref GrantEntry grant)
    {
        switch (grant.Kind)
        {
            case GrantKind.Endpoint when grant.Argument < (ulong)kernel.ComponentCount:
                return Derive(ref kernel, ref component, grant.Slot, (int)grant.Argument, grant.Badge);
            case GrantKind.Device when (grant.Argument & (Limits.PageBytes - 1)) == 0 && !kernel.IsRam(grant.Argument, Limits.PageBytes):
                return Insert(ref component, grant.Slot, CapabilityKind.Device, CapabilityRights.Map, grant.Argument);
            case GrantKind.Untyped or GrantKind.UntypedRest:
                // Boot divides memory before it hands out the rest.
                return Status.Ok;
            case GrantKind.Interrupt when grant.Argument is >= Interrupts.First and < Interrupts.End:
                return Insert(ref component, grant.Slot, CapabilityKind.Interrupt, CapabilityRights.Use, grant.Argument * Capability.ObjectBytes);
            case GrantKind.DmaAddress:
                return Insert(ref component, grant.Slot, CapabilityKind.DmaAddress, CapabilityRights.Use, 0);
            case GrantKind.Downcall when component.IsProxy:
                return Insert(ref component, grant.Slot, CapabilityKind.Downcall, CapabilityRights.Use, 0);
            case GrantKind.Kit when ((grant.Argument | grant.Badge) & (Limits.PageBytes - 1)) == 0 && grant.Badge != 0:
                return component.Capabilities.Insert<TMachine>(grant.Slot, Capability.Create(CapabilityKind.Kit, CapabilityRights.Use, grant.Argument, declared: true), grant.Badge);
            case GrantKind.Counters:
                return Insert(ref component, grant.Slot, CapabilityKind.Counters, CapabilityRights.Use, 0);
            default:
                return Status.BadArgument;
        }
    }

    private static Status Insert(ref Component component, uint slot, CapabilityKind kind, CapabilityRights rights, ulong target) =>
        component.Capabilities.Insert<TMachine>(slot, Capability.Create(kind, rights, target, declared: true), 0);

    /// <summary>The right to call another component.</summary>
    private static Status Derive(ref KernelState kernel, ref Component component, uint index, int server, ulong badge)
    {
        Status status = component.Capabilities.FindEmpty<TMachine>(index, out ulong slot);
        if (status != Status.Ok)
        {
            return status;
        }

        // The server itself cannot pass this right on: it has none to call itself.
        ulong own = kernel.Components[server].Capabilities.Find<TMachine>(ComponentEntry.OwnEndpointSlot);
        Capability send = Capability.Create(
            CapabilityKind.Endpoint, CapabilityRights.Send, kernel.Components[server].Endpoint, Endpoint.SizeLog2, original: false, depth: 1, declared: true);
        Derivation<TMachine>.Link(own, slot, send, badge);
        return Status.Ok;
    }
}
