using System.Runtime.InteropServices;

namespace Exclaves.SecureKernel;

/// <summary>Where messages are received. Zero is an endpoint at which nobody waits.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Endpoint
{
    public const int SizeLog2 = 6;

    /// <summary>Who waits to be received: nodes of <see cref="EndpointQueue"/>.</summary>
    public ulong Head;
    public ulong Tail;

    /// <summary>First thread that waits to receive. Not both lists have members.</summary>
    public ulong Receivers;

    /// <summary>Index of the component whose threads are helped when somebody waits here.</summary>
    public int Owner;
}

/// <summary>A word whose bits anybody with the right sets and one thread takes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Notification
{
    public const int SizeLog2 = 6;

    public ulong Word;

    /// <summary>First thread that waits for a bit.</summary>
    public ulong Waiters;
    public int Owner;
}

/// <summary>An answer that a server owes and has put aside, to receive other messages first.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Reply
{
    public const int SizeLog2 = 6;

    public Duty Duty;
    public int Owner;
}
