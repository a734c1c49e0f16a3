using Exclaves.Abi;

namespace Exclaves.Sptm;

/// <summary>Linux's state at an exception, and what it becomes by an injected one.</summary>
public struct El1Exception
{
    public ulong ProgramCounter;
    public ulong ProcessorState;
    public ulong Syndrome;
    public ulong FaultAddress;
    public ulong ReturnAddress;
    public ulong SavedState;
}

/// <summary>What Linux is told when it touches what is not its own (DESIGN 4, design review 2).</summary>
/// <remarks>
/// A kernel data access gets a permission fault at level 3: fixups then work, and a direct access kills that thread alone. Everything else is
/// an external abort. Never a translation fault: Linux retries that for ever.
/// </remarks>
public static class AbortPolicy
{
    private const uint PermissionLevel3 = 0x0F;
    private const uint ExternalAbort = 0x10;
    private const uint ExternalAbortOnWalk = 0x14;
    private const ulong InstructionAbort = 0x20;
    private const ulong DataAbort = 0x24;

    /// <summary>EC of the same abort taken without a change of exception level.</summary>
    private const ulong SameLevel = 1;
    private const ulong InstructionLengthBit = 1ul << 25;
    private const ulong WriteBit = 1ul << 6;
    private const ulong CacheMaintenanceBit = 1ul << 8;

    private const ulong ModeMask = 0x1F;
    private const ulong ModeEl1h = 0b00101;
    private const ulong Aarch32 = 1ul << 4;
    private const ulong MaskAll = 0x3C0;
    private const ulong PrivilegedAccessNever = 1ul << 22;
    private const ulong ConditionFlags = 0xFul << 28;
    private const ulong DataIndependentTiming = 1ul << 24;
    private const ulong SpeculativeStoreBypass = 1ul << 12;

    private const ulong SctlrSpan = 1ul << 23;
    private const ulong SctlrDssbs = 1ul << 44;

    /// <summary>The counter that an abort of Linux raises beside <see cref="SptmCounter.RefusedAccess"/>.</summary>
    /// <param name="isRam">Whether the address is RAM; everything else is a device or a hidden register frame.</param>
    public static SptmCounter Classify(Syndrome syndrome, ulong faultAddress, ulong processorState, bool isRam)
    {
        if (!isRam)
        {
            return SptmCounter.RefusedDevice;
        }

        if (syndrome.IsStage1Walk)
        {
            return SptmCounter.RefusedWalk;
        }

        if (syndrome.Class == ExceptionClass.InstructionAbortLower)
        {
            return SptmCounter.RefusedFetch;
        }

        return IsKernelData(syndrome, faultAddress, processorState) ? SptmCounter.RefusedKernelData : SptmCounter.RefusedUserData;
    }

    /// <summary>The abort that Linux sees for one taken to EL2.</summary>
    /// <param name="syndrome">ESR_EL2.</param>
    /// <param name="faultAddress">FAR_EL2.</param>
    /// <param name="programCounter">ELR_EL2.</param>
    /// <param name="processorState">SPSR_EL2.</param>
    /// <param name="vectorBase">VBAR_EL1.</param>
    /// <param name="systemControl">SCTLR_EL1.</param>
    public static El1Exception Inject(
        Syndrome syndrome, ulong faultAddress, ulong programCounter, ulong processorState, ulong vectorBase, ulong systemControl)
    {
        bool fetch = syndrome.Class == ExceptionClass.InstructionAbortLower;
        uint fault = syndrome.IsStage1Walk
            ? ExternalAbortOnWalk + (syndrome.FaultStatus & 3)
            : IsKernelData(syndrome, faultAddress, processorState) ? PermissionLevel3 : ExternalAbort;
        ulong exceptionClass = (fetch ? InstructionAbort : DataAbort) + (FromEl0(processorState) ? 0 : SameLevel);
        ulong iss = fault | (fetch ? 0 : syndrome.Value & (WriteBit | CacheMaintenanceBit));
        ulong esr = (exceptionClass << 26) | (syndrome.InstructionLength ? InstructionLengthBit : 0) | iss;
        return Enter(esr, faultAddress, programCounter, processorState, vectorBase, systemControl);
    }

    /// <summary>An undefined-instruction exception at the trapped instruction.</summary>
    public static El1Exception InjectUndefined(ulong programCounter, ulong processorState, ulong vectorBase, ulong systemControl) =>
        Enter(InstructionLengthBit, 0, programCounter, processorState, vectorBase, systemControl);

    /// <summary>The BRK exception that MDCR_EL2.TDE took to EL2, as EL1 would have seen it: same class and comment.</summary>
    public static El1Exception InjectBreakpoint(
        Syndrome syndrome, ulong programCounter, ulong processorState, ulong vectorBase, ulong systemControl) =>
        Enter(syndrome.Value & 0xFFFF_FFFF, 0, programCounter, processorState, vectorBase, systemControl);

    private static bool FromEl0(ulong processorState) => (processorState & (ModeMask & ~Aarch32)) == 0 || (processorState & Aarch32) != 0;

    private static bool IsKernelData(Syndrome syndrome, ulong faultAddress, ulong processorState) =>
        syndrome.Class == ExceptionClass.DataAbortLower
        && !syndrome.IsStage1Walk
        && !FromEl0(processorState)
        && (faultAddress & (1ul << 55)) != 0;

    /// <summary>State after an exception to EL1h, as hardware would set it (AArch64.TakeException).</summary>
    private static El1Exception Enter(
        ulong esr, ulong faultAddress, ulong programCounter, ulong processorState, ulong vectorBase, ulong systemControl)
    {
        ulong vector = (processorState & ModeMask) switch
        {
            0b00000 => 0x400,
            0b00100 => 0x000,
            0b00101 => 0x200,
            _ => 0x600,
        };

        ulong state = (processorState & (ConditionFlags | DataIndependentTiming | PrivilegedAccessNever)) | MaskAll | ModeEl1h;
        state |= (systemControl & SctlrSpan) == 0 ? PrivilegedAccessNever : 0;
        state |= (systemControl & SctlrDssbs) != 0 ? SpeculativeStoreBypass : 0;
        return new El1Exception
        {
            ProgramCounter = vectorBase + vector,
            ProcessorState = state,
            Syndrome = esr,
            FaultAddress = faultAddress,
            ReturnAddress = programCounter,
            SavedState = processorState,
        };
    }
}
