using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Frames that capabilities name. A frame capability has its frame mapped at one place at most; it goes with the capability.</summary>
public static class FrameCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = frame, x1 = VA, x2 = R or RW, in the caller's own address space.</summary>
    public static Status Map(ref KernelState kernel, ref Thread caller)
    {
        ref Component owner = ref kernel.Components[caller.Component];
        ulong address = caller.Context.X[1];
        PageAccess access = MemoryCalls<TMachine>.AccessOf(caller.Context.X[2]);
        CapabilityRights rights = access == PageAccess.ReadWrite ? CapabilityRights.Map | CapabilityRights.Write : CapabilityRights.Map;
        Status status = owner.Capabilities.Decode<TMachine>(caller.Context.X[0], CapabilityKind.Frame, rights, out ulong slot, out Capability capability);
        if (status != Status.Ok)
        {
            return status;
        }

        if (access == PageAccess.None || !MemoryCalls<TMachine>.IsOwnRange(address, 1))
        {
            return Status.BadArgument;
        }

        ref CapabilitySlot frame = ref TMachine.At<CapabilitySlot>(slot);
        if (frame.Badge != 0)
        {
            return Status.BadState;
        }

        status = owner.Space.Map<TMachine>(ref owner.Memory, address, PageEntry.Create(capability.Object, access, PageSource.Frame));
        if (status == Status.Ok)
        {
            frame.Badge = FrameMapping.Create(caller.Component, address).Value;
        }

        return status;
    }

    /// <summary>x0 = frame.</summary>
    public static Status Unmap(ref KernelState kernel, ref Thread caller)
    {
        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Frame, CapabilityRights.Map, out ulong slot, out _);
        if (status == Status.Ok)
        {
            Unmap(ref kernel, ref TMachine.At<CapabilitySlot>(slot));
        }

        return status;
    }

    /// <summary>Whoever has it mapped, if anybody, has it no longer.</summary>
    public static void Unmap(ref KernelState kernel, ref CapabilitySlot frame)
    {
        FrameMapping mapping = new(frame.Badge);
        frame.Badge = 0;
        if (mapping.IsNone)
        {
            return;
        }

        ref Component holder = ref kernel.Components[mapping.Component];
        if (holder.Space.Root != 0)
        {
            holder.Space.Unmap<TMachine>(ref holder.Memory, mapping.Address);
        }
    }
}
