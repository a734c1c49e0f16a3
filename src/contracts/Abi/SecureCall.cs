namespace Exclaves.Abi;

/// <summary>System calls of SK: `svc #1`, this number in x8, arguments in x0..x5, <see cref="Status"/> in x0, values from x1 on.</summary>
/// <remarks>Capabilities are named by slot in the caller's own table. Messages lie in the thread's IPC page (<see cref="MessageHeader"/>).</remarks>
public enum SecureCall : ulong
{
    /// <summary>Zero is no call.</summary>
    None = 0,

    /// <summary>x0 = endpoint slot, or 0 for the own endpoint: waits for the next message there.</summary>
    Receive = 1,

    /// <summary>Sends the IPC page as the answer to the message being served, then waits for the next one as <see cref="Receive"/> does.</summary>
    ReplyReceive = 2,

    /// <summary>x0 = endpoint slot: sends the IPC page and waits; the answer is in the IPC page.</summary>
    Call = 3,

    /// <summary>x0 = endpoint slot, x1 = VA in the shared window of the call's RPC argument (SK parks a panicking thread there; 0 = none), x2 = generation of the component that is meant (0 = any),
    /// x3 = 1: Word0..3 of the message are <see cref="LentRange"/>s that go along (0: nothing does): hands the message being served on, with the IPC page as its new content. The answer comes to the
    /// own endpoint as a message with label <see cref="MessageLabel.Completion"/>; the caller is free at once and must Receive next.</summary>
    Forward = 4,

    /// <summary>Downcall capability. x0 = downcall id, x1..x4 = Linux's x0..x3: the downcall ends. The caller goes on.</summary>
    Finish = 5,

    /// <summary>Downcall capability. x0 = downcall id, x1 = Linux's x0 (RPC code), x2, x3 = its x1, x2: the downcall is suspended for an upcall; SK puts the
    /// token in x3. It comes back as a message with label <see cref="MessageLabel.UpcallReturn"/>. The caller goes on. Possible while it serves the upcall of a
    /// thread, its return (then one more goes out), or the downcall itself (then it serves the downcall again when it is back).</summary>
    Suspend = 6,

    /// <summary>Downcall capability. x0 = Linux PA, x1 = VA, x2 = bytes; neither crosses a page.</summary>
    LinuxRead = 7,

    /// <summary>Downcall capability. x0 = Linux PA, x1 = VA, x2 = bytes; only the argument page of the request being served.</summary>
    LinuxWrite = 8,

    /// <summary>Downcall capability. x0 = VA of an array of page addresses (8-byte aligned, within one page), x1 = count (at most <see cref="SecureCallArguments.SharePages"/>), x2 = VA in the shared window:
    /// shares each page and maps them in order, rw. All or nothing.</summary>
    ShareMap = 9,

    /// <summary>Downcall capability. x0 = VA in the shared window, x1 = pages: unmaps and unshares.</summary>
    ShareUnmap = 10,

    /// <summary>x0 = VA, x1 = pages, x2 = <see cref="MemoryAccess"/> (R or RW): maps zeroed frames of the own untyped memory. Nothing is mapped unless all
    /// can be; what the caller itself, or Linux's reclaim, takes away while it runs ends it with a status, and what was mapped until then stays.</summary>
    MapMemory = 11,

    /// <summary>x0 = VA, x1 = pages: frames that are mapped there go back to the own untyped memory, scrubbed; holes are skipped.</summary>
    UnmapMemory = 12,

    /// <summary>x0 = VA, x1 = pages, x2 = access (R, RW; 0 makes the frames inaccessible but keeps them): holes are skipped. Image text and rodata refuse.</summary>
    ProtectMemory = 13,

    /// <summary>x0 = device slot, x1 = VA: maps the device page, rw, device memory.</summary>
    MapDevice = 14,

    /// <summary>DmaAddress capability. x0 = VA of a mapped own page: its physical address in x1.</summary>
    PhysicalAddress = 15,

    /// <summary>x0 = handler pc, x1 = handler sp, x2 = VA of a mapped rw page for <see cref="UserContext"/>: installs the personality.</summary>
    SetPersonality = 16,

