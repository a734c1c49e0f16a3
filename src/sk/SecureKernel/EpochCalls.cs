using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Threads of one component wait for each other: by epoch, so that no wake-up is lost, and with an owner, whom their callers help.</summary>
/// <remarks>
/// The component counts epochs: whoever is about to wait takes the present one before it looks at what it waits for, and whoever wakes takes a later one after it has changed that. In
/// whatever order the two come here, a wait that is older than a wake-up does not begin. Counters are shared by ids, so a wait may end for nothing.
/// There is no queue: who waits is found among the component's threads, the earliest epoch first.
/// </remarks>
public static class EpochCalls<TMachine> where TMachine : struct, IMachine
{
    /// <summary>x0 = id, x1 = epoch, x2 = 1 + owner or 0, x3 = deadline or 0.</summary>
    public static Step Wait(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        ref Component component = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        if (context.X[2] > component.MaxThreads)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.BadArgument);
        }

        if (caller.Kicked)
        {
            caller.Kicked = false;
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Kicked);
        }

        if (CounterOf(ref component, context.X[0]) > context.X[1])
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Ok);
        }

        caller.Deadline = context.X[3];
        caller.State = ThreadState.Epoch;
        caller.Target = context.X[0];
        caller.Epoch = context.X[1];
        caller.Owner = (uint)context.X[2];
        if (TryExpire(ref caller))
        {
            caller.State = ThreadState.Running;
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.TimedOut);
        }

        if (caller.Deadline != 0)
        {
            Background<TMachine>.Note(ref kernel, in caller);
        }

        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>x0 = id, x1 = epoch, x2 = whom, x3 = a thread's number.</summary>
    public static Step Wake(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        ref Component component = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        ulong id = context.X[0];
        ulong epoch = context.X[1];
        EpochWake whom = (EpochWake)context.X[2];
        if (whom is EpochWake.None or > EpochWake.Thread || (whom == EpochWake.Thread && context.X[3] >= component.MaxThreads))
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.BadArgument);
        }

        ref ulong counter = ref CounterOf(ref component, id);
        counter = counter < epoch ? epoch : counter;
        ulong earliest = 0;
        ulong woken = 0;
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            if (thread.State != ThreadState.Epoch || thread.Target != id || thread.Epoch >= epoch)
            {
                continue;
            }

            if (whom == EpochWake.All || (whom == EpochWake.Thread && i == context.X[3]))
            {
                Messages<TMachine>.Wake(ref thread, Status.Ok);
                Background<TMachine>.Note(ref kernel, in thread);
                woken++;
            }
            else if (whom != EpochWake.Thread && (earliest == 0 || thread.Epoch < TMachine.At<Thread>(earliest).Epoch))
            {
                earliest = thread.Address;
            }
        }

        if (earliest != 0)
        {
            ref Thread next = ref TMachine.At<Thread>(earliest);
            Messages<TMachine>.Wake(ref next, Status.Ok);
            Background<TMachine>.Note(ref kernel, in next);
            woken = 1;
            if (whom == EpochWake.OneWithOwner)
            {
                SetOwner(ref component, id, next.Number + 1);
            }
        }

        context.X[1] = woken;
        if (woken != 0 && Dispatcher<TMachine>.IsAwaited(ref kernel, ref cpu))
        {
            // This thread was helped, so that the other one can go on.
            context.X[0] = (ulong)Status.Ok;
            caller.State = ThreadState.Ready;
            Background<TMachine>.Note(ref kernel, in caller);
            return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
        }

        return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Ok);
    }

    /// <summary>Sleeps, and wants time later.</summary>
    public static bool HasDeadline(in Thread thread) => thread.State == ThreadState.Epoch && thread.Deadline != 0;

    /// <summary>Ends a wait whose deadline has passed.</summary>
    public static bool TryExpire(ref Thread thread)
    {
        if (thread.State != ThreadState.Epoch || thread.Deadline == 0 || TMachine.Counter() < thread.Deadline)
        {
            return false;
        }

        Messages<TMachine>.Wake(ref thread, Status.TimedOut);
        return true;
    }

    /// <summary>Nobody is left who could wake anybody: every thread waits for a sibling, for ever.</summary>
    public static bool AllWait(in Component component)
    {
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            if (thread.State != ThreadState.Inactive && (thread.State != ThreadState.Epoch || thread.Deadline != 0))
            {
                return false;
            }
        }

        return true;
    }

    private static void SetOwner(ref Component component, ulong id, uint owner)
    {
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            if (thread.State == ThreadState.Epoch && thread.Target == id)
            {
                thread.Owner = owner;
            }
        }
    }

    private static ref ulong CounterOf(ref Component component, ulong id) =>
        ref component.Epochs[(int)((id * 0x9E37_79B9_7F4A_7C15) >> (64 - EpochTable.CountLog2))];
}
