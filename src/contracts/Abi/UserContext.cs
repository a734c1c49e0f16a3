using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Exclaves.Abi;

[InlineArray(31)]
public struct GeneralRegisters
{
    private ulong _first;
}

[InlineArray(64)]
public struct VectorRegisters
{
    private ulong _first;
}

/// <summary>All registers of an EL0 thread (832 bytes). The same layout is used in SK's thread objects, by its vectors and by personalities.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct UserContext
{
    /// <summary>x0..x30, offset 0.</summary>
    public GeneralRegisters X;

    /// <summary>SP_EL0, offset 248.</summary>
    public ulong StackPointer;

    /// <summary>ELR_EL1, offset 256.</summary>
    public ulong ProgramCounter;

    /// <summary>SPSR_EL1, offset 264. On the way in only NZCV, DIT and SSBS are taken.</summary>
    public ulong ProcessorState;

    /// <summary>TPIDR_EL0, offset 272.</summary>
    public ulong ThreadPointer;

    /// <summary>FAR_EL1, offset 280. Read only.</summary>
    public ulong FaultAddress;

    /// <summary>ESR_EL1, offset 288. Read only.</summary>
    public ulong Syndrome;

    /// <summary>FPCR in the low, FPSR in the high half, offset 296.</summary>
    public uint FloatControl;
    public uint FloatStatus;

    /// <summary>Offset 304: keeps V at a multiple of 16.</summary>
    public ulong Reserved0;
    public ulong Reserved1;

    /// <summary>v0..v31, low word first, offset 320.</summary>
    public VectorRegisters V;
}
