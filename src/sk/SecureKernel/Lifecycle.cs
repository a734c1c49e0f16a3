using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>How a component comes to life, on its first caller's time, and how it ends (I11).</summary>
public static class Lifecycle<TMachine> where TMachine : struct, IMachine
{
    private const ulong StackPages = UserLayout.StackBytes / Limits.PageBytes;

    /// <summary>VA of XnuProxy's copy of the service table.</summary>
    private const ulong ServiceTable = UserLayout.StartInfo + Limits.PageBytes;

    /// <summary>Goes on building the address space, at most a chunk of pages.</summary>
    public static void StartChunk(ref KernelState kernel, ref Component component)
    {
        ref ComponentEntry entry = ref TMachine.At<ComponentEntry>(component.Entry);
        Status status = component.Starting ? Status.Ok : Prepare(ref kernel, ref component, ref entry);
        component.Starting = true;

        for (uint i = 0; status == Status.Ok && i < Limits.ChunkPages && component.StartSegment < entry.SegmentCount; i++)
        {
            status = MapSegmentPage(ref component, ref SegmentOf(ref entry, component.StartSegment));
        }

        if (status != Status.Ok)
        {
            End(ref kernel, ref component, "out of memory at start"u8);
            return;
        }

        if (component.StartSegment < entry.SegmentCount)
        {
            return;
        }

        TMachine.InvalidateInstructions();
        SetToEntry(ref component);
        TMachine.At<StartInfo>(component.Space.Lookup<TMachine>(UserLayout.StartInfo).Frame).QuotaBytes = component.Memory.FreeFrames * Limits.PageBytes;
        component.Starting = false;
        component.Life = ComponentState.Running;
        component.Thread = ThreadState.Ready;
    }

    /// <summary>
    /// XnuProxy drops what it is doing for a Linux that is gone, at whatever instruction, and begins again at its entry with its memory as it is:
    /// it must not write into pages that another Linux has by now.
    /// </summary>
    public static void Restart(ref KernelState kernel, ref Component proxy)
    {
        if (proxy.Serving == ServingKind.Thread)
        {
            Messages<TMachine>.Answer(ref kernel.Components[proxy.ServingIndex], 0, Status.BadReply);
        }

        proxy.Serving = ServingKind.Nobody;
        proxy.Interrupted = false;
        SetToEntry(ref proxy);
    }

    private static void SetToEntry(ref Component component)
    {
        component.Context = default;
        component.Context.X[0] = UserLayout.StartInfo;
        component.Context.StackPointer = UserLayout.StackTop;
        component.Context.ProgramCounter = TMachine.At<ComponentEntry>(component.Entry).Entry;
    }

    /// <summary>The component ends through its own fault.</summary>
    public static void End(ref KernelState kernel, ref Component component, ReadOnlySpan<byte> why)
    {
        kernel.Counters[(int)SkCounter.Faults]++;
        End(ref kernel, ref component, why, Status.PeerDied);
    }

    /// <summary>Linux took back memory that it had given to the component. Its thread does not run.</summary>
    public static void EndReclaimed(ref KernelState kernel, ref Component component)
    {
        kernel.Counters[(int)SkCounter.Reclaimed]++;
        End(ref kernel, ref component, "memory reclaimed"u8, Status.Reclaimed);
    }

    /// <summary>What somebody learns who names a component that is dead, or an older one in its place.</summary>
    public static Status EndOf(in Component component) => component.Life == ComponentState.Dead ? component.EndStatus : Status.PeerDied;

    /// <summary>One of the core takes SK with it (I12). Those who wait for it learn why, and its memory is scrubbed chunk by chunk.</summary>
    private static void End(ref KernelState kernel, ref Component component, ReadOnlySpan<byte> why, Status status)
    {
        Report(ref kernel, ref component, why);
        if (component.IsCore)
        {
            Autopsy<TMachine>.Write(ref kernel, ref component, why);
            TMachine.Panic(PanicCode.CoreEnded, component.Index, 0, 0);
        }

        if (component.Thread == ThreadState.Waiting)
        {
            LeaveServer(ref kernel, ref component);
        }

        component.Life = ComponentState.Dead;
        component.EndStatus = status;
        component.Doomed = false;
        component.Thread = ThreadState.Inactive;
        component.Starting = false;
        component.Generation++;
        component.Personality = default;
        component.Context = default;

        ServingKind serving = component.Serving;
        int index = component.ServingIndex;
        component.Serving = ServingKind.Nobody;
        if (serving == ServingKind.Downcall)
        {
            Messages<TMachine>.Complete(ref kernel, index, 0, status);
        }
        else if (serving == ServingKind.Thread)
        {
            Messages<TMachine>.Answer(ref kernel.Components[index], 0, status);
        }

        TMachine.InvalidateSpace(component.Space.Id);
        component.Space.Root = 0;
        Donations<TMachine>.ReturnOf(ref kernel, ref component);
        component.ScrubNext = component.Memory.Base;
        component.Scrubbing = true;
        kernel.ScrubPending = true;
    }

