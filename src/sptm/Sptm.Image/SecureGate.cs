using System;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>What SK asks by `hvc`. A call that breaks its contract is a defect of SK and closes the secure world; Linux lives on (I12).</summary>
public static unsafe class SecureGate
{
    private const ulong MaximumLine = 256;

    /// <summary>Hands this CPU to SK; its operands are in x1 to x5 of the frame already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TrapFrame* Enter(PerCpu* cpu, GateEndpoint endpoint)
    {
        cpu->Secure.X[0] = (ulong)endpoint;
        cpu->Request = (uint)endpoint;
        Machinery.GoIn(cpu);
        El2.SwitchWorld(ref cpu->LinuxWorld, ref cpu->SecureWorld);
        return cpu->Frame = &cpu->Secure;
    }

    /// <summary>As <see cref="Enter"/>, which every call has in its path and so exists once.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TrapFrame* EnterSeldom(PerCpu* cpu, GateEndpoint endpoint) => Enter(cpu, endpoint);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TrapFrame* FromSecure(PerCpu* cpu)
    {
        ref TrapFrame frame = ref cpu->Secure;

        // What nearly every call is, by the shortest way. The dispatch table admits SK to it (DispatchTests). A world that ended, with or
        // without the machine, is not open.
        if (Monitor.IsSecureOpen && frame.Syndrome == Syndrome.PlainHvc && frame.X[16] == Dispatch.Target(DispatchTable.ReturnToCaller, 0)
            && frame.X[0] == (ulong)GateStatus.Success && cpu->Request == (uint)GateEndpoint.Enter)
        {
            GoOut(cpu);
            return Answer(cpu);
        }

        return Other(cpu, ref frame);
    }

    private static TrapFrame* Other(PerCpu* cpu, ref TrapFrame frame)
    {
        if (Monitor.IsEnding)
        {
            Machinery.Park(cpu);
        }

        if (Monitor.HasSecureEnded)
        {
            return SecurePanic.Leave(cpu);
        }

        Syndrome syndrome = new(frame.Syndrome);
        ulong target = frame.X[16];
        if (syndrome.Class != ExceptionClass.Hvc64 || syndrome.Immediate != 0)
        {
            return SecureTraps.TryReflect(cpu, syndrome) ? cpu->Frame : SecurePanic.Fault(cpu, "trapped to EL2"u8);
        }

        if (!Dispatch.IsLegal(Domain.Sk, target))
        {
            return SecurePanic.Fault(cpu, "a call outside its dispatch tables"u8);
        }

        switch (Dispatch.TableOf(target))
        {
            case DispatchTable.ReturnToCaller:
                return Return(cpu);
            case DispatchTable.Panic:
                return SecurePanic.Take(cpu);
            default:
                return Serve(cpu, (SkFunction)Dispatch.EndpointOf(target))
                    ? cpu->Frame
                    : SecurePanic.Fault(cpu, "a call that breaks its contract"u8);
        }
    }

    /// <summary>One function of SK_BOOTSTRAP. False: the call is one that only SK can get wrong.</summary>
    private static bool Serve(PerCpu* cpu, SkFunction function)
    {
        ref TrapFrame frame = ref cpu->Secure;
        Status status = function switch
        {
            SkFunction.Retype => ChangeType(cpu, Domain.Sk, frame.X[0], frame.X[1], frame.X[2]),
            SkFunction.Borrow or SkFunction.Return => ChangeSharing(cpu, frame.X[0], function == SkFunction.Borrow),
            SkFunction.LinuxRead or SkFunction.LinuxWrite => Copy(cpu, frame.X[0], frame.X[1], frame.X[2], function == SkFunction.LinuxWrite),
            SkFunction.ArgumentDone => ForgetArgument(frame.X[0]),
            SkFunction.Log => Log(frame.X[0], frame.X[1]),
            SkFunction.Counters => WriteCounters(frame.X[0]),
            SkFunction.Kick => Kick(frame.X[0]),
            SkFunction.Notify => Notify(cpu),
            _ => Status.BadCall,
        };
        frame.X[0] = (ulong)(status == Status.Ok ? CallResult.Ok : CallResult.Refused);
        return status is Status.Ok or Status.Denied or Status.Busy;
    }

