namespace Exclaves.Sptm;

/// <summary>Control registers of EL2 while a world runs (design review 1); one named constant each.</summary>
public static class WorldValues
{
    private const ulong Vm = 1ul << 0;
    private const ulong Swio = 1ul << 1;
    private const ulong Ptw = 1ul << 2;
    private const ulong Fmo = 1ul << 3;
    private const ulong Imo = 1ul << 4;
    private const ulong Amo = 1ul << 5;
    private const ulong Dc = 1ul << 12;
    private const ulong Twi = 1ul << 13;
    private const ulong Twe = 1ul << 14;
    private const ulong Tsc = 1ul << 19;
    private const ulong Tidcp = 1ul << 20;
    private const ulong Tacr = 1ul << 21;
    private const ulong Tge = 1ul << 27;
    private const ulong Rw = 1ul << 31;
    private const ulong Tlor = 1ul << 35;
    private const ulong Terr = 1ul << 36;

    private const ulong HcrCommon = Rw | Vm | Swio | Ptw | Tsc | Tidcp | Tacr | Tlor | Terr;

    /// <summary>HCR_EL2 for Linux: every SMC comes to us; interrupts, WFI and WFE do not.</summary>
    public const ulong HcrLinux = HcrCommon;

    /// <summary>HCR_EL2 for SK: as Linux; it may neither sleep nor take Linux's asynchronous aborts.</summary>
    public const ulong HcrSecure = HcrCommon | Twi | Twe | Amo;

    /// <summary>
    /// HCR_EL2 for TXM: EL0 straight under EL2 (TGE, E2H 0). Stage 1 is off and its memory Normal write-back (DC), stage 2 on; every
    /// exception and interrupt comes to us.
    /// </summary>
    public const ulong HcrTxm = Rw | Vm | Tge | Dc | Tidcp | Terr | Amo | Imo | Fmo;

    /// <summary>HCR_EL2.VSE: a virtual SError is pending for Linux.</summary>
    public const ulong VirtualSError = 1ul << 8;

    /// <summary>
    /// MDCR_EL2 for Linux: TPMS, TTRF; E2PB and E2TB 0: profiling and trace buffers, which write memory by address, are EL2's and off. Breakpoints,
    /// watchpoints, single step and the OS lock stay Linux's: they do nothing in the secure world.
    /// </summary>
    public const ulong MdcrLinux = (1ul << 14) | (1ul << 19);

    /// <summary>MDCR_EL2 for SK: that, and all debug exceptions, debug registers and counters trapped (TDE, TDA, TDOSA, TDRA, TPM, TPMCR).</summary>
    public const ulong MdcrSecure = MdcrLinux | 0xF60;

    /// <summary>CNTHCTL_EL2: Linux owns both timers; SK reads the counter alone.</summary>
    public const ulong CnthctlLinux = 3;
    public const ulong CnthctlSecure = 1;

    /// <summary>ICH_HCR_EL2 for SK: TC, TALL0, TALL1, TDIR: no interrupt-controller register.</summary>
    public const ulong IchHcrSecure = (1ul << 10) | (1ul << 11) | (1ul << 12) | (1ul << 14);

    /// <summary>SCTLR_EL1 at a world's first instruction: MMU and caches off, the RES1 bits.</summary>
    public const ulong SctlrReset = 0x30D0_0800;

    /// <summary>CPACR_EL1 for TXM: SIMD at EL0.</summary>
    public const ulong CpacrTxm = 3ul << 20;

    /// <summary>SPSR_EL2 for TXM: EL0, all masked (what is routed to EL2 comes all the same).</summary>
    public const ulong TxmState = 0x3C0;

    /// <summary>SPSR_EL2 for a first entry: EL1h, all masked.</summary>
    public const ulong EntryState = 0x3C5;
}
