using System;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What is written down of a component that ended: registers, and who called whom as far as its stack can be read.</summary>
public static class Autopsy<TMachine> where TMachine : struct, IMachine
{
    private const ulong RecordBytes = 16;

    /// <summary>The last words of a component of the core, for SPTM.</summary>
    public static void Write(ref KernelState kernel, ref Thread thread, ReadOnlySpan<byte> why)
    {
        kernel.LastWords.Call = CallOf(ref kernel, Messages<TMachine>.DowncallOf(ref thread));
        Fill(ref kernel, ref kernel.LastWords, ref thread, why);
    }

    /// <summary>Keeps what there is to say of a component that ends alone; <see cref="CrashReport{TMachine}"/> says it. One report at a time.</summary>
    public static void Keep(ref KernelState kernel, ref Thread thread, ReadOnlySpan<byte> why)
    {
        if (!kernel.IsPending(PendingWork.Report))
        {
            kernel.Pending |= PendingWork.Report;
            kernel.CrashCpu = thread.Cpu;
            kernel.CrashLine = 0;
            Fill(ref kernel, ref kernel.Crash, ref thread, why);
        }
    }

    private static void Fill(ref KernelState kernel, ref PanicRecord record, ref Thread thread, ReadOnlySpan<byte> why)
    {
        ref Component component = ref kernel.Components[thread.Component];
        record.Component = TMachine.At<Name64>(component.Entry);
        SetMessage(ref record, why);
        ref UserContext context = ref thread.Context;
        record.X = context.X;
        record.StackPointer = context.StackPointer;
        record.ProgramCounter = context.ProgramCounter;
        record.ProcessorState = context.ProcessorState;
        record.Syndrome = context.Syndrome;
        record.FaultAddress = context.FaultAddress;
        Walk(ref record, ref component, context.X[29]);
    }

    public static void SetMessage(ref PanicRecord record, ReadOnlySpan<byte> why)
    {
        int length = why.Length < PanicRecord.MaxMessage ? why.Length : PanicRecord.MaxMessage;
        why[..length].CopyTo(record.Message);
        record.MessageBytes = (uint)length;
    }

    /// <summary>Where Linux's thread of a downcall is, and where XnuProxy said that its RPC argument lies. Another thread may be running for it.</summary>
    /// <param name="downcall">Index, or -1 for none.</param>
    public static ParkedCall CallOf(ref KernelState kernel, int downcall)
    {
        ParkedCall parked = default;
        if (downcall < 0)
        {
            return parked;
        }

        ref Downcall call = ref kernel.Downcalls[downcall];
        PageEntry entry = kernel.Components[kernel.Proxy].Space.Lookup<TMachine>(call.RpcArgument);
        if (call.RpcArgument == 0 || !entry.IsValid || entry.Source != PageSource.Shared)
        {
            return parked;
        }

        parked.RpcArgument = entry.Frame | (call.RpcArgument & (Limits.PageBytes - 1));
        parked.Token = call.Away ? call.Token : 0;
        for (int cpu = 0; cpu < Virt.MaxCpus; cpu++)
        {
            parked.Cpu = kernel.Cpus[cpu].Downcall == downcall + 1 ? (uint)cpu + 1 : parked.Cpu;
        }

        return parked;
    }

    /// <summary>Frame records (AAPCS64 6.4.6). The stack is the component's: its addresses are translated as if it had used them.</summary>
    private static void Walk(ref PanicRecord record, ref Component component, ulong pointer)
    {
        for (record.Depth = 0; record.Depth < PanicRecord.MaxDepth; record.Depth++)
        {
            ulong physical = (pointer & 7) == 0 && (pointer & (Limits.PageBytes - 1)) <= Limits.PageBytes - RecordBytes
                ? component.Space.Translate<TMachine>(pointer, write: false)
                : 0;
            if (physical == 0)
            {
                return;
            }

            record.Backtrace[(int)record.Depth] = TMachine.At<ulong>(physical + sizeof(ulong));
            pointer = TMachine.At<ulong>(physical);
        }
    }
}
