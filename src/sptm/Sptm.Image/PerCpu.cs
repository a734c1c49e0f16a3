using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Exclaves.Abi;

namespace Exclaves.Sptm.Image;

/// <summary>All registers of an interrupted world that C# code could disturb (800 bytes; offsets in layout.h).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct TrapFrame
{
    public GeneralRegisters X;
    public ulong ProgramCounter;
    public ulong ProcessorState;
    public ulong Syndrome;
    public ulong FloatControl;
    public ulong FloatStatus;
    public VectorRegisters V;
}

/// <summary>Values of the registers in worldregs.h, by <see cref="WorldRegister"/>.</summary>
[InlineArray((int)WorldRegister.Count)]
public struct WorldState
{
    private ulong _first;
}

[InlineArray((int)SptmCounter.Count)]
public struct CounterTable
{
    private ulong _first;
}

/// <summary>Which world a CPU is in.</summary>
public enum World : uint
{
    Linux = 0,
    Secure = 1,

    /// <summary>TXM, on the boot CPU, before both.</summary>
    Txm = 2,
}

/// <summary>Life of a CPU as Linux asked for it by PSCI.</summary>
public enum CpuPower : uint
{
    Off = 0,
    Starting = 1,
    On = 2,
}

/// <summary>What a CPU owns alone; TPIDR_EL2 points to it. Holds nothing of a suspended call.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public unsafe struct PerCpu
{
    /// <summary>Where the vectors save the current world. Offset 0 (layout.h).</summary>
    public TrapFrame* Frame;
    public uint Number;
    private uint _world;
    public uint Power;

    /// <summary>The <see cref="GateEndpoint"/> that SK is working on, or has answered last.</summary>
    public uint Request;

    /// <summary>What this CPU has; switch.S reads the lowest three bits (layout.h).</summary>
    public CpuFeature Features;

    /// <summary>The frame that Linux touched, while <see cref="Request"/> is <see cref="GateEndpoint.Reclaim"/>.</summary>
    public ulong Reclaimed;

    /// <summary>Where Linux wants this CPU to start, and the value for x0.</summary>
    public ulong LinuxEntry;
    public ulong LinuxContext;
    public TrapFrame Linux;
    public TrapFrame Secure;
    public WorldState LinuxWorld;
    public WorldState SecureWorld;
    public CounterTable Counters;

    /// <summary>Which world runs here. Another CPU that reads Linux sees all that the secure world left behind.</summary>
    public World World
    {
        get => (World)Volatile.Read(ref _world);
        set => Volatile.Write(ref _world, (uint)value);
    }
}
