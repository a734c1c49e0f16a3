namespace Exclaves.RogueKernel;

/// <summary>What Linux can ask a rogue kernel for: any yielding call but the driver's own, x1 = this, x2 and x3 = operands.</summary>
/// <remarks>The attacks compile this file too. Answers: x0 = Reply, results from x1 on. README.md has the table.</remarks>
internal enum RogueCommand : ulong
{
    /// <summary>x1 = the magic number, x2 = CPU, x3 = number of registers behind V and FPSR in a snapshot.</summary>
    Ping = 0,

    /// <summary>
    /// Keeps what this entry found in all registers. x2: bit 0 fill all registers with the pattern x3 before leaving, bit 1 answer as a foreign interrupt does,
    /// bit 2 break a rule instead of leaving.
    /// </summary>
    Hold = 1,

    /// <summary>x2 = word of the kept snapshot (registers.h); x1 = its value.</summary>
    Read = 2,

    /// <summary>Sets operand x2 (0 to 15) of this CPU to x3.</summary>
    Operand = 3,

    /// <summary>Loads from the physical address x2; x3 = bytes, plus 0x100 for device memory. x1 = value.</summary>
    Load = 4,

    /// <summary>Stores operand 0 to the physical address x2; x3 as in <see cref="Load"/>.</summary>
    Store = 5,

    /// <summary>Calls code at the physical address x2 with x0 = x3. x1 = its x0.</summary>
    Execute = 6,

    /// <summary>`hvc #0` with x0 to x7 = operands 0 to 7 and x16 = operand 8. x1 to x3 = its x0 to x2.</summary>
    Gate = 7,

    /// <summary>One instruction of rogue.S: x2 which, x3 its x0. x1 = x0 afterwards.</summary>
    Instruction = 8,

    /// <summary>Runs EL0 code: x2 = which, x3 = PSTATE, operand 9 its x0. x1 = vector that took it back (0 synchronous, 1 IRQ, 2 FIQ, 3 SError), x2 = ESR_EL1, x3 = EL0's x0.</summary>
    User = 9,

    /// <summary>Waits inside until ISR_EL1 shows an interrupt, at most x2 rounds. x1 = ISR_EL1, x2 = rounds left.</summary>
    Wait = 10,

    /// <summary>x1 = register x2 of ALL_REGISTERS, now.</summary>
    ReadRegister = 11,

    /// <summary>Writes x3 to register x2 of ALL_REGISTERS and lets it stand.</summary>
    WriteRegister = 12,

    /// <summary>Maps the physical page x2 at a fixed address for good, attributes as in <see cref="Load"/>, without touching it. x1 = virtual address.</summary>
    Map = 13,

    /// <summary>From now on this CPU answers every request at once with zeros and takes no command any more: the shortest way through the gate. Does not answer itself.</summary>
    Spin = 14,

    /// <summary>x2 times two calls in turn: x0 to x2 = operands 0 to 2 and x16 = operand 8, then operands 4 to 6 and 9. x1 = the last x0 that was not 0.</summary>
    Repeat = 15,

    /// <summary>Makes the physical page x2 its stage-1 table of level 0 for one load from the virtual address x3. x1 = value.</summary>
    Walk = 16,

    /// <summary>Spins x2 rounds.</summary>
    Work = 17,

    /// <summary>x1 = PA of SPTM's measurement log.</summary>
    Log = 18,
}
