using Exclaves.Abi;

namespace Exclaves.Sptm.Model;

internal enum Operation
{
    Retype,
    Share,
    Unshare,
    ForgetArgument,

    /// <summary>Linux names the frame in a call.</summary>
    NameArgument,

    /// <summary>Linux touches the frame, and it is taken back.</summary>
    Touch,
}

/// <summary>One call, or one touch of Linux, by one CPU.</summary>
internal readonly record struct Call(int Cpu, Domain Caller, Operation Operation, ulong Address, FrameType From = 0, FrameType To = 0)
{
    public override string ToString() => Operation is Operation.Retype or Operation.Touch
        ? $"{Caller} {Operation} {Address:x} {From} to {To} (CPU {Cpu})"
        : $"{Caller} {Operation} {Address:x} (CPU {Cpu})";
}
