using System.Collections.Generic;
using Exclaves.Abi;

namespace Exclaves.Attacks;

/// <summary>What an owned SK can try (tests/RogueKernel): first what SPTM answers with a refusal, then what ends the secure world.</summary>
internal static class SecureKernelRows
{
    private const string StageTwo = "SPTM: SK's stage 2 maps no such frame; the secure world ends";
    private const string Copies = "a call of SK's tables is answered: a word of Linux's is copied";
    private const string Donates = "a frame of Linux is donated and given back";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        Row("sk.retype.stale", Invariant.I1, "retype with a wrong current type",
            "state that a frame of Linux, SPTM's, of SK's text, or one that is borrowed, is one that SK may retype", "SPTM: the stated type must be the frame's",
            Control.Allowed(Donates)),
        Row("sk.retype.window", Invariant.I4, "donation out of the window of devices",
            "take frames that devices of Linux reach, from the first to the last, each of them Linux's alone a moment before and after", "SPTM: only from above the window",
            Control.Allowed("a frame of Linux from above the window is donated and given back")),
        Row("sk.retype.argument", Invariant.I1, "donation of a page that a request has named",
            "take the argument page of a request in progress, to which SPTM writes on SK's word", "SPTM: counts who needs the frame",
            Control.Allowed("the page is donated and given back once SK is done with the request")),
        Row("sk.published", Invariant.I1, "write to a published frame", "publish a frame to Linux, have Linux write it, and SK go on as if it had not",
            "SPTM: Linux's stage 2 gives a read; a touch takes the frame back, cleared", Control.Allowed("Linux reads what SK published, and nothing of before")),
        Row("sk.borrow", Invariant.I1, "borrowing what is not Linux's",
            "borrow frames of SPTM, of SK, of the image, and devices; give back what is not borrowed", "SPTM: only frames of Linux are lent",
            Control.Allowed("a frame of Linux is borrowed and given back")),
        Row("sk.copy.read", Invariant.I2, "copy out of a frame of others",
            "have SPTM copy from its own text, data and tables", "SPTM: copies out of frames of Linux alone", Control.Allowed("a word of Linux's is copied")),
        Row("sk.copy.write", Invariant.I2, "copy into a frame that is no argument page",
            "have SPTM write to pages that Linux named in no request", "SPTM: only into argument pages of requests in progress", Control.Allowed("a page that Linux named is written")),
        Row("sk.el2", Invariant.I2, "registers of EL2",
            "write HCR_EL2 and VTTBR_EL2, invalidate and translate for EL2, return to EL2", "SPTM: SK runs at EL1, where the CPU knows no register of EL2", Control.Allowed("SK invalidates its own translations")),
        Row("sk.interrupts", Invariant.I6, "SK takes over interrupts",
            "acknowledge, end and send interrupts from SK", "SPTM: ICH_HCR_EL2 traps the interrupt controller", Control.Allowed("SK sees that one is pending")),
        Row("log.linux", Invariant.I2, "load and store by Linux where SK points", "have SK say where the log of what SPTM measured lies; Linux loads from it and stores to it",
            "SPTM: Linux's stage 2 maps no such frame", Control.Without(Defence.SecureFrames)) with { Stand = Stand.Kernel },
        Last("sk.linux.read", Invariant.I2, "own table, private frame of Linux", "map a frame that Linux has lent nobody, and load from it", StageTwo, Control.Without(Defence.KernelFrames)),
        Last("sk.sptm.write", Invariant.I2, "own table, frame of SPTM", "map a frame of SPTM's data, and store to it", StageTwo, Control.Without(Defence.KernelFrames)),
        Last("sk.log.write", Invariant.I2, "own table, measurement log", "map the log of what SPTM measured writable, and store to it", StageTwo, Control.Without(Defence.KernelFrames)),
        Last("sk.device", Invariant.I2, "own table, registers of a device", "map the interrupt controller's distributor, and load from it", StageTwo, Control.Without(Defence.KernelFrames)),
        Last("sk.walk", Invariant.I2, "stage-1 table in a frame of Linux", "point TTBR0_EL1 at a table that Linux wrote, and load through it",
            "SPTM: SK's table walks go through its stage 2; the secure world ends", Control.Without(Defence.KernelFrames)),
        Last("sk.text.write", Invariant.I3, "own table, text made writable", "map SK's own text writable, and store to it",
            "SPTM: stage 2 keeps text read-only; the secure world ends", Control.Without(Defence.KernelFrames)),
        Last("sk.data.execute", Invariant.I3, "own table, data made executable", "write instructions to SK's data, map them executable, and call them",
            "SPTM: stage 2 keeps data from being executed; the secure world ends", Control.Without(Defence.KernelFrames)),
        Last("sk.linux.execute", Invariant.I3, "instructions of Linux in SK", "have Linux write instructions to its page, map it executable in SK, and call them",
            StageTwo, Control.Without(Defence.KernelFrames)),
        Last("sk.retype.edge", Invariant.I1, "retype along an edge that is none", "turn a frame of Linux into text of SK",
            "SPTM: table of legal edges; the secure world ends", Control.Allowed(Donates)),
        Last("sk.call", Invariant.I1, "call outside SK's tables", "call SPTM by TXM's table, with a number and operands that are good in SK's own",
            "SPTM: dispatch tables with a mask of callers; the secure world ends", Control.Allowed(Copies)),
        Last("sk.smc", Invariant.I2, "call of the firmware from SK", "SMC from SK: PSCI CPU_ON", "SPTM: HCR_EL2.TSC; the secure world ends", Control.Allowed(Copies)),
        new("register.panic", Invariant.I5, Stand.Kernel, "residue at the end of the secure world",
            "fill every register of Linux, have SK break a rule with all of its own full, and look for them in Linux's; the same at the next call", "SPTM: a world that has ended answers with three zeros; the switch as always",
            Control.Allowed("what SK answers by a return does arrive"), AttackMachine.RogueKernelMax, EndsWorld: true),
    ];

    private static AttackRow Row(string name, Invariant invariant, string mechanism, string tried, string stoppedBy, Control control) =>
        new(name, invariant, Stand.SecureKernel, mechanism, tried, stoppedBy, control, AttackMachine.RogueKernel);

    private static AttackRow Last(string name, Invariant invariant, string mechanism, string tried, string stoppedBy, Control control) =>
        Row(name, invariant, mechanism, tried, stoppedBy, control) with { EndsWorld = true };
}
