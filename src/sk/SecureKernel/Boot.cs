using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Turns SPTM's boot information and the image's tables into SK's objects. Nothing is declared later (I10).</summary>
public static class Boot<TMachine> where TMachine : struct, IMachine
{
    public static void Initialize(ref KernelState kernel, ulong bootInfo)
    {
        ref BootInfo info = ref TMachine.At<BootInfo>(bootInfo);
        if (info.Magic != BootInfo.MagicValue)
        {
            Refuse(1);
        }

        ref ImageHeader image = ref TMachine.At<ImageHeader>(info.ImageHeader);
        if (image.Magic != ImageHeader.MagicValue || image.Version != ImageHeader.CurrentVersion)
        {
            Refuse(2);
        }

        if (image.ComponentCount is 0 or > Limits.Components)
        {
            Refuse(3);
        }

        kernel.RamBase = info.RamBase;
        kernel.RamBytes = info.RamBytes;
        kernel.Services = image.Services;
        kernel.ServiceCount = image.ServiceCount;
        kernel.ComponentCount = (int)image.ComponentCount;
        kernel.Seed = info.Seed1;
        kernel.MeasurementLog = info.MeasurementLog;
        for (int i = 0; i < Virt.MaxCpus; i++)
        {
            kernel.Cpus[i].Index = i;
        }

        Downcalls<TMachine>.Initialize(ref kernel);
        DivideMemory(ref kernel, ref info, image.Components);
        DeclareComponents(ref kernel, image.Components);
    }

    private static void DivideMemory(ref KernelState kernel, ref BootInfo info, ulong components)
    {
        ulong next = info.UntypedBase;
        ulong end = info.UntypedBase + info.UntypedBytes;
        kernel.Scratch = next;
        kernel.MessagePages = next + Limits.PageBytes;
        next += Limits.PageBytes * (1 + Limits.Downcalls);

        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ulong quota = TMachine.At<ComponentEntry>(EntryOf(components, i)).QuotaBytes & ~(Limits.PageBytes - 1);
            if (next > end || end - next < quota)
            {
                TMachine.Panic(PanicCode.PoolTooSmall, (ulong)i, quota, info.UntypedBytes);
            }

            kernel.Components[i].Memory.Initialize(next, quota);
            next += quota;
        }
    }

    private static void DeclareComponents(ref KernelState kernel, ulong components)
    {
        kernel.Proxy = -1;
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            component.Entry = EntryOf(components, i);
            component.Index = (uint)i;
            component.Generation = 1;
            ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(component.Entry);
            component.IsCore = (entry.Flags & ComponentFlags.Core) != 0;
            component.IsProxy = (entry.Flags & ComponentFlags.Proxy) != 0;
            if (component.IsProxy)
            {
                if (kernel.Proxy >= 0)
                {
                    Refuse(4);
                }

                kernel.Proxy = i;
            }

            GrantAll(ref kernel, ref component, ref entry);
            component.DonatedLimit = entry.DonatedBytes / Limits.PageBytes;
            if (component.DonatedLimit != 0 && (component.IsCore || component.Capabilities.MayUse(CapabilityKind.DmaAddress)))
            {
                // Linux can end it at any time, and no device of the secure world may keep the address.
                Refuse(8);
            }
        }

        if (kernel.Proxy < 0 || !kernel.Components[kernel.Proxy].IsCore)
        {
            Refuse(5);
        }

        GrantUpcalls(ref kernel);
    }

    /// <summary>Whoever serves Linux may ask Linux: XnuProxy decides what.</summary>
    private static void GrantUpcalls(ref KernelState kernel)
    {
        for (uint i = 0; i < kernel.ServiceCount; i++)
        {
            ref ServiceEntry service = ref TMachine.At<ServiceEntry>(kernel.Services + (i * (ulong)Unsafe.SizeOf<ServiceEntry>()));
            if (service.Component >= (uint)kernel.ComponentCount || service.Component == (uint)kernel.Proxy)
            {
                Refuse(7);
                continue;
            }

            // A component with several services has the slot already.
            ref Component component = ref kernel.Components[(int)service.Component];
            if (component.Capabilities.IsEmpty(ComponentEntry.UpcallSlot))
            {
                // The slot is empty and every operand in range.
                _ = component.Capabilities.Insert(
                    ComponentEntry.UpcallSlot, CapabilityKind.Endpoint, CapabilityRights.Send, 1, (ulong)kernel.Proxy, component.Index + 1);
            }
        }
    }

    private static void GrantAll(ref KernelState kernel, ref Component component, ref ComponentEntry entry)
    {
        Status status = component.Capabilities.Insert(ComponentEntry.OwnEndpointSlot, CapabilityKind.Endpoint, CapabilityRights.Receive, 1, component.Index, 0);
        for (int i = 0; i < (int)entry.GrantCount && status == Status.Ok; i++)
        {
            status = Grant(ref kernel, ref component, ref entry.Grants[i]);
        }

        if (status != Status.Ok)
        {
            Refuse(6);
        }
    }

    private static Status Grant(ref KernelState kernel, ref Component component, ref GrantEntry grant)
    {
        switch (grant.Kind)
        {
            case GrantKind.Endpoint when grant.Argument < (ulong)kernel.ComponentCount:
                return component.Capabilities.Insert(grant.Slot, CapabilityKind.Endpoint, CapabilityRights.Send, 1, grant.Argument, grant.Badge);
            case GrantKind.Device when (grant.Argument & (Limits.PageBytes - 1)) == 0 && !IsRam(ref kernel, grant.Argument):
                return component.Capabilities.Insert(grant.Slot, CapabilityKind.Device, CapabilityRights.Map, 1, grant.Argument / Limits.PageBytes, 0);
            case GrantKind.DmaAddress:
                return component.Capabilities.Insert(grant.Slot, CapabilityKind.DmaAddress, CapabilityRights.Use, 1, 0, 0);
            case GrantKind.Downcall when component.IsProxy:
                return component.Capabilities.Insert(grant.Slot, CapabilityKind.Downcall, CapabilityRights.Use, 1, 0, 0);
            case GrantKind.Counters:
                return component.Capabilities.Insert(grant.Slot, CapabilityKind.Counters, CapabilityRights.Use, 1, 0, 0);
            default:
                return Status.BadArgument;
        }
    }

    private static bool IsRam(ref KernelState kernel, ulong address) =>
        address >= kernel.RamBase && address - kernel.RamBase < kernel.RamBytes;

    private static ulong EntryOf(ulong components, int index) => components + ((ulong)index * (ulong)Unsafe.SizeOf<ComponentEntry>());

    private static void Refuse(ulong why) => TMachine.Panic(PanicCode.BadBootInfo, why, 0, 0);
}