    /// <summary>Whoever it waits for does not owe it an answer any more.</summary>
    private static void LeaveServer(ref KernelState kernel, ref Component component)
    {
        if (component.UpcallOf != 0)
        {
            kernel.Downcalls[component.UpcallOf - 1].Upcaller = Downcall.Nobody;
            component.UpcallOf = 0;
            return;
        }

        ref Component server = ref kernel.Components[component.WaitingFor];
        if (server.Serving == ServingKind.Thread && server.ServingIndex == (int)component.Index)
        {
            server.Serving = ServingKind.Orphan;
            return;
        }

        EndpointQueue.Remove(ref kernel, ref server, EndpointQueue.OfThread((int)component.Index));
    }

    /// <summary>Tells a chunk of those who stand in a dead component's queue. Nobody enters it any more.</summary>
    public static void DrainChunk(ref KernelState kernel, ref Component component)
    {
        for (uint i = 0; i < Limits.ChunkCallers; i++)
        {
            ushort node = EndpointQueue.Take(ref kernel, ref component);
            if (node == 0)
            {
                return;
            }

            int waiter = EndpointQueue.IndexOf(node);
            if (EndpointQueue.IsThread(node))
            {
                Messages<TMachine>.Answer(ref kernel.Components[waiter], 0, component.EndStatus);
            }
            else
            {
                Messages<TMachine>.Complete(ref kernel, waiter, 0, component.EndStatus);
            }
        }
    }

    /// <summary>Tells a chunk of some dead component's callers, or zeroes a chunk of its memory.</summary>
    public static void ScrubChunk(ref KernelState kernel)
    {
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            if (!component.Scrubbing)
            {
                continue;
            }

            if (component.QueueHead != 0)
            {
                DrainChunk(ref kernel, ref component);
                return;
            }

            for (uint page = 0; page < Limits.ScrubPages && component.ScrubNext < component.Memory.Fresh; page++)
            {
                TMachine.Clear(component.ScrubNext);
                component.ScrubNext += Limits.PageBytes;
            }

            if (component.ScrubNext >= component.Memory.Fresh)
            {
                component.Memory.Initialize(component.Memory.Base, component.Memory.Bytes);
                component.Scrubbing = false;
            }

            return;
        }

