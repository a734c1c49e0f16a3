namespace Exclaves.Attacks;

/// <summary>What must hold, whatever the attacker does.</summary>
public enum Invariant
{
    /// <summary>Every frame has one type, and the frame table is the only truth about it.</summary>
    I1 = 1,

    /// <summary>Each world's stage 2 maps only what the type allows it.</summary>
    I2 = 2,

    /// <summary>No page of EL2, SK or secure EL0 is writable and executable.</summary>
    I3 = 3,

    /// <summary>No device that Linux can program reaches a secure frame.</summary>
    I4 = 4,

    /// <summary>A switch between the worlds leaks no register, and neither world debugs or profiles the other.</summary>
    I5 = 5,

    /// <summary>Interrupts are Linux's: one that arrives in the secure world returns the thread within a bounded number of instructions.</summary>
    I6 = 6,

    /// <summary>Shared memory is hostile: copied once, then judged; what comes back is compared with what was issued.</summary>
    I7 = 7,

    /// <summary>No re-entry: a thread that waits for Linux cannot enter.</summary>
    I8 = 8,

    /// <summary>A component at secure EL0 reaches nothing beyond the capabilities that the system's description gives it.</summary>
    I15 = 15,

    /// <summary>The secure world runs what its signer signed, or there is none. Secure boot, which has no number of its own.</summary>
    Boot = 100,
}
