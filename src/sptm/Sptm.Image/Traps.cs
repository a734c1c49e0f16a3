using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.Sptm.Image;

/// <summary>Every exception from a lower level comes through here, once; the answer is the frame to run on.</summary>
public static unsafe class Traps
{
    private const ulong SystemErrorVector = 3;
    private const ulong FaultPageMask = 0x0000_00FF_FFFF_FFF0;

    [RuntimeExport("sptm_trap")]
    public static TrapFrame* Take(PerCpu* cpu, ulong vector)
    {
        Monitor.Count(cpu, SptmCounter.Traps);
        World world = cpu->World;
        return world == World.Txm ? SecureBoot.Take(cpu, vector)
            : vector != 0 ? Asynchronous(cpu, vector)
            : world == World.Linux ? FromLinux(cpu)
            : SecureGate.FromSecure(cpu);
    }

    /// <summary>Interrupts are never routed here; an SError taken while SK ran belongs to Linux and waits for it.</summary>
    private static TrapFrame* Asynchronous(PerCpu* cpu, ulong vector)
    {
        if (vector == SystemErrorVector && cpu->World == World.Secure)
        {
            cpu->LinuxWorld[(int)WorldRegister.HcrEl2] |= WorldValues.VirtualSError;
        }

        return cpu->Frame;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TrapFrame* FromLinux(PerCpu* cpu)
    {
        ref TrapFrame frame = ref cpu->Linux;
        return frame.Syndrome == Syndrome.PlainHvc ? Hypervisor(cpu, ref frame) : Other(cpu, ref frame, new Syndrome(frame.Syndrome));
    }

    /// <summary>What is no call of the driver.</summary>
    private static TrapFrame* Other(PerCpu* cpu, ref TrapFrame frame, Syndrome syndrome)
    {
        switch (syndrome.Class)
        {
            case ExceptionClass.Hvc64:
                return Serve(cpu, ref frame, default, XnuCallHandling.Unknown);
            case ExceptionClass.Smc64:
                frame.ProgramCounter += 4;
                return Power(cpu, ref frame, syndrome);
            case ExceptionClass.DataAbortLower:
            case ExceptionClass.InstructionAbortLower:
                return Abort(cpu, ref frame, syndrome);
            case ExceptionClass.SystemRegister when Identification.TryEmulate(cpu, ref frame, syndrome):
                return cpu->Frame;
            default:
                Apply(ref frame, AbortPolicy.InjectUndefined(frame.ProgramCounter, frame.ProcessorState, El2.ReadVbarEl1(), El2.ReadSctlrEl1()));
                return cpu->Frame;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TrapFrame* Hypervisor(PerCpu* cpu, ref TrapFrame frame)
    {
        XnuFunction function = LinuxCalls.FunctionOf(frame.X[0]);
        XnuCallHandling kind = Dispatch.HandlingOf(function);
        return kind is XnuCallHandling.Yielding or XnuCallHandling.YieldingWithPage && Monitor.IsSecureOpen
            ? Enter(cpu, ref frame, function, kind)
            : Serve(cpu, ref frame, function, kind);
    }

    /// <summary>A call that SPTM answers itself, or refuses.</summary>
    private static TrapFrame* Serve(PerCpu* cpu, ref TrapFrame frame, XnuFunction function, XnuCallHandling kind)
    {
        if (kind == XnuCallHandling.Counter)
        {
            Smmu.CountRefusals();
            if (frame.X[1] < (uint)SptmCounter.Count)
            {
                Answer(ref frame, CallAnswer.Of(0, Monitor.Counter((SptmCounter)frame.X[1])));
                return cpu->Frame;
            }

            kind = XnuCallHandling.Unknown;
        }

        if (kind == XnuCallHandling.Unknown || !Monitor.IsSecureOpen)
        {
            Monitor.Count(cpu, SptmCounter.RefusedCall);
            bool yields = kind is XnuCallHandling.Yielding or XnuCallHandling.YieldingWithPage;
            bool parks = PanicWait.ComesBack(Monitor.Parked, frame.X[0], frame.X[3]);

            // A call that is to come again keeps its token.
            Answer(ref frame, CallAnswer.Of(yields ? SecurePanic.Answer(cpu, parks) : Tee.ReturnUnknown, 0, 0, yields ? frame.X[3] : 0));
            return cpu->Frame;
        }

        if (kind == XnuCallHandling.Exchange)
        {
            Monitor.AnnounceReset();
        }

        Answer(ref frame, LinuxCalls.AnswerFast(function));
        return cpu->Frame;
    }

    /// <summary>The way into SK. x0 to x3 are copied; nothing else of Linux's registers crosses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TrapFrame* Enter(PerCpu* cpu, ref TrapFrame frame, XnuFunction function, XnuCallHandling kind)
    {
        if (kind == XnuCallHandling.YieldingWithPage && !TryNameArgument((frame.X[1] << 32) | (uint)frame.X[2]))
        {
            return Refuse(cpu, ref frame);
        }

        Monitor.Count(cpu, SptmCounter.Enter);
        ulong* operands = (ulong*)&cpu->Secure.X + 1;
        *(CallAnswer*)operands = *(CallAnswer*)&cpu->Linux.X;
        operands[0] = (ulong)function;
        operands[4] = (ulong)(Monitor.TakeReset() ? EnterFlags.Reset : EnterFlags.None);
        return SecureGate.Enter(cpu, GateEndpoint.Enter);
    }

    private static TrapFrame* Refuse(PerCpu* cpu, ref TrapFrame frame)
    {
        Monitor.Count(cpu, SptmCounter.RefusedCall);
        Answer(ref frame, CallAnswer.Of(Tee.ReturnBadAddress));
        return cpu->Frame;
    }

    private static bool TryNameArgument(ulong address)
    {
        FrameTable frames = Monitor.Frames;
        if ((address & (FrameTable.PageBytes - 1)) != 0 || !frames.Contains(address))
        {
            return false;
        }

        using Spinlock.Held held = Monitor.LockStage2();
        return FrameRules.Apply(ref frames.Entry(address), FrameOperation.NameArgument) == Status.Ok;
    }

    private static TrapFrame* Power(PerCpu* cpu, ref TrapFrame frame, Syndrome syndrome)
    {
        uint function = (uint)frame.X[0];
        PsciDecision decision = syndrome.Immediate == 0
            ? PsciPolicy.Decide(function, frame.X[1], frame.X[2], Monitor.Frames, Monitor.Description.CpuCount)
            : new PsciDecision { Action = PsciAction.Answer, Answer = PsciPolicy.NotSupported };
        switch (decision.Action)
        {
            case PsciAction.Forward:
                frame.X[0] = El2.Smc(function, frame.X[1], frame.X[2], frame.X[3]);
                break;
            case PsciAction.CpuOn:
                frame.X[0] = PowerOn(decision.Cpu, frame.X[2], frame.X[3]);
                break;
            case PsciAction.CpuOff:
                if (!Monitor.IsSecureOpen)
                {
                    return PowerOff(cpu);
                }

                cpu->Secure.X[2] = cpu->Number;
                return SecureGate.EnterSeldom(cpu, GateEndpoint.CpuOffline);
            case PsciAction.Stop:
                Machinery.End(function);
                break;
            case PsciAction.Standby:
                Arm64.Wfi();
                frame.X[0] = 0;
                break;
            default:
                if ((long)decision.Answer < 0)
                {
                    Monitor.Count(cpu, SptmCounter.RefusedCall);
                }

                frame.X[0] = decision.Answer;
                break;
        }

        return cpu->Frame;
    }

    /// <summary>Turns this CPU off; comes back only when the firmware refuses.</summary>
    public static TrapFrame* PowerOff(PerCpu* cpu)
    {
        Volatile.Write(ref cpu->Power, (uint)CpuPower.Off);
        cpu->Linux.X[0] = El2.Smc(PsciPolicy.CpuOff, 0, 0, 0);
        Volatile.Write(ref cpu->Power, (uint)CpuPower.On);
        return cpu->Frame;
    }

    private static ulong PowerOn(int number, ulong entry, ulong context)
    {
        PerCpu* target = Monitor.Cpu(number);
        uint before = Interlocked.CompareExchange(ref target->Power, (uint)CpuPower.Starting, (uint)CpuPower.Off);
        if (before != (uint)CpuPower.Off)
        {
            return before == (uint)CpuPower.On ? PsciPolicy.AlreadyOn : PsciPolicy.OnPending;
        }

        target->LinuxEntry = entry;
        target->LinuxContext = context;
        Arm64.DsbIsh();
        ulong result = El2.Smc(PsciPolicy.CpuOn64, (ulong)number, El2.SecondaryAddress(), (ulong)number);
        if (result != 0)
        {
            Volatile.Write(ref target->Power, (uint)CpuPower.Off);
        }

        return result;
    }

    private static TrapFrame* Abort(PerCpu* cpu, ref TrapFrame frame, Syndrome syndrome)
    {
        ulong fault = El2.ReadFarEl2();
        ulong address = ((El2.ReadHpfarEl2() & FaultPageMask) << 8) | (fault & (FrameTable.PageBytes - 1));
        bool data = syndrome.Class == ExceptionClass.DataAbortLower && !syndrome.IsStage1Walk && syndrome.IsTranslationFault;
        if (data && syndrome.HasSyndrome && DeviceMap.IsRedistributorFrame(address, Monitor.Description.CpuCount, out uint offset))
        {
            Emulate(cpu, ref frame, syndrome, address, offset);
            return cpu->Frame;
        }

        if (IsValidNow(address, syndrome))
        {
            return cpu->Frame;
        }

        if (FrameRules.IsReclaimable(Monitor.Frames.TypeOf(address)))
        {
            return SecureGate.Reclaim(cpu, address);
        }

        SptmCounter kind = AbortPolicy.Classify(syndrome, fault, frame.ProcessorState, Monitor.Frames.Contains(address));
        Monitor.Count(cpu, SptmCounter.RefusedAccess);
        Monitor.Count(cpu, kind);
        Apply(ref frame, AbortPolicy.Inject(
            syndrome, fault, frame.ProgramCounter, frame.ProcessorState, El2.ReadVbarEl1(), El2.ReadSctlrEl1()));
        return cpu->Frame;
    }

    /// <summary>Another CPU may have been between break and make: walk again under the lock, and retry if the entry permits it now.</summary>
    private static bool IsValidNow(ulong address, Syndrome syndrome)
    {
        if (!syndrome.IsTranslationFault)
        {
            return false;
        }

        FrameAccess wanted = syndrome.Class == ExceptionClass.InstructionAbortLower && !syndrome.IsStage1Walk ? FrameAccess.Execute
            : syndrome.IsWrite ? FrameAccess.Write
            : FrameAccess.Read;
        using Spinlock.Held held = Monitor.LockStage2();
        ulong leaf = Monitor.LinuxTables.Lookup(address);
        return (Stage2Descriptor.AccessOf(leaf) & wanted) == wanted && !(syndrome.IsStage1Walk && Stage2Descriptor.IsDevice(leaf));
    }

    private static void Emulate(PerCpu* cpu, ref TrapFrame frame, Syndrome syndrome, ulong address, uint offset)
    {
        Monitor.Count(cpu, SptmCounter.RedistributorAccess);
        int bytes = syndrome.AccessBytes;
        bool sound = RedistributorPolicy.IsWellFormed(offset, bytes);
        if (syndrome.IsWrite)
        {
            ulong value = syndrome.Register == 31 ? 0 : frame.X[syndrome.Register];
            uint mask = sound && bytes == 4 ? RedistributorPolicy.WriteMask(offset) : 0;
            if (mask != 0)
            {
                Mmio.Write32(address, (uint)value & mask);
            }
            else if (RedistributorPolicy.IsLpi(offset))
            {
                Monitor.Count(cpu, SptmCounter.RefusedLpi);
            }
        }
        else if (syndrome.Register != 31)
        {
            ulong mask = sound ? RedistributorPolicy.ReadMask(offset, bytes) : 0;
            frame.X[syndrome.Register] = mask == 0 ? 0 : (bytes == 8 ? Mmio.Read64(address) : Mmio.Read32(address)) & mask;
        }

        frame.ProgramCounter += 4;
    }

    /// <summary>Gives the world that runs an exception of its own.</summary>
    public static void Apply(ref TrapFrame frame, in El1Exception exception)
    {
        El2.WriteEl1Exception(exception.ReturnAddress, exception.SavedState, exception.Syndrome, exception.FaultAddress);
        frame.ProgramCounter = exception.ProgramCounter;
        frame.ProcessorState = exception.ProcessorState;
    }

    private static void Answer(ref TrapFrame frame, in CallAnswer answer)
    {
        frame.X[0] = answer.X0;
        frame.X[1] = answer.X1;
        frame.X[2] = answer.X2;
        frame.X[3] = answer.X3;
    }
}
