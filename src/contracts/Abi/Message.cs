using System.Runtime.InteropServices;

namespace Exclaves.Abi;

/// <summary>Start of a thread's IPC page. The sender sets label, length and words; SK sets badge and downcall.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct MessageHeader
{
    public const int Bytes = 64;
    public const int MaxBodyBytes = 4096 - Bytes;

    public MessageLabel Label;

    /// <summary>Bytes of body that follow the header, 0..<see cref="MaxBodyBytes"/>.</summary>
    public uint Length;

    /// <summary>Badge of the capability the sender used; of a <see cref="MessageLabel.Completion"/>, the generation of the component that answered. SK writes it.</summary>
    public ulong Badge;

    /// <summary>Downcall that this message serves (index and generation), for XnuProxy; elsewhere 0. SK writes it.</summary>
    public ulong Downcall;

    /// <summary>In a reply: how it went, from the server's view or (PeerDied ...) from SK's.</summary>
    public Status Status;

    /// <summary>A slot. Sender: of a capability that goes along, if the endpoint's capability has the right; 0 = none. Receiver, while it waits: an empty slot for one;
    /// with the message: that slot if one came, else 0.</summary>
    public uint Capability;
    public ulong Word0;
    public ulong Word1;
    public ulong Word2;
    public ulong Word3;
}

/// <summary>What a message is about. Values below 256 belong to SK and XnuProxy; services number their own operations in the body.</summary>
public enum MessageLabel : uint
{
    None = 0,

    /// <summary>To XnuProxy from SK: a new downcall; Word0..3 = Linux's x0..x3.</summary>
    Downcall = 1,

    /// <summary>To XnuProxy from SK: a service's answer to a forwarded message; the body is the service's.</summary>
    Completion = 2,

    /// <summary>To XnuProxy from SK: Linux came back from an upcall; Word0..3 = Linux's x0..x3 (RETURN_FROM_RPC).</summary>
    UpcallReturn = 3,

    /// <summary>To XnuProxy from SK: Linux restarted. Forget sessions and registrations.</summary>
    WorldReset = 4,

    /// <summary>To XnuProxy from SK: donated memory has gone back; <see cref="SecureCall.CollectDonated"/> says which.</summary>
    MemoryReturned = 5,

    /// <summary>To XnuProxy from SK: some component is short of memory; <see cref="SecureCall.TakeWish"/> says which.</summary>
    MemoryWanted = 6,

    /// <summary>To a service: a session opens, is called, is closed; body = <see cref="ServiceMessage"/>.</summary>
    Open = 16,
    Invoke = 17,
    Close = 18,

    /// <summary>To XnuProxy from a service that is serving a downcall: an upcall, body = <see cref="UpcallMessage"/>.</summary>
    Upcall = 19,

    /// <summary>To Entropy: Word0 = bytes wanted (at most 4032); the answer's body holds them.</summary>
    Random = 32,

    /// <summary>To LogServer, sent (<see cref="SecureCall.Send"/>): Word0 = <see cref="LogSeverity"/>, Word1 = CNTVCT_EL0 of the sender; the body is the text (<see cref="LogText"/>).</summary>
    Log = 33,

    /// <summary>From another component: body = a Tightbeam request, and in the answer its answer. The badge says who asks.</summary>
    Peer = 34,

    /// <summary>To FrameMint from XnuProxy: boot stage 3. The answer's status is Ok, also when it has happened before, or Failed for ever.</summary>
    Populate = 35,

    /// <summary>An answer.</summary>
    Reply = 64,
}

/// <summary>Kind of one parameter of a service call, from the service's view.</summary>
public enum ParameterKind : uint
{
    None = 0,
    ValueIn = 1,
    ValueOut = 2,
    ValueInOut = 3,
    BufferIn = 5,
    BufferOut = 6,
    BufferInOut = 7,

    /// <summary>A registered buffer in place (<see cref="LentRange"/>), which Linux can write to at any time.</summary>
    LentIn = 9,
    LentOut = 10,
    LentInOut = 11,
}

/// <summary>One parameter: a pair of values, or a buffer that lies in the message body.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ServiceParameter
{
    public ParameterKind Kind;

    /// <summary>Buffers: offset in the message body where the private copy of the contents lies (in) or shall be put (out). Lent ones: in their first page.</summary>
    public uint Offset;

    /// <summary>Buffers: bytes available to the service; the service stores here the bytes it used or (too small) needs. Values: a.</summary>
    public ulong A;

    /// <summary>Buffers: bytes the caller's own buffer holds, which may exceed what a message can carry. Values: b.</summary>
    public ulong B;

    /// <summary>Values: c. Buffers: 1 when the caller passed a null reference.</summary>
    public ulong C;
}

/// <summary>Body of Open, Invoke and Close, and of their answers; buffer contents follow it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ServiceMessage
{
    public const int MaxParameters = 4;

    public uint Session;

    /// <summary>Invoke: the service's operation number.</summary>
    public uint Operation;

    /// <summary>Answer: GlobalPlatform result code (0 = success) that the client sees with origin "trusted application".</summary>
    public uint Result;

    /// <summary>Open: login kind as Linux states it.</summary>
    public uint Login;
    public ulong ClientUuidLow;
    public ulong ClientUuidHigh;

    /// <summary>Index of the <see cref="ServiceEntry"/>.</summary>
    public uint Service;
    public uint Reserved;
    public ServiceParameter P0;
    public ServiceParameter P1;
    public ServiceParameter P2;
    public ServiceParameter P3;
}

/// <summary>Body of an Upcall message and of its answer: an RPC command of Linux's driver with up to four value parameters.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct UpcallMessage
{
    /// <summary>OPTEE_RPC_CMD number; only those XnuProxy's allow-list holds (<see cref="Rpc"/>).</summary>
    public uint Command;

    /// <summary>Answer: Linux's result code.</summary>
    public uint Result;
    public ServiceParameter P0;
}

/// <summary>RPC commands that services may ask for (tee-abi 1.10).</summary>
public static class Rpc
{
    public const uint GetTime = 3;
    public const uint Suspend = 5;

    /// <summary>a = bytes, a multiple of 4 KiB and at most <see cref="MaxMemoryBytes"/>: Linux gives memory to the service's component, within the quota declared for it.</summary>
    public const uint AllocateMemory = 6;

    /// <summary>What the component holds of that memory and does not use goes back.</summary>
    public const uint FreeMemory = 7;

    /// <summary>One allocation of Linux: 2 MiB, contiguous.</summary>
    public const ulong MaxMemoryBytes = 0x20_0000;

    /// <summary>What a component that runs short is given at once, at least, if it may have as much: 256 KiB, which a Linux under load can still find in one piece.</summary>
    public const ulong MinMemoryBytes = 0x4_0000;
}
