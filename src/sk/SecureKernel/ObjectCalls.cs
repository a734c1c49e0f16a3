using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What a component may do with its capabilities: objects out of untyped memory, derivations, and taking both back.</summary>
/// <remarks>Slots are named as <see cref="CapabilityTable"/> says. What boot made stays: only what was derived from it can be taken back.</remarks>
public static class ObjectCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = untyped, x1 = <see cref="ObjectKind"/>, x2 = log2 of the bytes (untyped memory alone), x3 = first slot, x4 = how many. Moves x3 and x4 on.</summary>
    public static Status Retype(ref KernelState kernel, ref Thread caller, out bool complete)
    {
        complete = true;
        ref Component owner = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        if (!TryGetShape((ObjectKind)context.X[1], context.X[2], out CapabilityKind kind, out int sizeLog2))
        {
            return Status.BadArgument;
        }

        for (int i = 0; i < Limits.ChunkPages && context.X[4] != 0; i++)
        {
            Status status = owner.Capabilities.Decode<TMachine>(context.X[0], CapabilityKind.Untyped, CapabilityRights.Use, out ulong memory, out Capability untyped);
            if (status == Status.Ok)
            {
                status = FindTarget(in owner, context.X[3], kind, out ulong slot);
                status = status == Status.Ok ? MakeOne(caller.Component, memory, untyped, slot, kind, sizeLog2) : status;
            }

            if (status != Status.Ok)
            {
                return status;
            }

            context.X[3]++;
            context.X[4]--;
        }

        complete = context.X[4] == 0;
        return Status.Ok;
    }

    /// <summary>x0 = slot to fill, x1 = capability, x2 = rights that it keeps, x3 = badge (0: that of x1).</summary>
    public static Status Derive(ref KernelState kernel, ref Thread caller)
    {
        ref Component owner = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        ulong source = owner.Capabilities.Find<TMachine>(context.X[1]);
        if (source == 0)
        {
            return Status.BadCapability;
        }

        Status status = owner.Capabilities.FindEmpty<TMachine>(context.X[0], out ulong slot);
        return status == Status.Ok ? DeriveTo(source, slot, (CapabilityRights)context.X[2] & CapabilityRights.All, context.X[3]) : status;
    }

    /// <summary>Also what goes along with a message. Frames come unmapped.</summary>
    public static Status DeriveTo(ulong source, ulong slot, CapabilityRights rights, ulong badge)
    {
        ref CapabilitySlot parent = ref TMachine.At<CapabilitySlot>(source);
        Capability capability = parent.Capability;
        bool badged = capability.Kind is CapabilityKind.Endpoint or CapabilityKind.Notification;
        if (capability.Kind == CapabilityKind.None)
        {
            return Status.BadCapability;
        }

        if ((!badged && capability.Kind != CapabilityKind.Frame) || (badge != 0 && (!badged || parent.Badge != 0)))
        {
            return Status.Denied;
        }

        if (!capability.IsOpen)
        {
            return Status.Revoked;
        }

        if (capability.Depth == Capability.MaxDepth)
        {
            return Status.BadState;
        }

        Derivation<TMachine>.Link(source, slot, capability.Derive(rights), badged ? parent.Badge | badge : 0);
        return Status.Ok;
    }

    /// <summary>x0 = slot to fill, x1 = capability.</summary>
    public static Status Move(ref KernelState kernel, ref Thread caller)
    {
        ref Component owner = ref kernel.Components[caller.Component];
        ulong source = owner.Capabilities.Find<TMachine>(caller.Context.X[1]);
        if (source == 0 || TMachine.At<CapabilitySlot>(source).IsEmpty)
        {
            return Status.BadCapability;
        }

        Capability capability = TMachine.At<CapabilitySlot>(source).Capability;
        if (capability.IsDeclared)
        {
            return Status.Denied;
        }

        Status status = FindTarget(in owner, caller.Context.X[0], capability.Kind, out ulong slot);
        if (status == Status.Ok)
        {
            Derivation<TMachine>.Move(ref kernel, source, slot);
        }

        return status;
    }

    /// <summary>x0 = capability: what was derived from it is gone when this is complete.</summary>
    public static Status Revoke(ref KernelState kernel, ref Thread caller, out bool complete)
    {
        complete = true;
        ulong slot = kernel.Components[caller.Component].Capabilities.Find<TMachine>(caller.Context.X[0]);
        if (slot == 0 || TMachine.At<CapabilitySlot>(slot).IsEmpty)
        {
            return Status.BadCapability;
        }

        int budget = (int)Limits.ChunkCapabilities;
        complete = Derivation<TMachine>.TryRevoke(ref kernel, slot, ref budget);
        return Status.Ok;
    }

    /// <summary>x0 = capability: it goes, with all that was derived from it.</summary>
    public static Status Delete(ref KernelState kernel, ref Thread caller, out bool complete)
    {
        complete = true;
        ulong slot = kernel.Components[caller.Component].Capabilities.Find<TMachine>(caller.Context.X[0]);
        if (slot == 0 || TMachine.At<CapabilitySlot>(slot).IsEmpty)
        {
            return Status.BadCapability;
        }

        if (TMachine.At<CapabilitySlot>(slot).Capability.IsDeclared)
        {
            return Status.Denied;
        }

        int budget = (int)Limits.ChunkCapabilities;
        complete = Derivation<TMachine>.TryDelete(ref kernel, slot, ref budget);
        return Status.Ok;
    }

    /// <summary>An empty slot that may hold such a capability.</summary>
    private static Status FindTarget(in Component owner, ulong name, CapabilityKind kind, out ulong slot)
    {
        Status status = owner.Capabilities.FindEmpty<TMachine>(name, out slot);
        bool own = name < owner.Capabilities.Slots;
        return status == Status.Ok && !own && kind is CapabilityKind.Untyped or CapabilityKind.Table ? Status.BadArgument : status;
    }

    private static bool TryGetShape(ObjectKind asked, ulong size, out CapabilityKind kind, out int sizeLog2)
    {
        const int PageLog2 = 12;
        const ulong MaxUntypedLog2 = 40;
        sizeLog2 = PageLog2;
        switch (asked)
        {
            case ObjectKind.Untyped when size is >= PageLog2 and <= MaxUntypedLog2:
                kind = CapabilityKind.Untyped;
                sizeLog2 = (int)size;
                return true;
            case ObjectKind.Frame when size == 0:
                kind = CapabilityKind.Frame;
                return true;
            case ObjectKind.CapabilityTable when size == 0:
                kind = CapabilityKind.Table;
                return true;
            case ObjectKind.Endpoint when size == 0:
                kind = CapabilityKind.Endpoint;
                sizeLog2 = Endpoint.SizeLog2;
                return true;
            case ObjectKind.Notification when size == 0:
                kind = CapabilityKind.Notification;
                sizeLog2 = Notification.SizeLog2;
                return true;
            case ObjectKind.Reply when size == 0:
                kind = CapabilityKind.Reply;
                sizeLog2 = Reply.SizeLog2;
                return true;
            default:
                kind = CapabilityKind.None;
                return false;
        }
    }

    /// <summary>The next piece of untyped memory, which is zero, is an object.</summary>
    private static Status MakeOne(int owner, ulong memory, Capability untyped, ulong slot, CapabilityKind kind, int sizeLog2)
    {
        if (!untyped.IsOpen)
        {
            return Status.Revoked;
        }

        ref CapabilitySlot parent = ref TMachine.At<CapabilitySlot>(memory);
        ulong bytes = 1ul << sizeLog2;
        ulong start = (untyped.Object + parent.Badge + bytes - 1) & ~(bytes - 1);
        ulong end = untyped.Object + (1ul << untyped.SizeLog2);
        if (start >= end || end - start < bytes || untyped.Depth == Capability.MaxDepth)
        {
            return Status.NoMemory;
        }

        CapabilityRights rights = kind switch
        {
            CapabilityKind.Frame => CapabilityRights.Map | CapabilityRights.Write,
            CapabilityKind.Endpoint => CapabilityRights.Send | CapabilityRights.Receive | CapabilityRights.Grant,
            CapabilityKind.Notification => CapabilityRights.Send | CapabilityRights.Receive,
            _ => CapabilityRights.Use,
        };
        switch (kind)
        {
            case CapabilityKind.Endpoint:
                TMachine.At<Endpoint>(start) = new Endpoint { Owner = owner };
                break;
            case CapabilityKind.Notification:
                TMachine.At<Notification>(start) = new Notification { Owner = owner };
                break;
            case CapabilityKind.Reply:
                TMachine.At<Reply>(start) = new Reply { Owner = owner };
                break;
            default:
                break;
        }

        parent.Badge = start + bytes - untyped.Object;
        Derivation<TMachine>.Link(memory, slot, Capability.Create(kind, rights, start, sizeLog2, original: true, untyped.Depth + 1), 0);
        return Status.Ok;
    }
}
