using System.Runtime.CompilerServices;

namespace Exclaves.ExclaveKit;

/// <summary>Linux's signal numbers and what follows from them.</summary>
public static class Signal
{
    public const uint Illegal = 4;
    public const uint Trap = 5;
    public const uint Abort = 6;
    public const uint Bus = 7;
    public const uint FloatingPoint = 8;
    public const uint Kill = 9;
    public const uint Segmentation = 11;
    public const uint Stop = 19;
    public const uint Count = 64;

    /// <summary>KILL and STOP: neither caught nor blocked.</summary>
    public const ulong Unblockable = (1UL << (int)(Kill - 1)) | (1UL << (int)(Stop - 1));

    /// <summary>CHLD, CONT, URG, WINCH: without a handler nothing happens. Stop signals are taken likewise: nobody could continue us.</summary>
    private const ulong IgnoredByDefault = (1UL << 16) | (1UL << 17) | (1UL << 22) | (1UL << 27) | (1UL << 18) | (1UL << 19) | (1UL << 20) | (1UL << 21);

    public const int CodeUser = 0;
    public const int CodeTkill = -6;
    public const int CodeNotMapped = 1;
    public const int CodeNoAccess = 2;

    /// <summary>Sent by the kernel itself.</summary>
    public const int CodeKernel = 0x80;

    public static bool IsValid(ulong signal) => signal is > 0 and <= Count;

    public static ulong Bit(uint signal) => 1UL << (int)(signal - 1);

    public static bool IsIgnoredByDefault(uint signal) => (IgnoredByDefault & Bit(signal)) != 0;
}

/// <summary>What the program wants done about a signal: the kernel's struct sigaction on arm64.</summary>
public struct SignalAction
{
    public const ulong Default = 0;
    public const ulong Ignore = 1;

    public const ulong FlagInfo = 4;
    public const ulong FlagOnStack = 0x0800_0000;
    public const ulong FlagRestart = 0x1000_0000;
    public const ulong FlagNoDefer = 0x4000_0000;
    public const ulong FlagResetHandler = 0x8000_0000;
    public const ulong FlagRestorer = 0x0400_0000;

    public ulong Handler;
    public ulong Flags;
    public ulong Restorer;
    public ulong Mask;
}

[InlineArray((int)Signal.Count)]
public struct SignalActionTable
{
    private SignalAction _first;
}

/// <summary>Why a signal is delivered: the parts of siginfo that we fill.</summary>
public struct SignalCause
{
    public uint Signal;
    public int Code;

    /// <summary>Faults: the address. Sent signals: 0.</summary>
    public ulong Address;

    /// <summary>Faults: ESR_EL1; otherwise 0.</summary>
    public ulong Syndrome;
    public readonly bool IsFault => Code > 0;
}
