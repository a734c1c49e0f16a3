using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;
using Exclaves.Machine;

namespace Exclaves.SecureKernel.Image;

/// <summary>SK's last words (I12): SPTM reports them, closes the secure world and lets Linux go on.</summary>
internal static unsafe class Epitaph
{
    [DoesNotReturn]
    public static void Stop(PanicCode code, ulong detail0, ulong detail1, ulong detail2)
    {
        if (Kernel.Lock.TryBreak())
        {
            ref PanicRecord record = ref Kernel.LastWords;
            if (record.MessageBytes == 0)
            {
                Autopsy<SkMachine>.SetMessage(ref record, PanicCodes.Name(code));
                Add(ref record, detail0);
                Add(ref record, detail1);
                Add(ref record, detail2);
                record.Call = Kernel.CallOn((int)(Arm64.ReadMpidrEl1() & 0xFF));
            }
        }

        StopAfterOther();
    }

    /// <summary>Another CPU has said it all; this one leaves as well.</summary>
    [DoesNotReturn]
    public static void StopAfterOther()
    {
        // SAFETY: a static of SK's image, which the direct map shows at a fixed distance from its physical address.
        ulong record = (ulong)Unsafe.AsPointer(ref Kernel.LastWords) - SkMachine.DirectMap;
        while (true)
        {
            Gate.Panic(record);
        }
    }

    /// <summary>From vectors.S: an exception out of SK's own code.</summary>
    [RuntimeExport("sk_kernel_fault")]
    public static void KernelFault(GeneralRegisters* registers, ulong stackPointer, ulong vector)
    {
        if (!Kernel.Lock.IsBroken)
        {
            ref PanicRecord record = ref Kernel.LastWords;

            // SAFETY: vectors.S saved them.
            record.X = *registers;
            record.StackPointer = stackPointer;
            record.ProgramCounter = Arm64.ReadElrEl1();
            record.ProcessorState = Arm64.ReadSpsrEl1();
            record.Syndrome = Arm64.ReadEsrEl1();
            record.FaultAddress = Arm64.ReadFarEl1();
        }

        Stop(PanicCode.KernelFault, vector, 0, 0);
    }

    /// <summary>From compiled code: a check of the language failed.</summary>
    [RuntimeExport("exc_fail")]
    public static void CheckFailed(uint code) => Stop(PanicCode.Check, code, 0, 0);

    private static void Add(ref PanicRecord record, ulong value)
    {
        Span<byte> text = record.Message;
        int length = (int)record.MessageBytes;
        text[length++] = (byte)' ';
        bool started = false;
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            uint digit = (uint)(value >> shift) & 15;
            started |= digit != 0 || shift == 0;
            if (started)
            {
                text[length++] = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
            }
        }

        record.MessageBytes = (uint)length;
    }
}
