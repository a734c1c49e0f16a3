using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>Registers, debug and counters across the switch of the worlds. Those that need the real SK run on the usual machine.</summary>
internal static class RegisterRows
{
    private const string Switch = "SPTM: the switch of the worlds, made from one table of registers";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        new("register.system", Invariant.I5, Stand.Kernel, "residue in system registers",
            "fill every system register, call, and have SK say what it finds; then the same from SK to Linux", Switch,
            Control.Without(Defence.WorldRegisters), AttackMachine.RogueKernel),
        new("register.vector", Invariant.I5, Stand.Kernel, "residue in SIMD registers",
            "the same with V0 to V31, FPCR and FPSR", Switch, Control.Without(Defence.WorldVectors), AttackMachine.RogueKernel),
        new("register.general", Invariant.I5, Stand.Kernel, "residue in general registers",
            "the same with x4 to x30, also when the call comes back as an interrupted one", Switch,
            Control.Allowed("the operands of a call, x1 to x3, arrive"), AttackMachine.RogueKernel),
        new("register.max", Invariant.I5, Stand.Kernel, "residue in registers of extensions",
            "the same with the whole table on a CPU that has them all: keys of pointer authentication, TPIDR2_EL0, counters",
            Switch + "; the rest is hidden and trapped", Control.Allowed("each world finds again what it left itself"), AttackMachine.RogueKernelMax),
        new("register.hidden", Invariant.I5, Stand.SecureKernel, "register of Linux's that is not switched",
            "read and write each debug, timer, counter and interrupt-controller register that Linux has, from SK, and use SVE and SME",
            "SPTM: traps of HCR_EL2, MDCR_EL2, CPTR_EL2, CNTHCTL_EL2 and ICH_HCR_EL2", Control.Allowed("a register of SK's own is read and written"), AttackMachine.RogueKernelMax),
        new("register.interrupted", Invariant.I5, Stand.Kernel, "residue at an interrupt",
            "interrupt a call of Hello at its work, with all registers filled on each way in, and look for SK's and Hello's values on each way out",
            Switch, Control.Allowed("the call comes to its end with the right sum")),
        new("debug.breakpoint", Invariant.I5, Stand.Kernel, "hardware breakpoint",
            "set a breakpoint on an instruction of secure EL0 and call", "SPTM: MDSCR_EL1 and MDCR_EL2 of SK's own",
            Control.Without(Defence.WorldDebug), AttackMachine.RogueKernel),
        new("debug.watchpoint", Invariant.I5, Stand.Kernel, "hardware watchpoint",
            "set a watchpoint on a word that secure EL0 reads and call", "SPTM: MDSCR_EL1 and MDCR_EL2 of SK's own",
            Control.Without(Defence.WorldDebug), AttackMachine.RogueKernel),
        new("debug.step", Invariant.I5, Stand.Kernel, "single step",
            "switch single step on and call", "SPTM: MDSCR_EL1 and MDCR_EL2 of SK's own", Control.Without(Defence.WorldDebug), AttackMachine.RogueKernel),
        new("pmu.count", Invariant.I5, Stand.Kernel, "performance counter",
            "count cycles over a call that computes for a while in the secure world", "SPTM: PMCR_EL0 of SK's own, HPMD",
            Control.Allowed("the same counter counts the same work of Linux"), AttackMachine.RogueKernelMax),
        new("pmu.overflow", Invariant.I5, Stand.Kernel, "overflow of a performance counter",
            "set a cycle and an instruction counter to overflow soon, with their interrupt, and call what computes for a while in the secure world",
            "SPTM: PMCR_EL0 of SK's own", Control.Without(Defence.WorldDebug), AttackMachine.RogueKernelCounted),
    ];
}
