namespace Exclaves.Abi;

/// <summary>What SK asks of SPTM: `hvc #0`, this number in x0, arguments in x1 to x6.</summary>
/// <remarks>The answer is a <see cref="GateStatus"/> in x0 and values from x1 on. A wrong call is SK's fault and fatal to SK.</remarks>
public enum GateCall : ulong
{
    /// <summary>Back to Linux with x1..x4 as its x0..x3. Returns with the next <see cref="GateRequestKind"/> in x0, its operands in x1..x5.</summary>
    Return = 0,

    /// <summary>x1 Linux PA, x2 SK PA, x3 bytes: copies out of an XNU_DEFAULT or shared frame. Neither side may cross a page.</summary>
    LinuxRead = 1,

    /// <summary>x1 Linux PA, x2 SK PA, x3 bytes: copies into a page that Linux named as the argument page of a request in progress, and no other.</summary>
    LinuxWrite = 2,

    /// <summary>x1 PA of a page: XNU_DEFAULT becomes SK_SHARED_RW, or its borrow count rises; SK's stage 2 then maps it rw, no execute.</summary>
    Share = 3,

    /// <summary>x1 PA of a page: undoes one <see cref="Share"/>.</summary>
    Unshare = 4,

    /// <summary>x1 SK PA, x2 bytes (at most 256, within one page): appends a line to the log ring.</summary>
    Log = 5,

    /// <summary>x1 SK PA of a message, x2 bytes: SK cannot go on. The secure world closes, Linux lives. Does not return.</summary>
    Panic = 6,

    /// <summary>x1 SK PA (8-byte aligned): writes the counters, one 64-bit word per <see cref="SptmCounter"/>.</summary>
    Counters = 7,

    /// <summary>x1 bit mask of CPUs: sends SGI 0 to each, so that it leaves secure EL0.</summary>
    Kick = 8,

    /// <summary>x1 PA of the argument page that a CALL_WITH_RPC_ARG request named: that request has ended, nothing more is written to the page.</summary>
    ArgumentDone = 9,
}

/// <summary>SPTM's answer to a <see cref="GateCall"/>.</summary>
public enum GateStatus : ulong
{
    Ok = 0,

    /// <summary>The frame's type or count does not permit it. The frame is as before.</summary>
    Refused = 1,
}

/// <summary>Why SPTM entered SK. In x0 when <see cref="GateCall.Return"/> comes back, or at the first instruction.</summary>
public enum GateRequestKind : ulong
{
    /// <summary>Zero is never sent.</summary>
    None = 0,

    /// <summary>First entry on the boot CPU: x1 = PA of <see cref="BootInfo"/>, x2 = CPU number.</summary>
    Boot = 1,

    /// <summary>First entry on another CPU, at the same address: x2 = CPU number.</summary>
    CpuOnline = 2,

    /// <summary>A yielding call of Linux's driver: x1..x4 = its x0..x3.</summary>
    Call = 3,

    /// <summary>A <see cref="Call"/>, and before it: Linux started anew, so sessions, shared frames and suspended calls of its predecessor are void.</summary>
    WorldReset = 4,
}
