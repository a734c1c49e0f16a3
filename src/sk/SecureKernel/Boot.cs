using System.Numerics;
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
        kernel.Counters[(int)SkCounter.PoolFrames] = info.UntypedBytes / Limits.PageBytes;
        kernel.IsDebug = info.MeasurementLog != 0 && TMachine.At<MeasurementLog>(info.MeasurementLog).Signer == SignerKind.Debug;
        kernel.CpuCount = (uint)info.CpuCount;
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
            ref Component component = ref kernel.Components[i];
            ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(EntryOf(components, i));
            ulong quota = entry.QuotaBytes & ~(Limits.PageBytes - 1);
            ulong objects = ObjectBytes(ref component, ref entry, next);
            if (next > end || end - next < objects || end - next - objects < quota)
            {
                TMachine.Panic(PanicCode.PoolTooSmall, (ulong)i, quota, info.UntypedBytes);
            }

            next += objects;
            component.Memory.Initialize(next, quota);
            next += quota;
        }

        // Untyped memory lies at multiples of its size: the largest first would pack best, and the image tool says so.
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(EntryOf(components, i));
            for (int grant = 0; grant < (int)entry.GrantCount; grant++)
            {
                if (entry.Grants[grant].Kind == GrantKind.Untyped)
                {
                    GrantUntyped(ref kernel.Components[i], ref entry.Grants[grant], ref next, end);
                }
            }
        }

        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(EntryOf(components, i));
            for (int grant = 0; grant < (int)entry.GrantCount; grant++)
            {
                if (entry.Grants[grant].Kind == GrantKind.UntypedRest)
                {
                    GrantRest(ref kernel.Components[i], entry.Grants[grant].Slot, ref next, end);
                }
            }
        }
    }

    /// <summary>The table, then endpoint and threads: what SK itself keeps of a component, outside its quota, for as long as the machine runs.</summary>
    private static ulong ObjectBytes(ref Component component, ref ComponentEntry entry, ulong start)
    {
        uint pages = (entry.Flags & ComponentFlags.Proxy) != 0 ? Limits.ProxyTablePages : 1;
        component.Capabilities.Base = start;
        component.Capabilities.Slots = pages * CapabilityTable.PageSlots;
        component.Endpoint = start + (pages * Limits.PageBytes);
        component.Threads = component.Endpoint + Thread.Bytes;
        component.DeclaredThreads = entry.Threads == 0 ? 1 : entry.Threads;
        component.MaxThreads = entry.MaxThreads == 0 ? component.DeclaredThreads : entry.MaxThreads;
        component.ThreadCount = component.DeclaredThreads;
        if (component.DeclaredThreads > Limits.Threads || component.MaxThreads < component.DeclaredThreads || component.MaxThreads > Limits.MaxThreads)
        {
            Refuse(9);
        }

        ulong bytes = (pages * Limits.PageBytes) + ((component.MaxThreads + 1) * Thread.Bytes);
        return (bytes + Limits.PageBytes - 1) & ~(Limits.PageBytes - 1);
    }

    private static void GrantUntyped(ref Component component, ref GrantEntry grant, ref ulong next, ulong end)
    {
        ulong bytes = grant.Argument;
        ulong start = (next + bytes - 1) & ~(bytes - 1);
        if (bytes < Limits.PageBytes || !BitOperations.IsPow2(bytes) || start >= end || end - start < bytes)
        {
            TMachine.Panic(PanicCode.PoolTooSmall, component.Index, bytes, end - next);
        }

        next = start + bytes;
        InsertUntyped(ref component, grant.Slot, start, BitOperations.TrailingZeroCount(bytes));
    }

    /// <summary>What nobody has declared for himself, in the fewest pieces that lie at multiples of their size: they grow to the largest and shrink again, so that a page of slots holds them.</summary>
    private static void GrantRest(ref Component component, uint slot, ref ulong next, ulong end)
    {
        for (; end - next >= Limits.PageBytes; slot++)
        {
            int aligned = BitOperations.TrailingZeroCount(next);
            int fitting = BitOperations.Log2(end - next);
            int sizeLog2 = aligned < fitting ? aligned : fitting;
            InsertUntyped(ref component, slot, next, sizeLog2);
            next += 1ul << sizeLog2;
        }
    }

    private static void InsertUntyped(ref Component component, uint slot, ulong start, int sizeLog2)
    {
        Capability untyped = Capability.Create(CapabilityKind.Untyped, CapabilityRights.Use, start, sizeLog2, original: true, declared: true);
        if (component.Capabilities.Insert<TMachine>(slot, untyped, 0) != Status.Ok)
        {
            Refuse(6);
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
            component.TakesLent = (entry.Flags & ComponentFlags.LentBuffers) != 0;
            if (component.IsProxy)
            {
                if (kernel.Proxy >= 0)
                {
                    Refuse(4);
                }

                kernel.Proxy = i;
            }

            component.DonatedLimit = entry.DonatedBytes / Limits.PageBytes;
            Prepare(ref component);
            if (Distribution<TMachine>.Declare(ref component) != Status.Ok)
            {
                Refuse(6);
            }
        }

        if (kernel.Proxy < 0 || !kernel.Components[kernel.Proxy].IsCore)
        {
            Refuse(5);
        }

        for (uint i = 0; i < kernel.ServiceCount; i++)
        {
            uint server = Distribution<TMachine>.ServiceAt(ref kernel, i).Component;
            if (server >= (uint)kernel.ComponentCount || server == (uint)kernel.Proxy)
            {
                Refuse(7);
            }
        }

        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            if (Distribution<TMachine>.Grant(ref kernel, ref component) != Status.Ok)
            {
                Refuse(6);
            }

            if (component.DonatedLimit != 0 && (component.IsCore || component.Capabilities.MayUse(CapabilityKind.DmaAddress)))
            {
                // Linux can end it at any time, and no device of the secure world may keep the address.
                Refuse(8);
            }
        }
    }

    private static void Prepare(ref Component component)
    {
        TMachine.At<Endpoint>(component.Endpoint).Owner = (int)component.Index;
        for (uint i = 0; i < component.MaxThreads; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            thread.Address = component.Thread(i);
            thread.Component = (int)component.Index;
            thread.Number = i;
        }
    }

    private static ulong EntryOf(ulong components, int index) => components + ((ulong)index * (ulong)Unsafe.SizeOf<ComponentEntry>());

    private static void Refuse(ulong why) => TMachine.Panic(PanicCode.BadBootInfo, why, 0, 0);
}
