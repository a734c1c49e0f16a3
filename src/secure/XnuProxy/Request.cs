using System.Runtime.CompilerServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>A place in shared memory that was checked, and the means to see that it is still there.</summary>
public struct SharedPlace
{
    /// <summary>1 + index of the registration; 0 = nowhere.</summary>
    public int Entry;
    public uint Generation;
    public ulong Address;
    public ulong Bytes;
}

/// <summary>One parameter of a request under way: where its answer goes.</summary>
public struct RequestParameter
{
    public ParameterKind Kind;
    public SharedPlace Buffer;

    /// <summary>Size that the client stated.</summary>
    public ulong Size;

    /// <summary>Where in the message body the service finds or puts the contents, and how much room is there.</summary>
    public uint BodyOffset;
    public uint Capacity;
}

[InlineArray(ServiceMessage.MaxParameters)]
public struct RequestParameterArray
{
    private RequestParameter _first;
}

/// <summary>What XnuProxy remembers of a downcall while a service works on it. The table's index is the downcall's.</summary>
public struct Request
{
    public const int Capacity = 512;

    /// <summary>SK's id; 0 = the entry is free.</summary>
    public ulong Downcall;
    public MessageCommand Command;
    public int Session;

    /// <summary>Index in the argument of the service's first parameter: 2 after an OPEN's own two.</summary>
    public int FirstParameter;
    public int ParameterCount;
    public SharedPlace Argument;
    public RequestParameterArray Parameters;

    /// <summary>Command of the upcall that Linux is working on; 0 = none.</summary>
    public uint Upcall;

    /// <summary>What the upcall asks with (bytes, milliseconds), for which component, and how often it has asked before.</summary>
    public ulong Value;
    public ulong Component;
    public int Attempt;

    /// <summary>It is with FrameMint (<see cref="Booting{TSystem}"/>); what Linux wants has not begun.</summary>
    public bool Populates;

    /// <summary>The request is over; its downcall asks Linux for memory that a component is short of, then ends with <see cref="Answer"/>.</summary>
    public bool Fetches;

    /// <summary>In <see cref="Upcall"/>: the request is over; its downcall frees memory of Linux, then ends with <see cref="Answer"/>.</summary>
    public const uint Freeing = uint.MaxValue;
    public ulong Answer;

    /// <summary>Linux's command, and where its argument lies. The entry is taken when <see cref="Downcall"/> is set.</summary>
    public void Begin(in SharedPlace argument, MessageCommand command)
    {
        Argument = argument;
        Command = command;
        Upcall = 0;
    }
}

[InlineArray(Request.Capacity)]
public struct RequestArray
{
    private Request _first;
}