    /// <summary>x0 = VA of a <see cref="UserContext"/>: leaves the handler and runs it. Does not return.</summary>
    ResumeContext = 17,

    /// <summary>x0 = VA, x1 = bytes (at most 256): one line of log.</summary>
    Log = 18,

    /// <summary>x0 = code (<see cref="ExitCode"/>), x1 = VA of a <see cref="UserContext"/>, 16-byte aligned within a page, that is reported in place of the caller's own, or 0: the component ends; its callers get <see cref="Status.PeerDied"/>.</summary>
    Exit = 19,

    /// <summary>Counters capability. x0 = VA (8-byte aligned), x1 = words: SK's counters (<see cref="SkCounter"/>), then SPTM's (<see cref="SptmCounter"/>).</summary>
    Counters = 20,

    /// <summary>Gives the rest of this turn back: an interrupt could have come here.</summary>
    Yield = 21,

    /// <summary>Counters capability. x0 = component index: name in the IPC page body, untyped PA in x1, bytes in x2, bytes used in x3,
    /// <see cref="ComponentState"/> (low half) and generation (high half) in x4, PA and bytes of memory that Linux gave it in x5, x6.</summary>
    ComponentInfo = 22,

    /// <summary>As <see cref="Call"/> but answers at once with Status.Busy when the server is not waiting.</summary>
    TryCall = 23,

    /// <summary>Sends the IPC page as the answer to the message being served; the caller goes on (and must Receive later).</summary>
    Reply = 24,

    /// <summary><see cref="Finish"/>, then <see cref="Receive"/>, in one. Does not wait when it refuses.</summary>
    FinishReceive = 25,

    /// <summary><see cref="Forward"/>, then <see cref="Receive"/>, in one. Does not wait when it refuses.</summary>
    ForwardReceive = 26,

    /// <summary>Downcall capability. x0 = PA, x1 = pages, x2 = component index: takes over memory that Linux allocated, for that component's own mappings.
    /// Status.Busy: a frame in the midst was refused; what was taken goes back and comes by <see cref="CollectDonated"/>. Any other refusal took nothing.</summary>
    Donate = 27,

    /// <summary>Downcall capability. x0 = component index: its runs of donated memory that it does not use go back to Linux.
    /// <see cref="SecureCallArguments.Everybody"/>: all donated memory goes back; components that use theirs end. Returns when it has happened.</summary>
    ReturnDonated = 28,

    /// <summary>Downcall capability. PA in x1 of a run that has gone back entirely and can be freed in Linux; Status.NotFound when there is none.</summary>
    CollectDonated = 29,

    /// <summary>x0 = reply slot: the answer that is owed for the message being served is put aside there; the caller can receive the next one.</summary>
    Defer = 30,

    /// <summary>x0 = reply slot: sends the IPC page as the answer that was put aside; the caller goes on.</summary>
    ReplyDeferred = 31,

    /// <summary>x0 = notification slot: sets the bits of its badge. Whoever waits for it goes on.</summary>
    Signal = 32,

    /// <summary>x0 = notification slot: waits until bits are set; they are in x1 and cleared. Status.Cancelled: the Linux thread whose call this is has a signal; the next wait may end the call.</summary>
    Wait = 33,

    /// <summary>As <see cref="Wait"/> but answers at once: Status.Busy when no bit is set.</summary>
    Poll = 34,

    /// <summary>x0 = untyped slot, x1 = <see cref="ObjectKind"/>, x2 = log2 of the bytes (<see cref="ObjectKind.Untyped"/> alone, else 0), x3 = first slot,
    /// x4 = how many: makes objects, one original capability each, in slots that follow each other. x3 and x4 say how far it came. <see cref="Status.Revoked"/>: what was made of it is being taken back.</summary>
    Retype = 35,

    /// <summary>x0 = empty slot, x1 = slot of an endpoint, a notification or a frame, x2 = rights kept, x3 = badge (0: as it is; else x1 has none yet): derives a capability. <see cref="Status.Revoked"/>: what was derived from it is being taken back.</summary>
    Derive = 36,

    /// <summary>x0 = empty slot, x1 = slot: moves a capability that boot did not make.</summary>
    Move = 37,

