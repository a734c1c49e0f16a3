using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Every synchronous exception from EL0 comes through here, once (ESR_EL1, Arm ARM D17.2.37).</summary>
public static class Exceptions<TMachine> where TMachine : struct, IMachine
{
    private const int ClassShift = 26;
    private const ulong ClassWaitFor = 0x01;
    private const ulong ClassSvc64 = 0x15;
    private const ulong ClassInstructionAbort = 0x20;
    private const ulong ClassDataAbort = 0x24;
    private const ulong ImmediateMask = 0xFFFF;

    /// <summary>What EL0 may choose of PSTATE: NZCV, DIT, SSBS. It always runs in EL0t, unmasked, not stepped.</summary>
    public const ulong ProcessorStateMask = 0xF100_1000;

    /// <summary>`svc #1`.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSystemCall(ulong syndrome) => (syndrome & ((0x3Ful << ClassShift) | ImmediateMask)) == ((ClassSvc64 << ClassShift) | 1);

    /// <summary>Whatever else EL0 caused.</summary>
    public static Step Handle(ref KernelState kernel, ref Cpu cpu, ref Thread thread)
    {
        ulong syndrome = thread.Context.Syndrome;
        switch (syndrome >> ClassShift & 0x3F)
        {
            case ClassSvc64 when (syndrome & ImmediateMask) == 0 && CanReflect(in thread):
                return ReflectOrEnd(ref kernel, ref thread, ReflectReason.SystemCall);

            case ClassWaitFor:
                thread.Context.ProgramCounter += 4;
                return SystemCalls<TMachine>.Yield(ref kernel, ref cpu, ref thread);

            case ClassInstructionAbort or ClassDataAbort when CanReflect(in thread):
                return ReflectOrEnd(ref kernel, ref thread, ReflectReason.Fault);

            case ClassSvc64 or ClassInstructionAbort or ClassDataAbort:
                break;

            default:
                if (CanReflect(in thread))
                {
                    return ReflectOrEnd(ref kernel, ref thread, ReflectReason.Exception);
                }

                break;
        }

        Lifecycle<TMachine>.End(ref kernel, ref thread, FaultReason.OfFault(in thread));
        return Step.Again;
    }

    /// <summary>Enters the personality's handler with the interrupted context in its page. False: the page is not there.</summary>
    public static bool Reflect(ref KernelState kernel, ref Thread thread, ReflectReason reason)
    {
        ref Personality personality = ref thread.Personality;
        ulong page = kernel.Components[thread.Component].Space.Translate<TMachine>(personality.Context, write: true);
        if (page == 0)
        {
            return false;
        }

        // The handler looks for whatever it was kicked for, whatever it is entered for.
        TMachine.At<UserContext>(page) = thread.Context;
        thread.Kicked = false;
        personality.InHandler = true;
        thread.Context.X[0] = (ulong)reason;
        thread.Context.X[1] = personality.Context;
        thread.Context.ProgramCounter = personality.Handler;
        thread.Context.StackPointer = personality.StackPointer;
        thread.Context.ProcessorState = 0;
        return true;
    }

    /// <summary>x0 = <see cref="ExitCode"/>, x1 = VA of the context in which the program was, or 0: its registers and callers are what is reported.</summary>
    public static void Exit(ref KernelState kernel, ref Thread thread)
    {
        ulong code = thread.Context.X[0];
        ulong context = thread.Context.X[1];
        if (context != 0)
        {
            // Who names none that can be read is reported as it stands.
            _ = TakeContext(ref kernel, ref thread, context);
        }

        Lifecycle<TMachine>.End(ref kernel, ref thread, FaultReason.OfExit(code, in thread));
    }

    /// <summary>Takes over a context that EL0 wrote; copied in once, then made harmless.</summary>
    public static Status TakeContext(ref KernelState kernel, ref Thread thread, ulong address)
    {
        if ((address & 15) != 0 || (address & (Limits.PageBytes - 1)) + (ulong)Unsafe.SizeOf<UserContext>() > Limits.PageBytes)
        {
            return Status.BadAddress;
        }

        ulong page = kernel.Components[thread.Component].Space.Translate<TMachine>(address, write: false);
        if (page == 0)
        {
            return Status.BadAddress;
        }

        thread.Context = TMachine.At<UserContext>(page);
        thread.Context.ProcessorState &= ProcessorStateMask;
        thread.Personality.InHandler = false;
        return Status.Ok;
    }

    private static bool CanReflect(in Thread thread) =>
        thread.Personality.Handler != 0 && !thread.Personality.InHandler;

    public static Step ReflectOrEnd(ref KernelState kernel, ref Thread thread, ReflectReason reason)
    {
        if (Reflect(ref kernel, ref thread, reason))
        {
            kernel.Counters[(int)SkCounter.ReflectedFaults] += reason is ReflectReason.SystemCall or ReflectReason.Tick ? 0ul : 1ul;
            return Step.Run;
        }

        Lifecycle<TMachine>.End(ref kernel, ref thread, "personality context unmapped"u8);
        return Step.Again;
    }
}
