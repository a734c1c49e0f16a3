namespace Exclaves.Sptm;

/// <summary>What becomes of an instruction of the secure world that EL2 traps.</summary>
public enum SecureTrapAction : byte
{
    /// <summary>SK broke its contract; the secure world closes.</summary>
    Fatal = 0,

    /// <summary>There is no such instruction: an undefined-instruction exception of EL1, which ends the component that tried it, or SK.</summary>
    Undefined = 1,

    /// <summary>BRK: EL1 takes it itself.</summary>
    Breakpoint = 2,
}

/// <summary>
/// Registers and instructions that are hidden from the secure world do not exist for it. They must not be fatal by themselves: EL0 reaches some
/// of those traps (BRK with MDCR_EL2.TDE, MDCCSR_EL0 with TDA), and a component's crash ends that component alone (I11).
/// </summary>
public static class SecureTrapPolicy
{
    public static SecureTrapAction Decide(ExceptionClass exception) => exception switch
    {
        ExceptionClass.Wait or ExceptionClass.FloatingPoint or ExceptionClass.PointerAuthentication or ExceptionClass.SystemRegister
            or ExceptionClass.Sve or ExceptionClass.Sme => SecureTrapAction.Undefined,
        ExceptionClass.Breakpoint => SecureTrapAction.Breakpoint,
        _ => SecureTrapAction.Fatal,
    };
}
