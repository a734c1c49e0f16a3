using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.XnuProxy;

/// <summary>All of XnuProxy's state: one static object. There is one thread, so there is no lock.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProxyState
{
    public RegistrationTable Registrations;
    public SessionTable Sessions;
    public RequestArray Requests;
    public AllocationTable Allocations;

    /// <summary>Some component may be short of memory: whichever call ends next asks Linux for it.</summary>
    public bool Wishes;
    public int RequestCount;
    public ulong Malformed;
    public ulong BadReplies;
    public int ServiceCount;
    public bool IsInitialized;

    /// <summary>From <see cref="ExclavesStatus.ExclaveCore"/> on; another Linux changes nothing about it.</summary>
    public ExclavesStatus Stage;

    /// <summary>The system has a FrameMint.</summary>
    public bool HasMint;

    public void Initialize(ulong seed, int services)
    {
        Registrations.Initialize(seed);
        Sessions.Initialize();
        ServiceCount = services;
        Stage = ExclavesStatus.ExclaveCore;
        IsInitialized = true;
    }

    /// <summary>Forgets all that belonged to a Linux that is gone. What was under way may have stopped at any instruction, so nothing but generations is taken as sound.</summary>
    public void Reset()
    {
        Requests = default;
        RequestCount = 0;
        Allocations.Forget();
        Wishes = true;
        Sessions.Reset();
        Registrations.Reset();
    }
}

/// <summary>What ends the handling of one message.</summary>
public enum Ending : byte
{
    /// <summary>Nobody waits for an answer from here.</summary>
    Receive = 0,

    /// <summary>The IPC page is the answer to whoever called.</summary>
    Reply = 1,

    /// <summary>The IPC page goes on to the service.</summary>
    Forward = 2,

    /// <summary>Linux gets its answer.</summary>
    Finish = 3,
}

/// <summary>How a message's handling ends, with what it takes.</summary>
public struct Decision
{
    public Ending Ending;
    public uint Slot;
    public ulong Downcall;
    public ulong X0;

    /// <summary>Of <see cref="Ending.Forward"/>: where the call's RPC argument lies in the window.</summary>
    public ulong RpcArgument;

    /// <summary>Of <see cref="Ending.Forward"/>: the component that serves, and which life of it is meant; 0 = any, and if it has ended, a new one.</summary>
    public uint Component;
    public ulong Life;

    /// <summary>Of <see cref="Ending.Forward"/>: buffers go along in place; the message's words say which.</summary>
    public bool Lends;

    public static Decision Receive => default;
    public static Decision Reply => new() { Ending = Ending.Reply };

    public static Decision Forward(ulong downcall, in ServiceEntry service, ulong rpcArgument, ulong life, bool lends) => new()
    {
        Ending = Ending.Forward,
        Downcall = downcall,
        Slot = service.ProxySlot,
        Component = service.Component,
        RpcArgument = rpcArgument,
        Life = life,
        Lends = lends,
    };

    /// <summary>To FrameMint, which is of the core and has one life.</summary>
    public static Decision Populate(ulong downcall, ulong rpcArgument) => new() { Ending = Ending.Forward, Downcall = downcall, Slot = MintSlots.Proxy, RpcArgument = rpcArgument, Life = 1 };

    public static Decision Finish(ulong downcall, ulong x0) => new() { Ending = Ending.Finish, Downcall = downcall, X0 = x0 };
}
