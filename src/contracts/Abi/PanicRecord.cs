using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

[InlineArray(PanicRecord.MaxMessage)]
public struct PanicMessage
{
    private byte _first;
}

[InlineArray(PanicRecord.MaxDepth)]
public struct PanicBacktrace
{
    private ulong _first;
}

/// <summary>A call whose thread of Linux shall wait for good.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ParkedCall
{
    /// <summary>Linux PA of its RPC argument; 0: none is known, and nobody waits.</summary>
    public ulong RpcArgument;

    /// <summary>What brings it back when it is in Linux; 0: it is inside.</summary>
    public uint Token;

    /// <summary>1 + the CPU on which it is inside; 0: none.</summary>
    public uint Cpu;
}

/// <summary>Why the secure world ends, as SK hands it to SPTM (DispatchTable.Panic), and as SPTM reports it.</summary>
/// <remarks>SK is not believed: SPTM copies the record once, bounds every length and prints the rest as numbers.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct PanicRecord
{
    public const int MaxMessage = 128;
    public const int MaxDepth = 24;

    /// <summary>The component that ended; zeros: SK itself, whose registers and stack SPTM reads.</summary>
    public Name64 Component;
    public PanicMessage Message;
    public uint MessageBytes;

    /// <summary>Return addresses in <see cref="Backtrace"/>, innermost first, without the program counter.</summary>
    public uint Depth;
    public GeneralRegisters X;
    public ulong StackPointer;
    public ulong ProgramCounter;
    public ulong ProcessorState;
    public ulong Syndrome;
    public ulong FaultAddress;
    public PanicBacktrace Backtrace;

    /// <summary>The call for which the thread worked that panicked.</summary>
    public ParkedCall Call;
}
