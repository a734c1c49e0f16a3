using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Decides what a CPU does next: whose thread it runs on the time of the downcall that it carries.</summary>
/// <remarks>
/// There is no run queue. A CPU follows its downcall to the thread that must run for it: the server in whose queue it stands, the
/// component that holds it, and from there along the chain of callers. If that thread works for somebody else it is run none the less,
/// on this time ("helping"), so nobody waits for a Linux thread that Linux does not schedule.
/// </remarks>
public static class Dispatcher<TMachine> where TMachine : struct, IMachine
{
    /// <summary>Asked after every change; the caller carries the answer out with the lock dropped.</summary>
    public static Step Next(ref KernelState kernel, ref Cpu cpu)
    {
        if (cpu.Booting)
        {
            return NextOfBoot(ref kernel, ref cpu);
        }

        if (cpu.Downcall == 0)
        {
            return Step.Leave;
        }

        ref Downcall call = ref kernel.Downcalls[cpu.Downcall - 1];
        if (call.Phase == DowncallPhase.Finished)
        {
            return Downcalls<TMachine>.Finish(ref kernel, ref cpu);
        }

        if (call.Phase == DowncallPhase.Leaving)
        {
            call.Phase = DowncallPhase.Upcall;
            return Downcalls<TMachine>.Suspend(ref kernel, ref cpu, call.X0, call.X1, call.X2);
        }

        if (TMachine.InterruptPending())
        {
            return Interrupted(ref kernel, ref cpu);
        }

        if (kernel.ReturnPending)
        {
            Donations<TMachine>.ReturnChunk(ref kernel);
        }
        else if (kernel.ScrubPending)
        {
            Lifecycle<TMachine>.ScrubChunk(ref kernel);
        }

        return RunFor(ref kernel, ref cpu, call.At, call.Phase == DowncallPhase.Held);
    }

    /// <summary>A thread came back from EL0.</summary>
    public static Step Returned(ref KernelState kernel, ref Cpu cpu, Trap trap)
    {
        ref Component component = ref kernel.Components[cpu.Component];
        if (component.Doomed)
        {
            Lifecycle<TMachine>.EndReclaimed(ref kernel, ref component);
            return Next(ref kernel, ref cpu);
        }

        switch (trap)
        {
            case Trap.Synchronous:
                return Exceptions<TMachine>.Handle(ref kernel, ref cpu, ref component);
            case Trap.Interrupt:
            case Trap.FastInterrupt:
                component.Thread = ThreadState.Ready;
                component.Interrupted = true;
                return cpu.Booting ? Next(ref kernel, ref cpu) : LeaveForInterrupt(ref kernel, ref cpu);
            default:
                TMachine.Panic(PanicCode.KernelFault, component.Context.Syndrome, component.Context.ProgramCounter, component.Index);
                return Step.Leave;
        }
    }

    /// <summary>Back to Linux at the first chance: with the answer or the upcall when there is one, else as interrupted.</summary>
    public static Step LeaveForInterrupt(ref KernelState kernel, ref Cpu cpu)
    {
        DowncallPhase phase = kernel.Downcalls[cpu.Downcall - 1].Phase;
        return phase is DowncallPhase.Finished or DowncallPhase.Leaving ? Next(ref kernel, ref cpu) : Interrupted(ref kernel, ref cpu);
    }

    private static Step Interrupted(ref KernelState kernel, ref Cpu cpu)
    {
        kernel.Counters[(int)SkCounter.Interrupted]++;
        return Downcalls<TMachine>.Suspend(ref kernel, ref cpu, Tee.RpcForeignInterrupt, 0, 0);
    }

    /// <param name="own">The thread found works for this CPU's downcall, not merely ahead of it.</param>
    private static Step RunFor(ref KernelState kernel, ref Cpu cpu, int target, bool own)
    {
        for (int depth = 0; depth <= Limits.Components; depth++)
        {
            ref Component component = ref kernel.Components[target];
            switch (component.Thread)
            {
                case ThreadState.Ready:
                    return Run(ref kernel, ref cpu, ref component, own);

                case ThreadState.Running:
                    if (cpu.Spins++ < Limits.SpinRounds)
                    {
                        return Step.Pause;
                    }

                    cpu.Spins = 0;
                    return Interrupted(ref kernel, ref cpu);

                case ThreadState.Inactive when component.Life == ComponentState.Dead && component.QueueHead != 0:
                    // It has ended, and those who wait for it are being told.
                    Lifecycle<TMachine>.DrainChunk(ref kernel, ref component);
                    return Step.Again;

                case ThreadState.Inactive when component.Life != ComponentState.Dead:
                    Lifecycle<TMachine>.StartChunk(ref kernel, ref component);
                    return Step.Again;

                case ThreadState.Waiting when component.UpcallOf != 0:
                    // Another Linux thread carries the upcall; until it is back, this one has nothing to do here.
                    return cpu.Booting ? Broken(target, 2) : Interrupted(ref kernel, ref cpu);

                case ThreadState.Waiting:
                    ref Component server = ref kernel.Components[component.WaitingFor];
                    own = server.Serving == ServingKind.Thread && server.ServingIndex == target;
                    target = component.WaitingFor;
                    break;

                default:
                    return Broken(target, 0);
            }
        }

        return Broken(target, 1);
    }

    private static Step Run(ref KernelState kernel, ref Cpu cpu, ref Component component, bool own)
    {
        if (component.Interrupted)
        {
            component.Interrupted = false;
            if (component.Personality.Handler != 0 && !component.Personality.InHandler
                && !Exceptions<TMachine>.Reflect(ref component, ReflectReason.Tick))
            {
                Lifecycle<TMachine>.End(ref kernel, ref component, "personality context unmapped"u8);
                return Step.Again;
            }
        }

        if (!own)
        {
            kernel.Counters[(int)SkCounter.Helped]++;
        }

        component.Thread = ThreadState.Running;
        component.Cpu = cpu.Index;
        cpu.Component = (int)component.Index;
        cpu.Spins = 0;
        return Step.Run;
    }

    /// <summary>Runs every core component to its first Receive, in the order of the image's table.</summary>
    private static Step NextOfBoot(ref KernelState kernel, ref Cpu cpu)
    {
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            if (component.IsCore && component.Life != ComponentState.Dead && component.Thread != ThreadState.Receiving)
            {
                return RunFor(ref kernel, ref cpu, i, true);
            }
        }

        cpu.Booting = false;
        return Step.Leave;
    }

    private static Step Broken(int target, ulong why)
    {
        TMachine.Panic(PanicCode.Broken, (ulong)target, why, 0);
        return Step.Leave;
    }
}
