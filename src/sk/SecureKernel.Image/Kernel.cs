using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.SecureKernel.Image;

/// <summary>Wires the portable kernel to this CPU: a request comes in, steps are carried out, an answer goes out.</summary>
internal static class Kernel
{
    private const int PauseIterations = 64;

    /// <summary>PSTATE.I and F: nothing can be answered to Linux while it has not started.</summary>
    private const ulong MaskInterrupts = 0xC0;

    /// <summary>Where <see cref="Gate.RunUser"/> puts the time.</summary>
    private const int TrapBits = 2;

    private static KernelState _state;
    private static ulong _longestMasked;

    public static KernelLock Lock;

    /// <summary>What is handed over when SK stops.</summary>
    public static ref PanicRecord LastWords => ref _state.LastWords;

    /// <summary>The call that a CPU carries.</summary>
    public static ParkedCall CallOn(int cpu) => Autopsy<SkMachine>.CallOf(ref _state, _state.Cpus[cpu].Downcall - 1);

    /// <summary>From entry.S, once per start of a CPU, in SK's address space and on the CPU's own stack. Never returns.</summary>
    /// <param name="bootInfo">PA of <see cref="BootInfo"/> on the CPU that sets SK up, else 0.</param>
    [RuntimeExport("sk_main")]
    public static void Main(ulong bootInfo, ulong number)
    {
        ref Cpu cpu = ref _state.Cpus[(int)number];
        if (bootInfo != 0)
        {
            Lock.Acquire();
            Boot<SkMachine>.Initialize(ref _state, bootInfo);
            Lock.Release();
            cpu.Booting = true;
            CarryOut(ref cpu, Step.Again);
        }

        GateFrame frame = default;
        while (true)
        {
            Gate.Return(ref frame);
            Serve(ref cpu, ref frame);
        }
    }

    /// <summary>One request of SPTM, up to its answer.</summary>
    private static void Serve(ref Cpu cpu, ref GateFrame frame)
    {
        switch ((GateEndpoint)frame.W0)
        {
            case GateEndpoint.Enter:
                cpu.MaskedSince = Arm64.ReadCntvctEl0();
                Enter(ref cpu, ref frame);
                break;
            case GateEndpoint.Info:
                frame.W0 = (ulong)GateStatus.Success;
                frame.W1 = Dispatch.Version;
                frame.W2 = (ulong)_state.ComponentCount;
                frame.W3 = _state.ServiceCount;
                break;
            case GateEndpoint.Reclaim:
                Lock.Acquire();
                frame.W1 = Donations<SkMachine>.TryReclaim(ref _state, frame.W1) ? 1ul : 0;
                Lock.Release();
                frame.W0 = (ulong)GateStatus.Success;
                break;
            case GateEndpoint.CpuOffline:
                // A CPU outside a downcall holds nothing; it starts again at entry.S.
                frame.W0 = (ulong)GateStatus.Success;
                break;
            default:
                frame.W0 = (ulong)GateStatus.Error;
                break;
        }
    }

    /// <summary>A downcall, up to the answer that goes back to Linux.</summary>
    private static void Enter(ref Cpu cpu, ref GateFrame frame)
    {
        Lock.Acquire();
        if ((frame.W5 & (ulong)EnterFlags.Reset) != 0)
        {
            Downcalls<SkMachine>.Reset(ref _state);
        }

        Step step = Downcalls<SkMachine>.Enter(ref _state, ref cpu, frame.W1, frame.W2, frame.W3, frame.W4);
        if (step == Step.Again)
        {
            step = Dispatcher<SkMachine>.Next(ref _state, ref cpu);
        }

        Lock.Release();
        CarryOut(ref cpu, step);
        NoteMasked(ref cpu);
        frame.W0 = (ulong)GateStatus.Success;
        frame.W1 = cpu.X0;
        frame.W2 = cpu.X1;
        frame.W3 = cpu.X2;
        frame.W4 = cpu.X3;
    }

    /// <summary>An interrupt of Linux can be taken here, or is looked for next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void NoteMasked(ref Cpu cpu)
    {
        ulong ticks = Arm64.ReadCntvctEl0() - cpu.MaskedSince;
        if (ticks > Volatile.Read(ref _longestMasked))
        {
            NoteLongest(ref cpu, ticks);
        }
    }

    /// <summary>No interrupt has come yet. With the lock.</summary>
    public static void NoteLook()
    {
        ref Cpu cpu = ref _state.Cpus[(int)(Arm64.ReadMpidrEl1() & 0xFF)];
        ulong now = Arm64.ReadCntvctEl0();
        SetLongest(ref cpu, now - cpu.MaskedSince);
        cpu.MaskedSince = now;
    }

    private static void NoteLongest(ref Cpu cpu, ulong ticks)
    {
        Lock.Acquire();
        SetLongest(ref cpu, ticks);
        Lock.Release();
    }

    /// <summary>Before Linux runs no interrupt waits.</summary>
    private static void SetLongest(ref Cpu cpu, ulong ticks)
    {
        if (ticks > _longestMasked && !cpu.Booting)
        {
            _longestMasked = ticks;
            _state.Counters[(int)SkCounter.LongestMasked] = ticks;
        }
    }

    /// <summary>EL0 runs, and as long as the fast path knows what comes next (less than 1,000 instructions each time) there is nothing to decide.</summary>
    private static Step Run(ref Cpu cpu)
    {
        ulong stateBits = cpu.Booting ? MaskInterrupts : 0;
        while (true)
        {
            ref Thread thread = ref SkMachine.At<Thread>(cpu.Thread);
            ulong trapped = Gate.RunUser(ref thread.Context, thread.TranslationBase, stateBits);
            Trap trap = (Trap)(trapped & ((1 << TrapBits) - 1));
            Lock.Acquire();
            Step step = FastPath<SkMachine>.Returned(ref _state, ref cpu, ref thread, trap);
            if (step == Step.Run)
            {
                Lock.Release();
                continue;
            }

            cpu.MaskedSince = trapped >> TrapBits;
            step = step != Step.None ? step : Dispatcher<SkMachine>.ReturnedSlowly(ref _state, ref cpu, ref thread, trap);
            Lock.Release();
            return step;
        }
    }

    private static void CarryOut(ref Cpu cpu, Step step)
    {
        while (step != Step.Leave)
        {
            NoteMasked(ref cpu);
            if (step == Step.Run)
            {
                step = Run(ref cpu);
                continue;
            }

            if (step == Step.Pause)
            {
                System.Threading.Thread.SpinWait(PauseIterations);
            }

            // The dispatcher looks for an interrupt first.
            cpu.MaskedSince = Arm64.ReadCntvctEl0();
            Lock.Acquire();
            step = Dispatcher<SkMachine>.Next(ref _state, ref cpu);
            Lock.Release();
        }
    }
}
