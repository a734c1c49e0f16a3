namespace Exclaves.Sptm;

/// <summary>ESR_EL2 as a value (Arm ARM D17.2.37).</summary>
/// <remarks>
///  31    26 25 24                                  0
/// |   EC   |IL|                 ISS                 |
/// data abort ISS: ISV 24, SAS 23:22, SSE 21, SRT 20:16, SF 15, AR 14, CM 8, S1PTW 7, WnR 6, DFSC 5:0
/// </remarks>
public readonly struct Syndrome
{
    private readonly ulong _value;

    public Syndrome(ulong value) => _value = value;

    public ulong Value => _value;

    public ExceptionClass Class => (ExceptionClass)((_value >> 26) & 0x3F);

    public bool InstructionLength => (_value & (1ul << 25)) != 0;

    public ushort Immediate => (ushort)_value;

    public bool HasSyndrome => (_value & (1ul << 24)) != 0;

    /// <summary>ESR of `hvc #0` from AArch64, all of it.</summary>
    public const ulong PlainHvc = ((ulong)ExceptionClass.Hvc64 << 26) | (1ul << 25);

    /// <summary>Bytes of the access: 1, 2, 4 or 8.</summary>
    public int AccessBytes => 1 << (int)((_value >> 22) & 3);

    public bool SignExtend => (_value & (1ul << 21)) != 0;

    public int Register => (int)((_value >> 16) & 31);

    public bool Is64BitRegister => (_value & (1ul << 15)) != 0;

    public bool IsCacheMaintenance => (_value & (1ul << 8)) != 0;

    public bool IsStage1Walk => (_value & (1ul << 7)) != 0;

    public bool IsWrite => (_value & (1ul << 6)) != 0;

    public uint FaultStatus => (uint)_value & 0x3F;

    /// <summary>Translation fault at any level (DFSC 0b0001xx): the only abort here for which HPFAR_EL2 names the page.</summary>
    public bool IsTranslationFault => FaultStatus is >= 4 and < 8;
}

/// <summary>ESR.EC values that EL2 meets.</summary>
public enum ExceptionClass : uint
{
    Unknown = 0,
    Wait = 0x01,
    FloatingPoint = 0x07,
    PointerAuthentication = 0x09,
    Svc64 = 0x15,
    Hvc64 = 0x16,
    Smc64 = 0x17,
    SystemRegister = 0x18,
    Sve = 0x19,
    Sme = 0x1D,
    InstructionAbortLower = 0x20,
    DataAbortLower = 0x24,
    Breakpoint = 0x3C,
}
