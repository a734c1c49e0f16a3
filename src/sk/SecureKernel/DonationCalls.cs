using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What XnuProxy asks about memory that Linux allocated for components.</summary>
public static class DonationCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = PA, x1 = pages, x2 = component index.</summary>
    public static Status Donate(ref KernelState kernel, ref Thread caller, out ulong done)
    {
        done = 0;
        ref UserContext context = ref caller.Context;
        return kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall)
            ? Donations<TMachine>.Give(ref kernel, context.X[0], context.X[1], context.X[2], out done)
            : Status.BadCapability;
    }

    /// <summary>x0 = component index, or everybody. False in <paramref name="complete"/>: call again.</summary>
    public static Status Return(ref KernelState kernel, ref Thread caller, out bool complete)
    {
        complete = true;
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall))
        {
            return Status.BadCapability;
        }

        ulong whose = caller.Context.X[0];
        if (whose != SecureCallArguments.Everybody && whose >= (ulong)kernel.ComponentCount)
        {
            return Status.BadArgument;
        }

        if (whose == SecureCallArguments.Everybody)
        {
            complete = Donations<TMachine>.TryReturnAll(ref kernel);
        }
        else
        {
            Donations<TMachine>.ReturnUnused(ref kernel, ref kernel.Components[(int)whose]);
        }

        if ((kernel.Pending & PendingWork.Return) != 0)
        {
            Donations<TMachine>.ReturnChunk(ref kernel);
        }

        complete &= (kernel.Pending & PendingWork.Return) == 0;
        return Status.Ok;
    }

    /// <summary>Component index in x1, pages in x2.</summary>
    public static Status TakeWish(ref KernelState kernel, ref Thread caller)
    {
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall))
        {
            return Status.BadCapability;
        }

        caller.Context.X[2] = Donations<TMachine>.TakeWish(ref kernel, out int component);
        caller.Context.X[1] = (ulong)component;
        return caller.Context.X[2] == 0 ? Status.NotFound : Status.Ok;
    }

    /// <summary>PA in x1.</summary>
    public static Status Collect(ref KernelState kernel, ref Thread caller)
    {
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall))
        {
            return Status.BadCapability;
        }

        ulong address = Donations<TMachine>.Collect(ref kernel);
        caller.Context.X[1] = address;
        return address == 0 ? Status.NotFound : Status.Ok;
    }
}