    /// <summary>Linux's driver comes with a bottom half. A write of ones sets, so nobody's other interrupts are touched (IHI 0069, 12.9.17).</summary>
    private static Status Notify(PerCpu* cpu)
    {
        const ulong SetPending = Virt.GicDistributor + 0x200 + (Virt.NotificationIntId / 32 * 4);
        Monitor.Count(cpu, SptmCounter.Notification);
        Mmio.Write32(SetPending, 1u << (int)(Virt.NotificationIntId % 32));
        return Status.Ok;
    }

    /// <summary>SK has answered the request of this CPU.</summary>
    private static TrapFrame* Return(PerCpu* cpu)
    {
        ref TrapFrame answer = ref cpu->Secure;
        GateStatus status = (GateStatus)answer.X[0];
        if (status != GateStatus.Success)
        {
            return SecurePanic.Fault(cpu, "a request was refused"u8);
        }

        switch ((GateEndpoint)cpu->Request)
        {
            case GateEndpoint.CpuOnline when Monitor.IsSecureStarting:
                answer.X[0] = (ulong)GateEndpoint.Info;
                cpu->Request = (uint)GateEndpoint.Info;
                return cpu->Frame;
            case GateEndpoint.Info:
                if (answer.X[1] != Dispatch.Version)
                {
                    return SecurePanic.Fault(cpu, "built for another version of the dispatch tables"u8);
                }

                Monitor.OpenSecure();
                return Boot.StartLinux(cpu, firstWorld: false);
            case GateEndpoint.CpuOnline:
                return Boot.StartLinux(cpu, firstWorld: false);
            default:
                return Leave(cpu);
        }
    }

    /// <summary>Back to Linux, which waits in the instruction that made the request.</summary>
    public static TrapFrame* Leave(PerCpu* cpu)
    {
        GoOut(cpu);
        if (cpu->Request == (uint)GateEndpoint.CpuOffline)
        {
            cpu->Frame = &cpu->Linux;
            return Traps.PowerOff(cpu);
        }

        if (cpu->Request == (uint)GateEndpoint.Reclaim)
        {
            // Not yet: the conclave's thread still runs elsewhere. Linux repeats its access.
            if (cpu->Secure.X[1] != 0)
            {
                TakeBack(cpu);
            }

            return cpu->Frame = &cpu->Linux;
        }

        return Answer(cpu);
    }

    /// <summary>This CPU is out of the secure world from now on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void GoOut(PerCpu* cpu)
    {
        El2.SwitchWorld(ref cpu->SecureWorld, ref cpu->LinuxWorld);
        cpu->World = World.Linux;
    }

    /// <summary>x1 to x4 of SK become x0 to x3 of Linux; nothing else crosses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TrapFrame* Answer(PerCpu* cpu)
    {
        *(CallAnswer*)&cpu->Linux.X = *(CallAnswer*)((ulong*)&cpu->Secure.X + 1);
        return cpu->Frame = &cpu->Linux;
    }

    /// <summary>Changes a frame's type for <paramref name="caller"/>, and counts.</summary>
    private static Status ChangeType(PerCpu* cpu, Domain caller, ulong address, ulong current, ulong next)
    {
        if (current > byte.MaxValue || next > byte.MaxValue)
        {
            return Status.BadArgument;
        }

        using Spinlock.Held held = Monitor.LockStage2();
        Status status = Retype.Apply(
            caller, Monitor.Frames, Monitor.LinuxTables, Monitor.SecureTables, ref Monitor.Tables, address, (FrameType)current, (FrameType)next);
        if (status != Status.Ok)
        {
            Monitor.Count(cpu, SptmCounter.RefusedRetype);
            return status;
        }

        ulong donated = ((FrameType)next == FrameType.XnuDefault ? 0ul : 1ul) - ((FrameType)current == FrameType.XnuDefault ? 0ul : 1ul);
        cpu->Counters[(int)SptmCounter.DonatedFrames] += donated;
        SelfCheck.Changed(address);
        return Status.Ok;
    }

