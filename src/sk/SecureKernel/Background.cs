using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

[InlineArray((Limits.Components + 63) / 64)]
public struct ComponentSet
{
    private ulong _first;
}

/// <summary>What SK knows of work that no call waits for.</summary>
public struct BackgroundState
{
    /// <summary>Components that may have some.</summary>
    public ComponentSet May;

    /// <summary>Linux was asked for time, and has not come yet.</summary>
    public bool Asked;

    /// <summary>1 + index of the downcall that lends time; 0 = none.</summary>
    public int Lender;

    /// <summary>Component that had the last turn.</summary>
    public int Last;
}

/// <summary>Threads that can run and work for no call: they live on the time of a downcall that Linux lends for that, its driver's "bottom half".</summary>
/// <remarks>One lender at a time. It runs in a thread of Linux that precedes ordinary ones, so it gives its CPU back after a few turns and sleeps (XnuProxy).</remarks>
public static class Background<TMachine> where TMachine : struct, IMachine
{
    private const int WordBits = 64;

    /// <summary>Turns that end by an interrupt, until the lender sleeps.</summary>
    private const byte Turns = 2;

    /// <summary>How long the threads of a component wait for a call that waits for it and is in Linux: 20 ms. Linux may leave it out for long.</summary>
    private const ulong RunnersPerSecond = 50;

    /// <summary>Threads that are looked at in one step, of one component at least; and of those that wait for each other.</summary>
    private const uint Looks = 64;
    private const int Depth = 16;

    /// <summary>A thread has become ready beside the call that runs, or instead of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(ref KernelState kernel, in Thread thread)
    {
        if (IsFree(in thread))
        {
            kernel.Background.May[thread.Component / WordBits] |= 1ul << (thread.Component % WordBits);
        }
    }

    /// <summary>A CPU goes to Linux: if there is work left, Linux is asked for time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(ref KernelState kernel)
    {
        ulong any = 0;
        for (int i = 0; i < (Limits.Components + WordBits - 1) / WordBits; i++)
        {
            any |= kernel.Background.May[i];
        }

        if (any != 0 && !kernel.Background.Asked && kernel.Background.Lender == 0)
        {
            Ask(ref kernel);
        }
    }

    /// <summary>Downcall capability. x0 = downcall id: it lends its time, and comes back as a completion: Status.Ok when nobody has work left, Status.Busy after some turns.</summary>
    public static Status Lend(ref KernelState kernel, ref Thread caller)
    {
        Status status = DowncallCalls<TMachine>.FindHeld(ref kernel, ref caller, out int index);
        if (status != Status.Ok)
        {
            return status;
        }

        if (caller.Serving.Kind != ServingKind.Downcall || caller.Serving.Whom != (ulong)index)
        {
            return Status.BadState;
        }

        // What Linux came for may be a device, also when somebody lends already.
        InterruptCalls<TMachine>.Raise(ref kernel);
        if (kernel.Background.Lender != 0)
        {
            return Status.BadState;
        }

        caller.Serving = default;
        kernel.Downcalls[index].Phase = DowncallPhase.Lending;
        kernel.Downcalls[index].Vain = 0;
        kernel.Background.Lender = index + 1;
        kernel.Background.Asked = false;
        return Status.Ok;
    }

    /// <summary>The lender is back from an interrupt.</summary>
    public static void CountTurn(ref Downcall call) => call.Vain++;

