using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Decides what a CPU does next: whose thread it runs on the time of the downcall that it carries.</summary>
/// <remarks>
/// There is no run queue. A CPU follows its downcall to a thread that must run for it: one of the component's at whose endpoint it stands, or the one
/// that holds it, and from there along the chain of callers. If that thread works for somebody else it is run none the less,
/// on this time ("helping"), so nobody waits for a Linux thread that Linux does not schedule.
/// </remarks>
public static class Dispatcher<TMachine> where TMachine : struct, IMachine
{
    /// <summary>What is known of the threads that could serve an endpoint.</summary>
    private struct Candidates
    {
        public ulong Ready;
        public ulong Waiting;
        public bool Running;
    }

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

        if ((kernel.Pending & PendingWork.Report) != 0)
        {
            CrashReport<TMachine>.WriteLine(ref kernel);
            return Step.Again;
        }

        if ((kernel.Pending & PendingWork.Return) != 0)
        {
            Donations<TMachine>.ReturnChunk(ref kernel);
        }
        else if ((kernel.Pending & PendingWork.Scrub) != 0)
        {
            Lifecycle<TMachine>.ScrubChunk(ref kernel);
        }

        return call.Phase switch
        {
            DowncallPhase.Held => RunThread(ref kernel, ref cpu, call.At, true),
            DowncallPhase.Queued => RunServerOf(ref kernel, ref cpu, TMachine.At<Endpoint>(call.At).Owner),
            DowncallPhase.Deferred => RunServerOf(ref kernel, ref cpu, TMachine.At<Reply>(call.At).Owner),
            DowncallPhase.Lending => Background<TMachine>.Next(ref kernel, ref cpu),
            _ => Broken(call.At, 3),
        };
    }

    /// <summary>A thread came back from EL0.</summary>
    public static Step Returned(ref KernelState kernel, ref Cpu cpu, Trap trap)
    {
        ref Thread thread = ref TMachine.At<Thread>(cpu.Thread);
        Step step = FastPath<TMachine>.Returned(ref kernel, ref cpu, ref thread, trap);
        return step != Step.None ? step : ReturnedSlowly(ref kernel, ref cpu, ref thread, trap);
    }

    /// <summary>The fast path has left it to us.</summary>
    public static Step ReturnedSlowly(ref KernelState kernel, ref Cpu cpu, ref Thread thread, Trap trap)
    {
        ref Component component = ref kernel.Components[thread.Component];
        if (component.Doomed || component.Ending)
        {
            return LastTrap(ref kernel, ref cpu, ref component, ref thread);
        }

        switch (trap)
        {
            case Trap.Synchronous when Exceptions<TMachine>.IsSystemCall(thread.Context.Syndrome):
                kernel.Counters[(int)SkCounter.SystemCalls]++;
                return SystemCalls<TMachine>.Invoke(ref kernel, ref cpu, ref thread);
            case Trap.Synchronous:
                return Exceptions<TMachine>.Handle(ref kernel, ref cpu, ref thread);
            case Trap.Interrupt:
            case Trap.FastInterrupt:
                thread.State = ThreadState.Ready;
                thread.Interrupted = true;
                Background<TMachine>.Note(ref kernel, in thread);
                return cpu.Booting ? Next(ref kernel, ref cpu) : LeaveForInterrupt(ref kernel, ref cpu);
            default:
                TMachine.Panic(PanicCode.KernelFault, thread.Context.Syndrome, thread.Context.ProgramCounter, component.Index);
                return Step.Leave;
        }
    }

    /// <summary>Back to Linux at the first chance: with the answer or the upcall when there is one, else as interrupted.</summary>
    public static Step LeaveForInterrupt(ref KernelState kernel, ref Cpu cpu)
    {
        DowncallPhase phase = kernel.Downcalls[cpu.Downcall - 1].Phase;
        return phase is DowncallPhase.Finished or DowncallPhase.Leaving ? Next(ref kernel, ref cpu) : Interrupted(ref kernel, ref cpu);
    }

    /// <summary>Its component is dead, or dies now.</summary>
    private static Step LastTrap(ref KernelState kernel, ref Cpu cpu, ref Component component, ref Thread thread)
    {
        thread.State = ThreadState.Inactive;
        if (component.Doomed)
        {
            Lifecycle<TMachine>.EndReclaimed(ref kernel, ref component);
        }
        else
        {
            Lifecycle<TMachine>.Stopped(ref kernel, ref component);
        }

        return Next(ref kernel, ref cpu);
    }

    private static Step Interrupted(ref KernelState kernel, ref Cpu cpu)
    {
        kernel.Counters[(int)SkCounter.Interrupted]++;
        return Downcalls<TMachine>.Suspend(ref kernel, ref cpu, Tee.RpcForeignInterrupt, 0, 0);
    }

    /// <summary>Somebody waits for the next free thread of a component.</summary>
    private static Step RunServerOf(ref KernelState kernel, ref Cpu cpu, int owner)
    {
        bool running = false;
        for (int depth = 0; depth < Limits.HelpedServers; depth++)
        {
            ref Component component = ref kernel.Components[owner];
            switch (component.Life)
            {
                case ComponentState.Dead when TMachine.At<Endpoint>(component.Endpoint).Head != 0:
                    // Those who wait for it are being told.
                    Lifecycle<TMachine>.DrainChunk(ref kernel, ref component);
                    return Step.Again;
                case ComponentState.Dead:
                    // What it owed from a reply object is answered as its capabilities go.
                    Lifecycle<TMachine>.ScrubChunk(ref kernel);
                    return Step.Again;
                case ComponentState.Idle:
                    Lifecycle<TMachine>.StartChunk(ref kernel, ref component);
                    return Step.Again;
                default:
                    break;
            }

            Candidates found = Look(in component);
            running |= found.Running;
            if (found.Ready != 0)
            {
                return Run(ref kernel, ref cpu, ref TMachine.At<Thread>(found.Ready), false);
            }

            if (found.Waiting != 0)
            {
                ref Thread waiting = ref TMachine.At<Thread>(found.Waiting);
                switch (waiting.State)
                {
                    case ThreadState.Served:
                        return RunThread(ref kernel, ref cpu, waiting.Target, false);
                    case ThreadState.Queued:
                        owner = TMachine.At<Endpoint>(waiting.Target).Owner;
                        continue;
                    default:
                        owner = TMachine.At<Reply>(waiting.Target).Owner;
                        continue;
                }
            }

            break;
        }

        return running ? Wait(ref kernel, ref cpu) : Nothing(ref kernel, ref cpu, (ulong)owner);
    }

    /// <param name="address">The thread that owes somebody an answer.</param>
    /// <param name="own">It works for this CPU's downcall, not merely ahead of it.</param>
    private static Step RunThread(ref KernelState kernel, ref Cpu cpu, ulong address, bool own)
    {
        for (int depth = 0; depth <= Limits.Components; depth++)
        {
            ref Thread thread = ref TMachine.At<Thread>(address);
            switch (thread.State)
            {
                case ThreadState.Ready:
                    return Run(ref kernel, ref cpu, ref thread, own);
                case ThreadState.Running:
                    return Wait(ref kernel, ref cpu);
                case ThreadState.Served:
                    address = thread.Target;
                    break;
                case ThreadState.Queued:
                    return RunServerOf(ref kernel, ref cpu, TMachine.At<Endpoint>(thread.Target).Owner);
                case ThreadState.Deferred:
                    return RunServerOf(ref kernel, ref cpu, TMachine.At<Reply>(thread.Target).Owner);
                case ThreadState.Listening:
                    // Another thread of its component sets the bit, or nobody does.
                    return RunSibling(ref kernel, ref cpu, ref kernel.Components[thread.Component]);
                case ThreadState.Upcalling:
                    // Another Linux thread carries the upcall; until it is back, this one has nothing to do here.
                    return Nothing(ref kernel, ref cpu, address);
                default:
                    return Broken(address, 0);
            }
        }

        return Broken(address, 1);
    }

    private static Step RunSibling(ref KernelState kernel, ref Cpu cpu, ref Component component)
    {
        Candidates found = Look(in component);
        return found.Ready != 0 ? Run(ref kernel, ref cpu, ref TMachine.At<Thread>(found.Ready), false)
            : found.Running ? Wait(ref kernel, ref cpu)
            : Nothing(ref kernel, ref cpu, component.Index);
    }

    /// <summary>A thread that can run, one that works for nobody first: it is on its way to its next message. Else one whose server can be helped.</summary>
    private static Candidates Look(in Component component)
    {
        Candidates found = default;
        bool free = false;
        for (uint i = 0; i < component.ThreadCount && !free; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            switch (thread.State)
            {
                case ThreadState.Ready:
                    free = thread.Serving.Kind == ServingKind.Nobody;
                    found.Ready = free || found.Ready == 0 ? thread.Address : found.Ready;
                    break;
                case ThreadState.Running:
                    found.Running = true;
                    break;
                case ThreadState.Queued or ThreadState.Served or ThreadState.Deferred:
                    found.Waiting = thread.Address;
                    break;
                default:
                    break;
            }
        }

        return found;
    }

    /// <summary>Another CPU runs what this one needs.</summary>
    private static Step Wait(ref KernelState kernel, ref Cpu cpu)
    {
        if (cpu.Spins++ < Limits.SpinRounds)
        {
            return Step.Pause;
        }

        cpu.Spins = 0;
        return Interrupted(ref kernel, ref cpu);
    }

    /// <summary>Linux has something to do first.</summary>
    private static Step Nothing(ref KernelState kernel, ref Cpu cpu, ulong detail) =>
        cpu.Booting ? Broken(detail, 2) : Naps<TMachine>.TryBegin(ref kernel, ref cpu) ? Step.Leave : Interrupted(ref kernel, ref cpu);

    public static Step Run(ref KernelState kernel, ref Cpu cpu, ref Thread thread, bool own)
    {
        if (thread.Interrupted)
        {
            thread.Interrupted = false;
            if (thread.Personality.Handler != 0 && !thread.Personality.InHandler
                && !Exceptions<TMachine>.Reflect(ref kernel, ref thread, ReflectReason.Tick))
            {
                Lifecycle<TMachine>.End(ref kernel, ref thread, "personality context unmapped"u8);
                return Step.Again;
            }
        }

        if (!own)
        {
            kernel.Counters[(int)SkCounter.Helped]++;
        }

        if (cpu.Downcall != 0 && kernel.Downcalls[cpu.Downcall - 1].Phase != DowncallPhase.Lending)
        {
            kernel.Downcalls[cpu.Downcall - 1].Vain = 0;
        }

        cpu.Own = own && !cpu.Booting;
        return Switch(ref cpu, ref thread);
    }

    /// <summary>The CPU runs a thread that can.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Step Switch(ref Cpu cpu, ref Thread thread)
    {
        thread.State = ThreadState.Running;
        thread.Cpu = cpu.Index;
        cpu.Thread = thread.Address;
        cpu.Spins = 0;
        return Step.Run;
    }

    /// <summary>Runs every core component to its first Receive, in the order of the image's table.</summary>
    private static Step NextOfBoot(ref KernelState kernel, ref Cpu cpu)
    {
        for (int i = 0; i < kernel.ComponentCount; i++)
        {
            ref Component component = ref kernel.Components[i];
            if (!component.IsCore || component.Life == ComponentState.Dead)
            {
                continue;
            }

            if (component.Life == ComponentState.Idle)
            {
                Lifecycle<TMachine>.StartChunk(ref kernel, ref component);
                return Step.Again;
            }

            for (uint thread = 0; thread < component.ThreadCount; thread++)
            {
                ulong address = component.Thread(thread);
                if (TMachine.At<Thread>(address).State != ThreadState.Receiving)
                {
                    return RunThread(ref kernel, ref cpu, address, true);
                }
            }
        }

        cpu.Booting = false;
        return Step.Leave;
    }

    private static Step Broken(ulong target, ulong why)
    {
        TMachine.Panic(PanicCode.Broken, target, why, 0);
        return Step.Leave;
    }
}