    /// <summary>x0 = slot: takes back everything that was derived from it, wherever it is. Untyped memory is free, and zero, afterwards. Until it is complete nothing is derived from any of them.</summary>
    Revoke = 38,

    /// <summary>x0 = slot: <see cref="Revoke"/>, then gives the capability up; with the original, the object ends.</summary>
    Delete = 39,

    /// <summary>x0 = frame slot, x1 = VA, x2 = R or RW: maps it in the own address space. One capability, one place.</summary>
    MapFrame = 40,

    /// <summary>x0 = frame slot.</summary>
    UnmapFrame = 41,

    /// <summary>Downcall capability. x0 = component index: one that has ended is declared anew, as soon as all that it had is scrubbed and revoked; its next caller starts it.</summary>
    Restart = 42,

    /// <summary>x0 = pc, x1 = sp (0: the top of the stack that SK maps for it), x2 = its TPIDR_EL0, x3 = its x0: starts a thread of the own component, whose number is in x1 here and there.
    /// Its IPC page, context page, stack (<see cref="UserLayout.StartedStackBytes"/>) and table for lent buffers come out of the own untyped memory. When the caller has a personality the thread has the same, on its
    /// own stack and context page, and starts in its handler. Status.NoMemory: none is left of the threads that were declared, or no memory.</summary>
    StartThread = 43,

    /// <summary>Ends the calling thread alone and gives back what <see cref="StartThread"/> took. Refused to a thread that SK started, and to one that owes an answer.</summary>
    ExitThread = 44,

    /// <summary>x0 = id, any word that the component's threads agree on; x1 = epoch; x2 = 1 + number of the thread that is waited for (0: unknown), which is helped; x3 = deadline, ticks of
    /// CNTVCT_EL0 (0: none): waits until <see cref="WakeEpoch"/>. Returns at once when that came with a later epoch already, for this id or one that shares its counter, so that no wake-up is lost;
    /// may return for nothing. Status.TimedOut, or Status.Kicked: <see cref="Kick"/>. SK has no timer: a deadline is looked at when somebody gives time.</summary>
    WaitEpoch = 45,

    /// <summary>x0 = id, x1 = epoch, x2 = <see cref="EpochWake"/>, x3 = thread for <see cref="EpochWake.Thread"/>: wakes those that wait for the id since an earlier epoch. How many in x1. Without
    /// any it counts none the less.</summary>
    WakeEpoch = 46,

    /// <summary>x0 = number of another thread of the own component: its personality's handler is entered as soon as it is outside of it (<see cref="ReflectReason.Tick"/>), even if it runs on another
    /// CPU; its WaitEpoch or Receive ends with Status.Kicked, or the next one does.</summary>
    Kick = 47,

    /// <summary>x0 = 0: returns when every thread of the own component that runs on another CPU has been in SK, which is a full barrier for both. x0 says how far it came.</summary>
    Barrier = 48,

    /// <summary>Downcall capability. x0 = id of the downcall being served, which lends its time to threads that no call waits for; the caller goes on. It comes back as a
    /// <see cref="MessageLabel.Completion"/>: Status.Ok when nobody has work left, Status.Busy after some turns. Status.BadState: another one lends.</summary>
    LendTime = 49,

    /// <summary>x0 = endpoint slot: sends the IPC page; the caller goes on, with the status alone, as soon as it is received. Whoever serves it owes nobody an answer.
    /// Status.Denied: XnuProxy's endpoint.</summary>
    Send = 50,

    /// <summary>Downcall capability. The next component that is short of memory and may have more of Linux's: index in x1, pages to ask for in x2; Status.NotFound when there is none.</summary>
    TakeWish = 51,

    /// <summary>x0 = interrupt slot, x1 = notification slot with the right to send (0: none any more): the interrupt sets the bits of that capability's badge, in this life of the component, as
    /// <see cref="Signal"/> does. It may come without reason, since Linux brings it; the device says what there is. What lies in the slot later counts, so that nothing is held.</summary>
    BindInterrupt = 52,

    /// <summary>x0 = kit slot: those pages of the image are ExclaveKit's text from now on, mapped into each .NET component that starts, writable to nobody. Again is success. Until then a message
    /// to a .NET component that has not started is refused: <see cref="Status.NotPopulated"/>.</summary>
    MintKit = 53,
}