        kernel.ScrubPending = false;
    }

    /// <summary>Root table, IPC page, start information, stack.</summary>
    private static Status Prepare(ref KernelState kernel, ref Component component, ref ComponentEntry entry)
    {
        component.Space.Id = component.Index + 1;
        component.Space.Root = component.Memory.Allocate<TMachine>();
        component.StartSegment = 0;
        component.StartPage = 0;
        if (component.Space.Root == 0)
        {
            return Status.NoMemory;
        }

        Status status = MapFresh(ref component, UserLayout.IpcPage, PageAccess.ReadWrite, PageSource.Fixed, out component.IpcPage);
        for (ulong i = 1; status == Status.Ok && i <= StackPages; i++)
        {
            status = MapFresh(ref component, UserLayout.StackTop - (i * Limits.PageBytes), PageAccess.ReadWrite, PageSource.Fixed, out _);
        }

        if (status == Status.Ok)
        {
            status = MapFresh(ref component, UserLayout.StartInfo, PageAccess.Read, PageSource.Fixed, out ulong page);
            if (status == Status.Ok)
            {
                FillStartInfo(ref kernel, ref component, ref entry, ref TMachine.At<StartInfo>(page));
            }
        }

        if (status == Status.Ok && (entry.Flags & ComponentFlags.Measurements) != 0)
        {
            status = MapMeasurements(ref kernel, ref component);
        }

        return status == Status.Ok && component.IsProxy ? CopyServices(ref kernel, ref component) : status;
    }

    /// <summary>The log itself, in place: stage 2 keeps SK, too, from writing it.</summary>
    private static Status MapMeasurements(ref KernelState kernel, ref Component component)
    {
        Status status = Status.Ok;
        for (ulong done = 0; status == Status.Ok && done < MeasurementLog.Bytes; done += Limits.PageBytes)
        {
            PageEntry entry = PageEntry.Create(kernel.MeasurementLog + done, PageAccess.Read, PageSource.Image);
            status = component.Space.Map<TMachine>(ref component.Memory, UserLayout.Measurements + done, entry);
        }

        return status;
    }

    private static void FillStartInfo(ref KernelState kernel, ref Component component, ref ComponentEntry entry, ref StartInfo info)
    {
        info.Magic = StartInfo.MagicValue;
        info.Name = entry.Name;
        info.Component = component.Index;
        info.Kind = entry.Kind;
        info.ProgramEntry = entry.ProgramEntry;
        info.ProgramHeaders = entry.ProgramHeaders;
        info.ProgramHeaderCount = entry.ProgramHeaderCount;
        info.ProgramBase = entry.ProgramBase;
        info.Cookie = Mix(kernel.Seed + component.Index + 1);
        info.ServiceCount = component.IsProxy ? kernel.ServiceCount : 0;
        info.Services = component.IsProxy ? ServiceTable : 0;
    }

    private static Status CopyServices(ref KernelState kernel, ref Component component)
    {
        ulong bytes = kernel.ServiceCount * (ulong)Unsafe.SizeOf<ServiceEntry>();
        for (ulong done = 0; done < bytes; done += Limits.PageBytes)
        {
            Status status = MapFresh(ref component, ServiceTable + done, PageAccess.Read, PageSource.Fixed, out ulong page);
            if (status != Status.Ok)
            {
                return status;
            }

            ulong rest = bytes - done;
            TMachine.Copy(page, kernel.Services + done, rest < Limits.PageBytes ? rest : Limits.PageBytes);
        }

        return Status.Ok;
    }

    private static Status MapSegmentPage(ref Component component, ref SegmentEntry segment)
    {
        ulong offset = component.StartPage * Limits.PageBytes;
        if (offset >= segment.MemoryBytes)
        {
            component.StartSegment++;
            component.StartPage = 0;
            return Status.Ok;
        }

        component.StartPage++;
        ulong address = segment.VirtualBase + offset;
        PageAccess access = AccessOf(segment.Access);
        bool hasFile = offset < segment.FileBytes;
        if (hasFile && access != PageAccess.ReadWrite)
        {
            PageEntry entry = PageEntry.Create(segment.PhysicalBase + offset, access, PageSource.Image);
            return component.Space.Map<TMachine>(ref component.Memory, address, entry);
        }

        Status status = MapFresh(ref component, address, access == PageAccess.ReadExecute ? PageAccess.Read : access, PageSource.Owned, out ulong frame);
        if (status == Status.Ok && hasFile)
        {
            ulong rest = segment.FileBytes - offset;
            TMachine.Copy(frame, segment.PhysicalBase + offset, rest < Limits.PageBytes ? rest : Limits.PageBytes);
        }

        return status;
    }

    private static Status MapFresh(ref Component component, ulong address, PageAccess access, PageSource source, out ulong frame)
    {
        frame = component.Memory.Allocate<TMachine>();
        return frame == 0
            ? Status.NoMemory
            : component.Space.Map<TMachine>(ref component.Memory, address, PageEntry.Create(frame, access, source));
    }

    /// <summary>Write and execute together is no access: the image tool refuses it, and so do we.</summary>
    private static PageAccess AccessOf(MemoryAccess access) => (access & (MemoryAccess.Write | MemoryAccess.Execute)) switch
    {
        MemoryAccess.Write => PageAccess.ReadWrite,
        MemoryAccess.Execute => PageAccess.ReadExecute,
        MemoryAccess.None => PageAccess.Read,
        _ => PageAccess.None,
    };

    private static ref SegmentEntry SegmentOf(ref ComponentEntry entry, uint index) => ref entry.Segments[(int)index];

    private static void Report(ref KernelState kernel, ref Component component, ReadOnlySpan<byte> why)
    {
        LogLine<TMachine> line = LogLine<TMachine>.Start(ref kernel, ref component);
        line.Add("ended: "u8);
        line.Add(why);
        line.Add(", ESR "u8);
        line.AddHex(component.Context.Syndrome);
        line.Add(", FAR "u8);
        line.AddHex(component.Context.FaultAddress);
        line.Add(", PC "u8);
        line.AddHex(component.Context.ProgramCounter);
        line.Send();
    }

    /// <summary>SplitMix64's finalizer: spreads the seed, keeps no secret.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
