namespace Exclaves.SecureKernel;

/// <summary>What the CPU does next.</summary>
public enum Step : byte
{
    /// <summary>Never answered.</summary>
    None = 0,

    /// <summary>Runs <see cref="Cpu.Thread"/> until it traps.</summary>
    Run = 1,

    /// <summary>Goes to Linux with <see cref="Cpu.X0"/> to <see cref="Cpu.X3"/>.</summary>
    Leave = 2,

    /// <summary>Drops the lock and asks again: a chunk of work is done.</summary>
    Again = 3,

    /// <summary>As <see cref="Again"/>, after a short pause: another CPU runs what this one needs.</summary>
    Pause = 4,
}

/// <summary>What brought a CPU back from EL0.</summary>
public enum Trap : byte
{
    Synchronous = 0,
    Interrupt = 1,
    FastInterrupt = 2,
    SystemError = 3,
}

/// <summary>What one CPU is doing. Nothing in it outlives a step to Linux.</summary>
public struct Cpu
{
    public int Index;

    /// <summary>1 + index of the downcall whose time this is; 0 = none.</summary>
    public int Downcall;

    /// <summary>The thread to run or that ran: its physical address.</summary>
    public ulong Thread;

    /// <summary>It works for this CPU's downcall, not merely ahead of it, nor for the boot.</summary>
    public bool Own;

    /// <summary>Core components are being started: nobody to go back to, interrupts stay masked at EL0.</summary>
    public bool Booting;
    public uint Spins;

    /// <summary>CNTVCT_EL0 when interrupts were masked here.</summary>
    public ulong MaskedSince;

    public ulong X0;
    public ulong X1;
    public ulong X2;
    public ulong X3;
}
