namespace Exclaves.Sptm;

/// <summary>Which registers of a GICv3 redistributor's RD frame Linux may reach (GIC architecture 12.11).</summary>
/// <remarks>
/// The LPI tables are read and written by the redistributor at any physical address, past every stage of translation, so their base
/// registers do not exist for Linux: RD frames are unmapped and each access comes here (DESIGN I4, design review 3).
/// An allow-list: what it does not name reads as zero and ignores writes.
/// </remarks>
public static class RedistributorPolicy
{
    private const uint Ctlr = 0x0000;
    private const uint Iidr = 0x0004;
    private const uint TyperLow = 0x0008;
    private const uint TyperHigh = 0x000C;
    private const uint Statusr = 0x0010;
    private const uint Waker = 0x0014;
    private const uint LpiFirst = 0x0040;
    private const uint LpiEnd = 0x00C0;
    private const uint IdentificationFirst = 0xFFD0;

    /// <summary>EnableLPIs, CES, IR.</summary>
    private const uint CtlrLpi = 0b111;

    /// <summary>PLPIS, VLPIS, Dirty, DirectLPI.</summary>
    private const uint TyperLpi = 0b1111;

    /// <summary>Whether an access is one that the frame's registers define; others read zero and write nothing.</summary>
    public static bool IsWellFormed(uint offset, int bytes) =>
        (bytes == 4 && (offset & 3) == 0) || (bytes == 8 && offset == TyperLow);

    /// <summary>Whether <paramref name="offset"/> is one of the LPI registers, whose refusal is counted.</summary>
    public static bool IsLpi(uint offset) => offset is >= LpiFirst and < LpiEnd;

    /// <summary>Bits of the register at <paramref name="offset"/> that Linux may read; 0 means: do not read it at all.</summary>
    public static ulong ReadMask(uint offset, int bytes) => offset switch
    {
        TyperLow when bytes == 8 => ~(ulong)TyperLpi,
        TyperLow => unchecked((uint)~TyperLpi),
        Ctlr => unchecked((uint)~CtlrLpi),
        Iidr or TyperHigh or Statusr or Waker => uint.MaxValue,
        >= IdentificationFirst => uint.MaxValue,
        _ => 0,
    };

    /// <summary>Bits of the register at <paramref name="offset"/> that Linux may write; 0 means: do not write it at all.</summary>
    public static uint WriteMask(uint offset) => offset switch
    {
        Ctlr => unchecked((uint)~CtlrLpi),
        Statusr or Waker => uint.MaxValue,
        _ => 0,
    };
}
