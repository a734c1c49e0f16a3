using System;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>What SK asks by `hvc`. A call that breaks its contract is a defect of SK and closes the secure world; Linux lives on (I12).</summary>
public static unsafe class SecureGate
{
    private const ulong MaximumLine = 256;

    public static TrapFrame* FromSecure(PerCpu* cpu)
    {
        ref TrapFrame frame = ref cpu->Secure;
        Syndrome syndrome = new(frame.Syndrome);
        if (syndrome.Class != ExceptionClass.Hvc64 || syndrome.Immediate != 0)
        {
            return SecureTraps.TryReflect(cpu, syndrome) ? cpu->Frame : SecurePanic.Fault(cpu, "SK: panic: trapped to EL2"u8);
        }

        switch ((GateCall)frame.X[0])
        {
            case GateCall.Return:
                return Return(cpu);
            case GateCall.LinuxRead:
                frame.X[0] = (ulong)Copy(frame.X[1], frame.X[2], frame.X[3], toLinux: false);
                return cpu->Frame;
            case GateCall.LinuxWrite:
                frame.X[0] = (ulong)Copy(frame.X[1], frame.X[2], frame.X[3], toLinux: true);
                return cpu->Frame;
            case GateCall.Share:
            case GateCall.Unshare:
                frame.X[0] = (ulong)ChangeSharing(cpu, frame.X[1], (GateCall)frame.X[0] == GateCall.Share);
                return cpu->Frame;
            case GateCall.ArgumentDone:
                frame.X[0] = (ulong)ForgetArgument(frame.X[1]);
                return cpu->Frame;
            case GateCall.Log:
                frame.X[0] = (ulong)Log(frame.X[1], frame.X[2]);
                return cpu->Frame;
            case GateCall.Counters:
                frame.X[0] = (ulong)WriteCounters(frame.X[1]);
                return cpu->Frame;
            case GateCall.Kick:
                Kick(frame.X[1]);
                frame.X[0] = (ulong)GateStatus.Ok;
                return cpu->Frame;
            case GateCall.Panic:
                Log(frame.X[1], frame.X[2]);
                return SecurePanic.Fault(cpu, "SK: panic"u8);
            default:
                return SecurePanic.Fault(cpu, "SK: panic: unknown gate call"u8);
        }
    }

    private static TrapFrame* Return(PerCpu* cpu)
    {
        if (cpu->AnswersCall == 0)
        {
            // SK has set itself up on this CPU; after the first one it is open for calls.
            Monitor.OpenSecure();
            return Boot.StartLinux(cpu, firstWorld: false);
        }

        El2.SwitchWorld(ref cpu->SecureWorld, ref cpu->LinuxWorld);
        cpu->World = World.Linux;
        cpu->Linux.X[0] = cpu->Secure.X[1];
        cpu->Linux.X[1] = cpu->Secure.X[2];
        cpu->Linux.X[2] = cpu->Secure.X[3];
        cpu->Linux.X[3] = cpu->Secure.X[4];
        cpu->Frame = &cpu->Linux;
        return cpu->Frame;
    }

    private static GateStatus Copy(ulong linux, ulong secure, ulong bytes, bool toLinux)
    {
        FrameTable frames = Monitor.Frames;
        using Spinlock.Held held = Monitor.LockStage2();
        Status status = toLinux ? CopyRules.CheckWrite(frames, linux, secure, bytes) : CopyRules.CheckRead(frames, linux, secure, bytes);
        if (status != Status.Ok)
        {
            return GateStatus.Refused;
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

        return GateStatus.Ok;
    }

    private static GateStatus ChangeSharing(PerCpu* cpu, ulong address, bool share)
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
            return GateStatus.Refused;
        }

        // Counters are summed over CPUs modulo 2^64, so one CPU may count down what another counted up.
        FrameType after = frames.TypeOf(address);
        if (before != after)
        {
            cpu->Counters[(int)SptmCounter.SharedFrames] += after == FrameType.SkSharedRw ? 1ul : ulong.MaxValue;
        }

        return GateStatus.Ok;
    }

    private static GateStatus ForgetArgument(ulong address)
    {
        FrameTable frames = Monitor.Frames;
        if (!frames.Contains(address))
        {
            return GateStatus.Refused;
        }

        using Spinlock.Held held = Monitor.LockStage2();
        return FrameRules.Apply(ref frames.Entry(address), FrameOperation.ForgetArgument) == Status.Ok ? GateStatus.Ok : GateStatus.Refused;
    }

    private static bool IsSecureMemory(ulong address, ulong bytes)
    {
        FrameType type = Monitor.Frames.TypeOf(address);
        return (address & (FrameTable.PageBytes - 1)) + bytes <= FrameTable.PageBytes
            && type is FrameType.SkDefault or FrameType.SkConst;
    }

    private static GateStatus Log(ulong address, ulong bytes)
    {
        if (bytes > MaximumLine || !IsSecureMemory(address, bytes))
        {
            return GateStatus.Refused;
        }

        // SAFETY: one frame of SK's own memory, checked above.
        Boot.Stage(new ReadOnlySpan<byte>((void*)address, (int)bytes));
        return GateStatus.Ok;
    }

    private static GateStatus WriteCounters(ulong address)
    {
        const ulong Bytes = (ulong)SptmCounter.Count * 8;
        if ((address & 7) != 0 || !IsSecureMemory(address, Bytes) || Monitor.Frames.TypeOf(address) != FrameType.SkDefault)
        {
            return GateStatus.Refused;
        }

        Smmu.CountRefusals();

        // SAFETY: one frame of SK's own writable memory, checked above.
        Span<ulong> words = new((void*)address, (int)SptmCounter.Count);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Monitor.Counter((SptmCounter)i);
        }

        return GateStatus.Ok;
    }

    /// <summary>SGI 0, which Linux takes for a spurious reschedule (design review 1).</summary>
    private static void Kick(ulong mask) => El2.SendSgi(mask & 0xFF);
}
