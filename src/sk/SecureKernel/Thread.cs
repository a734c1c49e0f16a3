using System.Runtime.InteropServices;
using Exclaves.Abi;

namespace Exclaves.SecureKernel;

/// <summary>What a thread is doing.</summary>
public enum ThreadState : byte
{
    /// <summary>Not started, or its component is dead.</summary>
    Inactive = 0,

    /// <summary>Stands among the receivers of the endpoint <see cref="Thread.Target"/>, whose queue is empty.</summary>
    Receiving = 1,

    /// <summary>Can run, on any CPU and on anybody's time.</summary>
    Ready = 2,

    /// <summary>Runs on <see cref="Thread.Cpu"/>.</summary>
    Running = 3,

    /// <summary>Waits in the queue of the endpoint <see cref="Thread.Target"/>.</summary>
    Queued = 4,

    /// <summary>Waits for an answer of the thread <see cref="Thread.Target"/>.</summary>
    Served = 5,

    /// <summary>Waits for an answer that the reply object <see cref="Thread.Target"/> owes it.</summary>
    Deferred = 6,

    /// <summary>Waits for Linux, where downcall <see cref="Thread.Upcall"/> is with its upcall, or for XnuProxy to deal with the return.</summary>
    Upcalling = 7,

    /// <summary>Waits for the notification <see cref="Thread.Target"/>.</summary>
    Listening = 8,

    /// <summary>Waits for a sibling: the id <see cref="Thread.Target"/>, since <see cref="Thread.Epoch"/>.</summary>
    Epoch = 9,
}

/// <summary>Whom a server owes an answer.</summary>
public enum ServingKind : byte
{
    Nobody = 0,

    /// <summary>A downcall: <see cref="Duty.Whom"/> is its index.</summary>
    Downcall = 1,

    /// <summary>The thread at <see cref="Duty.Whom"/>.</summary>
    Thread = 2,

    /// <summary>XnuProxy alone: a downcall that came back from an upcall; the answer goes to the thread that made the upcall.</summary>
    UpcallReturn = 3,

    /// <summary>Somebody who is gone, or wants no answer: it is dropped.</summary>
    Orphan = 4,

    /// <summary>Nobody: a message of SK that needs no answer.</summary>
    Notice = 5,
}

/// <summary>An answer that is owed. Zero: none.</summary>
public struct Duty
{
    public ServingKind Kind;
    public ulong Whom;
}

/// <summary>A thread of a component. The system description declares how many there can be.</summary>
/// <remarks>The context comes first: assembly takes the address of the whole as that of the context.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct Thread
{
    /// <summary>From one thread of a component to the next.</summary>
    public const ulong Bytes = 2048;

    public UserContext Context;
    public ThreadState State;

    /// <summary>It left by an interrupt since it ran last.</summary>
    public bool Interrupted;

    /// <summary>A sibling wants its handler entered.</summary>
    public bool Kicked;
    public int Component;
    public uint Number;
    public int Cpu;
    public Duty Serving;

    /// <summary>Its own physical address.</summary>
    public ulong Address;

    /// <summary>What it waits for; see <see cref="ThreadState"/>.</summary>
    public ulong Target;

    /// <summary>The next in the list in which it waits.</summary>
    public ulong Next;

    /// <summary>1 + index of the downcall that carries its upcall; 0 = none.</summary>
    public int Upcall;

    /// <summary>It wants no answer (<see cref="SecureCall.Send"/>): it goes on as soon as its message is received.</summary>
    public bool OneWay;

    /// <summary>Badge of the capability with which it calls, and what that allows.</summary>
    public ulong CallBadge;
    public CapabilityRights CallRights;

    /// <summary>Physical address.</summary>
    public ulong IpcPage;

    /// <summary>Physical address of the table for buffers that are lent to it; 0 = it takes none.</summary>
    public ulong LentTable;

    /// <summary>TTBR0_EL1 while it runs.</summary>
    public ulong TranslationBase;

    /// <summary>Where a MapMemory that was granted goes on, and with how many pages. 0: nowhere.</summary>
    public ulong MapNext;
    public ulong MapPages;
    public Personality Personality;

    /// <summary>While it is in <see cref="ThreadState.Epoch"/>: since when, 1 + the number of the sibling it waits for or 0, and until when or 0.</summary>
    public ulong Epoch;
    public uint Owner;
    public ulong Deadline;

    /// <summary>The component's <see cref="Component.Barriers"/> when it was in SK last.</summary>
    public ulong Passed;

    /// <summary>Takes turns with its siblings, as Linux's threads do.</summary>
    public readonly bool TakesTurns => Personality.Handler != 0;
}

/// <summary>Where a thread wants its exceptions reflected (ExclaveKit).</summary>
public struct Personality
{
    /// <summary>0: none.</summary>
    public ulong Handler;
    public ulong StackPointer;

    /// <summary>VA of a page for the context.</summary>
    public ulong Context;
    public bool InHandler;
}
