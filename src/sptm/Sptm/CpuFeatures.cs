namespace Exclaves.Sptm;

/// <summary>What this CPU has beyond the base that every supported CPU has (Armv8.2). The lowest three have registers in worldregs.h.</summary>
[System.Flags]
public enum CpuFeature : uint
{
    None = 0,

    /// <summary>Pointer authentication: ten key registers, switched.</summary>
    PointerAuthentication = 1 << 0,

    /// <summary>SME: hidden, but TPIDR2_EL0 has no trap of its own before FEAT_FGT, so it is switched.</summary>
    ThreadPointer2 = 1 << 1,

    /// <summary>Performance counters: Linux's; PMCR_EL0 is switched, so that they stand still while SK runs.</summary>
    Counters = 1 << 2,

    /// <summary>FEAT_HCX: HCRX_EL2.</summary>
    ExtendedControl = 1 << 3,

    /// <summary>FEAT_FGT: HFGRTR_EL2 and its like.</summary>
    FineTraps = 1 << 4,

    /// <summary>FEAT_FGT2.</summary>
    FineTraps2 = 1 << 5,

    /// <summary>FEAT_AMUv1.</summary>
    ActivityMonitors = 1 << 6,

    /// <summary>FEAT_MPAM.</summary>
    Partitioning = 1 << 7,

    /// <summary>FEAT_MTE2 or later: tags and their registers.</summary>
    MemoryTags = 1 << 8,

    /// <summary>FEAT_ECV: the virtual timer can be trapped.</summary>
    TimerTraps = 1 << 9,

    /// <summary>FEAT_RAS: VDISR_EL2 and VSESR_EL2.</summary>
    ErrorRecords = 1 << 10,

    /// <summary>Some identification register must not be read as it is: HCR_EL2.TID3.</summary>
    HiddenIds = 1 << 11,
}

/// <summary>From the CPU's identification to the values of EL2's control registers: what is not switched is hidden and trapped (I5).</summary>
public static class CpuFeatures
{
    private const uint Unimplemented = 0xF;

    public static CpuFeature Detect<TReader>()
        where TReader : struct, IIdReader
    {
        ulong pfr0 = TReader.Read(4, 0);
        ulong pfr1 = TReader.Read(4, 1);
        ulong dfr0 = TReader.Read(5, 0);
        ulong isar1 = TReader.Read(6, 1);
        ulong isar2 = TReader.Read(6, 2);
        ulong mmfr0 = TReader.Read(7, 0);
        uint counters = Field(dfr0, 8);
        uint fine = Field(mmfr0, 56);
        CpuFeature features = CpuFeature.None;
        features |= (isar1 & 0xFF00_0FF0) != 0 || (isar2 & 0xFF00) != 0 ? CpuFeature.PointerAuthentication : 0;
        features |= Field(pfr1, 24) != 0 ? CpuFeature.ThreadPointer2 : 0;
        features |= counters is not 0 and not Unimplemented ? CpuFeature.Counters : 0;
        features |= Field(TReader.Read(7, 1), 40) != 0 ? CpuFeature.ExtendedControl : 0;
        features |= fine != 0 ? CpuFeature.FineTraps : 0;
        features |= fine >= 2 ? CpuFeature.FineTraps2 : 0;
        features |= Field(pfr0, 44) != 0 ? CpuFeature.ActivityMonitors : 0;
        features |= Field(pfr0, 40) != 0 || Field(pfr1, 16) != 0 ? CpuFeature.Partitioning : 0;
        features |= Field(pfr1, 8) >= 2 ? CpuFeature.MemoryTags : 0;
        features |= Field(mmfr0, 60) != 0 ? CpuFeature.TimerTraps : 0;
        features |= Field(pfr0, 28) != 0 ? CpuFeature.ErrorRecords : 0;
        features |= AnythingToHide<TReader>() ? CpuFeature.HiddenIds : 0;
        return features;
    }

    /// <summary>HCR_EL2 bits that depend on the CPU, the same for both worlds: APK, API, TID3, TID5. ATA and EnSCXT stay 0, which traps.</summary>
    public static ulong Hcr(CpuFeature features) =>
        (Has(features, CpuFeature.PointerAuthentication) ? 3ul << 40 : 0)
        | (Has(features, CpuFeature.HiddenIds) ? 1ul << 18 : 0)
        | (Has(features, CpuFeature.MemoryTags) ? 1ul << 58 : 0);

    /// <summary>MDCR_EL2 bits that depend on the CPU: HPMN gives Linux all counters; HPMD, HCCD: none counts at EL2.</summary>
    /// <param name="counters">PMCR_EL0.N: how many event counters there are.</param>
    public static ulong Mdcr(CpuFeature features, uint counters) =>
        Has(features, CpuFeature.Counters) ? (counters & 0x1F) | (1ul << 17) | (1ul << 23) : 0;

    /// <summary>CNTHCTL_EL2 for SK: EL1TVT, where the CPU has it, keeps it from Linux's virtual timer.</summary>
    public static ulong CnthctlSecure(CpuFeature features) => Has(features, CpuFeature.TimerTraps) ? 1ul << 13 : 0;

    public static bool Has(CpuFeature features, CpuFeature one) => (features & one) != 0;

    private static uint Field(ulong register, int shift) => (uint)(register >> shift) & 0xF;

    private static bool AnythingToHide<TReader>()
        where TReader : struct, IIdReader
    {
        for (uint crm = IdRegisters.FirstCrm; crm <= IdRegisters.LastCrm; crm++)
        {
            for (uint op2 = 0; op2 < 8; op2++)
            {
                if (IdRegisters.MustHide(crm, op2, TReader.Read(crm, op2)))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
