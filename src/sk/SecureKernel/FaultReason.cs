using System;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>Why a thread cannot go on, in the words of a report: from ESR_EL1 and FAR_EL1 (Arm ARM D17.2.37), or from what it said itself when it ended.</summary>
public static class FaultReason
{
    private const int ClassShift = 26;
    private const ulong ClassMask = 0x3F;
    private const ulong ClassSvc64 = 0x15;
    private const ulong StatusMask = 0x3F;
    private const ulong StatusKindMask = 0x3C;
    private const ulong TranslationFault = 0x04;
    private const ulong PermissionFault = 0x0C;
    private const ulong AlignmentFault = 0x21;
    private const ulong WriteBit = 1 << 6;

    /// <summary>Set with <see cref="WriteBit"/> by cache maintenance, which only reads.</summary>
    private const ulong MaintenanceBit = 1 << 8;

    public static ReadOnlySpan<byte> OfFault(in Thread thread)
    {
        ulong syndrome = thread.Context.Syndrome;
        return (syndrome >> ClassShift & ClassMask) switch
        {
            0x00 => "illegal instruction"u8,
            0x0E => "illegal execution state"u8,
            0x07 or 0x18 => "instruction that EL0 may not execute"u8,
            ClassSvc64 => "unknown supervisor call"u8,
            0x20 => OfFetch(syndrome),
            0x22 => "misaligned program counter"u8,
            0x24 => OfAccess(syndrome, thread.Context.FaultAddress, thread.Number),
            0x26 => "misaligned stack pointer"u8,
            0x2C => "floating-point exception"u8,
            0x30 or 0x32 or 0x34 or 0x38 or 0x3C => "breakpoint"u8,
            _ => "exception"u8,
        };
    }

    /// <param name="code">What it passed to <see cref="SecureCall.Exit"/>.</param>
    public static ReadOnlySpan<byte> OfExit(ulong code, in Thread thread) => code switch
    {
        ExitCode.QuotaExhausted => "quota exhausted"u8,
        ExitCode.StackOverflow => "stack overflow"u8,
        >= ExitCode.FirstCheck and <= ExitCode.LastCheck => "failed check"u8,
        > ExitCode.Signal and <= ExitCode.LastSignal =>
            (thread.Context.Syndrome >> ClassShift & ClassMask) == ClassSvc64 ? "abort"u8 : OfFault(in thread),
        _ => "exit"u8,
    };

    private static ReadOnlySpan<byte> OfFetch(ulong syndrome) =>
        (syndrome & StatusKindMask) == PermissionFault ? "execute of non-executable memory"u8 : "jump to unmapped memory"u8;

    private static ReadOnlySpan<byte> OfAccess(ulong syndrome, ulong address, uint thread)
    {
        bool writes = (syndrome & (WriteBit | MaintenanceBit)) == WriteBit;
        if ((syndrome & StatusMask) == AlignmentFault)
        {
            return "misaligned access"u8;
        }

        switch (syndrome & StatusKindMask)
        {
            case PermissionFault:
                return writes ? "write to read-only memory"u8 : "read of inaccessible memory"u8;
            case TranslationFault:
                return IsGuard(address, thread) ? "stack overflow"u8 : writes ? "write to unmapped memory"u8 : "read of unmapped memory"u8;
            default:
                return "memory error"u8;
        }
    }

    /// <summary>The page below a thread's stack, where nothing is mapped: larger frames touch each of their pages in turn.</summary>
    private static bool IsGuard(ulong address, uint thread)
    {
        ulong end = UserLayout.StackTopOf(thread) - UserLayout.StackBytes;
        return address >= end - UserLayout.PageBytes && address < end;
    }
}
