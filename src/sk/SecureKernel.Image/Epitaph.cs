using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime;
using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel.Image;

[InlineArray(128)]
internal struct EpitaphText
{
    private byte _first;
}

/// <summary>SK's last words (I12): SPTM shows them, closes the secure world and lets Linux go on.</summary>
internal static unsafe class Epitaph
{
    private static EpitaphText _text;
    private static int _length;

    [DoesNotReturn]
    public static void Stop(PanicCode code, ulong detail0, ulong detail1, ulong detail2)
    {
        if (Kernel.Lock.TryBreak())
        {
            _length = 0;
            Add("SK panic "u8);
            AddHex((ulong)code);
            Add(": "u8);
            AddHex(detail0);
            Add(" "u8);
            AddHex(detail1);
            Add(" "u8);
            AddHex(detail2);
        }

        StopAfterOther();
    }

    /// <summary>Another CPU has said it all; this one leaves as well.</summary>
    [DoesNotReturn]
    public static void StopAfterOther()
    {
        // SAFETY: a static of SK's image, which the direct map shows at a fixed distance from its physical address.
        ulong text = (ulong)Unsafe.AsPointer(ref _text) - SkMachine.DirectMap;
        while (true)
        {
            Gate.Panic(text, (ulong)_length);
        }
    }

    /// <summary>From vectors.S: an exception out of SK's own code.</summary>
    [RuntimeExport("sk_kernel_fault")]
    public static void KernelFault(ulong vector, ulong syndrome, ulong address, ulong faultAddress) =>
        Stop(PanicCode.KernelFault, syndrome, address, faultAddress);

    /// <summary>From compiled code: a check of the language failed.</summary>
    [RuntimeExport("exc_fail")]
    public static void CheckFailed(uint code) => Stop(PanicCode.Check, code, 0, 0);

    private static void Add(scoped ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length && _length < 128; i++)
        {
            _text[_length++] = text[i];
        }
    }

    private static void AddHex(ulong value)
    {
        Add("0x"u8);
        for (int shift = 60; shift >= 0 && _length < 128; shift -= 4)
        {
            uint digit = (uint)(value >> shift) & 15;
            _text[_length++] = (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        }
    }
}
