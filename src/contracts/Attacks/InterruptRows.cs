using System.Collections.Generic;

namespace Exclaves.Attacks;

/// <summary>Interrupts at the secure world, which are Linux's wherever they arrive.</summary>
internal static class InterruptRows
{
    private const string EndsRight = "the interrupted call goes on and ends right";

    public static IReadOnlyList<AttackRow> All { get; } =
    [
        new("interrupt.pending", Invariant.I6, Stand.Kernel, "interrupt that is pending at each entry",
            "enter a thousand times with interrupts masked and one pending: each entry must come back at once and leave it to Linux",
            "SK: leaves without acknowledging", Control.Allowed(EndsRight)),
        new("interrupt.group0", Invariant.I6, Stand.Kernel, "fast interrupt (FIQ)",
            "make interrupts of group 0, which arrive as FIQ, and have them arrive in the secure world",
            "SK: an FIQ leaves as an IRQ does", Control.Allowed(EndsRight)),
        new("interrupt.timer", Invariant.I6, Stand.Kernel, "timer at every point of a call",
            "let the timer fall due at 230 points of a computing call and of a long operation of SK, on a machine whose clock counts instructions",
            "SK: looks for interrupts after every few pages, and at most 20,000 instructions pass", Control.Allowed("without a timer the call ends right"), AttackMachine.Counted),
        new("interrupt.masked", Invariant.I6, Stand.Kernel, "priority mask that lets nothing through",
            "set ICC_PMR_EL1 to 0, and to the tick's own priority, and call a service that computes until the tick is due",
            "SK: waits for no interrupt; the call comes to its own end in one entry",
            Control.Allowed("with the mask one step further open the same call is interrupted, goes on and ends right")),
        new("interrupt.storm", Invariant.I6, Stand.Kernel, "storm of interrupts between processors",
            "send every CPU 200,000 interrupts while a call computes", "SK: leaves for each and loses nothing", Control.Allowed(EndsRight)),
        new("interrupt.fast", Invariant.I6, Stand.Kernel, "fast call out of an interrupt handler",
            "make fast calls with interrupts masked and IRQ and FIQ pending: none may enter the secure world or come back as interrupted",
            "SPTM: answers them itself", Control.Allowed("a yielding call enters")),
    ];
}
