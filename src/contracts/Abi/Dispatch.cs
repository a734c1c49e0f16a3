// Made from dispatch.json by src/tools/Exclaves.AbiTool; edit that file.
namespace Exclaves.Abi;

/// <summary>Who calls: a level of code with borders of its own.</summary>
public enum Domain : byte
{
    /// <summary>The monitor, EL2.</summary>
    Sptm = 0,

    /// <summary>The kernel of the insecure world: Linux, EL1. It keeps the name and the number of the original.</summary>
    Xnu = 1,

    /// <summary>The verifier of images, secure EL0 under the monitor, before anything else runs.</summary>
    Txm = 2,

    /// <summary>The secure kernel, secure EL1.</summary>
    Sk = 3,
}

/// <summary>Bits 39 to 32 of x16: a table of the monitor's functions.</summary>
public enum DispatchTable : byte
{
    /// <summary>Calls of Linux's `optee` driver. An unmodified kernel knows no x16: it passes a 32-bit SMCCC function id in x0 with `hvc #0`, which names the endpoint here. Whatever the table does not hold gets 'unknown function' and changes nothing.</summary>
    XnuBootstrap = 0,

    /// <summary>Calls of TXM by `svc #0`.</summary>
    TxmBootstrap = 1,

    /// <summary>Calls of SK by `hvc #0`. What Linux can cause is answered with Refused; a call that only SK can get wrong (marked 'fatal') closes the secure world.</summary>
    SkBootstrap = 2,

    /// <summary>SK has finished a request. Comes back with the next one: x0 GateEndpoint, x1 to x5 its operands.</summary>
    ReturnToCaller = 253,

    /// <summary>SK or a component of the core cannot go on: report, no further entry on any CPU, Linux lives on (with StopOnPanic: the machine stops). Does not return.</summary>
    Panic = 254,

    /// <summary>The original's way out when an interrupt stopped a guarded level. Nobody may call it here: interrupts of the secure world go to SK, which saves its thread and leaves by RETURN_TO_CALLER.</summary>
    ExceptionStateSaved = 255,
}

/// <summary>Endpoints of XNU_BOOTSTRAP: bits 31 to 0 of x16. Calls of Linux's `optee` driver. An unmodified kernel knows no x16: it passes a 32-bit SMCCC function id in x0 with `hvc #0`, which names the endpoint here. Whatever the table does not hold gets 'unknown function' and changes nothing.</summary>
public enum XnuFunction : uint
{
    /// <summary>UID of the message protocol.</summary>
    CallsUid = 0xBF00_FF01,

    /// <summary>Its revision.</summary>
    CallsRevision = 0xBF00_FF03,

    /// <summary>UUID of the secure world.</summary>
    GetOsUuid = 0xB200_0000,

    /// <summary>Its version, which the driver prints.</summary>
    GetOsRevision = 0xB200_0001,

    /// <summary>A driver starts afresh: whatever an earlier one left in the secure world is void from the next call on.</summary>
    ExchangeCapabilities = 0xB200_0009,

    /// <summary>Nothing is cached; 'not available' ends the driver's loop.</summary>
    DisableShmCache = 0xB200_000A,

    /// <summary>The driver listens to the interrupt of the TEE's node. It calls 'stop' before it goes, where donated memory comes back.</summary>
    EnableAsyncNotification = 0xB200_0010,

    /// <summary>What the interrupt is about: a thread for SK, which has something to do or a device that spoke. Answers: x0 0, x1 0 (bottom half), x2 1 (valid, nothing pending).</summary>
    GetAsyncNotificationValue = 0xB200_0011,

    /// <summary>x1 SptmCounter. An event counter of the monitor. Ours. Answers: x0 0, x1 value.</summary>
    ExclavesCounter = 0xB200_0100,

    /// <summary>x3 token. Goes on with a suspended call.</summary>
    ReturnFromRpc = 0x3200_0003,

    /// <summary>x1:x2 physical address of a private page. A message in a page that nobody registered.</summary>
    CallWithRpcArg = 0x3200_0012,

    /// <summary>x1:x2 cookie, x3 offset. A message in registered memory.</summary>
    CallWithRegdArg = 0x3200_0013,
}

/// <summary>Endpoints of TXM_BOOTSTRAP: bits 31 to 0 of x16. Calls of TXM by `svc #0`.</summary>
public enum TxmFunction : uint
{
    /// <summary>x0 1 when the signature over the table of digests is good. TXM has decided. It does not run again.</summary>
    Verdict = 1,
}

