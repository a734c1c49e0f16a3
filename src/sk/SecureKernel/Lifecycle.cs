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

        for (uint i = 0; status == Status.Ok && i < Limits.ChunkPages && IsIncomplete(in component, in entry); i++)
        {
            status = component.StartThread < component.ThreadCount
                ? MapThreadPage(ref component)
                : entry.Kind == ComponentKind.DotNet && !KitCalls<TMachine>.MayHave(ref kernel, ref SegmentOf(ref entry, component.StartSegment)) ? Status.NotPopulated
                : MapSegmentPage(ref component, ref SegmentOf(ref entry, component.StartSegment));
        }

        if (status != Status.Ok)
        {
            End(ref kernel, ref TMachine.At<Thread>(component.Threads), status == Status.NotPopulated ? "its ExclaveKit is not the one that was minted"u8 : "quota exhausted at its start"u8);
            return;
        }

        if (IsIncomplete(in component, in entry))
        {
            return;
        }

        TMachine.InvalidateInstructions();
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            SetToEntry(ref component, i);
        }

        TMachine.At<StartInfo>(component.Space.Lookup<TMachine>(UserLayout.StartInfo).Frame).QuotaBytes = component.Memory.FreeFrames * Limits.PageBytes;
        component.Starting = false;
        component.Life = ComponentState.Running;
    }

    /// <summary>
    /// XnuProxy drops what it is doing for a Linux that is gone, at whatever instruction, and begins again at its entry with its memory as it is:
    /// it must not write into pages that another Linux has by now.
    /// </summary>
    public static void BeginAnew(ref KernelState kernel, ref Thread proxy)
    {
        if (proxy.Serving.Kind == ServingKind.Thread)
        {
            Messages<TMachine>.Answer(ref TMachine.At<Thread>(proxy.Serving.Whom), 0, Status.BadReply);
        }

        SetToEntry(ref kernel.Components[proxy.Component], proxy.Number);
    }

    /// <summary>x0 = component: one that is dead is declared again, with the next generation; its first caller starts it.</summary>
    /// <param name="complete">False: what it had is being scrubbed and revoked, call again.</param>
    public static Status Restart(ref KernelState kernel, ref Thread caller, out bool complete)
    {
        complete = true;
        if (!kernel.Components[caller.Component].Capabilities.MayUse(CapabilityKind.Downcall))
        {
            return Status.BadCapability;
        }

        if (caller.Context.X[0] >= (ulong)kernel.ComponentCount)
        {
            return Status.NotFound;
        }

        ref Component component = ref kernel.Components[(int)caller.Context.X[0]];
        if (component.Life != ComponentState.Dead)
        {
            return Status.BadState;
        }

        if (component.Ending || component.Scrubbing)
        {
            ScrubChunk(ref kernel);
            complete = false;
            return Status.Ok;
        }

        component.Life = ComponentState.Idle;
        return Status.Ok;
    }

    private static void SetToEntry(ref Component component, uint number)
    {
        SetToStart(ref component, number);
        ref UserContext context = ref TMachine.At<Thread>(component.Thread(number)).Context;
        context.X[0] = UserLayout.StartInfo;
        context.ProgramCounter = TMachine.At<ComponentEntry>(component.Entry).Entry;
    }

    /// <summary>The thread can run, with its pages, from nowhere yet.</summary>
    public static void SetToStart(ref Component component, uint number)
    {
        ref Thread thread = ref TMachine.At<Thread>(component.Thread(number));
        thread.Serving = default;
        thread.Interrupted = false;
        thread.Kicked = false;
        thread.Deadline = 0;
        thread.Passed = component.Barriers;
        thread.MapNext = 0;
        thread.Personality = default;
        thread.State = ThreadState.Ready;
        thread.IpcPage = component.Space.Lookup<TMachine>(UserLayout.IpcPageOf(number)).Frame;
        thread.TranslationBase = component.Space.TranslationBase;
        thread.Context = default;
        thread.Context.X[1] = number;
        thread.Context.ThreadPointer = UserLayout.IpcPageOf(number);
        thread.Context.StackPointer = UserLayout.StackTopOf(number);
    }

    /// <summary>CPUs (bit mask) on which threads of a component run.</summary>
    public static ulong CpusOf(in Component component)
    {
        ulong cpus = 0;
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            cpus |= thread.State == ThreadState.Running ? 1ul << thread.Cpu : 0;
        }

        return cpus;
    }

    /// <summary>Every thread waits for its next message, owing nobody an answer, or for a sibling.</summary>
    public static bool IsAtRest(in Component component)
    {
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            bool rests = thread.State is ThreadState.Inactive or ThreadState.Epoch || (thread.State == ThreadState.Receiving && thread.Target == component.Endpoint);
            if (!rests || thread.Serving.Kind != ServingKind.Nobody)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The component ends through a fault or a decision of one of its threads, which is not on a CPU any more.</summary>
    public static void End(ref KernelState kernel, ref Thread thread, ReadOnlySpan<byte> why)
    {
        kernel.Counters[(int)SkCounter.Faults]++;
        ref Component component = ref kernel.Components[thread.Component];
        Report(ref kernel, ref component, ref thread, why);
        if (component.IsCore)
        {
            Autopsy<TMachine>.Write(ref kernel, ref thread, why);
            TMachine.Panic(PanicCode.CoreEnded, component.Index, 0, 0);
        }

        Autopsy<TMachine>.Keep(ref kernel, ref thread, why);
        StopThread(ref kernel, ref component, ref thread, Status.PeerDied);
        End(ref kernel, ref component, Status.PeerDied);
    }

    /// <summary>Linux took back memory that it had given to the component.</summary>
    public static void EndReclaimed(ref KernelState kernel, ref Component component)
    {
        kernel.Counters[(int)SkCounter.Reclaimed]++;
        Report(ref kernel, ref component, ref TMachine.At<Thread>(component.Threads), "memory reclaimed"u8);
        End(ref kernel, ref component, Status.Reclaimed);
    }

    /// <summary>What somebody learns who names a component that is dead, or an older one in its place.</summary>
    public static Status EndOf(in Component component) => component.Life == ComponentState.Dead ? component.EndStatus : Status.PeerDied;

    /// <summary>Why nobody can call a component now.</summary>
    public static Status RefusalOf(ref KernelState kernel, in Component component) => component.Life switch
    {
        ComponentState.Dead => component.EndStatus,
        ComponentState.Idle when !KitCalls<TMachine>.CanStart(ref kernel, in component) => Status.NotPopulated,
        _ => Status.Ok,
    };

    /// <summary>Nobody enters it any more. Those who wait for it learn why, and when no thread of it runs, what it had is scrubbed and revoked chunk by chunk.</summary>
    private static void End(ref KernelState kernel, ref Component component, Status status)
    {
        component.Life = ComponentState.Dead;
        component.EndStatus = status;
        component.Doomed = false;
        component.Starting = false;
        component.Generation++;
        component.Ending = true;
        component.StopThread = 0;
        kernel.Pending |= PendingWork.Scrub;
        StopChunk(ref kernel, ref component);
    }

    /// <summary>Stops some of a dead component's threads, and brings those out that run. None of them is run any more.</summary>
    public static void StopChunk(ref KernelState kernel, ref Component component)
    {
        for (uint i = 0; i < Limits.StoppedThreads && component.StopThread < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(component.StopThread++));
            if (thread.State != ThreadState.Running)
            {
                StopThread(ref kernel, ref component, ref thread, component.EndStatus);
            }
            else
            {
                Messages<TMachine>.Abandon(ref kernel, (int)component.Index, ref thread.Serving, component.EndStatus);
            }
        }

        Stopped(ref kernel, ref component);
    }

    /// <summary>A thread of a dead component has stopped, perhaps the last one.</summary>
    public static void Stopped(ref KernelState kernel, ref Component component)
    {
        ulong cpus = CpusOf(in component);
        if (cpus != 0)
        {
            TMachine.Kick(cpus);
            return;
        }

        if (component.StopThread < component.ThreadCount)
        {
            return;
        }

        component.Ending = false;
        TMachine.InvalidateSpace(component.Space.Id);
        component.Space.Root = 0;
        Donations<TMachine>.ReturnOf(ref kernel, ref component);
        component.ScrubNext = component.Memory.Base;
        component.ScrubSlot = 1;
        component.Scrubbing = true;
        kernel.Pending |= PendingWork.Scrub;
    }

    /// <summary>Waits for nobody any more, and owes nobody an answer.</summary>
    private static void StopThread(ref KernelState kernel, ref Component component, ref Thread thread, Status status)
    {
        switch (thread.State)
        {
            case ThreadState.Receiving:
                EndpointQueue<TMachine>.RemoveFrom(ref kernel, ref TMachine.At<Endpoint>(thread.Target).Receivers, thread.Address);
                break;
            case ThreadState.Listening:
                EndpointQueue<TMachine>.RemoveFrom(ref kernel, ref TMachine.At<Notification>(thread.Target).Waiters, thread.Address);
                break;
            case ThreadState.Queued:
                EndpointQueue<TMachine>.Remove(ref kernel, ref TMachine.At<Endpoint>(thread.Target), thread.Address);
                break;
            case ThreadState.Served:
                TMachine.At<Thread>(thread.Target).Serving.Kind = ServingKind.Orphan;
                break;
            case ThreadState.Deferred:
                TMachine.At<Reply>(thread.Target).Duty.Kind = ServingKind.Orphan;
                break;
            case ThreadState.Upcalling:
                kernel.Downcalls[thread.Upcall - 1].Upcaller = Downcall.Nobody;
                break;
            default:
                break;
        }

        thread.State = ThreadState.Inactive;
        thread.Upcall = 0;
        thread.Context = default;
        thread.Personality = default;
        Messages<TMachine>.Abandon(ref kernel, (int)component.Index, ref thread.Serving, status);
    }

    /// <summary>Tells a chunk of those who stand in a dead component's queue. Nobody enters it any more.</summary>
    public static void DrainChunk(ref KernelState kernel, ref Component component)
    {
        int budget = (int)Limits.ChunkCallers;
        _ = Messages<TMachine>.TryCancel(ref kernel, ref TMachine.At<Endpoint>(component.Endpoint), component.EndStatus, ref budget);
    }

    /// <summary>Tells a chunk of some dead component's callers, revokes a chunk of what it held, or zeroes a chunk of its memory.</summary>
    public static void ScrubChunk(ref KernelState kernel)
    {
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            if (component.Ending && component.StopThread < component.ThreadCount)
            {
                StopChunk(ref kernel, ref component);
                return;
            }

            if (!component.Scrubbing)
            {
                continue;
            }

            if (TMachine.At<Endpoint>(component.Endpoint).Head != 0)
            {
                DrainChunk(ref kernel, ref component);
                return;
            }

            if (component.ScrubSlot < component.Capabilities.Slots)
            {
                Distribution<TMachine>.TakeBack(ref kernel, ref component);
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

        kernel.Pending &= ~PendingWork.Scrub;
    }

    /// <summary>Root table and start information.</summary>
    private static Status Prepare(ref KernelState kernel, ref Component component, ref ComponentEntry entry)
    {
        component.Space.Id = component.Index + 1;
        component.Space.Root = component.Memory.Allocate<TMachine>();
        component.StartSegment = 0;
        component.StartPage = 0;
        component.StartThread = 0;
        component.ThreadCount = component.DeclaredThreads;
        component.Turn = 0;
        component.Epochs = default;
        if (component.Space.Root == 0)
        {
            return Status.NoMemory;
        }

        Status status = MapFresh(ref component, UserLayout.StartInfo, PageAccess.Read, PageSource.Fixed, out ulong page);
        if (status == Status.Ok)
        {
            FillStartInfo(ref kernel, ref component, ref entry, ref TMachine.At<StartInfo>(page));
        }

        if (status == Status.Ok && (entry.Flags & ComponentFlags.Measurements) != 0)
        {
            status = MapMeasurements(ref kernel, ref component);
        }

        return status == Status.Ok && component.IsProxy ? CopyServices(ref kernel, ref component) : status;
    }

    private static bool IsIncomplete(in Component component, in ComponentEntry entry) =>
        component.StartThread < component.ThreadCount || component.StartSegment < entry.SegmentCount;

    /// <summary>The IPC page of a thread, with its table for lent buffers, then its stack.</summary>
    private static Status MapThreadPage(ref Component component)
    {
        uint thread = component.StartThread;
        ulong page = component.StartPage++;
        if (page == 0 && component.TakesLent)
        {
            ulong table = component.Space.Reserve<TMachine>(ref component.Memory, UserLayout.LentWindowOf(thread));
            TMachine.At<Thread>(component.Thread(thread)).LentTable = table;
            if (table == 0)
            {
                return Status.NoMemory;
            }
        }

        if (page == StackPages)
        {
            component.StartThread++;
            component.StartPage = 0;
        }

        ulong address = page == 0 ? UserLayout.IpcPageOf(thread) : UserLayout.StackTopOf(thread) - (page * Limits.PageBytes);
        return MapFresh(ref component, address, PageAccess.ReadWrite, PageSource.Fixed, out _);
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
        info.CpuCount = kernel.CpuCount;
        info.DonatedBytes = component.DonatedLimit * Limits.PageBytes;
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

    private static void Report(ref KernelState kernel, ref Component component, ref Thread thread, ReadOnlySpan<byte> why)
    {
        LogLine<TMachine> line = LogLine<TMachine>.Start(ref kernel, ref component);
        line.Add("ended: "u8);
        line.Add(why);
        line.Add(", ESR "u8);
        line.AddHex(thread.Context.Syndrome);
        if (kernel.IsDebug)
        {
            line.Add(", FAR "u8);
            line.AddHex(thread.Context.FaultAddress);
        }

        line.Add(", PC "u8);
        line.AddHex(thread.Context.ProgramCounter);
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
