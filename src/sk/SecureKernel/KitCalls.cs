using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>ExclaveKit's text: pages of the verified image, minted where they lie. Nobody can write them, before or after, SK included: for stage 2 they are text and constants.</summary>
public static class KitCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = kit: .NET components can start from now on, with these pages. Once more is success; other pages are refused.</summary>
    public static Status Mint(ref KernelState kernel, ref Thread caller)
    {
        Status status = kernel.Components[caller.Component].Capabilities.Decode<TMachine>(
            caller.Context.X[0], CapabilityKind.Kit, CapabilityRights.Use, out ulong slot, out Capability kit);
        if (status != Status.Ok)
        {
            return status;
        }

        if (kernel.KitBytes != 0 && kernel.KitBase != kit.Object)
        {
            return Status.BadState;
        }

        kernel.KitBase = kit.Object;
        kernel.KitBytes = TMachine.At<CapabilitySlot>(slot).Badge;
        return Status.Ok;
    }

    /// <summary>Whether a component can start now: one of .NET needs ExclaveKit.</summary>
    public static bool CanStart(ref KernelState kernel, in Component component) =>
        kernel.KitBytes != 0 || TMachine.At<ComponentEntry>(component.Entry).Kind != ComponentKind.DotNet;

    /// <summary>Whether pages of a .NET component are its program's, or ExclaveKit's as they were minted.</summary>
    public static bool MayHave(ref KernelState kernel, ref SegmentEntry segment)
    {
        ulong offset = segment.PhysicalBase - kernel.KitBase;
        return segment.VirtualBase < UserLayout.ComponentBase || segment.FileBytes == 0
            || (segment.PhysicalBase >= kernel.KitBase && offset < kernel.KitBytes && segment.FileBytes <= kernel.KitBytes - offset);
    }
}