/// <summary>Endpoints of SK_BOOTSTRAP: bits 31 to 0 of x16. Calls of SK by `hvc #0`. What Linux can cause is answered with Refused; a call that only SK can get wrong (marked 'fatal') closes the secure world.</summary>
public enum SkFunction : uint
{
    /// <summary>x0 PA of a frame, x1 its FrameType as SK believes, x2 the new one. Changes the type of one frame, after the table of legal edges. Refused when the frame has another type, is in use, or lies where devices reach. Fatal to the caller: an address that is no frame, an edge that is not SK's.</summary>
    Retype = 1,

    /// <summary>x0 PA of a frame. XNU_DEFAULT becomes SK_SHARED_RW, or its borrow count rises; SK's stage 2 maps it rw, no execute; Linux's mapping stays.</summary>
    Borrow = 2,

    /// <summary>x0 PA of a frame. Undoes one Borrow; the last one unmaps the frame for SK. Refused when nothing is borrowed.</summary>
    Return = 3,

    /// <summary>x0 Linux PA, x1 SK PA, x2 bytes; neither side crosses a page. Copies out of a frame of Linux. Fatal to the caller: an SK side that is not SK's own data, a bad length.</summary>
    LinuxRead = 4,

    /// <summary>x0 Linux PA, x1 SK PA, x2 bytes; neither side crosses a page. Copies into a page that Linux named as the argument page of a request in progress, and no other. Fatal to the caller: as LinuxRead.</summary>
    LinuxWrite = 5,

    /// <summary>x0 PA of an argument page. The request that named this page is over: nothing more is written to it for that request.</summary>
    ArgumentDone = 6,

    /// <summary>x0 SK PA, x1 bytes (at most 256, within one page). A line for the monitor's log. Fatal to the caller: a range that is not SK's own.</summary>
    Log = 7,

    /// <summary>x0 SK PA, 8-byte aligned. Writes the counters, one 64-bit word per SptmCounter. Fatal to the caller: a range that is not SK's own.</summary>
    Counters = 8,

    /// <summary>x0 bit mask of CPUs. Sends SGI 0 to each, so that it leaves secure EL0.</summary>
    Kick = 9,

    /// <summary>Pends the interrupt of the TEE's node: its driver lends a thread to work that nobody's call waits for.</summary>
    Notify = 10,
}

/// <summary>What SPTM asks of SK, in x0 when SK is entered.</summary>
public enum GateEndpoint : ulong
{
    /// <summary>x1 to x4: x0 to x3 of Linux's call, x5 EnterFlags. A thread of Linux makes or resumes a downcall. Answers: x1 to x4: x0 to x3 of Linux.</summary>
    Enter = 0,

    /// <summary>Asked once, when SK has set itself up and before Linux runs. Another version keeps the secure world closed. Answers: x1 version of this file as SK knows it, x2 number of components, x3 number of services.</summary>
    Info = 1,

    /// <summary>x1 PA of BootInfo for the CPU that sets SK up, or 0, x2 CPU number. First entry on a CPU, at SK's image base with the MMU off.</summary>
    CpuOnline = 2,

    /// <summary>x2 CPU number. This CPU is about to be turned off; its state in SK is void.</summary>
    CpuOffline = 3,

    /// <summary>x1 PA of a donated frame. Linux touched memory that it had donated: it gets the frame back, scrubbed, when SK agrees, and repeats its access. SK ends the conclave that owns the frame and never touches it again. Ours. Answers: x1 1: the frame can be taken; 0: not yet, the owner's thread runs on another CPU and ends there.</summary>
    Reclaim = 4,
}

/// <summary>SK's answer to a request of the gate, in x0 of RETURN_TO_CALLER.</summary>
public enum GateStatus : ulong
{
    /// <summary>Done; the answers count.</summary>
    Success = 0,

    /// <summary>SK does not serve the endpoint, or not like this.</summary>
    Error = 1,

    /// <summary>SK is ending: no further entry.</summary>
    Panic = 2,
}

/// <summary>How the monitor serves a call of Linux.</summary>
public enum XnuCallHandling : byte
{
    /// <summary>Not in the table: "unknown function".</summary>
    Unknown = 0,

    /// <summary>Answered at once, with no lock: it may come from Linux's interrupt handlers.</summary>
    Fast = 1,

    /// <summary>Fast, and tells that a driver starts afresh.</summary>
    Exchange = 2,

    /// <summary>Fast, asks for a counter.</summary>
    Counter = 3,

