namespace Exclaves.ExclaveKit;

/// <summary>struct iovec.</summary>
public struct IoVector
{
    public ulong Base;
    public ulong Bytes;
}

/// <summary>struct stack_t.</summary>
public struct StackDescription
{
    public ulong Base;
    public ulong Flags;
    public ulong Bytes;
}

/// <summary>struct rlimit64.</summary>
public struct ResourceLimit
{
    public ulong Current;
    public ulong Maximum;
}