    /// <summary>Linux touched a donated frame: its conclave ends first, then Linux gets the frame back, scrubbed, and tries again.</summary>
    public static TrapFrame* Reclaim(PerCpu* cpu, ulong address)
    {
        cpu->Reclaimed = address & ~(FrameTable.PageBytes - 1);
        if (!Monitor.IsSecureOpen)
        {
            TakeBack(cpu);
            return cpu->Frame;
        }

        cpu->Secure.X[1] = cpu->Reclaimed;
        return EnterSeldom(cpu, GateEndpoint.Reclaim);
    }

    private static void TakeBack(PerCpu* cpu)
    {
        FrameType type = Monitor.Frames.TypeOf(cpu->Reclaimed);

        // Another CPU, or SK itself, may have given it back meanwhile.
        if (FrameRules.IsReclaimable(type) && ChangeType(cpu, Domain.Sptm, cpu->Reclaimed, (ulong)type, (ulong)FrameType.XnuDefault) == Status.Ok)
        {
            Monitor.Count(cpu, SptmCounter.ReclaimedFrames);
        }
    }

    private static Status Copy(PerCpu* cpu, ulong linux, ulong secure, ulong bytes, bool toLinux)
    {
        FrameTable frames = Monitor.Frames;
        using Spinlock.Held held = Monitor.LockStage2();
        Status status = toLinux ? CopyRules.CheckWrite(frames, linux, secure, bytes) : CopyRules.CheckRead(frames, linux, secure, bytes);
        if (status != Status.Ok)
        {
            Monitor.Count(cpu, SptmCounter.RefusedCopy);
            return status;
        }

        // SAFETY: both ranges lie within one frame of RAM whose type was checked under the lock that is still held.
        Span<byte> outside = new((void*)linux, (int)bytes);
        Span<byte> inside = new((void*)secure, (int)bytes);
        if (toLinux)
        {
            inside.CopyTo(outside);
        }
        else
        {
            outside.CopyTo(inside);
        }

        return Status.Ok;
    }

    private static Status ChangeSharing(PerCpu* cpu, ulong address, bool share)
    {
        FrameTable frames = Monitor.Frames;
        using Spinlock.Held held = Monitor.LockStage2();
        FrameType before = frames.TypeOf(address);
        Status status = share
            ? Sharing.Share(frames, Monitor.SecureTables, ref Monitor.Tables, address)
            : Sharing.Unshare(frames, Monitor.SecureTables, ref Monitor.Tables, address);
        if (status != Status.Ok)
        {
            Monitor.Count(cpu, SptmCounter.RefusedShare);
            return status;
        }

        // Counters are summed over CPUs modulo 2^64, so one CPU may count down what another counted up.
        FrameType after = frames.TypeOf(address);
        if (before != after)
        {
            cpu->Counters[(int)SptmCounter.SharedFrames] += after == FrameType.SkSharedRw ? 1ul : ulong.MaxValue;
        }

        SelfCheck.Changed(address);

        return Status.Ok;
    }

    private static Status ForgetArgument(ulong address)
    {
        FrameTable frames = Monitor.Frames;
        if (!frames.Contains(address))
        {
            return Status.Denied;
        }

        using Spinlock.Held held = Monitor.LockStage2();
        return FrameRules.Apply(ref frames.Entry(address), FrameOperation.ForgetArgument);
    }

    private static Status Log(ulong address, ulong bytes)
    {
        if (bytes > MaximumLine || !CopyRules.IsOwn(Monitor.Frames, address, bytes, isWritten: false))
        {
            return Status.BadAddress;
        }

        // SAFETY: SK's own memory, checked above.
        Boot.Stage(new ReadOnlySpan<byte>((void*)address, (int)bytes));
        return Status.Ok;
    }

    private static Status WriteCounters(ulong address)
    {
        const ulong Bytes = (ulong)SptmCounter.Count * 8;
        if ((address & 7) != 0 || !CopyRules.IsOwn(Monitor.Frames, address, Bytes, isWritten: true))
        {
            return Status.BadAddress;
        }

        Smmu.CountRefusals();

        // SAFETY: SK's own writable memory, checked above.
        Span<ulong> words = new((void*)address, (int)SptmCounter.Count);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Monitor.Counter((SptmCounter)i);
        }

        return Status.Ok;
    }

    /// <summary>SGI 0, which Linux takes for a spurious reschedule (design review 1).</summary>
    private static Status Kick(ulong mask)
    {
        El2.SendSgi(mask & 0xFF);
        return Status.Ok;
    }
}
