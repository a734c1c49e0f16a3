using System.Collections.Generic;

namespace Exclaves.Attacks;

/// <summary>What an owned component can try at secure EL0 (tests/attacks/Intruder). SK counts each: a fault that it hands back, or a call that it refuses.</summary>
internal static class ComponentRows
{
    private const string OwnData = "the same on the component's own data";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        Row("component.read", Invariant.I15, "load from secure EL0", "load from SK's text and data, from SPTM, from other components' memory, from what is unmapped",
            "SK: stage 1 maps a component its own pages alone", OwnData),
        Row("component.write", Invariant.I15, "store from secure EL0", "store to the same places", "SK: stage 1 maps a component its own pages alone", OwnData),
        Row("component.execute", Invariant.I15, "branch from secure EL0", "branch to SK's text", "SK: its half is closed to EL0", "a branch to the component's own text"),
        Row("component.cache", Invariant.I15, "cache maintenance by address", "zero lines of SK's, of others and of text by address; invalidate by address, and all text", "SK: an address of others faults; the rest is undefined at EL0",
            "the component zeroes a line of its own"),
        Row("component.text.write", Invariant.I3, "store to text at secure EL0", "store to the component's own text and constants", "SK: stage 1 keeps them read-only", OwnData),
        Row("component.log", Invariant.I15, "store to the measurement log", "store to the log that the component may read, make it writable, give it back, map over it",
            "SK: the log is mapped read-only", "the component reads the log"),
        Row("component.data.execute", Invariant.I3, "instructions in data at secure EL0", "write an instruction to data, stack and a fresh page, and branch there",
            "SK: stage 1 keeps data from being executed", "a branch to the component's own text"),
        Row("component.map", Invariant.I3, "asking SK for writable text", "map memory that can be executed, make text writable, and give text back", "SK: mappings are read or read-write",
            "a page is mapped, made read-only and given back"),
        Row("component.registers", Invariant.I5, "system register from secure EL0", "read and write registers of EL1 and EL2, debug, timers and the interrupt controller",
            "SK: nothing of it is enabled for EL0; the component gets the exception", "TPIDR_EL0 and CNTVCT_EL0 are read"),
        Row("component.instruction", Invariant.I15, "privileged instruction from secure EL0", "HVC, SMC, BRK, ERET, TLBI, AT, masking of interrupts",
            "SK: nothing of it is there for EL0; the component gets the exception", "TPIDR_EL0 is read"),
        Row("component.slot", Invariant.I15, "forged capability", "call, forward to, and map devices by every slot that the component does not hold, and by numbers that are no slots",
            "SK: slots by table, kind and right", "the slot of XnuProxy is accepted"),
        Row("component.powers", Invariant.I15, "call that needs a capability", "finish and suspend downcalls, copy and share Linux's memory, learn physical addresses, read counters",
            "SK: each needs its capability", "a call that needs none is answered"),
        Row("component.pointer", Invariant.I15, "bad pointer or length in a system call", "addresses of SK, of nobody, unaligned, across the end, and lengths of 0, 2^63 and 2^64 - 1 in every call",
            "SK: ranges lie in the component's own half and are mapped", "the same calls with own addresses"),
        Row("component.number", Invariant.I15, "system call that is none", "call numbers outside the table", "SK: calls by list", "a number of the table is answered"),
        Row("component.label", Invariant.I15, "message in SK's name", "send XnuProxy messages with labels of SK: a downcall, a completion, Linux's return, a reset",
            "SK: labels of its own are refused", "a label of a component's own is delivered"),
    ];

    private static AttackRow Row(string name, Invariant invariant, string mechanism, string tried, string stoppedBy, string permitted) =>
        new(name, invariant, Stand.Component, mechanism, tried, stoppedBy, Control.Allowed(permitted));
}
