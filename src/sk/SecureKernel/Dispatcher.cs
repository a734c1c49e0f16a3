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
            DowncallPhase.Held => Follow(ref kernel, ref cpu, call.At, 0, true),
            DowncallPhase.Queued => Follow(ref kernel, ref cpu, 0, TMachine.At<Endpoint>(call.At).Owner, false),
            DowncallPhase.Deferred => Follow(ref kernel, ref cpu, 0, TMachine.At<Reply>(call.At).Owner, false),
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
            return LastTrap(ref kernel, ref component, ref thread);
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
                StandBack(ref kernel, ref thread);
                return cpu.Booting ? Next(ref kernel, ref cpu) : LeaveForInterrupt(ref kernel, ref cpu);
            default:
                TMachine.Panic(PanicCode.KernelFault, thread.Context.Syndrome, thread.Context.ProgramCounter, component.Index);
                return Step.Leave;
        }
    }

    /// <summary>The thread has had its turn.</summary>
    public static void StandBack(ref KernelState kernel, ref Thread thread)
    {
        thread.State = ThreadState.Ready;
        thread.Interrupted = true;
        if (thread.TakesTurns)
        {
            kernel.Components[thread.Component].Turn = thread.Number + 1;
        }

        Background<TMachine>.Note(ref kernel, in thread);
    }

    /// <summary>Threads of its component take turns, and another one can run.</summary>
    public static bool HasReadySibling(ref KernelState kernel, ref Thread thread)
    {
        ref Component component = ref kernel.Components[thread.Component];
        for (uint i = 0; thread.TakesTurns && i < component.ThreadCount; i++)
        {
            ref Thread other = ref TMachine.At<Thread>(component.Thread(i));
            if (i != thread.Number && (other.State == ThreadState.Ready || EpochCalls<TMachine>.TryExpire(ref other)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The CPU helps, and whom its downcall needed can run by itself now.</summary>
    public static bool IsAwaited(ref KernelState kernel, ref Cpu cpu)
    {
        if (cpu.Own || cpu.Downcall == 0 || kernel.Downcalls[cpu.Downcall - 1].Phase != DowncallPhase.Held)
        {
            return false;
        }

        ulong address = kernel.Downcalls[cpu.Downcall - 1].At;
        for (int depth = 0; depth < Limits.FollowedOwners && TMachine.At<Thread>(address).State == ThreadState.Served; depth++)
        {
            address = TMachine.At<Thread>(address).Target;
        }

        return TMachine.At<Thread>(address).State == ThreadState.Ready;
    }

    /// <summary>Back to Linux at the first chance: with the answer or the upcall when there is one, else as interrupted.</summary>
    public static Step LeaveForInterrupt(ref KernelState kernel, ref Cpu cpu)
    {
        DowncallPhase phase = kernel.Downcalls[cpu.Downcall - 1].Phase;
        return phase is DowncallPhase.Finished or DowncallPhase.Leaving ? Next(ref kernel, ref cpu) : Interrupted(ref kernel, ref cpu);
    }

    /// <summary>Its component is dead, or dies now.</summary>
    private static Step LastTrap(ref KernelState kernel, ref Component component, ref Thread thread)
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

        return Step.Again;
    }

    private static Step Interrupted(ref KernelState kernel, ref Cpu cpu)
    {
        kernel.Counters[(int)SkCounter.Interrupted]++;
        kernel.Downcalls[cpu.Downcall - 1].LeftAt = TMachine.Counter();
        return Downcalls<TMachine>.Suspend(ref kernel, ref cpu, Tee.RpcForeignInterrupt, 0, 0);
    }

    /// <summary>Follows whom the downcall waits for to a thread that can run.</summary>
    /// <param name="address">A thread that must go on; 0: any of a component's, for somebody waits for the next free one.</param>
    /// <param name="owner">That component.</param>
    /// <param name="own">It works for this CPU's downcall, not merely ahead of it.</param>
    private static Step Follow(ref KernelState kernel, ref Cpu cpu, ulong address, int owner, bool own)
    {
        bool running = false;
        int owners = 0;
        for (int look = Limits.LookedThreads; look > 0; look--)
        {
            if (address == 0)
            {
                ref Component server = ref kernel.Components[owner];
                own = false;
                look -= Limits.ServerLook + (int)server.ThreadCount;
                Step step = Look(ref kernel, ref cpu, ref server, ref address, ref owner, ref running);
                if (step != Step.None)
                {
                    return step;
                }

                continue;
            }

            ref Thread thread = ref TMachine.At<Thread>(address);
            ref Component component = ref kernel.Components[thread.Component];
            switch (thread.State)
            {
                case ThreadState.Ready when component.Life == ComponentState.Dead:
                    Lifecycle<TMachine>.StopChunk(ref kernel, ref component);
                    return Step.Again;
                case ThreadState.Ready when thread.Interrupted && thread.TakesTurns:
                    ulong next = Find(ref component).Ready;
                    return Run(ref kernel, ref cpu, ref TMachine.At<Thread>(next), own && next == address);
                case ThreadState.Ready:
                    return Run(ref kernel, ref cpu, ref thread, own);
                case ThreadState.Running:
                    return Wait(ref kernel, ref cpu);
                case ThreadState.Served:
                    address = thread.Target;
                    break;
                case ThreadState.Queued:
                    owner = TMachine.At<Endpoint>(thread.Target).Owner;
                    address = 0;
                    break;
                case ThreadState.Deferred:
                    owner = TMachine.At<Reply>(thread.Target).Owner;
                    address = 0;
                    break;
                case ThreadState.Epoch when EpochCalls<TMachine>.TryExpire(ref thread):
                    break;
                case ThreadState.Epoch when owners++ < Limits.FollowedOwners && CanGoOn(in component, thread.Owner):
                    own = false;
                    address = component.Thread(thread.Owner - 1);
                    break;
                case ThreadState.Epoch or ThreadState.Listening:
                    // Another thread of its component wakes it or sets the bit, or nobody does.
                    owner = thread.Component;
                    address = 0;
                    break;
                case ThreadState.Upcalling:
                    // Another Linux thread carries the upcall; until it is back, this one has nothing to do here.
                    return Nothing(ref kernel, ref cpu, address);
                default:
                    return Broken(address, 0);
            }
        }

        // Longer than what one may look at in a step. Those behind are run by others.
        return running ? Wait(ref kernel, ref cpu) : Nothing(ref kernel, ref cpu, address);
    }

    /// <summary>Somebody waits for the next free thread of a component. <see cref="Step.None"/>: whom to follow from here.</summary>
    private static Step Look(ref KernelState kernel, ref Cpu cpu, ref Component component, ref ulong address, ref int owner, ref bool running)
    {
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

        Candidates found = Find(ref component);
        running |= found.Running;
        if (found.Ready != 0)
        {
            return Run(ref kernel, ref cpu, ref TMachine.At<Thread>(found.Ready), false);
        }

        if (found.Waiting != 0)
        {
            ref Thread waiting = ref TMachine.At<Thread>(found.Waiting);
            address = waiting.State == ThreadState.Served ? waiting.Target : 0;
            owner = waiting.State == ThreadState.Queued ? TMachine.At<Endpoint>(waiting.Target).Owner
                : waiting.State == ThreadState.Deferred ? TMachine.At<Reply>(waiting.Target).Owner
                : owner;
            return Step.None;
        }

        if (EpochCalls<TMachine>.AllWait(in component))
        {
            Lifecycle<TMachine>.End(ref kernel, ref TMachine.At<Thread>(component.Threads), "every thread waits for another one"u8);
            return Step.Again;
        }

        return running ? Wait(ref kernel, ref cpu) : Nothing(ref kernel, ref cpu, component.Index);
    }

    /// <summary>The owner of what a thread waits for, unless it is on another CPU, ended, or waits for its next message: then its siblings are looked at.</summary>
    private static bool CanGoOn(in Component component, uint owner) =>
        owner != 0 && owner <= component.ThreadCount
        && TMachine.At<Thread>(component.Thread(owner - 1)).State is ThreadState.Ready or ThreadState.Epoch or ThreadState.Queued or ThreadState.Served or ThreadState.Deferred;

    /// <summary>A thread that can run. Of those that take turns, the next one; else one that works for nobody first: it is on its way to its next message.
    /// Without any, one whose server can be helped.</summary>
    private static Candidates Find(ref Component component)
    {
        Candidates found = default;
        bool free = false;
        uint number = component.Turn;
        for (uint i = 0; i < component.ThreadCount && !free; i++, number++)
        {
            number = number < component.ThreadCount ? number : 0;
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(number));
            _ = EpochCalls<TMachine>.TryExpire(ref thread);
            switch (thread.State)
            {
                case ThreadState.Ready:
                    free = thread.TakesTurns || thread.Serving.Kind == ServingKind.Nobody;
                    found.Ready = free || found.Ready == 0 ? thread.Address : found.Ready;
                    component.Turn = thread.TakesTurns ? number + 1 : component.Turn;
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
        thread.Interrupted = false;
        if (thread.Kicked && thread.Personality.Handler != 0 && !thread.Personality.InHandler
            && !Exceptions<TMachine>.Reflect(ref kernel, ref thread, ReflectReason.Tick))
        {
            Lifecycle<TMachine>.End(ref kernel, ref thread, "personality context unmapped"u8);
            return Step.Again;
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
                    return Follow(ref kernel, ref cpu, address, 0, true);
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
