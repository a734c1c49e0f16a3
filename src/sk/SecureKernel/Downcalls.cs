using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Contexts of Linux's calls and the tokens that bring them back.</summary>
/// <remarks>A token is 9 bits of index and 23 bits that no two of the 8 million next suspensions of that context share. It is never 0.</remarks>
public static class Downcalls<TMachine> where TMachine : struct, IMachine
{
    private const int IndexBits = 9;
    private const uint TurnMask = (1u << (32 - IndexBits)) - 1;

    /// <summary>Odd, so that multiplication by it permutes the turns.</summary>
    private const uint TurnFactor = 0x2C_92D5;

    /// <summary>SMCCC 1.3's hint in a function id; says nothing to us.</summary>
    private const uint SveHint = 1u << 16;

    public static void Initialize(ref KernelState kernel)
    {
        for (int i = 0; i < Limits.Downcalls; i++)
        {
            kernel.Downcalls[i].Next = i + 2 <= Limits.Downcalls ? (ulong)i + 2 : 0;
        }

        kernel.FreeDowncalls = 1;
    }

    /// <summary>Linux calls. What follows is for <see cref="Dispatcher{TMachine}"/> to say, unless the answer is here at once.</summary>
    public static Step Enter(ref KernelState kernel, ref Cpu cpu, ulong x0, ulong x1, ulong x2, ulong x3)
    {
        switch ((uint)x0 & ~SveHint)
        {
            case Tee.CallWithRegdArg:
            case Tee.CallWithRpcArg:
                return Begin(ref kernel, ref cpu, x0, x1, x2, x3);
            case Tee.ReturnFromRpc:
                return Resume(ref kernel, ref cpu, x0, x1, x2, x3);
            default:
                return Refuse(ref cpu, Tee.ReturnUnknown);
        }
    }

    /// <summary>The CPU goes to Linux; the downcall waits there for its token.</summary>
    public static Step Suspend(ref KernelState kernel, ref Cpu cpu, ulong x0, ulong x1, ulong x2)
    {
        int index = cpu.Downcall - 1;
        ref Downcall call = ref kernel.Downcalls[index];
        call.Away = true;
        call.Token = NextToken(ref call, index, (uint)kernel.Seed);
        Background<TMachine>.Leave(ref kernel);
        cpu.Downcall = 0;
        cpu.X0 = x0;
        cpu.X1 = x1;
        cpu.X2 = x2;
        cpu.X3 = call.Token;
        return Step.Leave;
    }

    /// <summary>The CPU goes to Linux with the answer; the context is free.</summary>
    public static Step Finish(ref KernelState kernel, ref Cpu cpu)
    {
        int index = cpu.Downcall - 1;
        ref Downcall call = ref kernel.Downcalls[index];
        cpu.Downcall = 0;
        cpu.X0 = call.X0;
        cpu.X1 = call.X1;
        cpu.X2 = call.X2;
        cpu.X3 = call.X3;
        Free(ref kernel, index);
        Background<TMachine>.Leave(ref kernel);
        return Step.Leave;
    }

    /// <summary>The context that an id of XnuProxy names, or -1.</summary>
    public static int Find(ref KernelState kernel, ulong id)
    {
        ulong index = id & 0xFFFF;
        return index < Limits.Downcalls
            && kernel.Downcalls[(int)index].Phase != DowncallPhase.Free
            && kernel.Downcalls[(int)index].Id((int)index) == id ? (int)index : -1;
    }

    /// <summary>Linux started anew: nobody will come back for what its predecessor left here.</summary>
    public static void Reset(ref KernelState kernel)
    {
        for (int i = 0; i < Limits.Downcalls; i++)
        {
            if (kernel.Downcalls[i].Phase != DowncallPhase.Free && kernel.Downcalls[i].Away)
            {
                Abandon(ref kernel, i);
            }
        }

        // Whether it has been asked for time, the new one does not know.
        kernel.Background.Asked = false;
        kernel.Background.Lender = 0;
        Messages<TMachine>.Notify(ref kernel, PendingWork.ResetNotice);
        ref Thread proxy = ref TMachine.At<Thread>(kernel.Components[kernel.Proxy].Threads);
        if (proxy.State == ThreadState.Ready && proxy.Serving.Kind is ServingKind.Orphan or ServingKind.Thread)
        {
            Lifecycle<TMachine>.BeginAnew(ref kernel, ref proxy);
        }
    }