/// <summary>Whom <see cref="SecureCall.WakeEpoch"/> wakes.</summary>
public enum EpochWake : ulong
{
    None = 0,

    /// <summary>The one with the earliest epoch.</summary>
    One = 1,
    All = 2,

    /// <summary>As <see cref="One"/>; the others wait for it from now on.</summary>
    OneWithOwner = 3,

    /// <summary>One thread, if it waits for this id.</summary>
    Thread = 4,
}

/// <summary>What <see cref="SecureCall.Retype"/> makes.</summary>
public enum ObjectKind : ulong
{
    None = 0,

    /// <summary>Memory to make objects of, by whoever it is passed to.</summary>
    Untyped = 1,

    /// <summary>4 KiB that can be mapped.</summary>
    Frame = 2,
    Endpoint = 3,
    Notification = 4,

    /// <summary>Holds one answer that is owed.</summary>
    Reply = 5,

    /// <summary>128 more slots: slot i of the table in slot s has the name (s &lt;&lt; 16) | i.</summary>
    CapabilityTable = 6,
}

/// <summary>Arguments of <see cref="SecureCall"/>s.</summary>
public static class SecureCallArguments
{
    /// <summary>x0 of <see cref="SecureCall.ReturnDonated"/>: every component.</summary>
    public const ulong Everybody = ulong.MaxValue;

    /// <summary>Pages of one <see cref="SecureCall.ShareMap"/>, at most.</summary>
    public const ulong SharePages = 2;
}

/// <summary>SK's own counters, words in this order; each returns to where it was when the system is idle, apart from the totals.</summary>
public enum SkCounter : uint
{
    /// <summary>Downcall contexts in use now.</summary>
    DowncallsInUse = 0,

    /// <summary>Linux pages mapped in the shared window now (page mappings, not frames).</summary>
    SharedMappings = 1,

    /// <summary>Frames of untyped memory in use now, all components.</summary>
    FramesInUse = 2,

    /// <summary>Downcalls begun, in total.</summary>
    DowncallsTotal = 3,

    /// <summary>Downcalls that left for an interrupt, in total.</summary>
    Interrupted = 4,

    /// <summary>Threads run on another call's time, in total.</summary>
    Helped = 5,

    /// <summary>Resume tokens that were refused, in total.</summary>
    BadTokens = 6,

    /// <summary>Components that ended with a fault, in total.</summary>
    Faults = 7,

    /// <summary>System calls, in total.</summary>
    SystemCalls = 8,

    /// <summary>Faults and exceptions of EL0 that went to its own handler, in total; Linux system calls of conclaves are none.</summary>
    ReflectedFaults = 9,

    /// <summary>System calls that were refused for what the caller named or may not do, in total.</summary>
    RefusedCalls = 10,

    /// <summary>Runs of donated memory that SK knows now.</summary>
    DonatedRuns = 11,

    /// <summary>Components that ended because Linux took its memory back, in total.</summary>
    Reclaimed = 12,

    /// <summary>No counter: ticks of CNTVCT_EL0 that a CPU was in SK at most before it let interrupts in, waiting for SK's lock included.</summary>
    LongestMasked = 13,

    /// <summary>No counter: frames of memory that SPTM left to SK at boot.</summary>
    PoolFrames = 14,

    /// <summary>Interrupts of devices that signalled a notification, in total; also those that Linux made up.</summary>
    Interrupts = 15,

    Count = 16,
}

/// <summary>Why SK entered a personality handler (x0).</summary>
public enum ReflectReason : ulong
{
    None = 0,

    /// <summary>`svc #0`: the Linux call number is in x8 of the context; pc is after the svc.</summary>
    SystemCall = 1,

    /// <summary>Data or instruction abort: <see cref="UserContext.FaultAddress"/> and <see cref="UserContext.Syndrome"/> (ESR_EL1) say which. pc is at the instruction.</summary>
    Fault = 2,

    /// <summary>Undefined instruction, breakpoint instruction, alignment, and whatever else EL0 can cause.</summary>
    Exception = 3,

    /// <summary>Another thread has kicked it.</summary>
    Tick = 4,
}