    /// <summary>The lender's CPU wants to know whom it runs.</summary>
    public static Step Next(ref KernelState kernel, ref Cpu cpu)
    {
        int index = cpu.Downcall - 1;
        bool more = kernel.Downcalls[index].Vain < Turns;
        Status status = more ? Status.Ok : Status.Busy;
        ulong thread = more ? Find(ref kernel, out more) : 0;
        if (thread != 0)
        {
            ref Thread next = ref TMachine.At<Thread>(thread);
            ref Component component = ref kernel.Components[next.Component];
            component.Turn = next.TakesTurns ? next.Number + 1 : component.Turn;
            return Dispatcher<TMachine>.Run(ref kernel, ref cpu, ref next, false);
        }

        if (more)
        {
            return Step.Again;
        }

        kernel.Background.Lender = 0;
        Messages<TMachine>.Complete(ref kernel, index, kernel.Proxy, 0, status);
        return Step.Again;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Ask(ref KernelState kernel)
    {
        if (Find(ref kernel, out bool more) != 0 || more)
        {
            kernel.Background.Asked = true;
            TMachine.NotifyLinux();
        }
    }

    /// <summary>A thread to run, of the component after the one that had the last turn; 0 = none.</summary>
    /// <param name="more">Not all have been looked at.</param>
    private static ulong Find(ref KernelState kernel, out bool more)
    {
        more = false;
        uint looked = 0;
        int last = kernel.Background.Last;
        for (int i = 1; i <= kernel.ComponentCount; i++)
        {
            int index = (last + i) % kernel.ComponentCount;
            ulong bit = 1ul << (index % WordBits);
            ref ulong word = ref kernel.Background.May[index / WordBits];
            if ((word & bit) == 0)
            {
                continue;
            }

            kernel.Background.Last = index;
            bool waits = HasRunner(ref kernel, in kernel.Components[index]);
            ulong thread = waits ? 0 : FindIn(ref kernel.Components[index], out waits);
            if (thread != 0)
            {
                return thread;
            }

            word &= waits ? ulong.MaxValue : ~bit;
            looked += kernel.Components[index].ThreadCount;
            more = looked >= Looks;
            if (more)
            {
                return 0;
            }
        }

        return 0;
    }

    /// <summary>Who waits at its door was interrupted a moment ago: he runs its threads as soon as Linux lets him, on his own time and with his own priority. So a conclave that starts is no matter of Linux's highest thread.</summary>
    private static bool HasRunner(ref KernelState kernel, in Component component)
    {
        if (component.Life != ComponentState.Running)
        {
            return false;
        }

        ulong first = TMachine.At<Endpoint>(component.Endpoint).Head;
        if (first == 0 || EndpointQueue<TMachine>.IsThread(first))
        {
            return false;
        }

        ref Downcall call = ref kernel.Downcalls[EndpointQueue<TMachine>.DowncallOf(first)];
        return call.Away && call.NapEnds == 0 && TMachine.Counter() - call.LeftAt < TMachine.CounterHertz() / RunnersPerSecond;
    }

    /// <param name="waits">There is work, but it cannot go on now.</param>
    private static ulong FindIn(ref Component component, out bool waits)
    {
        waits = false;
        if (component.Life != ComponentState.Running)
        {
            return 0;
        }

        uint number = component.Turn;
        for (uint i = 0; i < component.ThreadCount; i++, number++)
        {
            number = number < component.ThreadCount ? number : 0;
            ulong address = component.Thread(number);
            waits |= !EpochCalls<TMachine>.TryExpire(ref TMachine.At<Thread>(address)) && EpochCalls<TMachine>.HasDeadline(in TMachine.At<Thread>(address));
            if (!IsFree(in TMachine.At<Thread>(address)))
            {
                continue;
            }

            for (int depth = 0; depth < Depth && TMachine.At<Thread>(address).State == ThreadState.Served; depth++)
            {
                address = TMachine.At<Thread>(address).Target;
            }

            ThreadState state = TMachine.At<Thread>(address).State;
            if (state == ThreadState.Ready)
            {
                return address;
            }

            waits |= state is ThreadState.Running or ThreadState.Queued or ThreadState.Deferred or ThreadState.Served;
        }

        return 0;
    }

    /// <summary>Nobody's call runs it.</summary>
    private static bool IsFree(in Thread thread) => thread.Serving.Kind is ServingKind.Nobody or ServingKind.Orphan or ServingKind.Notice;
}