    /// <summary>Enters SK.</summary>
    Yielding = 4,

    /// <summary>Enters SK and names a private argument page.</summary>
    YieldingWithPage = 5,
}

/// <summary>Who may call what. x16 of a call = domain [55:48] | table [39:32] | endpoint [31:0]; all other bits are zero.</summary>
public static class Dispatch
{
    /// <summary>Version of these tables; SPTM and SK must have the same.</summary>
    public const uint Version = 3;

    private const int TableShift = 32;
    private const int DomainShift = 48;
    private const ulong TargetBits = 0x00FF_00FF_FFFF_FFFF;

    /// <summary>x16 for a function of the monitor.</summary>
    public static ulong Target(DispatchTable table, uint endpoint) => ((ulong)Domain.Sptm << DomainShift) | ((ulong)table << TableShift) | endpoint;

    public static DispatchTable TableOf(ulong target) => (DispatchTable)(byte)(target >> TableShift);

    public static uint EndpointOf(ulong target) => (uint)target;

    /// <summary>Whether <paramref name="caller"/> may make the call: the monitor is named, the table exists and admits it, the endpoint exists.</summary>
    public static bool IsLegal(Domain caller, ulong target) =>
        (target & ~TargetBits) == 0
        && (Domain)(byte)(target >> DomainShift) == Domain.Sptm
        && ((CallersOf(TableOf(target)) >> (int)caller) & 1) != 0
        && HasEndpoint(TableOf(target), EndpointOf(target));

    /// <summary>Domains that may name the table: one bit for each.</summary>
    public static uint CallersOf(DispatchTable table) => table switch
    {
        DispatchTable.XnuBootstrap => (1u << (int)Domain.Xnu),
        DispatchTable.TxmBootstrap => (1u << (int)Domain.Txm),
        DispatchTable.SkBootstrap => (1u << (int)Domain.Sk),
        DispatchTable.ReturnToCaller => (1u << (int)Domain.Sk),
        DispatchTable.Panic => (1u << (int)Domain.Sk),
        _ => 0,
    };

    /// <summary>Whether the table holds the endpoint; a pseudo table holds endpoint 0 alone.</summary>
    public static bool HasEndpoint(DispatchTable table, uint endpoint) => table switch
    {
        DispatchTable.XnuBootstrap => (XnuFunction)endpoint is XnuFunction.CallsUid or XnuFunction.CallsRevision or XnuFunction.GetOsUuid or XnuFunction.GetOsRevision or XnuFunction.ExchangeCapabilities or XnuFunction.DisableShmCache or XnuFunction.EnableAsyncNotification or XnuFunction.GetAsyncNotificationValue or XnuFunction.ExclavesCounter or XnuFunction.ReturnFromRpc or XnuFunction.CallWithRpcArg or XnuFunction.CallWithRegdArg,
        DispatchTable.TxmBootstrap => (TxmFunction)endpoint is TxmFunction.Verdict,
        DispatchTable.SkBootstrap => (SkFunction)endpoint is SkFunction.Retype or SkFunction.Borrow or SkFunction.Return or SkFunction.LinuxRead or SkFunction.LinuxWrite or SkFunction.ArgumentDone or SkFunction.Log or SkFunction.Counters or SkFunction.Kick or SkFunction.Notify,
        DispatchTable.ReturnToCaller or DispatchTable.Panic or DispatchTable.ExceptionStateSaved => endpoint == 0,
        _ => false,
    };

    /// <summary>How a call of Linux with this function id is served.</summary>
    /// <remarks>What nearly every call is comes first: the gate's length is counted in instructions.</remarks>
    public static XnuCallHandling HandlingOf(XnuFunction function) =>
        function is XnuFunction.ReturnFromRpc or XnuFunction.CallWithRegdArg ? XnuCallHandling.Yielding : function switch
        {
            XnuFunction.CallsUid or XnuFunction.CallsRevision or XnuFunction.GetOsUuid or XnuFunction.GetOsRevision or XnuFunction.DisableShmCache or XnuFunction.EnableAsyncNotification or XnuFunction.GetAsyncNotificationValue => XnuCallHandling.Fast,
            XnuFunction.ExchangeCapabilities => XnuCallHandling.Exchange,
            XnuFunction.ExclavesCounter => XnuCallHandling.Counter,
            XnuFunction.CallWithRpcArg => XnuCallHandling.YieldingWithPage,
            _ => XnuCallHandling.Unknown,
        };
}
