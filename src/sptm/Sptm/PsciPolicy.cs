using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>What SPTM does with a power call of Linux (PSCI 1.1, DEN0022).</summary>
public enum PsciAction : byte
{
    /// <summary>Answer <see cref="PsciDecision.Answer"/>.</summary>
    Answer = 0,

    /// <summary>Hand it to the firmware as it is.</summary>
    Forward = 1,

    /// <summary>Start CPU <see cref="PsciDecision.Cpu"/> at our entry; Linux's entry is reached from there.</summary>
    CpuOn = 2,
    CpuOff = 3,

    /// <summary>The machine ends or restarts: scrub, then forward.</summary>
    Stop = 4,

    /// <summary>Wait for an interrupt, then answer success.</summary>
    Standby = 5,
}

public struct PsciDecision
{
    public PsciAction Action;
    public ulong Answer;
    public int Cpu;
}

/// <summary>The allow-list of power calls. An SMC that slipped past it would start a CPU at EL2, so everything else is refused.</summary>
public static class PsciPolicy
{
    public const ulong NotSupported = unchecked((ulong)-1);
    public const ulong InvalidParameters = unchecked((ulong)-2);
    public const ulong AlreadyOn = unchecked((ulong)-4);
    public const ulong OnPending = unchecked((ulong)-5);
    public const ulong InvalidAddress = unchecked((ulong)-9);

    public const uint Version = 0x8400_0000;
    public const uint CpuSuspend32 = 0x8400_0001;
    public const uint CpuSuspend64 = 0xC400_0001;
    public const uint CpuOff = 0x8400_0002;
    public const uint CpuOn32 = 0x8400_0003;
    public const uint CpuOn64 = 0xC400_0003;
    public const uint AffinityInfo32 = 0x8400_0004;
    public const uint AffinityInfo64 = 0xC400_0004;
    public const uint MigrateInfoType = 0x8400_0006;
    public const uint SystemOff = 0x8400_0008;
    public const uint SystemReset = 0x8400_0009;
    public const uint Features = 0x8400_000A;

    private const ulong Version11 = 0x0001_0001;

    /// <summary>"No trusted OS that would need migration."</summary>
    private const ulong NoMigration = 2;

    /// <summary>All of CPU_SUSPEND's power_state but the state id (DEN0022 5.4.2): type and power level. Zero: standby of this CPU.</summary>
    private const ulong BeyondStandby = ~0xFFFFul;

    /// <param name="x1">First argument: target MPIDR for CPU_ON, power_state for CPU_SUSPEND, function id for FEATURES.</param>
    /// <param name="x2">Second argument: entry point for CPU_ON.</param>
    /// <param name="cpuCount">CPUs of this machine; their affinity is their number.</param>
    public static PsciDecision Decide(uint function, ulong x1, ulong x2, in FrameTable frames, int cpuCount)
    {
        // A 32-bit call carries 32-bit arguments (SMCCC 3.1).
        bool wide = (function & 0x4000_0000) != 0;
        x1 = wide ? x1 : (uint)x1;
        x2 = wide ? x2 : (uint)x2;
        return function switch
        {
            Version => Say(Version11),
            MigrateInfoType => Say(NoMigration),
            Features => Say(IsAllowed((uint)x1) ? 0 : NotSupported),
            CpuOn32 or CpuOn64 => DecideCpuOn(x1, x2, frames, cpuCount),
            CpuOff => new PsciDecision { Action = PsciAction.CpuOff },

            // A state that powers down would come back at an entry of Linux's choice, at EL2.
            CpuSuspend32 or CpuSuspend64 => (x1 & BeyondStandby) == 0 ? new PsciDecision { Action = PsciAction.Standby } : Say(InvalidParameters),
            AffinityInfo32 or AffinityInfo64 => x1 < (ulong)cpuCount ? new PsciDecision { Action = PsciAction.Forward } : Say(InvalidParameters),
            SystemOff or SystemReset => new PsciDecision { Action = PsciAction.Stop },
            _ => Say(NotSupported),
        };
    }

    public static bool IsAllowed(uint function) => function
        is Version or CpuSuspend32 or CpuSuspend64 or CpuOff or CpuOn32 or CpuOn64 or AffinityInfo32 or AffinityInfo64 or MigrateInfoType or SystemOff or SystemReset or Features;

    private static PsciDecision DecideCpuOn(ulong target, ulong entry, in FrameTable frames, int cpuCount)
    {
        if (target >= (ulong)cpuCount)
        {
            return Say(InvalidParameters);
        }

        // The entry only ever becomes a program counter at EL1 under stage 2; checking it here gives Linux an error instead of a fault.
        FrameAccess access = FrameRules.LinuxAccess(frames.TypeOf(entry));
        return (access & FrameAccess.Execute) == 0 || (entry & 3) != 0
            ? Say(InvalidAddress)
            : new PsciDecision { Action = PsciAction.CpuOn, Cpu = (int)target };
    }

    private static PsciDecision Say(ulong answer) => new() { Action = PsciAction.Answer, Answer = answer };
}
