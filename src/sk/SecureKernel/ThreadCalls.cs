using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What threads of one component may do to each other: start, end, kick, and see that all have been here.</summary>
public static class ThreadCalls<TMachine> where TMachine : struct, IMachine
{
    private const ulong SvcBytes = 4;

    /// <summary>Of a thread that was started: IPC page, context page, stack.</summary>
    public const ulong Pages = 2 + (UserLayout.StartedStackBytes / Limits.PageBytes);

    /// <summary>x0 = pc, x1 = sp or 0, x2 = TPIDR_EL0, x3 = x0; the number in x1.</summary>
    public static Status Start(ref KernelState kernel, ref Thread caller)
    {
        ref UserContext context = ref caller.Context;
        ref Component component = ref kernel.Components[caller.Component];
        ulong pc = context.X[0];
        ulong sp = context.X[1];
        if (pc is 0 or >= UserLayout.End || (pc & 3) != 0 || (sp & 15) != 0)
        {
            return Status.BadArgument;
        }

        uint number = FindInactive(in component);
        if (number == component.MaxThreads || PriceOf(in component, number) > component.Memory.FreeFrames)
        {
            return Status.NoMemory;
        }

        for (ulong page = 0; page < Pages; page++)
        {
            ulong frame = component.Memory.Allocate<TMachine>();
            if (component.Space.Map<TMachine>(ref component.Memory, AddressOf(number, page), PageEntry.Create(frame, PageAccess.ReadWrite, PageSource.Fixed)) != Status.Ok)
            {
                // Nobody but us maps there, and the price was known.
                TMachine.Panic(PanicCode.Broken, AddressOf(number, page), 4, component.Index);
            }
        }

        component.ThreadCount = number < component.ThreadCount ? component.ThreadCount : number + 1;
        Lifecycle<TMachine>.SetToStart(ref component, number);
        ref Thread thread = ref TMachine.At<Thread>(component.Thread(number));
        thread.LentTable = component.TakesLent ? component.Space.Reserve<TMachine>(ref component.Memory, UserLayout.LentWindowOf(number)) : 0;
        thread.Context.X[0] = context.X[3];
        thread.Context.ThreadPointer = context.X[2];
        thread.Context.ProgramCounter = pc;
        thread.Context.StackPointer = sp != 0 ? sp : thread.Context.StackPointer;
        if (caller.Personality.Handler != 0)
        {
            thread.Personality.Handler = caller.Personality.Handler;
            thread.Personality.StackPointer = UserLayout.StackTopOf(number);
            thread.Personality.Context = UserLayout.ContextPageOf(number);
            thread.Personality.InHandler = true;
        }

        Background<TMachine>.Note(ref kernel, in thread);
        context.X[1] = number;
        return Status.Ok;
    }

    public static Step Exit(ref KernelState kernel, ref Cpu cpu, ref Thread caller)
    {
        ref Component component = ref kernel.Components[caller.Component];
        if (caller.Number < component.DeclaredThreads || caller.Serving.Kind is ServingKind.Downcall or ServingKind.Thread or ServingKind.UpcallReturn)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.BadState);
        }

        for (ulong page = 0; page < Pages; page++)
        {
            component.Memory.Release<TMachine>(component.Space.Unmap<TMachine>(ref component.Memory, AddressOf(caller.Number, page)).Frame);
        }

        if (caller.LentTable != 0)
        {
            component.Space.GiveUp<TMachine>(ref component.Memory, UserLayout.LentWindowOf(caller.Number));
        }

        caller.State = ThreadState.Inactive;
        caller.LentTable = 0;
        caller.Serving = default;
        caller.Context = default;
        caller.Personality = default;
        caller.IpcPage = 0;
        while (component.ThreadCount > component.DeclaredThreads
            && TMachine.At<Thread>(component.Thread(component.ThreadCount - 1)).State == ThreadState.Inactive)
        {
            component.ThreadCount--;
        }

        return Dispatcher<TMachine>.Next(ref kernel, ref cpu);
    }

    /// <summary>x0 = number.</summary>
    public static Status Kick(ref KernelState kernel, ref Thread caller)
    {
        ref Component component = ref kernel.Components[caller.Component];
        ulong number = caller.Context.X[0];
        if (number == caller.Number)
        {
            return Status.BadArgument;
        }

        if (number >= component.ThreadCount)
        {
            return Status.NotFound;
        }

        ref Thread thread = ref TMachine.At<Thread>(component.Thread((uint)number));
        switch (thread.State)
        {
            case ThreadState.Inactive:
                return Status.NotFound;
            case ThreadState.Epoch:
                Messages<TMachine>.Wake(ref thread, Status.Kicked);
                Background<TMachine>.Note(ref kernel, in thread);
                break;
            case ThreadState.Receiving:
                EndpointQueue<TMachine>.RemoveFrom(ref kernel, ref TMachine.At<Endpoint>(thread.Target).Receivers, thread.Address);
                Messages<TMachine>.Wake(ref thread, Status.Kicked);
                Background<TMachine>.Note(ref kernel, in thread);
                break;
            case ThreadState.Running:
                thread.Kicked = true;
                TMachine.Kick(1ul << thread.Cpu);
                break;
            default:
                thread.Kicked = true;
                break;
        }

        return Status.Ok;
    }

    /// <summary>x0 = 0, or the ticket that an earlier step took.</summary>
    /// <remarks>The way into SK and out of it orders all that a thread did before with all that others do after they have had SK's lock; so it is enough that it was here.</remarks>
    public static Step Barrier(ref KernelState kernel, ref Thread caller)
    {
        ref Component component = ref kernel.Components[caller.Component];
        ref UserContext context = ref caller.Context;
        if (context.X[0] > component.Barriers)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.BadArgument);
        }

        bool begins = context.X[0] == 0;
        context.X[0] = begins ? ++component.Barriers : context.X[0];
        ulong cpus = 0;
        for (uint i = 0; i < component.ThreadCount; i++)
        {
            ref Thread thread = ref TMachine.At<Thread>(component.Thread(i));
            bool isAway = thread.State == ThreadState.Running && i != caller.Number;
            if (begins && !isAway)
            {
                thread.Passed = component.Barriers;
            }

            cpus |= isAway && thread.Passed < context.X[0] ? 1ul << thread.Cpu : 0;
        }

        if (cpus == 0)
        {
            return SystemCalls<TMachine>.Answer(ref kernel, ref caller, Status.Ok);
        }

        if (begins)
        {
            TMachine.Kick(cpus);
        }

        context.ProgramCounter -= SvcBytes;
        return Step.Run;
    }

    private static uint FindInactive(in Component component)
    {
        uint number = component.DeclaredThreads;
        while (number < component.ThreadCount && TMachine.At<Thread>(component.Thread(number)).State != ThreadState.Inactive)
        {
            number++;
        }

        return number;
    }

    /// <summary>Frames, at most: its pages and their tables, and its table for lent buffers.</summary>
    private static ulong PriceOf(in Component component, uint number)
    {
        ulong lent = component.TakesLent ? component.Space.MissingTables<TMachine>(UserLayout.LentWindowOf(number), 1) : 0;
        return component.Space.MissingTables<TMachine>(UserLayout.IpcPageOf(number), 1) + lent + Pages;
    }

    private static ulong AddressOf(uint number, ulong page) => page switch
    {
        0 => UserLayout.IpcPageOf(number),
        1 => UserLayout.ContextPageOf(number),
        _ => UserLayout.StackTopOf(number) - ((page - 1) * Limits.PageBytes),
    };
}
