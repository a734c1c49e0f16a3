namespace Exclaves.Sptm;

/// <summary>Where the identification registers of this CPU come from: op0 3, op1 0, CRn 0, CRm 1 to 7.</summary>
public interface IIdReader
{
    static abstract ulong Read(uint crm, uint op2);
}

/// <summary>
/// What a world may know of its CPU. A feature whose registers the world switch does not handle is hidden here and trapped by the values of
/// <see cref="CpuFeatures"/>; what a newer manual adds is unknown to this table, hence hidden.
/// </summary>
/// <remarks>Field names and positions: Arm ARM D19.2, ID_AA64*_EL1. docs/decisions says for each feature why it is hidden or switched.</remarks>
public static class IdRegisters
{
    public const uint FirstCrm = 1;
    public const uint LastCrm = 7;

    private const ulong CacheSpeculation2 = 0xFul << 56;

    /// <summary>ID_AA64MMFR1_EL1.LO; ID_AA64DFR0_EL1.TraceVer, PMSVer, TraceFilt, TraceBuffer.</summary>
    private const ulong LimitedOrdering = 0xFul << 16;
    private const ulong Tracing = (0xFul << 4) | (0xFul << 32) | (0xFFul << 40);

    /// <summary>Which register a trapped access meant: a read of op0 3, op1 0, CRn 0, CRm 1 to 7. A write is none.</summary>
    /// <remarks>ISS of class 0x18: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, direction 0.</remarks>
    public static bool TryName(Syndrome syndrome, out uint crm, out uint op2)
    {
        uint iss = (uint)syndrome.Value & 0x1FF_FFFF;
        crm = (iss >> 1) & 0xF;
        op2 = (iss >> 17) & 7;
        return (iss & 0x31_FC01) == 0x30_0001 && crm is >= FirstCrm and <= LastCrm;
    }

    /// <summary>The value that a world reads.</summary>
    /// <param name="crm">1 to 7.</param>
    /// <param name="op2">0 to 7.</param>
    /// <param name="raw">What the CPU says.</param>
    public static ulong Visible(uint crm, uint op2, ulong raw)
    {
        ulong value = raw & Mask(crm, op2);
        if (crm == 4 && op2 == 0 && (value & CacheSpeculation2) > 1ul << 56)
        {
            // CSV2 of 2 and more adds SCXTNUM_ELx.
            value = (value & ~CacheSpeculation2) | (1ul << 56);
        }

        return value;
    }

    /// <summary>
    /// Whether a world must not read the register itself. Where LORegions, profiling and trace are all there is to hide, no trap is worth it: Linux
    /// reads ID_AA64MMFR1_EL1 at every copy-on-write fault, uses none of the three without a device-tree node, and is refused their registers anyway.
    /// </summary>
    public static bool MustHide(uint crm, uint op2, ulong raw)
    {
        ulong tolerated = ((crm << 4) | op2) switch
        {
            0x50 => Tracing,
            0x71 => LimitedOrdering,
            _ => 0,
        };
        return ((Visible(crm, op2, raw) ^ raw) & ~tolerated) != 0;
    }

    /// <summary>Fields that a world may see.</summary>
    private static ulong Mask(uint crm, uint op2) => ((crm << 4) | op2) switch
    {
        // AArch32: ID_PFR0 without AMU, ID_DFR0 without trace registers and filter; no other field there stands for a register of EL1.
        0x10 => 0xFF0F_FFFF,
        0x12 => 0x0FFF_0FFF,
        <= 0x3F => ulong.MaxValue,

        // ID_AA64PFR0: without SVE, MPAM, AMU, RME.
        0x40 => 0xFF0F_00F0_FFFF_FFFF,

        // ID_AA64PFR1: BT, SSBS, RAS_frac; without MTE, MPAM_frac, SME, RNDR_trap, CSV2_frac, NMI and later.
        0x41 => 0x0000_0000_0000_F0FF,

        // ID_AA64DFR0: DebugVer, PMUVer, BRPs, WRPs, CTX_CMPs, DoubleLock, MTPMU; without trace, SPE, trace buffer, branch records.
        0x50 => 0x000F_00F0_F0F0_FF0F,

        // ID_AA64ISAR0 without TME; ID_AA64ISAR1 without LS64; ID_AA64ISAR2: those that need no register or enabling at EL2.
        0x60 => 0xFFFF_FFFF_F0FF_FFFF,
        0x61 => 0x0FFF_FFFF_FFFF_FFFF,
        0x62 => 0x00FF_0000_FFF0_FFFF,

        // ID_AA64MMFR0 to 2: translation, without LORegions.
        0x70 => 0xFF00_FFFF_FFFF_FFFF,
        0x71 => 0xFFFF_FFFF_FFF0_FFFF,
        0x72 => 0xFFFF_FFFF_FFFF_FFFF,
        _ => 0,
    };
}