    private static Step Begin(ref KernelState kernel, ref Cpu cpu, ulong x0, ulong x1, ulong x2, ulong x3)
    {
        ulong argument = ((uint)x0 & ~SveHint) == Tee.CallWithRpcArg ? (x1 << 32) | (uint)x2 : 0;
        int index = (int)kernel.FreeDowncalls - 1;
        if (index < 0)
        {
            // All contexts are in use, so some other call will complete and wake this thread.
            ReleaseArgument(argument);
            return Refuse(ref cpu, Tee.ReturnThreadLimit);
        }

        ref Downcall call = ref kernel.Downcalls[index];
        kernel.FreeDowncalls = call.Next;
        kernel.Counters[(int)SkCounter.DowncallsInUse]++;
        kernel.Counters[(int)SkCounter.DowncallsTotal]++;
        call.Generation++;
        call.Away = false;
        call.Argument = argument;
        call.RpcArgument = 0;
        call.Vain = 0;
        call.Told = false;
        SetRegisters(ref call, x0, x1, x2, x3);
        cpu.Downcall = index + 1;
        cpu.Spins = 0;
        Step step = FastPath<TMachine>.Begin(ref kernel, ref cpu, ref call, index);
        if (step != Step.None)
        {
            return step;
        }

        Messages<TMachine>.Send(ref kernel, kernel.Components[kernel.Proxy].Endpoint, index, DowncallMessage.New);
        return Step.Again;
    }

    private static Step Resume(ref KernelState kernel, ref Cpu cpu, ulong x0, ulong x1, ulong x2, ulong x3)
    {
        int index = (int)(x3 & (Limits.Downcalls - 1));
        ref Downcall call = ref kernel.Downcalls[index];
        if (x3 == 0 || call.Phase == DowncallPhase.Free || !call.Away || call.Token != x3)
        {
            kernel.Counters[(int)SkCounter.BadTokens]++;
            return Refuse(ref cpu, Tee.ReturnResume);
        }

        call.Away = false;
        call.Token = 0;
        cpu.Downcall = index + 1;
        cpu.Spins = 0;
        if (call.NapEnds != 0)
        {
            Naps<TMachine>.End(ref kernel, index);
        }

        if (call.Phase == DowncallPhase.Lending)
        {
            Background<TMachine>.CountTurn(ref call);
        }

        if (call.Phase == DowncallPhase.Upcall)
        {
            SetRegisters(ref call, x0, x1, x2, x3);
            Messages<TMachine>.Send(ref kernel, kernel.Components[kernel.Proxy].Endpoint, index, DowncallMessage.UpcallReturn);
        }

        return Step.Again;
    }

    private static void Abandon(ref KernelState kernel, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        bool inUpcall = call.IsInUpcall;
        if (call.LentPages != 0)
        {
            Lending<TMachine>.End(ref kernel, index);
        }

        switch (call.Phase)
        {
            case DowncallPhase.Queued:
                EndpointQueue<TMachine>.Remove(ref kernel, ref TMachine.At<Endpoint>(call.At), EndpointQueue<TMachine>.OfDowncall(index));
                break;
            case DowncallPhase.Held:
                Orphan(ref TMachine.At<Thread>(call.At).Serving, index);
                break;
            case DowncallPhase.Deferred:
                Orphan(ref TMachine.At<Reply>(call.At).Duty, index);
                break;
            default:
                break;
        }

        if (inUpcall && call.Phase != DowncallPhase.Finished)
        {
            Orphan(ref TMachine.At<Thread>(call.Holder).Serving, index);
            if (call.HasUpcaller)
            {
                Messages<TMachine>.Answer(ref TMachine.At<Thread>(call.Upcaller), 0, Status.BadReply);
            }
        }

        Free(ref kernel, index);
    }

    private static void Orphan(ref Duty duty, int index)
    {
        if (duty.Kind is ServingKind.Downcall or ServingKind.UpcallReturn && duty.Whom == (ulong)index)
        {
            duty.Kind = ServingKind.Orphan;
        }
    }

    private static void Free(ref KernelState kernel, int index)
    {
        ref Downcall call = ref kernel.Downcalls[index];
        ReleaseArgument(call.Argument);
        call.Argument = 0;
        call.Phase = DowncallPhase.Free;
        call.Message = DowncallMessage.None;
        call.Late = false;
        call.Away = false;
        call.NapEnds = 0;
        call.Token = 0;
        call.Next = kernel.FreeDowncalls;
        kernel.FreeDowncalls = (ulong)index + 1;
        kernel.Counters[(int)SkCounter.DowncallsInUse]--;
    }

    private static void ReleaseArgument(ulong argument)
    {
        if (argument != 0 && !TMachine.ArgumentDone(argument))
        {
            TMachine.Panic(PanicCode.Broken, argument, 3, 0);
        }
    }

    private static uint NextToken(ref Downcall call, int index, uint seed)
    {
        uint turn;
        do
        {
            call.Turn++;
            turn = ((call.Turn * TurnFactor) + seed) & TurnMask;
        }
        while (turn == 0);

        return (turn << IndexBits) | (uint)index;
    }

    private static void SetRegisters(ref Downcall call, ulong x0, ulong x1, ulong x2, ulong x3)
    {
        call.X0 = x0;
        call.X1 = x1;
        call.X2 = x2;
        call.X3 = x3;
    }

    private static Step Refuse(ref Cpu cpu, ulong code)
    {
        cpu.X0 = code;
        cpu.X1 = 0;
        cpu.X2 = 0;
        cpu.X3 = 0;
        return Step.Leave;
    }
}
